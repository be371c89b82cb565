import keras
from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_positive_integer
from zoo.layers import FieldGraph
from zoo.layers import GraphMessage
from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class FiGNN(CTRModel):
    """FiGNN: fields as the nodes of a graph, which exchange messages.

    With the edges `a` of `zoo.layers.FieldGraph` and from `h = v`, in each
    layer `h = gru(message(h, a), h) + v`, with `zoo.layers.GraphMessage`. Then
    each field votes: `sigmoid(sum_i sigmoid(flat(h) U)_i <h_i, w> + bias)`.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log, with two
            fields or more.
        num_layers: integer, the steps of messages. Defaults to `6`, as in
            BARS' Criteo_x1 run.
        gru: boolean. `False` for `h = message(h, a) + h + v`. Defaults to
            `True`.
        residual: boolean, whether each layer adds `v`. Defaults to `True`.
        shared_messages: boolean, whether all layers have one `message`; they
            have one `gru` in any case. Defaults to `False`.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`; it has
            no hidden layers.

    Raises:
        ValueError: as `zoo.CTRModel` does, and for fewer than two fields.

    Example:

    ```python
    model = zoo.FiGNN(zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26}))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Li et al., 2019](https://arxiv.org/abs/1910.05552)
    """

    DENSE = "embed"
    ORIGINALS = ("FuxiCTR",)
    SEARCH_SPACE = {
        "num_layers": (1, 6),
    }

    def __init__(
        self,
        schema,
        *,
        num_layers=6,
        gru=True,
        residual=True,
        shared_messages=False,
        **shared,
    ):
        check_positive_integer("num_layers", num_layers)
        check_boolean("gru", gru)
        check_boolean("residual", residual)
        check_boolean("shared_messages", shared_messages)
        self.num_layers = num_layers
        self.gru = gru
        self.residual = residual
        self.shared_messages = shared_messages
        super().__init__(schema, **shared)

    def logits(self, x):
        fields = x.embeddings
        edges = FieldGraph(name="edges")(fields)
        count = 1 if self.shared_messages else self.num_layers
        messages = [GraphMessage(name=f"message_{i + 1}") for i in range(count)]
        cell = self._cell(fields.shape[-1]) if self.gru else None
        state = fields
        for i in range(self.num_layers):
            message = messages[i % count]([state, edges])
            state = _updated(cell, message, state)
            if self.residual:
                state = state + fields
        return self._votes(x, state)

    def _cell(self, dim):
        def uniform():
            return keras.initializers.RandomUniform(-(dim**-0.5), dim**-0.5)

        # As PyTorch draws it.
        return keras.layers.GRUCell(
            dim,
            kernel_initializer=uniform(),
            recurrent_initializer=uniform(),
            bias_initializer=uniform(),
            implementation=2,
            name="gru",
        )

    def _votes(self, x, state):
        shares = keras.layers.Dense(
            state.shape[1],
            use_bias=False,
            activation="sigmoid",
            kernel_initializer="glorot_normal",
            name="votes",
        )(keras.layers.Flatten()(state))
        weighted = ops.expand_dims(shares, axis=-1) * x.output(state)
        return ops.sum(weighted, axis=1)


def _updated(cell, message, state):
    if cell is None:
        return message + state
    _, fields, dim = state.shape
    # The cell takes one sequence a row.
    updated, _ = cell(
        ops.reshape(message, (-1, dim)), ops.reshape(state, (-1, dim))
    )
    return ops.reshape(updated, (-1, fields, dim))
