"""The figures that there are, by name: our own, and those of other packages."""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path

from asen_tf.core.registry import Registry
from asen_tf.figures.picture import Picture
from asen_tf.figures.source import Source

# In the order of a report.
_OURS = (
    *("attention", "retrieval", "reranking", "tsne", "similarity", "channels", "curves"),
    "projector",
)
FIGURES = Registry(
    "figure", "asen_tf.figures", {name: f"asen_tf.figures.{name}:draw" for name in _OURS}
)


class Figure:
    """One kind of figure: called with a source, it gives its pictures.

    Attributes:
      name: what it is asked for by.
      title: its heading in a report; "": it is in none.
      text: what a reader should know to read it.
      slow: whether it is drawn outside of reports only when it is asked for by name.
    """

    def __init__(self, draw: Callable, name: str, title: str, text: str, slow: bool):
        functools.update_wrapper(self, draw)
        self.name = name
        self.title = title
        self.text = text
        self.slow = slow

    def __call__(self, source: Source) -> Iterator[Picture | Path]:
        return self.__wrapped__(source)


def figure(name: str, *, title: str = "", text: str = "", slow: bool = False) -> Callable:
    """A decorator that makes a function a figure, which `asen_tf.visualize` knows by its name.

    The function takes a `Source` and yields a `Picture` each, or the path of a file that it wrote
    itself; it raises `NothingToDraw` where the run has not what it shows. Another package's figure
    is found without being imported where the package has an entry point of the group
    `asen_tf.figures`:

        [project.entry-points."asen_tf.figures"]
        mine = "my_package.figures:draw"

    Args:
      name, title, text, slow: see `Figure`.

    Raises:
      ValueError: another figure has the name.
    """

    def add(draw: Callable[[Source], Iterator[Picture | Path]]) -> Figure:
        return FIGURES.register(name)(Figure(draw, name, title, text, slow))

    return add
