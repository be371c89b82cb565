import keras
from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_choice
from zoo.checks import check_positive_integer
from zoo.checks import check_positive_integer_or_none
from zoo.checks import check_rate
from zoo.layers import MaskedMean
from zoo.layers import MaskedSum
from zoo.layers import Positions
from zoo.layers import TransformerBlock
from zoo.models.history_model import HistoryModel
from zoo.registry import network

POSITIONS = ("concat", "add", None)
POOLINGS = ("mean", "sum", "target", "concat")


@network
class BST(HistoryModel):
    """BST: a transformer over a history and, behind it, what is offered.

    `sigmoid(mlp([fields, pooled(blocks([events, target]))]) + bias)`, in which
    the events and the target have a learned vector for their place. The
    sequences of a history enter nowhere else.

    The numbers of a place's vector are between -1 and 1 at first, and small
    embeddings are nothing beside them: `benchmarks/planted_truth.py` learns an
    interest with an `embedding_deviation` of 1.0, and does not with 0.1.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log, with a
            history; see `zoo.HistoryModel`.
        num_heads: integer, of the attention, which must divide the width of an
            event: `embedding_dim` for each of its sequences, and one more with
            `position="concat"`. Defaults to `2`.
        num_layers: integer, the number of blocks. Defaults to `1`.
        feedforward_units: integer, the hidden layer of a block's perceptron,
            with a leaky ReLU. Defaults to `None`, the width of an event.
        position: string. The vector of a place is put beside the event,
            `"concat"`, or added to it, `"add"`. `None` for no such vectors.
            Defaults to `"concat"`.
        pooling: string, what is taken of the last block: the `"mean"` or
            `"sum"` of events and target, the `"target"` alone, or `"concat"`,
            all places side by side, padding included. Defaults to `"mean"`,
            FuxiCTR's, in which the target is one place of many; prefer
            `"target"`, which learned that interest where the mean did not.
        causal: boolean, whether an event attends to none after it. Defaults to
            `False`.
        residual: boolean, whether blocks add what they got. Defaults to `True`.
        layer_norm: boolean, whether blocks normalize. Defaults to `True`.
        attention_dropout: float in `[0, 1)`, of the weights of the attention.
            Defaults to `0.0`.
        transformer_dropout: float in `[0, 1)`, of what is added in a block.
            Defaults to `0.0`.
        **shared: arguments of `zoo.HistoryModel`, such as `histories`, and of
            `zoo.CTRModel`, such as `embedding_dim`.

    Raises:
        ValueError: as `zoo.HistoryModel` does, and if the heads do not divide
            the width of an event.

    Example:

    ```python
    schema = zoo.FeatureSchema(
        [], {"item": 1000}, sequences={"clicked": zoo.Sequence("item")}
    )
    model = zoo.BST(schema, hidden_units=(256, 128, 64))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Chen et al., 2019](https://arxiv.org/abs/1905.06874), section 2. The
      paper's place is the time since the event, in intervals, and all places
      enter the perceptron.
    """

    ORIGINALS: tuple[str, ...] = ("FuxiCTR", "torch-rechub")
    SEARCH_SPACE = {
        **HistoryModel.SEARCH_SPACE,
        "num_layers": (1, 3),
        "transformer_dropout": (0.0, 0.5),
    }

    def __init__(
        self,
        schema,
        *,
        num_heads=2,
        num_layers=1,
        feedforward_units=None,
        position="concat",
        pooling="mean",
        causal=False,
        residual=True,
        layer_norm=True,
        attention_dropout=0.0,
        transformer_dropout=0.0,
        **shared,
    ):
        check_positive_integer("num_heads", num_heads)
        check_positive_integer("num_layers", num_layers)
        check_positive_integer_or_none("feedforward_units", feedforward_units)
        check_choice("position", position, POSITIONS)
        check_choice("pooling", pooling, POOLINGS)
        check_boolean("causal", causal)
        check_boolean("residual", residual)
        check_boolean("layer_norm", layer_norm)
        check_rate("attention_dropout", attention_dropout)
        check_rate("transformer_dropout", transformer_dropout)
        self.num_heads = num_heads
        self.num_layers = num_layers
        self.feedforward_units = feedforward_units
        self.position = position
        self.pooling = pooling
        self.causal = causal
        self.residual = residual
        self.layer_norm = layer_norm
        self.attention_dropout = attention_dropout
        self.transformer_dropout = transformer_dropout
        super().__init__(schema, **shared)

    def logits(self, x):
        pooled = []
        for i, history in enumerate(self.histories_of(x), start=1):
            events = ops.concatenate(
                [history.events, history.target[:, None]], axis=1
            )
            mask = ops.concatenate(
                [history.mask, ops.ones_like(history.mask[:, :1])], axis=1
            )
            events = self._transformed(events, mask, i)
            pooled.append(self._pooled(events, mask))
        flat = x.flat_without(self.sequences_of_histories())
        return x.output(x.mlp(x.joined([flat, *pooled])))

    def _transformed(self, events, mask, i):
        if self.position:
            dim = self.embedding_dim if self.position == "concat" else None
            events = Positions(dim, name=f"positions_{i}")(events)
        for layer in range(1, self.num_layers + 1):
            events = TransformerBlock(
                self.num_heads,
                self.feedforward_units,
                activation="leaky_relu",
                causal=self.causal,
                residual=self.residual,
                layer_norm=self.layer_norm,
                attention_dropout=self.attention_dropout,
                dropout=self.transformer_dropout,
                name=f"block_{i}_{layer}",
            )([events, mask])
        return events

    def _pooled(self, events, mask):
        if self.pooling == "target":
            return events[:, -1]
        if self.pooling == "concat":
            return keras.layers.Flatten()(events)
        if self.pooling == "sum":
            return MaskedSum()([events, ops.ones_like(events[:, :, 0]), mask])
        return MaskedMean()([events, mask])
