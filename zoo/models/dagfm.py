import keras
from keras import ops

from zoo.checks import check_choice
from zoo.checks import check_positive_integer
from zoo.layers import AcyclicInteraction
from zoo.layers.acyclic_interaction import AGGREGATIONS
from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class DAGFM(CTRModel):
    """DAGFM: products of fields along the edges of an acyclic graph.

    `h0 = C v` mixes the fields. In the graph each field sees itself and those
    before it: from `h0` on
    `h_next_s = h0_s * sum_{f<=s} p_fs * h_f` by element
    (`zoo.layers.AcyclicInteraction`):
    `sigmoid(<[sum over the embedding of each h], w> + bias)`.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        num_layers: integer, the steps; a product is of one field more. Defaults
            to `3`, RecBole's.
        aggregation: string, `"inner"` as above, or `"outer"` for matrices of
            rank 1 instead of `p_fs`. Defaults to `"outer"`, RecBole's.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`; it has
            no hidden layers.

    Example:

    ```python
    model = zoo.DAGFM(zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26}))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Tian et al., 2023](https://arxiv.org/abs/2211.11159), section 3. This is
      the student, which the paper trains on the logits of a larger network
      first; here it learns from the labels alone.
    """

    DENSE = "embed"
    SEARCH_SPACE = {
        "num_layers": (1, 5),
        "aggregation": ["inner", "outer"],
    }

    def __init__(self, schema, *, num_layers=3, aggregation="outer", **shared):
        check_positive_integer("num_layers", num_layers)
        check_choice("aggregation", aggregation, AGGREGATIONS)
        self.num_layers = num_layers
        self.aggregation = aggregation
        super().__init__(schema, **shared)

    def logits(self, x):
        fields = len(x.names)
        first = keras.layers.EinsumDense(
            "bfd,fg->bgd",
            output_shape=(fields, self.embedding_dim),
            kernel_initializer="identity",
            name="connection",
        )(x.embeddings)
        states = [first]
        for i in range(1, self.num_layers + 1):
            states.append(
                AcyclicInteraction(self.aggregation, name=f"step_{i}")(
                    [first, states[-1]]
                )
            )
        sums = [ops.sum(state, axis=-1) for state in states]
        return x.output(x.joined(sums, name="sums"))
