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
    embedding_batch_size: int | None = None,
) -> dict[str, Any]:
    """Scales hyperparameters tuned at a small batch to another batch size.

    The rates are the paper's by default, for Criteo's 41 million rows. For a
    custom model give the rates that it trains well with at the base batch
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

    With an `embedding_batch_size`, the tables take a step once in so many rows,
    and the dense weights every `batch_size` rows. Then `batch_size` gives the
    `s` of the dense weights' learning rate, betas and epsilon, and
    `embedding_batch_size` that of all else. Use it for very large batches: AUC
    falls there because the dense weights take too few steps.

    The paper also warms the dense learning rate up linearly over the first
    epoch. The caller does this, because it needs the number of steps.

    Args:
        batch_size: integer. Rows per step to scale to: the batch of `fit`.
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
        embedding_batch_size: integer, a multiple of `batch_size`. Rows per step
            of the embedding tables. Defaults to `None`, `batch_size`.

    Returns:
        Dict with the keys `learning_rate`, `embedding_learning_rate` and
        `embedding_l2`, for `frequency` also `frequency_scale`, `clip_ratio`,
        `beta_1`, `beta_2` and `epsilon`: keyword arguments for `CowClip`. With
        a larger `embedding_batch_size` also `embedding_accumulation_steps`, for
        `frequency` with `embedding_beta_1`, `embedding_beta_2` and
        `embedding_epsilon`.

    Raises:
        ValueError: for an unknown rule, a batch size that is not a positive
            integer, an `embedding_batch_size` that is no multiple of
            `batch_size`, a hyperparameter that is no number or negative, or a
            beta that is not below 1.

    Example:

    >>> scaled = keras_cowclip.scale_hyperparameters(batch_size=65_536)
    >>> [f"{name} {value:.5f}" for name, value in scaled.items()]
    ['learning_rate 0.00640',
     'embedding_learning_rate 0.00010',
     'embedding_l2 0.00064']
    >>> scaled = keras_cowclip.scale_hyperparameters(
    ...     8192, rule="frequency", embedding_batch_size=65_536
    ... )
    >>> scaled["embedding_accumulation_steps"], scaled["frequency_scale"]
    (8, 64.0)

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
    steps = _accumulation_steps(batch_size, embedding_batch_size)
    dense_scale = batch_size / base_batch_size
    scale = steps * dense_scale
    factors = _RULES[rule](scale)._replace(
        learning_rate=_RULES[rule](dense_scale).learning_rate
    )
    scaled: dict[str, Any] = {
        name: value * factor
        for name, value, factor in zip(
            _Factors._fields, base, factors, strict=True
        )
    }
    if steps > 1:
        scaled["embedding_accumulation_steps"] = steps
    if rule == "frequency":
        moments = beta_1, beta_2, epsilon
        scaled |= {
            "frequency_scale": scale,
            "clip_ratio": None,
            **_scaled_moments("", dense_scale, *moments),
        }
        if steps > 1:
            scaled |= _scaled_moments("embedding_", scale, *moments)
    return scaled


def _accumulation_steps(
    batch_size: int, embedding_batch_size: int | None
) -> int:
    if embedding_batch_size is None:
        return 1
    check_positive_integer("embedding_batch_size", embedding_batch_size)
    steps, rest = divmod(embedding_batch_size, batch_size)
    if rest:
        raise ValueError(
            "`embedding_batch_size` must be a multiple of `batch_size`. "
            f"Received: embedding_batch_size={embedding_batch_size}, "
            f"batch_size={batch_size}"
        )
    return steps


def _scaled_moments(prefix, scale, beta_1, beta_2, epsilon):
    """Returns betas whose windows are as long in rows, and the epsilon."""
    return {
        f"{prefix}beta_1": max(1 - scale * (1 - beta_1), 0.0),
        f"{prefix}beta_2": max(1 - scale * (1 - beta_2), 0.0),
        f"{prefix}epsilon": epsilon / scale**0.5,
    }
