"""Scales each row's learning rate by the frequency of its id."""

from typing import Any

from keras import ops

Tensor = Any


def frequency_factor(mean_counts: Tensor, scale: float) -> Tensor:
    """Returns the factor of each row's learning rate at a larger batch.

    Adam moves a weight in one step by about `E[g] / sqrt(E[g**2])` times the
    learning rate. Take a row whose id occurs `n` times a batch on average, with
    Poisson fluctuations, each time with about the same gradient. Then
    `E[g] ~ n` and `E[g**2] ~ n + n**2`, and the row moves by

    ```
    d(n) = sqrt(n / (1 + n))
    ```

    A batch that is `scale` times as large has `scale` times fewer steps an
    epoch. If an id occurs `n` times in it, it occurs `n / scale` times in the
    small batch. The row moves as far an epoch as before if its rate is
    multiplied by

    ```
    scale * d(n / scale) / d(n) = sqrt(scale * (1 + n) / (1 + n / scale))
    ```

    This is `sqrt(scale)` for an id that few batches have: the square root rule.
    It tends to `scale` for an id that even the small batch has many times: the
    linear rule. No single factor suits both.

    The averages `E` must be over the same number of rows at any batch. For
    that, `1 - beta` has to be multiplied by `scale`, and epsilon divided by its
    root, as `scale_hyperparameters(rule="frequency")` does.

    The factor of frequent ids is an upper bound. If the gradients of an id
    differ much between rows, the turn from `sqrt(scale)` to `scale` comes at
    more occurrences than here.

    Args:
        mean_counts: `(input_dim,)`, mean occurrences of each id in a batch of
            the larger size.
        scale: float, positive. How many times larger the batch is than the
            one that the learning rate was tuned at. Below 1 for a smaller
            batch.

    Returns:
        `(input_dim,)` factors between `sqrt(scale)` and `scale`.

    Example:

    >>> mean_counts = np.array([0.0, 1.0, 64.0, 6400.0], "float32")
    >>> factor = keras_cowclip.frequency_factor(mean_counts, scale=64.0)
    >>> keras.ops.convert_to_numpy(factor).astype(float).round(1).tolist()
    [8.0, 11.2, 45.6, 63.7]

    Reference:
    - [Malladi et al., 2022](https://arxiv.org/abs/2205.10287): the square root
      rule of Adam and its windows, for gradients dominated by noise.
    """
    return ops.sqrt(scale * (1.0 + mean_counts) / (1.0 + mean_counts / scale))
