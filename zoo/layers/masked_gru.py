import keras
from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_choice
from zoo.checks import check_positive_integer

ATTENTIONS = (None, "update", "state")


@keras.saving.register_keras_serializable(package="zoo")
class MaskedGRU(keras.layers.Layer):
    """A gated recurrent unit whose steps may have weights.

    `h <- h + s * (n - h)`, from zeros on, with
    `u, r = sigmoid(x W + b + h U + c)` and `n = tanh(x V + d + r * (h Z + e))`.
    The share `s` of the new state is `u`. With weights `a` of the steps it is
    `a * u` (AUGRU) or `a` itself (AGRU). Padding keeps the state, so that the
    last state is that after the last event, wherever padding is.

    Args:
        units: integer, the length of the state.
        attention: string, what the weights act on: `"update"` or `"state"`.
            Defaults to `None`, there are none.
        reset_after: boolean. `False` computes it as the authors of DIEN did:
            `n = tanh(x V + d + (r * h) Z)`, and in AUGRU
            `s = 1 - (1 - a) * (1 - u)`. Defaults to `True`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        List of the events, `(batch, length, width)`, the mask, `(batch,
        length)` booleans, `False` for padding, and where there are any the
        weights, `(batch, length)`.

    Output shape:
        `(batch, length, units)`, the state after each step.

    Raises:
        ValueError: for another `attention`.

    Example:

    >>> events = np.ones((2, 3, 4), dtype="float32")
    >>> mask = np.array([[False, True, True], [False, False, False]])
    >>> MaskedGRU(5)([events, mask]).shape
    (2, 3, 5)

    Reference:
    - [Zhou et al., 2019](https://arxiv.org/abs/1809.03672), equations 2 to 5
      and section "Interest Evolving Layer".
    """

    def __init__(self, units, attention=None, *, reset_after=True, **kwargs):
        super().__init__(**kwargs)
        check_positive_integer("units", units)
        check_choice("attention", attention, ATTENTIONS)
        check_boolean("reset_after", reset_after)
        self.units = units
        self.attention = attention
        self.reset_after = reset_after

    def build(self, input_shape):
        # In this order: update, which AGRU has not, reset and new.
        gates = (2 if self.attention == "state" else 3) * self.units
        self.kernel = self.add_weight(
            shape=(input_shape[0][-1], gates),
            initializer="glorot_uniform",
            name="kernel",
        )
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, gates),
            initializer="orthogonal",
            name="recurrent_kernel",
        )
        self.bias = self.add_weight(
            shape=(gates,), initializer="zeros", name="bias"
        )
        self.recurrent_bias = None
        if self.reset_after:
            self.recurrent_bias = self.add_weight(
                shape=(gates,), initializer="zeros", name="recurrent_bias"
            )

    def call(self, inputs):
        events, mask, *weights = inputs
        projected = ops.matmul(events, self.kernel) + self.bias
        columns = [ops.expand_dims(each, -1) for each in (mask, *weights)]
        steps = [ops.swapaxes(each, 0, 1) for each in (projected, *columns)]
        start = ops.zeros_like(projected[:, 0, : self.units])
        _, states = ops.scan(self._step, start, steps)
        return ops.swapaxes(states, 0, 1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[0][:-1], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "attention": self.attention,
            "reset_after": self.reset_after,
        }

    def _step(self, state, step):
        projected, event, *weight = step
        gates, new = self._gates(projected, state)
        update = gates[:, : self.units]
        if self.attention == "state":
            update = weight[0]
        elif self.attention == "update" and self.reset_after:
            update = weight[0] * update
        elif self.attention == "update":
            update = 1 - (1 - weight[0]) * (1 - update)
        moved = state + ops.cast(update, state.dtype) * (new - state)
        state = ops.where(ops.cast(event, "bool"), moved, state)
        return state, state

    def _gates(self, projected, state):
        kernel, last = self.recurrent_kernel, -self.units
        if self.reset_after:
            recurrent = ops.matmul(state, kernel) + self.recurrent_bias
            gates = ops.sigmoid(projected[:, :last] + recurrent[:, :last])
            seen = gates[:, last:] * recurrent[:, last:]
        else:
            recurrent = ops.matmul(state, kernel[:, :last])
            gates = ops.sigmoid(projected[:, :last] + recurrent)
            seen = ops.matmul(gates[:, last:] * state, kernel[:, last:])
        return gates, ops.tanh(projected[:, last:] + seen)
