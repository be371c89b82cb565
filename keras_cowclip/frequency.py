"""How a row's learning rate follows the batch by how often its id occurs."""

from typing import Any

from keras import ops

Tensor = Any


def frequency_factor(mean_counts: Tensor, scale: float) -> Tensor:
    """Returns the factor of each row's learning rate at a larger batch.

    Adam moves a weight in one step by about `E[g] / sqrt(E[g**2])` times the
    learning rate. A row whose id occurs `n` times a batch on average, by
    chance more often or less (Poisson), each time with about the same
    gradient, has `E[g] ~ n` and `E[g**2] ~ n + n**2`, so that it moves by

    ```
    d(n) = sqrt(n / (1 + n))
    ```

    In a batch `scale` times as large there are `scale` times fewer steps an
    epoch, so that the row moves as far as before if its rate is multiplied by

    ```
    scale * d(n / scale) / d(n) = sqrt(scale * (1 + n) / (1 + n / scale))
    ```

    That is `sqrt(scale)` for a rare id, whose gradient is mostly chance and
    adds up like a random walk, as the square root rule has it, and `scale`
    for the id that is in every batch many times, as the linear rule has it.
    No single factor suits both. The averages `E` are taken over the same rows
    at any batch only if Adam's windows stay as long in rows, and so become
    shorter in steps: `1 - beta` must be multiplied by `scale` as well, as
    `scale_hyperparameters(rule="frequency")` does.

    Args:
        mean_counts: `(input_dim,)` occurrences of each id in a batch of the
            larger size, on average.
        scale: float, positive. How many times larger the batch is than the
            one that the learning rate is for. Below 1 for a smaller batch.

    Returns:
        `(input_dim,)` factors between `sqrt(scale)` and `scale`.

    Example:

    >>> frequency_factor(ops.array([0.0, 1.0, 64.0, 6400.0]), scale=64.0)
    ... # [8.0, 11.2, 45.6, 63.7]

    Reference:
    - [Malladi et al., 2022](https://arxiv.org/abs/2205.10287): for Adam's
      square root rule, and its windows, where chance dominates.
    """
    return ops.sqrt(scale * (1.0 + mean_counts) / (1.0 + mean_counts / scale))
