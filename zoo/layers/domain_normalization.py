import keras
from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_positive_integer
from zoo.checks import check_rate


@keras.saving.register_keras_serializable(package="zoo")
class DomainNormalization(keras.layers.Layer):
    """Batch normalization with statistics and weights of each domain.

    `(x - mean_d) / sqrt(variance_d + epsilon) * gamma_d + beta_d` for a row of
    the domain `d`; with `shared=True` the weights are `gamma * gamma_d` and
    `beta + beta_d`.

    In training the statistics are those of the rows of the domain in the
    batch, so a batch should have several of each; the only row of its domain
    becomes `beta_d`. Otherwise they are moving ones: means over the last rows
    of the domain, weighted by `momentum`, where the first batch with the domain
    counts in full. A batch without the domain does not move them. The variance
    includes that between batches, so that it is right for domains that have
    one row in a batch, too.

    A domain that training never saw has the statistics of all rows, and before
    any training mean 0 and variance 1.

    Args:
        num_domains: integer, the number of domains.
        shared: boolean, whether there are weights of all domains beside those
            of each. Defaults to `True`.
        momentum: float in `[0, 1)`, what remains of a row's weight in the
            moving statistics with each further batch. Defaults to `0.9`.
        epsilon: float, added to the variance. Defaults to `1e-5`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        List of `x`, `(batch, ...)`, and the domain of each row, `(batch,)`
        integers.

    Output shape:
        That of `x`.

    Example:

    >>> x = np.ones((2, 5), dtype="float32")
    >>> DomainNormalization(num_domains=4)([x, np.array([0, 3])]).shape
    (2, 5)

    Reference:
    - [Sheng et al., 2021](https://arxiv.org/abs/2101.11427), partitioned
      normalization.
    """

    def __init__(
        self, num_domains, shared=True, momentum=0.9, epsilon=1e-5, **kwargs
    ):
        super().__init__(**kwargs)
        check_positive_integer("num_domains", num_domains)
        check_boolean("shared", shared)
        check_rate("momentum", momentum)
        self.num_domains = num_domains
        self.shared = shared
        self.momentum = momentum
        self.epsilon = epsilon

    def build(self, input_shape):
        shape = tuple(input_shape[0][1:])
        domains = (self.num_domains,)
        if self.shared:
            self.gamma = self._weight("gamma", shape, "ones")
            self.beta = self._weight("beta", shape)
        self.domain_gamma = self._weight(
            "domain_gamma", domains + shape, "ones"
        )
        self.domain_beta = self._weight("domain_beta", domains + shape)
        # Of each domain, and of all rows.
        self.of_domains = self._moving("", domains, shape)
        self.of_all = self._moving("all_", (), shape)

    def _moving(self, prefix, domains, shape):
        return (
            self._weight(f"{prefix}rows", domains, trainable=False),
            self._weight(
                f"{prefix}moving_mean", domains + shape, trainable=False
            ),
            self._weight(
                f"{prefix}moving_variance",
                domains + shape,
                "ones",
                trainable=False,
            ),
        )

    def _weight(self, name, shape, initializer="zeros", trainable=True):
        # As in batch normalization, 16 bits are too few for statistics.
        return self.add_weight(
            shape=shape,
            initializer=initializer,
            trainable=trainable,
            autocast=False,
            name=name,
        )

    def call(self, inputs, training=None):
        x, domain = inputs
        x = ops.cast(x, keras.backend.result_type(x.dtype, "float32"))
        if training and self.trainable:
            mean, variance = self._of_batch(x, domain)
        else:
            mean, variance = self._of_training()
        scale = self.domain_gamma * ops.rsqrt(variance + self.epsilon)
        shift = self.domain_beta
        if self.shared:
            scale = self.gamma * scale
            shift = self.beta + shift
        mean, scale, shift = (
            ops.take(each, domain, axis=0) for each in (mean, scale, shift)
        )
        return ops.cast((x - mean) * scale + shift, self.compute_dtype)

    def _of_training(self):
        rows, *moving = map(ops.convert_to_tensor, self.of_domains)
        _, *of_all = map(ops.convert_to_tensor, self.of_all)
        seen = _expand(rows, moving[0]) > 0
        return [
            ops.where(seen, own, every)
            for own, every in zip(moving, of_all, strict=True)
        ]

    def _of_batch(self, x, domain):
        rows = self._sums(ops.ones_like(domain, dtype=x.dtype), domain)
        # A domain without rows has sums of 0 that are used nowhere.
        counts = _expand(ops.maximum(rows, 1), x)
        mean = self._sums(x, domain) / counts
        centred = x - ops.take(mean, domain, axis=0)
        variance = self._sums(ops.square(centred), domain) / counts
        self._move(self.of_domains, rows, mean, variance)
        self._move(
            self.of_all,
            ops.sum(rows),
            ops.mean(x, axis=0),
            ops.var(x, axis=0),
        )
        return mean, variance

    def _sums(self, x, domain):
        return ops.segment_sum(x, domain, num_segments=self.num_domains)

    def _move(self, moving, rows, mean, variance):
        """Mixes the rows before, and what they were, with those of a batch."""
        mean, variance = ops.stop_gradient(mean), ops.stop_gradient(variance)
        before = map(ops.convert_to_tensor, moving)
        rows_before, mean_before, variance_before = before
        kept = self.momentum * ops.maximum(rows_before, 0)
        share = _expand(rows / ops.maximum(kept + rows, 1), mean)
        step = mean - mean_before
        between = share * (1 - share) * ops.square(step)
        within = (1 - share) * variance_before + share * variance
        for variable, value in zip(
            moving,
            (
                ops.where(rows > 0, kept + rows, rows_before),
                mean_before + share * step,
                within + between,
            ),
            strict=True,
        ):
            variable.assign(value)

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {
            **super().get_config(),
            "num_domains": self.num_domains,
            "shared": self.shared,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
        }


def _expand(x, like):
    """Adds axes to the end of `x`, as many as `like` has."""
    missing = len(like.shape) - len(x.shape)
    return ops.reshape(x, (*x.shape, *[1] * missing))
