import keras
from keras import ops

from zoo.checks import check_positive_integer
from zoo.checks import check_positive_integer_or_none
from zoo.checks import check_rate
from zoo.layers import FourierFilter
from zoo.layers import HashAgreement
from zoo.layers import MaskedMean
from zoo.layers import TopEvents
from zoo.models.long_history_model import LongHistoryModel
from zoo.models.long_history_model import prefer_latest
from zoo.registry import network

# The number of latest events whose mean is the second query.
LATEST = 16
# The factor of the vector of an event's place.
PLACE = 0.02


@network
class MIRRN(LongHistoryModel):
    """MIRRN: searches a long history three times, and filters what it finds.

    `sigmoid(mlp([fields, recent, found]) + bias)`. `recent` is the target's
    attention over the latest events. Three queries, the target, the mean of
    the latest 16 events, and that of all, each find the `found_length` events
    whose hashes agree with theirs in most bits. These are kept in order, get a
    vector of their place, `e + 0.02 p`, and pass a filter of their spectrum,
    `norm(irfft(rfft(e) W) + e)`; their mean is an interest. `found` is the
    target's attention over the three.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log, with a
            history; see `zoo.HistoryModel`.
        found_length: integer, how many events are found; of equal ones the
            latest. Defaults to `50`.
        hash_bits: integer, each the sign of a product with a vector that is
            drawn once. Defaults to `32`.
        filter_blocks: integer, into how many slices a vector falls for the
            filter; it must divide its width. Defaults to `None`, as many as the
            vector has numbers: FuxiCTR's code computes that, whatever it is
            set to.
        filter_dropout: float in `[0, 1)`. Defaults to `0.1`.
        **shared: arguments of
            `zoo.models.long_history_model.LongHistoryModel`, such as
            `recent_length`, and of `zoo.CTRModel`, such as `embedding_dim`.
            With `original_masks` padding also is an event to filters and means.

    Raises:
        ValueError: if `filter_blocks` does not divide the width.

    Example:

    ```python
    schema = zoo.FeatureSchema(
        [],
        {"item": 1000},
        sequences={"clicked": zoo.Sequence("item", max_length=500)},
    )
    model = zoo.MIRRN(schema, embedding_dim=16)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Xu et al., 2025](https://arxiv.org/abs/2411.15005)
    """

    ORIGINALS = ("FuxiCTR",)
    SEARCH_SPACE = {
        **LongHistoryModel.SEARCH_SPACE,
        "hash_bits": (8, 64, "log"),
        "filter_dropout": (0.0, 0.5),
    }

    def __init__(
        self,
        schema,
        *,
        found_length=50,
        hash_bits=32,
        filter_blocks=None,
        filter_dropout=0.1,
        **shared,
    ):
        check_positive_integer("found_length", found_length)
        check_positive_integer("hash_bits", hash_bits)
        check_positive_integer_or_none("filter_blocks", filter_blocks)
        check_rate("filter_dropout", filter_dropout)
        self.found_length = found_length
        self.hash_bits = hash_bits
        self.filter_blocks = filter_blocks
        self.filter_dropout = filter_dropout
        super().__init__(schema, **shared)

    def _interests(self, x, history, i):
        del x
        blocks = self.filter_blocks or history.width
        if history.width % blocks:
            raise ValueError(
                "`filter_blocks` must divide the width of an event, "
                f"{history.width}. Received: "
                f"filter_blocks={self.filter_blocks!r}"
            )
        events, mask = self._three_histories(history, i)
        filtered = FourierFilter(
            blocks, self.filter_dropout, name=f"filter_{i}"
        )(events)
        if self.original_masks:
            means = ops.mean(filtered, axis=2)
        else:
            count = ops.maximum(ops.sum(mask, axis=2), 1)
            means = ops.sum(filtered * mask, axis=2) / count
        found = self._attention(f"found_{i}")([history.target, means])
        return self._recent(history, i), found

    def _three_histories(self, history, i):
        """The events that each query finds, and which of them are some.

        `(batch, 3, found_length, width)` and `(batch, 3, found_length, 1)`.
        """
        events, mask = history.events, history.mask
        queries = [
            history.target,
            MaskedMean()([events[:, -LATEST:], mask[:, -LATEST:]]),
            MaskedMean()([events, mask]),
        ]
        agreement = HashAgreement(self.hash_bits, name=f"hash_{i}")(
            [ops.stack(queries, axis=1), events]
        )
        found, found_mask, places = TopEvents(self.found_length, in_order=True)(
            [events, mask, prefer_latest(agreement[:, :, 0])]
        )
        length = events.shape[1]
        # The latest place is the first row.
        vectors = keras.layers.Embedding(
            length,
            history.width,
            embeddings_initializer=keras.initializers.RandomNormal(stddev=1.0),
            name=f"places_{i}",
        )(length - 1 - places)
        found = found + PLACE * vectors
        found_mask = ops.cast(found_mask[..., None], found.dtype)
        if not self.original_masks:
            found = found * found_mask
        return found, found_mask
