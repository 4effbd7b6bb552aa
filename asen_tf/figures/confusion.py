"""Which values a model takes for which others."""

from collections.abc import Iterator, Sequence

import matplotlib
import matplotlib.figure
import numpy as np

from asen_tf.core.progress import Progress
from asen_tf.evaluation.recognition import measures
from asen_tf.figures import style
from asen_tf.figures.picture import Picture
from asen_tf.figures.registry import figure
from asen_tf.figures.source import NothingToDraw, Source

COLORS = matplotlib.colormaps["Blues"]
# Inches.
MARGIN, HEAD, CELL, GAP, LONGEST = 0.16, 0.55, 0.36, 0.08, 1.6
_DARK = 0.55  # of a row's images, from which on numbers are white


@figure(
    "confusion",
    title="What it takes for what",
    text="A row for each value that photographs show, a column for each value that the model says; "
    "the numbers are photographs, the colour is their share of the row.",
)
def draw(source: Source) -> Iterator[Picture]:
    """A confusion matrix for each attribute that is shown."""
    if not source.embedder.model.predicts:
        raise NothingToDraw(
            "the model does not say which values photographs show: "
            f"asen_tf.fit_recognition({str(source.run.path)!r}) teaches it"
        )
    found = _probabilities(source)
    for name in source.attributes:
        values = source.embedder.attributes[name].values
        rows, labels = _labels(source, name)
        if not len(rows):
            continue
        measured = measures(found[name][rows], labels)
        yield Picture(
            f"confusion_{name}",
            confusion_grid(np.array(measured["confusion"]), values, _title(name, measured)),
            f"Which {style.words(name)} the model says of photographs that show another",
            ".png",
        )


def _title(name, measured):
    shares = f"accuracy {100 * measured['accuracy']:.1f} %, macro F1 {measured['macro_f1']:.2f}"
    return f"{style.words(name)}: {shares}"


def _probabilities(source: Source) -> dict[str, np.ndarray]:
    """Of each attribute float32 [N, V] for the source's images."""
    shown, step = list(map(source.manifest.photograph, source.rows)), 4 * source.embedder.batch_size
    found = []
    with Progress("recognition", len(shown), "images") as progress:
        for start in range(0, len(shown), step):
            found.append(source.embedder.predict_all(shown[start : start + step]))
            progress.update(len(shown[start : start + step]))
    return {name: np.concatenate([one[name] for one in found]) for name in source.attributes}


def _labels(source: Source, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Positions in the source's images of those labelled for an attribute, and bool [n, V]."""
    place, offsets = source.index(name), source.manifest.space.offsets
    table = source.manifest.values_of(source.split)[
        source.rows, offsets[place] : offsets[place + 1]
    ]
    labelled = table.any(1)
    return np.flatnonzero(labelled), table[labelled]


def confusion_grid(
    counts: np.ndarray, values: Sequence[str], title: str = ""
) -> matplotlib.figure.Figure:
    """Counts int [V, V], a row for each true value, a column for each one that is said."""
    words = [style.words(value) for value in values]
    label = min(LONGEST, max(map(style.text_width, words)))
    side = CELL * len(values)
    # Names of columns stand upright above them.
    table = style.Area(MARGIN + label + GAP, MARGIN + HEAD + label + GAP, side, side)
    width = max(table.right, MARGIN + style.text_width(title, weight="bold"))
    axes = style.page(width + MARGIN, table.bottom + MARGIN)
    style.text(axes, MARGIN, MARGIN + 0.14, title, weight="bold")
    told = "rows: shown; columns: said"
    style.text(axes, MARGIN, MARGIN + 0.33, told, size=style.SMALL_SIZE, color=style.QUIET)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    style.stretch(axes, COLORS(shares)[..., :3], table).set_interpolation("nearest")
    for n, word in enumerate(words):
        middle = (n + 0.5) * CELL
        place = table.left - GAP, table.top + middle + 0.04
        style.text(axes, *place, word, width=label, align="right")
        shown, size = style.fit(word, label, style.TEXT_SIZE)
        style.upright(axes, table.left + middle, table.top - GAP, shown, size)
    for (row, column), count in np.ndenumerate(counts):
        if count:
            x, y = table.left + (column + 0.5) * CELL, table.top + (row + 0.5) * CELL + 0.04
            color = "white" if shares[row, column] > _DARK else style.INK
            style.text(axes, x, y, str(count), size=style.SMALL_SIZE, color=color, align="center")
    return axes.figure
