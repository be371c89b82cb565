from typing import Any

from zoo.checks import check_boolean
from zoo.checks import check_positive_integer
from zoo.layers import TemporalInterest
from zoo.models.history_model import HistoryModel
from zoo.registry import network


@network
class TIN(HistoryModel):
    """TIN: weighs events by the target and by how long ago they were.

    `sigmoid(mlp([fields, interests]) + bias)`. An interest is
    `sum over events of softmax(<t, e> / sqrt(d)) * (e * t)`, in which the
    target `t` and the events `e` have learned positions added, so that the
    weight and the vector of an event both know the target and the place of the
    event; see `zoo.layers.TemporalInterest`. It stands where other networks
    have the mean of the sequence.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log, with a
            history; see `zoo.HistoryModel`.
        num_heads: integer, which must divide the width of an event, that of
            all embeddings of a history's sequences. Defaults to `1`.
        projected: boolean, whether `t` and `e` are multiplied by matrices, as
            in attention of several heads. Defaults to `False`, the paper's.
        **shared: arguments of `zoo.HistoryModel`, such as `histories`, and of
            `zoo.CTRModel`, such as `embedding_dim`.

    Raises:
        ValueError: if the heads do not divide the width of an event.

    Example:

    ```python
    schema = zoo.FeatureSchema(
        [], {"item": 1000}, sequences={"clicked": zoo.Sequence("item")}
    )
    model = zoo.TIN(schema)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Zhou et al., 2024](https://arxiv.org/abs/2308.08487)
    """

    def __init__(self, schema, *, num_heads=1, projected=False, **shared):
        check_positive_integer("num_heads", num_heads)
        check_boolean("projected", projected)
        self.num_heads = num_heads
        self.projected = projected
        super().__init__(schema, **shared)

    def logits(self, x):
        interests: dict[str, Any] = {}
        for i, history in enumerate(self.histories_of(x), start=1):
            interest = TemporalInterest(
                self.num_heads, self.projected, name=f"interest_{i}"
            )([history.events, history.target, history.mask])
            interests |= history.split(interest)
        return x.output(x.mlp(x.flat_with(interests)))
