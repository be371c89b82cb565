import contextlib
from collections.abc import Iterable
from collections.abc import Iterator
from pathlib import Path

import matplotlib

from zoo.runtime.figure_text import fonts_for

_STYLE = Path(__file__).with_name("figures.mplstyle")


@contextlib.contextmanager
def styled(texts: Iterable[str] = ()) -> Iterator[None]:
    """Gives figures the project's look, and the fonts of names in them.

    Create a figure, and save it, within the scope.

    Args:
        texts: strings, the names of users that the figure shows, see
            `zoo.runtime.figure_text.fonts_for`. Defaults to `()`.

    Example:

    ```python
    from matplotlib.figure import Figure

    with styled(["价格"]):
        figure = Figure()
        figure.subplots().plot([1, 2])
        figure.savefig("prices.png")
    ```
    """
    with matplotlib.rc_context(fname=_STYLE), fonts_for(texts):
        yield
