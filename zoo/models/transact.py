import keras
import numpy as np
from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_positive_integer
from zoo.checks import check_positive_integers
from zoo.checks import check_rate
from zoo.layers import MatrixCross
from zoo.layers import TransformerBlock
from zoo.models.history_model import HistoryModel
from zoo.registry import network

# Below all outputs of a normalization, and finite in each dtype.
LOWEST = -6e4


@network
class TransAct(HistoryModel):
    """TransAct: a transformer over pairs of an event and what is offered.

    The blocks read `[event, target]` for each event. Their outputs for the
    newest events, and their maximum over all events times a matrix, join the
    fields in the input `v` of DCN V2:
    `sigmoid(mlp([cross(v), mlp(v)]) + bias)`. The sequences of a history enter
    nowhere else. The newest event must be the last, as this package's encoders
    have it.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log, with a
            history; see `zoo.HistoryModel`.
        num_heads: integer, of the attention, which must divide the width of a
            pair, `2 * embedding_dim` for each sequence. Defaults to `1`.
        num_layers: integer, the number of blocks. Defaults to `1`.
        feedforward_units: integer, the hidden layer of a block's perceptron.
            Defaults to `512`.
        transformer_dropout: float in `[0, 1)`, within the blocks. Defaults to
            `0.0`.
        num_recent: integer, how many of the newest events stand beside the
            fields. Defaults to `1`.
        max_pooling: boolean, whether the maximum does. Defaults to `True`.
        num_cross_layers: integer. Defaults to `3`.
        output_units: tuple of integers, hidden layers of the perceptron behind
            DCN V2, without normalization and dropout. Defaults to `()`, a
            linear output.
        **shared: arguments of `zoo.HistoryModel`, such as `histories`, and of
            `zoo.CTRModel`, such as `hidden_units`, which are those of DCN V2.

    Raises:
        ValueError: as `zoo.HistoryModel` does, if the heads do not divide the
            width of a pair, or there are fewer events than `num_recent`.

    Example:

    ```python
    schema = zoo.FeatureSchema(
        [], {"item": 1000}, sequences={"clicked": zoo.Sequence("item")}
    )
    model = zoo.TransAct(schema, hidden_units=(256, 128, 64))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Xia et al., 2023](https://arxiv.org/abs/2306.00248), section 3. While it
      trains, the paper's also hides the events of a random last time.
    """

    ORIGINALS: tuple[str, ...] = ("FuxiCTR",)
    SEARCH_SPACE = {
        **HistoryModel.SEARCH_SPACE,
        "num_layers": (1, 3),
        "num_cross_layers": (1, 5),
    }

    def __init__(
        self,
        schema,
        *,
        num_heads=1,
        num_layers=1,
        feedforward_units=512,
        transformer_dropout=0.0,
        num_recent=1,
        max_pooling=True,
        num_cross_layers=3,
        output_units=(),
        **shared,
    ):
        check_positive_integer("num_heads", num_heads)
        check_positive_integer("num_layers", num_layers)
        check_positive_integer("feedforward_units", feedforward_units)
        check_rate("transformer_dropout", transformer_dropout)
        check_positive_integer("num_recent", num_recent)
        check_boolean("max_pooling", max_pooling)
        check_positive_integer("num_cross_layers", num_cross_layers)
        check_positive_integers("output_units", output_units)
        self.num_heads = num_heads
        self.num_layers = num_layers
        self.feedforward_units = feedforward_units
        self.transformer_dropout = transformer_dropout
        self.num_recent = num_recent
        self.max_pooling = max_pooling
        self.num_cross_layers = num_cross_layers
        self.output_units = tuple(output_units)
        super().__init__(schema, **shared)

    def logits(self, x):
        parts = []
        for i, history in enumerate(self.histories_of(x), start=1):
            length = history.events.shape[1]
            if self.num_recent > length:
                raise ValueError(
                    "`num_recent` must be at most the length of the histories, "
                    f"{length}. Received: num_recent={self.num_recent}"
                )
            parts += self._parts(history, i)
        flat = x.flat_without(self.sequences_of_histories())
        flat = x.joined([flat, *parts])
        crossed = flat
        for i in range(1, self.num_cross_layers + 1):
            crossed = MatrixCross(None, name=f"cross_{i}")([flat, crossed])
        joined = x.joined([crossed, x.mlp(flat)], name="cross_and_deep")
        return x.output(
            x.mlp(
                joined,
                self.output_units,
                "output",
                normalization=None,
                dropout=0.0,
            )
        )

    def _parts(self, history, i):
        """The newest events and the maximum, `(batch, ...)` each."""
        length = history.events.shape[1]
        target = ops.repeat(history.target[:, None], length, axis=1)
        events = ops.concatenate([history.events, target], axis=-1)
        mask = _with_one(history.mask)
        for layer in range(1, self.num_layers + 1):
            events = TransformerBlock(
                self.num_heads,
                self.feedforward_units,
                attention_dropout=self.transformer_dropout,
                hidden_dropout=self.transformer_dropout,
                dropout=self.transformer_dropout,
                name=f"block_{i}_{layer}",
            )([events, mask])
        seen = ops.expand_dims(mask, -1)
        known = ops.where(seen, events, ops.zeros_like(events))
        parts = [keras.layers.Flatten()(known[:, -self.num_recent :])]
        if self.max_pooling:
            lowest = ops.full_like(events, LOWEST)
            largest = ops.max(ops.where(seen, events, lowest), axis=1)
            parts.append(
                keras.layers.Dense(
                    events.shape[-1],
                    kernel_initializer="glorot_normal",
                    name=f"maximum_{i}",
                )(largest)
            )
        return parts


def _with_one(mask):
    """Returns the mask, in which a row without events has its last place."""
    none = ops.logical_not(ops.any(mask, axis=1, keepdims=True))
    last = np.arange(mask.shape[1]) == mask.shape[1] - 1
    return ops.logical_or(mask, ops.logical_and(none, last))
