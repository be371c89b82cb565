import math
from typing import Any

from zoo.runtime.progress import bar_of_runs
from zoo.runtime.progress import time_left
from zoo.scaling.verdict import label
from zoo.training.recipe import Recipe


class StudyProgress:
    """Shows which run of a study is under way, and the time left for all.

    A run is expected to take as long as the finished run whose batch size is
    the nearest, by its logarithm. Runs of the same model come first.

    Args:
        recipes: list of the `Recipe` of every run, finished ones included.
        verbose: boolean. `False` shows nothing.
    """

    def __init__(self, recipes: list[Recipe], verbose: bool):
        self._left = list(recipes)
        self._seen: list[tuple[Recipe, float]] = []
        self._progress = bar_of_runs(verbose)
        self._task = self._progress.add_task(
            "scaling study", total=len(recipes), left=""
        )

    def __enter__(self) -> "StudyProgress":
        self._progress.start()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._progress.stop()

    def begin(self, recipe: Recipe, variant: str) -> None:
        """Names the run that begins."""
        rule = label((recipe.rule, variant))
        batch_size = recipe.embedding_batch_size or recipe.batch_size
        self._progress.update(
            self._task,
            description=f"{recipe.model}, {rule}, batch "
            f"{batch_size:,}, seed {recipe.seed}",
        )

    def end(self, recipe: Recipe, seconds: float) -> None:
        """Counts a run; `seconds` is 0 for one that was finished before."""
        self._left.remove(recipe)
        if seconds:
            self._seen.append((recipe, seconds))
        self._progress.update(
            self._task, advance=1, left=time_left(self.seconds_left())
        )

    def seconds_left(self) -> float:
        """Returns the expected seconds of all runs that are left."""
        return sum(self._expected(recipe) for recipe in self._left)

    def _expected(self, recipe: Recipe) -> float:
        def distance(other: tuple[Recipe, float]) -> tuple[bool, float]:
            seen, _ = other
            ratio = seen.batch_size / recipe.batch_size
            return seen.model != recipe.model, abs(math.log(ratio))

        if not self._seen:
            return 0.0
        return min(self._seen, key=distance)[1]
