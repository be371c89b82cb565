from rich.console import Console
from rich.progress import BarColumn
from rich.progress import MofNCompleteColumn
from rich.progress import Progress
from rich.progress import TaskProgressColumn
from rich.progress import TextColumn
from rich.progress import TimeElapsedColumn
from rich.progress import TimeRemainingColumn


class Stages:
    """Shows a progress bar for each stage of some work.

    Args:
        show: boolean. Whether to draw anything; `None` for terminals only.
            Defaults to `None`.

    Example:

    ```python
    with Stages(show=True) as stages:
        stages.start("Counting tokens", total=26)
        stages.advance()
    ```
    """

    def __init__(self, show: bool | None = None):
        # A notebook gets the bars as text, which needs no ipywidgets.
        console = Console(stderr=True, force_jupyter=False)
        if show is None:
            show = console.is_terminal
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not show,
        )
        self._task = None

    def __enter__(self) -> "Stages":
        self._progress.start()
        return self

    def __exit__(self, *exception) -> None:
        self._progress.stop()

    def say(self, text: str) -> None:
        """Prints a line above the bars."""
        if not self._progress.disable:
            self._progress.console.print(
                text, highlight=False, markup=False, soft_wrap=True
            )

    def start(self, description: str, total: int) -> None:
        """Begins a stage of `total` steps."""
        self._task = self._progress.add_task(description, total=total)

    def advance(self, steps: int = 1) -> None:
        self._progress.advance(self._task, steps)

    def reach(self, steps: int) -> None:
        """Sets the number of steps of the stage that are done."""
        self._progress.update(self._task, completed=steps)


def bar_of_runs(show: bool, console: Console | None = None) -> Progress:
    """Returns a bar of runs; each update says in `left` what time is left.

    Args:
        show: boolean. Whether to draw anything.
        console: `rich.console.Console`. Defaults to `None`, rich's own.
    """
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
        console=console,
        disable=not show,
    )


def time_left(seconds: float) -> str:
    """Returns an expected time in words.

    Example:

    >>> time_left(600.0)
    'about 10 min left'
    """
    if seconds < 90:
        return f"about {seconds:.0f} s left"
    if seconds < 5400:
        return f"about {seconds / 60:.0f} min left"
    return f"about {seconds / 3600:.1f} h left"
