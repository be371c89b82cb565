"""How a row's learning rate follows the batch by how often its id occurs."""

from typing import Any

from keras import ops

Tensor = Any


def frequency_factor(
    mean_counts: Tensor, scale: float, beta_2: float = 0.999
) -> Tensor:
    """Returns the factor of each row's learning rate at a larger batch.

    With `n` occurrences a batch on average, an id is in a share
    `p = 1 - exp(-n)` of the batches. Where the gradients of its row are all
    about as large, dense Adam moves the row in one step by about

    ```
    d(p) = p / sqrt(max(p, 1 - beta_2))
    ```

    times the learning rate: the first moment has the mean of the gradient,
    which is zero in the other batches, and the root of the second moment has
    that of its square, over the last `1 / (1 - beta_2)` steps. In a batch that
    is `scale` times as large there are `scale` times fewer steps an epoch,
    so that a row moves as far as before if its rate is multiplied by

    ```
    min(max(scale * d(1 - exp(-n / scale)) / d(1 - exp(-n)), 1), scale)
    ```

    A rare id keeps its rate, as CowClip has it; the id that is in every batch
    needs `scale` times as much, as the linear rule has it; the others lie
    between. No single factor suits all of them. For a smaller batch, `scale`
    below 1, the limits change places.

    Args:
        mean_counts: `(input_dim,)` occurrences of each id in a batch of the
            larger size, on average.
        scale: float, positive. How many times larger the batch is than the
            one that the learning rate is for.
        beta_2: float, of Adam. Defaults to `0.999`.

    Returns:
        `(input_dim,)` factors between 1 and `scale`.

    Example:

    >>> frequency_factor(ops.array([0.0, 0.01, 1.0, 640.0]), scale=64.0)
    ... # [1.0, 3.17, 10.02, 64.0]
    """
    before = _distance(-ops.expm1(-mean_counts / scale), beta_2)
    after = _distance(-ops.expm1(-mean_counts), beta_2)
    # An id that has not been seen yet is as rare as can be.
    unseen = after == 0
    ratio = before / ops.where(unseen, 1.0, after)
    factor = ops.where(unseen, 1.0, scale * ratio)
    return ops.clip(factor, min(1.0, scale), max(1.0, scale))


def _distance(share: Tensor, beta_2: float) -> Tensor:
    return share / ops.sqrt(ops.maximum(share, 1 - beta_2))
