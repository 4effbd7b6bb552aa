"""The figures that there are, by name: our own, and those of other packages."""

import dataclasses
import functools
from collections.abc import Callable, Iterator
from pathlib import Path

from asen_tf.core.registry import Registry
from asen_tf.figures.picture import Picture
from asen_tf.figures.source import Source

# In the order of a report.
_OURS = (
    *(
        "attention",
        "parts",
        "retrieval",
        "reranking",
        "manipulation",
        "feedback",
        "tsne",
        "similarity",
        "channels",
    ),
    *("confusion", "curves", "accuracy", "projector"),
)
FIGURES = Registry(
    "figure", "asen_tf.figures", {name: f"asen_tf.figures.{name}:draw" for name in _OURS}
)


@dataclasses.dataclass(eq=False)
class Figure:
    """One kind of figure: called with a source, it gives its pictures.

    Attributes:
      draw: the function that does it.
      name: of `FIGURES`.
      title: its heading in a report; "": it is in none.
      text: what a reader should know to read it.
      slow: whether, outside of reports, it is drawn only when it is named.
    """

    draw: Callable[[Source], Iterator[Picture | Path]]
    name: str
    title: str
    text: str
    slow: bool

    def __post_init__(self):
        functools.update_wrapper(self, self.draw)

    def __call__(self, source: Source) -> Iterator[Picture | Path]:
        return self.draw(source)


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

    return lambda draw: FIGURES.register(name)(Figure(draw, name, title, text, slow))
