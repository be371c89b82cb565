import keras
from keras import ops

from zoo.checks import check_not_negative
from zoo.checks import check_positive_integer
from zoo.layers import ProjectedScores
from zoo.layers import TopEvents
from zoo.models.extra_losses import cross_entropy
from zoo.models.extra_losses import of_label
from zoo.models.long_history_model import LongHistoryModel
from zoo.registry import network


@network
class SIM(LongHistoryModel):
    """SIM: searches a long history by scores that learn to predict clicks.

    `sigmoid(mlp([fields, recent, found]) + bias)`. `recent` is the target's
    attention over the latest events, `found` that over the `found_length`
    events with the largest scores `s(e) = <t Q, e K>`. No gradient passes this
    choice, so the scores train on a loss of their own: the cross-entropy of
    `sigmoid(mlp([fields, sum over events of s(e) * e]))`.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log, with a
            history; see `zoo.HistoryModel`.
        found_length: integer, how many events are found. Defaults to `50`.
        search_loss: float, the factor of the scores' loss. Defaults to `1.0`.
        click_loss: float, the factor of the usual cross-entropy. Defaults to
            `1.0`.
        **shared: arguments of
            `zoo.models.long_history_model.LongHistoryModel`, such as
            `recent_length`, and of `zoo.CTRModel`, such as `embedding_dim`.
            With `original_masks` padding also has the score 0, which is more
            than that of an event with a negative one.

    Example:

    ```python
    schema = zoo.FeatureSchema(
        [],
        {"item": 1000},
        sequences={"clicked": zoo.Sequence("item", max_length=500)},
    )
    model = zoo.SIM(schema, recent_length=20)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Pi et al., 2020](https://arxiv.org/abs/2006.05639), section 3, with the
      soft search. The paper's attention also knows when an event was.
    """

    ORIGINALS = ("FuxiCTR",)

    def __init__(
        self,
        schema,
        *,
        found_length=50,
        search_loss=1.0,
        click_loss=1.0,
        **shared,
    ):
        check_positive_integer("found_length", found_length)
        check_not_negative("search_loss", search_loss)
        check_not_negative("click_loss", click_loss)
        self.found_length = found_length
        self.search_loss = search_loss
        self.click_loss = click_loss
        super().__init__(schema, **shared)

    def logits(self, x):
        # One call for both perceptrons, because its layer has a name.
        fields = x.flat_without(self.sequences_of_histories())
        searched, vectors = [fields], [fields]
        for i, history in enumerate(self.histories_of(x), start=1):
            scores = ProjectedScores(self.attention_units, name=f"search_{i}")(
                [history.target, history.events]
            )
            searched.append(history.pooled(scores))
            vectors += [
                self._recent(history, i),
                self._found(history, scores, i),
            ]
        hidden = x.mlp(x.joined(searched), name="search")
        x.keep("search", x.output(hidden, "search_logit", use_bias=True))
        return x.output(x.mlp(x.joined(vectors)))

    def extra_loss(self, y, probabilities, kept, sample_weight=None):
        usual = keras.losses.BinaryCrossentropy(dtype="float32")
        total = 0.0
        for i, label in enumerate(self.schema.labels):
            clicks = of_label(y, label)
            weight = of_label(sample_weight, label)
            search = kept["search"][:, i : i + 1]
            loss = self.search_loss * cross_entropy(clicks, search, weight)
            if self.click_loss != 1:
                click = of_label(probabilities, label)
                loss = loss + (self.click_loss - 1) * usual(
                    ops.reshape(clicks, (-1, 1)), click, weight
                )
            total = total + loss
        return total

    def _found(self, history, scores, i):
        # Events are zero where padded, and so are their scores.
        events, mask, _ = TopEvents(
            self.found_length, padding_last=not self.original_masks
        )([history.events, history.mask, scores[:, None]])
        return self._attention(f"found_{i}")(
            [history.target, events[:, 0], mask[:, 0]]
        )
