from zoo.checks import check_positive_integer
from zoo.layers import HashAgreement
from zoo.layers import TopEvents
from zoo.models.long_history_model import LongHistoryModel
from zoo.models.long_history_model import prefer_latest
from zoo.registry import network


@network
class ETA(LongHistoryModel):
    """ETA: searches a long history by a hash that keeps angles.

    `sigmoid(mlp([fields, recent, found]) + bias)`. `recent` is the target's
    attention over the latest events, `found` that over the `found_length`
    events whose hashes agree with the target's in most bits.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log, with a
            history; see `zoo.HistoryModel`.
        found_length: integer, how many events are found; of equal ones the
            latest. Defaults to `50`.
        hash_bits: integer, each the sign of a product with a vector that is
            drawn once. Defaults to `32`.
        **shared: arguments of
            `zoo.models.long_history_model.LongHistoryModel`, such as
            `recent_length`, and of `zoo.CTRModel`, such as `embedding_dim`.

    Example:

    ```python
    schema = zoo.FeatureSchema(
        [],
        {"item": 1000},
        sequences={"clicked": zoo.Sequence("item", max_length=500)},
    )
    model = zoo.ETA(schema, recent_length=20)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Chen et al., 2022](https://arxiv.org/abs/2209.12212)
    """

    ORIGINALS = ("FuxiCTR",)
    SEARCH_SPACE = {
        **LongHistoryModel.SEARCH_SPACE,
        "hash_bits": (8, 64, "log"),
    }

    def __init__(self, schema, *, found_length=50, hash_bits=32, **shared):
        check_positive_integer("found_length", found_length)
        check_positive_integer("hash_bits", hash_bits)
        self.found_length = found_length
        self.hash_bits = hash_bits
        super().__init__(schema, **shared)

    def _interests(self, x, history, i):
        del x
        agreement = HashAgreement(self.hash_bits, name=f"hash_{i}")(
            [history.target[:, None], history.events]
        )
        events, mask, _ = TopEvents(self.found_length)(
            [
                history.events,
                history.mask,
                prefer_latest(agreement[:, :, 0]),
            ]
        )
        found = self._attention(f"found_{i}")(
            [history.target, events[:, 0], mask[:, 0]]
        )
        return self._recent(history, i), found
