from keras import ops

from zoo.checks import check_positive_integer
from zoo.layers import FieldCross
from zoo.layers.field_self_attention import check_heads
from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class XDeepInt(CTRModel):
    """xDeepInt: products of fields, and of parts of them, degree by degree.

    Each embedding is cut into parts, which become fields `v` of their own, so
    that elements of different places meet. Layers
    `x_next[i] = x[i] * sum_j W[j, i] v_j + x[i]` (`zoo.layers.FieldCross`), and
    no perceptron: `sigmoid(<sum_d x[:, d], w> + bias)`.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        num_layers: integer; the last one has products of `num_layers + 1`
            fields. Defaults to `3`.
        num_heads: integer, the number of parts. Defaults to `1`, no cut.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`; it has
            no hidden layers.

    Example:

    ```python
    schema = zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26})
    model = zoo.XDeepInt(schema, embedding_dim=16, num_heads=4)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Yan and Li, 2020](https://arxiv.org/abs/2301.01089)
    """

    DENSE = "embed"
    SEARCH_SPACE = {
        "num_layers": (1, 5),
    }

    def __init__(self, schema, *, num_layers=3, num_heads=1, **shared):
        check_positive_integer("num_layers", num_layers)
        check_positive_integer("num_heads", num_heads)
        self.num_layers = num_layers
        self.num_heads = num_heads
        super().__init__(schema, **shared)

    def logits(self, x):
        first = current = self._parts(x.embeddings)
        for i in range(1, self.num_layers + 1):
            current = FieldCross(name=f"cross_{i}")([first, current])
        return x.output(ops.sum(current, axis=-1))

    def _parts(self, fields):
        """`(batch, fields * num_heads, embedding_dim / num_heads)`."""
        num_fields, dim = fields.shape[1:]
        check_heads("embedding_dim", dim, self.num_heads)
        size = dim // self.num_heads
        return ops.reshape(fields, (-1, num_fields * self.num_heads, size))
