"""The figures that there are, by name."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from asen_tf.core.errors import unknown_name
from asen_tf.core.progress import say
from asen_tf.figures import attention, channels, curves, reranking, retrieval, similarity, tsne
from asen_tf.figures.picture import Picture
from asen_tf.figures.source import NothingToDraw, Source


class Figure(NamedTuple):
    """One kind of figure.

    Attributes:
      title: its heading in a report.
      text: what a reader should know to read it.
      draw: makes its pictures.
    """

    title: str
    text: str
    draw: Callable[[Source], Iterator[Picture]]


FIGURES = {
    "attention": Figure(
        "Where the model looks",
        "Spatial attention for each attribute, over photographs that were not trained on. The "
        "white square is the region that the local branch looks at again; a dashed one, where "
        "there is one, is the annotated part. Under each picture stands the photograph's label.",
        attention.draw,
    ),
    "retrieval": Figure(
        "What it finds",
        "At the left a query, then the candidates most alike in one attribute, best first, with "
        "their cosines. A solid frame and a tick: the same value as the query.",
        retrieval.draw,
    ),
    "reranking": Figure(
        "Reranking by one attribute",
        "A hundred photographs found by likeness over all attributes together, then ordered by "
        "one attribute alone. Lines lead photographs to their new places; the others come from "
        "further below.",
        reranking.draw,
    ),
    "tsne": Figure(
        "The attributes' spaces",
        "Each dot is a photograph; those that are alike in the attribute lie near one another "
        "(t-SNE). Distances between groups mean nothing, and neither do the axes.",
        tsne.draw,
    ),
    "similarity": Figure(
        "Which pixels make two photographs alike",
        "What raises the cosine of two photographs in one attribute: Grad-CAM and Score-CAM over "
        "the last feature maps, and the gradient by the pixels (saliency, blurred). Of a model "
        "with two branches, the global one is explained; the number is its cosine.",
        similarity.draw,
    ),
    "channels": Figure(
        "Which channels count",
        "Channel attention weighs the channels of the feature maps anew for each attribute. "
        "Attributes whose profiles correlate read the same channels.",
        channels.draw,
    ),
    "curves": Figure(
        "How it learned",
        "The score on the validation split that chooses the best checkpoint, and the training "
        "loss. A line a stage.",
        curves.draw,
    ),
}
PROJECTOR = "projector"
# Without those that take long, or write elsewhere.
DEFAULT = ("attention", "retrieval", "reranking", "channels", "curves")


def check_names(names: Sequence[str]) -> None:
    """Raises ValueError, naming the nearest figure, where one of the names is unknown."""
    for name in names:
        if name not in (*FIGURES, PROJECTOR):
            raise ValueError(unknown_name("figure", name, (*FIGURES, PROJECTOR)))


def pictures(source: Source, name: str, wanted: bool = True) -> Iterator[Picture]:
    """The pictures of one figure.

    Args:
      source: what to draw from.
      name: of `FIGURES`.
      wanted: whether it was asked for by name; else it is left out, with a line that says why,
        where the run has nothing to draw.

    Raises:
      NothingToDraw: it was asked for, and there is nothing to draw.
    """
    try:
        yield from FIGURES[name].draw(source)
    except NothingToDraw as reason:
        if wanted:
            raise
        say(f"no figure {name}: {reason}")
