"""Takes the perceptrons of FuxiCTR's networks, each an `MLP_Block`."""

from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

from zoo.interop.activations import activations_of
from zoo.interop.original import Original
from zoo.interop.settings import dropouts_of
from zoo.interop.settings import hidden_arguments
from zoo.interop.settings import same_or_each

# The activations, in lower case, that have weights.
WITH_WEIGHTS = ("prelu", "dice")


class FuxiCTRPerceptrons(Original):
    """The base class of `FuxiCTR`: what it takes of perceptrons."""

    def perceptron(
        self,
        prefix: str,
        inputs: int,
        *,
        units: str | list[int] = "hidden_units",
        activations: str = "hidden_activations",
        default_activation: Any = "ReLU",
        dropout: str | None = "net_dropout",
        batch_norm: str | bool = "batch_norm",
        default_batch_norm: bool = False,
        outputs: str | None = "logit",
        followed: bool = False,
        name: str | None = None,
        input_norm: str | None = None,
    ) -> dict[str, Any]:
        """Takes an `MLP_Block`, as `Features.mlp` and `output` build it.

        Args:
            prefix: string, what the original calls it.
            inputs: integer, length of its input.
            units: string, the original's setting of the widths, or the widths.
            activations, dropout, batch_norm: strings, its settings of these;
                `dropout=None` for none. `batch_norm` may be a boolean.
            default_activation, default_batch_norm: what the settings are in
                the original where they are left out.
            outputs: string, the zoo's name of the linear output that is its
                last layer, or `None` without one. Defaults to `"logit"`.
            followed: boolean, whether it has a last layer that the caller
                takes. Defaults to `False`.
            name: string, as `Features.mlp` takes it. Defaults to `None`.
            input_norm: string, the zoo's name of a batch normalization of its
                input. Defaults to `None`, without one.

        Returns:
            Dict of `hidden_units`, `activation`, `normalization` and `dropout`
            as `zoo.CTRModel` and `Features.mlp` take them.
        """
        stack, start = f"{prefix}.mlp", f"{name}_" if name else ""
        normed = batch_norm
        if isinstance(batch_norm, str):
            normed = self.setting(batch_norm, default_batch_norm)
        widths = self._widths(stack, units, outputs)
        kinds = activations_of(
            self.config, activations, len(widths), default_activation
        )
        rates = [0.0] * len(widths)
        if dropout:
            rates = dropouts_of(self.config, dropout, len(widths))
        given = self.setting(activations, default_activation)
        ends = bool(outputs) or followed
        places = _places_of_weights(given, bool(normed), rates, ends)
        if input_norm:
            places = [0, *(place + 1 for place in places)]
        layers = self._layers(
            stack,
            places,
            {
                activations: given,
                batch_norm: normed,
                dropout: same_or_each(rates, []),
            },
        )
        if input_norm:
            self.batch_norm(next(layers), input_norm, inputs)
        for i, width in enumerate(widths, start=1):
            layer = f"{start}hidden_{i}"
            self.dense(next(layers), layer, inputs, width)
            inputs = width
            if normed:
                self.batch_norm(next(layers), f"{start}norm_{i}", width)
            if kinds[i - 1] in WITH_WEIGHTS:
                layer = f"{start}activation_{i}"
                self.activation(next(layers), layer, kinds[i - 1], width)
        if outputs:
            self.output(next(layers), inputs, outputs)
        return {
            "hidden_units": tuple(widths),
            **hidden_arguments(kinds, normed, rates),
        }

    def dnn(self, inputs: int, **settings: Any) -> int:
        """Takes the `MLP_Block` that most networks call `dnn`.

        It sets the arguments of the hidden layers.

        Args:
            inputs: integer, length of its input.
            **settings: what `perceptron` takes beside `units` and
                `activations`.

        Returns:
            The length of the last hidden layer's output.
        """
        hidden = self.perceptron(
            "dnn",
            inputs,
            units="dnn_hidden_units",
            activations="dnn_activations",
            **settings,
        )
        self.arguments.update(hidden)
        return [inputs, *hidden["hidden_units"]][-1]

    def dnn_normed_once(self, inputs: int, **settings: Any) -> None:
        """Takes a `dnn` that may be normalized at its input alone.

        Args:
            inputs: integer, length of its input.
            **settings: what `dnn` takes beside those of its norms.
        """
        once = self.setting("bn_only_once", False)
        if once and self.setting("batch_norm", True):
            self.dnn(
                inputs, batch_norm=False, input_norm="norm_inputs", **settings
            )
            self.arguments["normalization"] = "batch"
        else:
            self.dnn(inputs, default_batch_norm=True, **settings)
        self.arguments["normalize_once"] = once

    def tower(
        self, prefix: str, inputs: int, layer: str, **settings: Any
    ) -> dict[str, Any]:
        """Takes an `MLP_Block` that ends with a linear layer of many units.

        Args:
            prefix: string, what the original calls it.
            inputs: integer, length of its input.
            layer: string, what the zoo calls its last layer.
            **settings: what `perceptron` takes beside `units` and `outputs`.

        Returns:
            What `perceptron` returns, and the `output_units`.
        """
        linear = self._linear_widths(f"{prefix}.mlp", ends=True)
        *widths, _ = linear.values()
        hidden = self.perceptron(
            prefix,
            inputs,
            units=widths,
            outputs=None,
            followed=True,
            **settings,
        )
        last = f"{prefix}.mlp.{[*linear][-1]}"
        kernel = self.dense(last, layer, [inputs, *widths][-1])
        return {**hidden, "output_units": kernel.shape[1]}

    def _layers(
        self, stack: str, places: list[int], settings: dict[Any, Any]
    ) -> Iterator[str]:
        """Returns the names of the layers of a stack that have weights.

        Args:
            stack: string, what the original calls it.
            places: integers, where these are by its settings.
            settings: dict of these, for the message.

        Raises:
            ValueError: if the checkpoint has weights at other places.
        """
        received = self.state.numbers(stack)
        if received == places:
            return (f"{stack}.{place}" for place in places)
        # A fixed value, such as `batch_norm=False`, is no setting.
        named = {n: v for n, v in settings.items() if isinstance(n, str)}
        raise ValueError(
            f"{self.state.path}: `{stack}` must have weights at the places "
            f"{places}, which follow from {list(named)} of `config`. "
            f"Received: the places {received} with "
            f"{', '.join(f'{name}={value!r}' for name, value in named.items())}"
        )

    def _widths(
        self, stack: str, units: str | list[int], outputs: str | None
    ) -> list[int]:
        if not isinstance(units, str):
            return list(units)
        widths = [*self._linear_widths(stack, ends=bool(outputs)).values()]
        return self.size(units, widths[:-1] if outputs else widths)

    def _linear_widths(self, stack: str, ends: bool) -> dict[int, int]:
        """The widths of the linear layers of a stack, by their places.

        Args:
            stack: string, what the original calls it.
            ends: boolean, whether there must be one.
        """
        shapes = {
            place: self.state.shape(f"{stack}.{place}.weight")
            for place in self.state.numbers(stack)
            if self.state.has(f"{stack}.{place}.weight")
        }
        # Activations and norms have weights of one axis.
        widths = {p: shape[0] for p, shape in shapes.items() if len(shape) == 2}
        if ends and not widths:
            # Names the tensor that is missing.
            self.state.shape(f"{stack}.0.weight")
        return widths


def _places_of_weights(
    activations: Any,
    normed: bool,
    rates: Sequence[float],
    ends: bool,
) -> list[int]:
    """Returns the places in an `MLP_Block` of the layers that have weights.

    FuxiCTR makes a `Sequential` of what the settings ask for and nothing else.

    Args:
        activations: the original's name of that of all hidden layers, or a
            list with one for each.
        normed: boolean, whether each has a batch normalization.
        rates: floats, the rate of the dropout behind each.
        ends: boolean, whether a linear layer comes last.
    """
    if not isinstance(activations, list | tuple):
        activations = [activations] * len(rates)
    places: list[int] = []
    place = 0
    for activation, rate in zip(activations, rates, strict=True):
        places += [place, place + 1] if normed else [place]
        place = places[-1] + 1
        if activation is not None:
            # Even an `Identity` has a place there.
            places += [place] * (activation.lower() in WITH_WEIGHTS)
            place += 1
        place += rate > 0
    return [*places, place] if ends else places
