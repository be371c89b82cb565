import numpy as np
from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_positive_integer
from zoo.checks import check_rate
from zoo.layers import TargetAttention
from zoo.layers.field_self_attention import check_heads
from zoo.models.history_model import HistoryModel


class LongHistoryModel(HistoryModel):
    """The base class of networks that search long histories.

    `sigmoid(mlp([fields, recent, found]) + bias)`: the target's attention over
    the latest events, and what the network finds in the whole history.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log, with a
            history; see `zoo.HistoryModel`.
        attention_units: integer, the width of an attention. Defaults to `64`.
        num_heads: integer, which must divide `attention_units`. Defaults to
            `1`.
        attention_dropout: float in `[0, 1)`, of the attention's weights.
            Defaults to `0.0`.
        scaled: boolean, whether the attention's scores are divided by the root
            of a head's width. Defaults to `True`.
        recent_length: integer, how many of the last places of a history
            `recent` sees. Defaults to `50`.
        original_masks: boolean, whether padding is masked as in FuxiCTR, whose
            checkpoints need it. FuxiCTR's mask of the recent events is late by
            one: an event counts if there is one before it. So a history shorter
            than `recent_length` loses its first event. Defaults to `False`, all
            padding is masked.
        **shared: arguments of `zoo.HistoryModel`, such as `histories`, and of
            `zoo.CTRModel`, such as `embedding_dim`.

    Raises:
        ValueError: for heads that do not divide the width.

    Example:

    ```python
    class Recent(LongHistoryModel):
        def _interests(self, x, history, i):
            recent = self._recent(history, i)
            return recent, self._attention(f"all_{i}")(
                [history.target, history.events, history.mask]
            )
    ```
    """

    def __init__(
        self,
        schema,
        *,
        attention_units=64,
        num_heads=1,
        attention_dropout=0.0,
        scaled=True,
        recent_length=50,
        original_masks=False,
        **shared,
    ):
        check_heads("attention_units", attention_units, num_heads)
        check_rate("attention_dropout", attention_dropout)
        check_boolean("scaled", scaled)
        check_positive_integer("recent_length", recent_length)
        check_boolean("original_masks", original_masks)
        self.attention_units = attention_units
        self.num_heads = num_heads
        self.attention_dropout = attention_dropout
        self.scaled = scaled
        self.recent_length = recent_length
        self.original_masks = original_masks
        super().__init__(schema, **shared)

    def _interests(self, x, history, i):
        """Returns the two vectors that stand for a history.

        Args:
            x: `zoo.models.batch_features.Features`.
            history: `zoo.models.history.History`.
            i: integer, its number, from 1 on.

        Returns:
            Two `(batch, width)` tensors, in the order of the perceptron's
            input.

        Raises:
            NotImplementedError: unless a subclass defines it.
        """
        raise NotImplementedError(
            f"`{type(self).__name__}` must define `_interests`. "
            "Received: a class without it"
        )

    def logits(self, x):
        vectors = [x.flat_without(self.sequences_of_histories())]
        for i, history in enumerate(self.histories_of(x), start=1):
            vectors += self._interests(x, history, i)
        return x.output(x.mlp(x.joined(vectors)))

    def _attention(self, name, **settings):
        """Returns a layer, an attention of the target.

        Args:
            name: string, the layer's name.
            **settings: arguments of `zoo.layers.TargetAttention` beside those
                that the network has.
        """
        return TargetAttention(
            **{
                "units": self.attention_units,
                "num_heads": self.num_heads,
                "dropout": self.attention_dropout,
                "scaled": self.scaled,
                **settings,
            },
            name=name,
        )

    def _recent(self, history, i, **settings):
        """Returns what the target takes of the latest events.

        Args:
            history, i: as `_interests` gets them.
            **settings: as `_attention` takes them.

        Returns:
            `(batch, width)`.
        """
        mask = history.mask
        if self.original_masks:
            none = ops.zeros_like(mask[:, :1])
            mask = ops.concatenate([none, mask[:, :-1]], axis=1)
        return self._attention(f"recent_{i}", **settings)(
            [
                history.target,
                history.events[:, -self.recent_length :],
                mask[:, -self.recent_length :],
            ]
        )


def prefer_latest(agreement):
    """Returns counts of bits; of equal counts the latest is the largest.

    Args:
        agreement: `(batch, queries, length)` whole numbers.
    """
    length = agreement.shape[-1]
    return agreement + np.arange(length, dtype="float32") / length
