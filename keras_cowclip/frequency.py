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

    A batch `scale` times as large has `scale` times fewer steps an epoch. With
    `n` occurrences in it, and so `n / scale` in the small one, the row moves
    as far an epoch as before if its rate is multiplied by

    ```
    scale * d(n / scale) / d(n) = sqrt(scale * (1 + n) / (1 + n / scale))
    ```

    That is `sqrt(scale)` for an id that few batches have, as the square root
    rule says, and tends to `scale`, as the linear rule says, for one that
    even the small batch has many times. No single factor suits both.

    The averages `E` are over as many rows at any batch only if Adam's windows
    become shorter in steps: `1 - beta` must be multiplied by `scale` as well,
    and epsilon divided by its root, as
    `scale_hyperparameters(rule="frequency")` does.

    Where the gradients of an id differ much from one row to the next, the
    turn from the root to `scale` comes at more occurrences than here, and the
    factor of frequent ids is an upper bound.

    Args:
        mean_counts: `(input_dim,)` occurrences of each id in a batch of the
            larger size, on average.
        scale: float, positive. How many times larger the batch is than the
            one that the learning rate is for. Below 1 for a smaller batch.

    Returns:
        `(input_dim,)` factors between `sqrt(scale)` and `scale`.

    Example:

    >>> mean_counts = np.array([0.0, 1.0, 64.0, 6400.0], "float32")
    >>> factor = keras_cowclip.frequency_factor(mean_counts, scale=64.0)
    >>> keras.ops.convert_to_numpy(factor).astype(float).round(1).tolist()
    [8.0, 11.2, 45.6, 63.7]

    Reference:
    - [Malladi et al., 2022](https://arxiv.org/abs/2205.10287): for Adam's
      square root rule, and its windows, where chance dominates.
    """
    return ops.sqrt(scale * (1.0 + mean_counts) / (1.0 + mean_counts / scale))
