"""Pictures and reports of a run."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ml_collections import ConfigDict

from asen_tf.core.file_names import file_name
from asen_tf.core.progress import say
from asen_tf.data.manifest import Manifest
from asen_tf.figures.picture import Picture, save
from asen_tf.figures.registry import FIGURES, Figure
from asen_tf.figures.source import NothingToDraw, Source

if TYPE_CHECKING:
    from asen_tf.workdir import Workdir


def visualize(
    run: "Workdir | str | os.PathLike",
    figures: Sequence[str] = (),
    output: str | os.PathLike | None = None,
    *,
    report: str | os.PathLike | None = None,
    split: str = "test",
    attributes: Sequence[str] = (),
    attribute: str = "",
    photographs: int = 6,
    results: int = 6,
    images: int = 1000,
    data: ConfigDict | Manifest | str | os.PathLike | None = None,
    skip_bad: bool = False,
    follow_links: bool = False,
) -> list[Picture | Path]:
    """Draws a trained model: where it looks, what it finds, how it learned.

    Args:
      run: the folder of a run, or its `Workdir`, which `asen_tf.train` gives.
      figures: names of `asen_tf.figures.FIGURES`; none: the quick ones, and of a report all.
        "projector" writes the attributes' spaces into the run's log, for TensorBoard.
      output: folder to write the pictures to.
      report: HTML file to write: the pictures, tables and the configuration on one page.
      split, attributes, attribute, photographs, results, images: what is shown, see `Source`.
      data: where its data lies now, or other data, see `Workdir.manifest`; None: its own.
      skip_bad, follow_links: how its own data is read, see `Workdir.manifest`.

    Returns:
      The files written; the pictures, where neither an output nor a report is named.

    Raises:
      ValueError: an unknown figure or attribute, or a figure that was named and that this run has
        nothing for (`NothingToDraw`).
      FileNotFoundError: the folder holds no run, or none that has validated yet.
    """
    from asen_tf.figures.report import write_report
    from asen_tf.keras_embedder import KerasEmbedder  # TensorFlow takes seconds
    from asen_tf.workdir import Workdir

    chosen = [FIGURES[name] for name in figures] or _default(whole=report is not None)
    run = Workdir(run)
    source = Source(
        run,
        KerasEmbedder.of_run(run.path),
        run.manifest(data, skip_bad, follow_links),
        split,
        attributes,
        attribute,
        photographs,
        results,
        images,
    )
    found: list[Picture | Path] = []
    pages: dict[Figure, list[Picture]] = {}
    for one in chosen:
        pages[one] = []
        for drawn in _drawn(one, source, wanted=bool(figures)):
            if isinstance(drawn, Path):
                found.append(drawn)
                continue
            pages[one].append(drawn)
            if output is not None:
                file = Path(output) / f"{file_name(drawn.name)}{drawn.suffix}"
                found.append(save(drawn.figure, file))
            elif report is None:
                found.append(drawn)
    if report is not None:
        found.append(write_report(source, pages, report))
    return found


def _default(whole: bool) -> list[Figure]:
    every = [FIGURES[name] for name in FIGURES.names()]
    return [one for one in every if (one.title if whole else not one.slow)]


def _drawn(one: Figure, source: Source, wanted: bool) -> list[Picture | Path]:
    """What a figure gives; nothing, with a line that says why, where the run has nothing for it."""
    say(f"drawing {one.name}")
    try:
        return list(one(source))
    except NothingToDraw as reason:
        if wanted:
            raise
        say(f"no figure {one.name}: {reason}")
        return []
