from collections.abc import Sequence
from typing import Any

# The activations, in lower case, that have weights.
WITH_WEIGHTS = ("prelu", "dice")


def places_of_weights(
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
