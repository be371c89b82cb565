import keras
from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_choice
from zoo.checks import check_integer
from zoo.checks import check_names
from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class MLR(CTRModel):
    """MLR: a mixture of logistic regressions, each for a region of the inputs.

    The piece-wise linear LS-PLM. The scores `u` of the regions are linear, and
    so are the logits `w` in them:
    `sum_m softmax_m(u_m(ids, dense)) sigmoid(w_m(ids, dense))`. A bias is not
    needed, as every row has an id of each field.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        num_regions: integer of at least 2. Defaults to `4`.
        separate_learners: boolean. `False` takes the regions' scores `u` for
            the logits `w`, as DeepCTR-Torch's code does by a slip. Defaults to
            `True`.
        bias_columns: tuple of strings, fields and numeric columns such as the
            place of an ad on the page. The probability is multiplied by that of
            a logistic regression on these. Defaults to `()`.
        **shared: arguments of `zoo.CTRModel`, such as `linear_l2`; it has no
            hidden layers, and no embeddings but the linear weights. These are
            drawn with `embedding_deviation`, as regions that are equal would
            stay so.

    Example:

    ```python
    model = zoo.MLR(zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26}))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Gai et al., 2017](https://arxiv.org/abs/1704.05194), equation 2.
    """

    DENSE = "embed"
    ORIGINALS = ("DeepCTR-Torch",)
    SEARCH_SPACE = {
        "num_regions": (2, 16),
    }

    def __init__(
        self,
        schema,
        *,
        num_regions=4,
        separate_learners=True,
        bias_columns=(),
        **shared,
    ):
        check_integer("num_regions", num_regions, 2)
        check_boolean("separate_learners", separate_learners)
        check_names("bias_columns", bias_columns)
        self.num_regions = num_regions
        self.separate_learners = separate_learners
        self.bias_columns = tuple(bias_columns)
        super().__init__(schema, **shared)

    def probabilities(self, x):
        labels = self.schema.labels
        shape = (len(labels), 1 + self.separate_learners, self.num_regions)
        scores = x.linear(
            shape[0] * shape[1] * shape[2],
            initializer=keras.initializers.RandomNormal(
                stddev=self.embedding_deviation
            ),
        )
        scores = ops.reshape(ops.cast(scores, "float32"), (-1, *shape))
        shares = ops.softmax(scores[:, :, 0], axis=-1)
        clicks = ops.sum(shares * ops.sigmoid(scores[:, :, -1]), axis=-1)
        if self.bias_columns:
            clicks = clicks * self._bias(x)
        if len(labels) == 1:
            return clicks
        return {name: clicks[:, i : i + 1] for i, name in enumerate(labels)}

    def _bias(self, x):
        known = [*self.schema.dense, *self.schema.categorical]
        for name in self.bias_columns:
            check_choice("bias_columns", name, known)
        weights = x.selected(
            list(self.bias_columns), "bias_embeddings", len(self.schema.labels)
        )
        return ops.sigmoid(ops.cast(ops.sum(weights, axis=1), "float32"))
