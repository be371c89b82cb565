"""Warns of settings that rarely train well."""

import warnings

from zoo.data.encoded_log import EncodedLog
from zoo.training.recipe import BASE_LEARNING_RATE
from zoo.training.recipe import Recipe
from zoo.training.recipe import data_set_of

FEWEST_STEPS = 50
BASE_BATCH_SIZE = 1024
# From so many times the batch that rates are given for, the rule matters much.
LARGE_FACTOR = 4
_TUNED = ("learning_rate", "embedding_learning_rate", "embedding_l2")


class FewStepsWarning(UserWarning):
    """A batch leaves too few steps an epoch."""


class UntunedRatesWarning(UserWarning):
    """A large batch of a log scales the rates of another log."""


def warn_of_few_steps(recipe: Recipe, steps: int, rows: int) -> None:
    """Warns if an epoch has fewer than 50 steps of the dense weights.

    What a network loses at a large batch follows from them: see
    `docs/large_batches.md`.

    Args:
        recipe: `Recipe` of the run.
        steps: integer, of an epoch.
        rows: integer, of the training split.

    Warns:
        FewStepsWarning: with the largest batch that leaves enough.
    """
    if steps >= FEWEST_STEPS:
        return
    largest = max(rows // FEWEST_STEPS, 1)
    count = f"{steps} steps" if steps > 1 else "1 step"
    warnings.warn(
        f"The batch leaves {count} an epoch, and with fewer than "
        f"{FEWEST_STEPS} the dense weights rarely learn what they could: take "
        f"a `batch_size` of at most {largest}. The tables can keep a larger "
        "one, `embedding_batch_size`. "
        f"Received: batch_size={recipe.batch_size}, {rows} rows",
        FewStepsWarning,
        stacklevel=3,
    )


def warn_of_untuned_rates(recipe: Recipe, log: EncodedLog) -> None:
    """Warns if the paper's rates for Criteo are scaled far on another log.

    The rule: a batch is at least 4 times 1024, the learning rates and the l2
    are the defaults, and the log is none of Criteo's, Avazu's and the synthetic
    one that `zoo.datasets.synthetic.make_log` draws. A rule keeps at a large
    batch the AUC that the rates reach at 1024. It does not tune them.

    Args:
        recipe: `Recipe` as it was given, before `for_data`.
        log: `EncodedLog`.

    Warns:
        UntunedRatesWarning: with what to tune.
    """
    largest = max(recipe.batch_size, recipe.embedding_batch_size or 0)
    if largest < LARGE_FACTOR * BASE_BATCH_SIZE or _is_tuned_for(log):
        return
    if any(getattr(recipe, n) != getattr(Recipe, n) for n in _TUNED):
        return
    names = ", ".join(f"`{name}`" for name in _TUNED)
    warnings.warn(
        "The learning rates and the l2 are the paper's for Criteo, and this is "
        "another log: scaled to a large batch, they can be far from the best. "
        f"Find {names} at a batch of {BASE_BATCH_SIZE} first, as "
        "`python -m zoo tune` does; `rule` scales them. "
        f"Received: a batch of {largest} and the defaults of the three",
        UntunedRatesWarning,
        stacklevel=3,
    )


def _is_tuned_for(log: EncodedLog) -> bool:
    if log.encoder is None:
        return True  # The synthetic log, which has Criteo's shape.
    return data_set_of(log.encoder.log_format.name) in BASE_LEARNING_RATE
