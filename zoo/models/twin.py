from zoo.checks import check_positive_integer
from zoo.models.long_history_model import LongHistoryModel
from zoo.registry import network


@network
class TWIN(LongHistoryModel):
    """TWIN: searches a long history by the scores of its attention.

    `sigmoid(mlp([fields, recent, found]) + bias)`. `recent` is the target's
    attention over the latest events. `found` is another over all events, in
    which each head keeps the `found_length` events with its largest scores: so
    search and attention agree.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log, with a
            history; see `zoo.HistoryModel`.
        found_length: integer, how many events are found. Defaults to `50`.
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
    model = zoo.TWIN(schema, recent_length=20)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Chang et al., 2023](https://arxiv.org/abs/2302.02352). Without
      the paper's bias of features of user and item together.
    """

    ORIGINALS = ("FuxiCTR",)

    def __init__(self, schema, *, found_length=50, **shared):
        check_positive_integer("found_length", found_length)
        self.found_length = found_length
        super().__init__(schema, **shared)

    def _interests(self, x, history, i):
        del x
        found = self._attention(f"found_{i}", top=self.found_length)
        return self._recent(history, i), found(
            [history.target, history.events, history.mask]
        )
