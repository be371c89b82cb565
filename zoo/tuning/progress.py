from typing import Any

from rich.console import Console

from zoo.runtime.progress import bar_of_runs
from zoo.runtime.progress import time_left
from zoo.tuning.results import COMPLETE
from zoo.tuning.results import PRUNED
from zoo.tuning.results import best_row


class TuningProgress:
    """Prints a line for each trial that ends, in a terminal above a bar.

    Args:
        trials: integer, the trials of the study.
        verbose: boolean. `False` shows nothing.
    """

    def __init__(self, trials: int, verbose: bool):
        # A notebook gets the bar as text, which needs no ipywidgets.
        console = Console(force_jupyter=False, soft_wrap=True)
        self._verbose = verbose
        self._trials = trials
        self._shown: int | None = None
        is_shown = verbose and console.is_terminal
        self._progress = bar_of_runs(is_shown, console)
        self._task = self._progress.add_task("tuning", total=trials, left="")

    def __enter__(self) -> "TuningProgress":
        self._progress.start()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._progress.stop()

    def show(self, rows: list[dict[str, Any]]) -> None:
        """Shows the trials that ended.

        Args:
            rows: their lines in `study.csv`; at first those of earlier calls.
        """
        left = ""
        if self._shown is None and rows:
            self._print(f"resumes after {len(rows)} trials")
        elif self._shown is not None and len(rows) > self._shown:
            self._print(f"trial {len(rows)} of {self._trials}: {_text(rows)}")
            mean = sum(row["seconds"] for row in rows) / len(rows)
            left = time_left(mean * (self._trials - len(rows)))
        self._shown = len(rows)
        self._progress.update(self._task, completed=len(rows), left=left)

    def _print(self, line: str) -> None:
        if self._verbose:
            self._progress.console.print(line, markup=False, highlight=False)


def _text(rows: list[dict[str, Any]]) -> str:
    """Says how the last trial ended."""
    row, best = rows[-1], best_row(rows)
    if row["outcome"] == PRUNED:
        return f"pruned after epoch {row['epochs']} at AUC {row['auc']:.5f}"
    if row["outcome"] != COMPLETE:
        return f"failed. {row['reason']}"
    if best is None or best is row:
        return f"AUC {row['auc']:.5f}, the best so far"
    return f"AUC {row['auc']:.5f}, the best is {best['auc']:.5f}"
