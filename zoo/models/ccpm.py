import keras

from zoo.checks import check_boolean
from zoo.checks import check_choice
from zoo.checks import check_positive_integer
from zoo.checks import check_positive_integers
from zoo.layers import FieldConvolution
from zoo.layers import KMaxPooling
from zoo.layers.activation import activation_layer
from zoo.layers.activation import check_activation
from zoo.layers.field_convolution import PADDINGS
from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class CCPM(CTRModel):
    """CCPM: convolutions over neighbouring fields, each with a k-max pooling.

    From the embeddings on, `x_next = activation(k_max(convolution(x)))`, and
    `sigmoid(<flat(x), w> + bias)`. The layer `i` of `l` keeps
    `k = max(smallest_k, (1 - (i / l)**(l - i)) fields)` rows, the last one 3.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        filters: tuple of integers, the channels of each convolution. Defaults
            to `(64, 128, 256)`, as in BARS' Criteo_x4_001 run.
        kernel_heights: tuple of integers, the fields that each one covers.
            Defaults to `(7, 5, 3)`.
        convolution_activation: string, increasing, so that it may as well stand
            before `k_max`. Defaults to `"tanh"`.
        padding: string, `"full"` or `"same"`, of the convolutions; see
            `zoo.layers.FieldConvolution`. Defaults to `"full"`.
        keep_order: boolean. Whether what `k_max` keeps stays in its order; else
            the largest is the first. Defaults to `True`.
        smallest_k: integer. Defaults to `3`.
        top_units: tuple of integers, the widths of a perceptron behind the
            convolutions. Defaults to `()`, none.
        linear: boolean, whether it has the linear part. Defaults to `False`.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`; it has
            `top_units` instead of `hidden_units`.

    Raises:
        ValueError: unless there are as many `kernel_heights` as `filters`.

    Example:

    ```python
    model = zoo.CCPM(zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26}))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Liu et al., 2015](https://doi.org/10.1145/2806416.2806603), section 3;
      DeepCTR has `padding="same"`, `keep_order=False`, `smallest_k=1`,
      `top_units` and `linear`.
    """

    DENSE = "embed"
    ORIGINALS = ("FuxiCTR", "DeepCTR-Torch")
    SEARCH_SPACE = {
        "smallest_k": (1, 4),
    }

    def __init__(
        self,
        schema,
        *,
        filters=(64, 128, 256),
        kernel_heights=(7, 5, 3),
        convolution_activation="tanh",
        padding="full",
        keep_order=True,
        smallest_k=3,
        top_units=(),
        linear=False,
        **shared,
    ):
        check_positive_integers("filters", filters)
        check_positive_integers("kernel_heights", kernel_heights)
        if not filters or len(filters) != len(kernel_heights):
            raise ValueError(
                "`kernel_heights` must have one for each of `filters`, and one "
                f"at least. Received: kernel_heights={kernel_heights}, "
                f"filters={filters}"
            )
        check_activation("convolution_activation", convolution_activation)
        check_choice("padding", padding, PADDINGS)
        check_boolean("keep_order", keep_order)
        check_positive_integer("smallest_k", smallest_k)
        check_positive_integers("top_units", top_units)
        check_boolean("linear", linear)
        self.filters = tuple(filters)
        self.kernel_heights = tuple(kernel_heights)
        self.convolution_activation = convolution_activation
        self.padding = padding
        self.keep_order = keep_order
        self.smallest_k = smallest_k
        self.top_units = tuple(top_units)
        self.linear = linear
        super().__init__(schema, **shared)

    def logits(self, x):
        fields = len(x.names)
        shape = (fields, self.embedding_dim, 1)
        maps = keras.layers.Reshape(shape, name="maps")(x.embeddings)
        for i in range(1, len(self.filters) + 1):
            maps = self._convolved(maps, i, fields)
        flat = keras.layers.Flatten(name="flat")(maps)
        linear = [x.linear()] if self.linear else []
        return [*linear, x.output(x.mlp(flat, self.top_units))]

    def _convolved(self, maps, i, fields):
        maps = FieldConvolution(
            self.filters[i - 1],
            self.kernel_heights[i - 1],
            self.padding,
            name=f"convolution_{i}",
        )(maps)
        layers, k = len(self.filters), 3
        if i < layers:
            share = 1 - (i / layers) ** (layers - i)
            k = max(self.smallest_k, int(share * fields))
        maps = KMaxPooling(k, self.keep_order, name=f"pooling_{i}")(maps)
        name = f"convolution_activation_{i}"
        return activation_layer(self.convolution_activation, name)(maps)
