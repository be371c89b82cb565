from zoo.checks import check_boolean
from zoo.checks import check_positive_integer
from zoo.layers import HashedSum
from zoo.models.long_history_model import LongHistoryModel
from zoo.registry import network


@network
class SDIM(LongHistoryModel):
    """SDIM: sums the events of a long history that hash as the target does.

    `sigmoid(mlp([fields, found, recent]) + bias)`. `found` is the sum of all
    events whose hash is the target's, or the mean of such sums for several
    hashes; `recent` is the target's attention over the latest events.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log, with a
            history; see `zoo.HistoryModel`.
        hash_bits: integer, of one hash, each the sign of a product with a
            vector that is drawn once. Defaults to `4`.
        num_hashes: integer. Defaults to `1`, FuxiCTR's.
        normalized: boolean, whether each sum is divided by its length, as in
            the paper. Defaults to `False`, FuxiCTR's.
        projected: boolean, whether the attention has projections. `False` for
            heads that are slices of the vectors. Defaults to `True`.
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
    model = zoo.SDIM(schema, num_hashes=12, hash_bits=3, normalized=True)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Cao et al., 2022](https://arxiv.org/abs/2205.10249)
    """

    ORIGINALS = ("FuxiCTR",)
    SEARCH_SPACE = {
        **LongHistoryModel.SEARCH_SPACE,
        "hash_bits": (2, 8),
    }

    def __init__(
        self,
        schema,
        *,
        hash_bits=4,
        num_hashes=1,
        normalized=False,
        projected=True,
        **shared,
    ):
        check_positive_integer("hash_bits", hash_bits)
        check_positive_integer("num_hashes", num_hashes)
        check_boolean("normalized", normalized)
        check_boolean("projected", projected)
        self.hash_bits = hash_bits
        self.num_hashes = num_hashes
        self.normalized = normalized
        self.projected = projected
        super().__init__(schema, **shared)

    def _interests(self, x, history, i):
        del x
        found = HashedSum(
            self.hash_bits,
            self.num_hashes,
            self.normalized,
            name=f"found_{i}",
        )([history.target, history.events, history.mask])
        units = self.attention_units if self.projected else history.width
        recent = self._recent(history, i, units=units, projected=self.projected)
        return found, recent
