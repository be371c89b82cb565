"""Checks that a log has what a recipe needs."""

from zoo.data.encoded_log import EncodedLog
from zoo.evaluation.evaluation import name_of_evaluation_split
from zoo.training.recipe import Recipe


def check_log(log: EncodedLog, recipe: Recipe) -> None:
    """Raises a `ValueError` if the log lacks a split or rows for the run."""
    name_of_evaluation_split(log)
    rows = len(log.split("train"))
    if recipe.batch_size > rows:
        raise ValueError(
            "`batch_size` must not exceed the rows of the training split: the "
            "rates are scaled to it, and no step could have as many. "
            f"Received: batch_size={recipe.batch_size}, {rows} rows"
        )
    if (recipe.embedding_batch_size or 0) > rows:
        raise ValueError(
            "`embedding_batch_size` must not exceed the rows of the training "
            "split, or no table takes a step. Received: "
            f"embedding_batch_size={recipe.embedding_batch_size}, {rows} rows"
        )
    for needs_it, argument in (
        (recipe.decay == "plateau", 'decay="plateau"'),
        (recipe.patience is not None, "patience"),
    ):
        if needs_it and "validation" not in log.splits:
            raise ValueError(
                f"`{argument}` needs a validation split. "
                f"Received: log with the splits {list(log.splits)}"
            )
