import keras
from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_positive_integer
from zoo.layers.masked_sum import lowered
from zoo.layers.places import take_at
from zoo.layers.places import top_places


@keras.saving.register_keras_serializable(package="zoo")
class TopEvents(keras.layers.Layer):
    """Takes the events of a history with the largest scores of each query.

    No gradient passes through the choice, only through the events.

    Args:
        count: integer, how many it takes, or all there are.
        in_order: boolean, whether they keep their order in the history.
            Defaults to `False`, the largest score first.
        padding_last: boolean, whether padding is taken only where events are
            too few. Defaults to `True`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        List of the events, `(batch, length, dim)`, the mask, `(batch, length)`
        booleans, `False` for padding, and the scores, `(batch, queries,
        length)`.

    Output shape:
        List of the events, `(batch, queries, count, dim)`, their mask and their
        places in the history, `(batch, queries, count)` both.

    Example:

    >>> events = np.array([[[1.0], [3.0], [9.0]]], dtype="float32")
    >>> mask = np.array([[True, True, True]])
    >>> scores = np.array([[[0.1, 0.9, 0.5]]], dtype="float32")
    >>> TopEvents(2)([events, mask, scores])[0]  # [[[[3.0], [9.0]]]]
    """

    def __init__(self, count, in_order=False, padding_last=True, **kwargs):
        # Scores may be finer than the dtype of the events.
        super().__init__(autocast=False, **kwargs)
        check_positive_integer("count", count)
        check_boolean("in_order", in_order)
        check_boolean("padding_last", padding_last)
        self.count = count
        self.in_order = in_order
        self.padding_last = padding_last

    def call(self, inputs):
        events, mask, scores = inputs
        scores = ops.stop_gradient(scores)
        if self.padding_last:
            scores = lowered(scores, mask[:, None])
        places = ops.cast(top_places(scores, self._count(events)), "int32")
        if self.in_order:
            places = ops.sort(places, axis=-1)
        masks = events_at(mask[..., None], places)[..., 0]
        return [events_at(events, places), masks, places]

    def compute_output_spec(self, inputs):
        events, _, scores = inputs
        shape = (*scores.shape[:2], self._count(events))
        return [
            keras.KerasTensor((*shape, events.shape[-1]), events.dtype),
            keras.KerasTensor(shape, "bool"),
            keras.KerasTensor(shape, "int32"),
        ]

    def get_config(self):
        return {
            **super().get_config(),
            "count": self.count,
            "in_order": self.in_order,
            "padding_last": self.padding_last,
        }

    def _count(self, events):
        return min(self.count, events.shape[1])


def events_at(events, places):
    """Returns the events at some places of a history.

    Args:
        events: `(batch, length, dim)`.
        places: `(batch, queries, count)` integers.

    Returns:
        `(batch, queries, count, dim)`.
    """
    queries, count = places.shape[1:]
    flat = ops.reshape(places, (-1, queries * count, 1))
    taken = take_at(events, flat, axis=1)
    return ops.reshape(taken, (-1, queries, count, events.shape[-1]))
