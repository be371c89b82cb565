"""Scales hyperparameters to another batch size."""

from collections.abc import Callable
from typing import Any
from typing import NamedTuple

from keras_cowclip.checks import check_decay_rate
from keras_cowclip.checks import check_not_negative
from keras_cowclip.checks import check_positive_integer


class _Factors(NamedTuple):
    learning_rate: float
    embedding_learning_rate: float
    embedding_l2: float


_RULES: dict[str, Callable[[float], _Factors]] = {
    "cowclip": lambda s: _Factors(s**0.5, 1.0, s),
    "none": lambda s: _Factors(1.0, 1.0, 1.0),
    "sqrt": lambda s: _Factors(s**0.5, s**0.5, s**0.5),
    "linear": lambda s: _Factors(s, s, 1.0),
    "n2_lambda": lambda s: _Factors(s**0.5, 1.0, s**2),
    "frequency": lambda s: _Factors(s**0.5, 1.0, 1.0),
}

RULES = tuple(_RULES)


def scale_hyperparameters(
    batch_size: int,
    base_batch_size: int = 1024,
    rule: str = "cowclip",
    learning_rate: float = 8e-4,
    embedding_learning_rate: float = 1e-4,
    embedding_l2: float = 1e-5,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
) -> dict[str, Any]:
    """Scales hyperparameters tuned at a small batch to another batch size.

    The rates are the paper's by default, for Criteo's 41 million rows. For a
    model of your own give the rates that it trains well with at the base batch
    size, or let `CowClip.from_optimizer` take them from its optimizer.

    With `s = batch_size / base_batch_size` the rules multiply by

    | rule        | learning_rate | embedding_learning_rate | embedding_l2 |
    |-------------|---------------|-------------------------|--------------|
    | `cowclip`   | `sqrt(s)`     | 1                       | `s`          |
    | `none`      | 1             | 1                       | 1            |
    | `sqrt`      | `sqrt(s)`     | `sqrt(s)`               | `sqrt(s)`    |
    | `linear`    | `s`           | `s`                     | 1            |
    | `n2_lambda` | `sqrt(s)`     | 1                       | `s**2`       |
    | `frequency` | `sqrt(s)`     | `sqrt(s)` to `s`, a row | 1            |

    `cowclip` is the paper's rule and the one to use with the clip. The paper
    compares it with the next four.

    `frequency` is this project's. It scales each row by the frequency of its
    id, see `keras_cowclip.frequency_factor`, and has no clip. Adam's windows
    keep their length in rows, down to a single step:
    `beta = max(1 - s * (1 - base_beta), 0)`. Its epsilon shrinks with the
    gradients: `epsilon = base_epsilon / sqrt(s)`.

    The paper also warms the dense learning rate up linearly over the first
    epoch. That needs the number of steps and is left to the caller.

    Args:
        batch_size: integer. Rows per step to scale to.
        base_batch_size: integer. Rows per step the values below were tuned at.
            Defaults to `1024`.
        rule: string. One of the rules above. Defaults to `"cowclip"`.
        learning_rate: float. Learning rate of the dense weights at the base
            batch size. Defaults to `8e-4`, the paper's for Criteo.
        embedding_learning_rate: float. Learning rate of the embedding tables
            at the base batch size. Defaults to `1e-4`.
        embedding_l2: float (lambda in the paper). L2 of the embedding tables
            at the base batch size. Defaults to `1e-5`.
        beta_1: float. Adam's, at the base batch size. `frequency` alone changes
            it, as the two below. Defaults to `0.9`.
        beta_2: float. Adam's, at the base batch size. Defaults to `0.999`.
        epsilon: float. Adam's, at the base batch size. Defaults to `1e-7`.

    Returns:
        Dict with the keys `learning_rate`, `embedding_learning_rate` and
        `embedding_l2`, for `frequency` also `frequency_scale`, `clip_ratio`,
        `beta_1`, `beta_2` and `epsilon`: keyword arguments for `CowClip`.

    Raises:
        ValueError: for an unknown rule, a batch size that is not a positive
            integer, a hyperparameter that is no number or negative, or a
            beta that is not below 1.

    Example:

    >>> scaled = keras_cowclip.scale_hyperparameters(batch_size=65_536)
    >>> [f"{name} {value:.5f}" for name, value in scaled.items()]
    ['learning_rate 0.00640',
     'embedding_learning_rate 0.00010',
     'embedding_l2 0.00064']

    Reference:
    - [Zheng et al., 2022](https://arxiv.org/abs/2204.06240), scaling rules.
    """
    if rule not in RULES:
        raise ValueError(
            f"`rule` must be one of {list(RULES)}. Received: rule={rule!r}"
        )
    check_positive_integer("batch_size", batch_size)
    check_positive_integer("base_batch_size", base_batch_size)
    base = _Factors(learning_rate, embedding_learning_rate, embedding_l2)
    for name, value in {**base._asdict(), "epsilon": epsilon}.items():
        check_not_negative(name, value)
    check_decay_rate("beta_1", beta_1)
    check_decay_rate("beta_2", beta_2)
    scale = batch_size / base_batch_size
    scaled: dict[str, Any] = {
        name: value * factor
        for name, value, factor in zip(
            _Factors._fields, base, _RULES[rule](scale), strict=True
        )
    }
    if rule == "frequency":
        scaled |= {
            "frequency_scale": scale,
            "clip_ratio": None,
            "beta_1": max(1 - scale * (1 - beta_1), 0.0),
            "beta_2": max(1 - scale * (1 - beta_2), 0.0),
            "epsilon": epsilon / scale**0.5,
        }
    return scaled
