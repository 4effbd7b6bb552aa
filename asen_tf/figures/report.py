"""A run on one page: what it scored, its figures, its configuration."""

import io
import json
import os
import platform
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from asen_client.version import __version__
from asen_tf.core import config as configs
from asen_tf.core import files
from asen_tf.evaluation.report import (
    localization_rows,
    manipulation_table,
    recognition_rows,
    rows_of,
    triplets_rows,
)
from asen_tf.figures import html
from asen_tf.figures.picture import Picture, encode
from asen_tf.figures.registry import Figure
from asen_tf.figures.source import Source

SCORES = {
    "map": "MAP, percent",
    "random_map": "a random order's MAP",
    "triplet_accuracy": "triplets ranked rightly, percent",
}
# Twice what a page is wide, for dense screens, and not much more than a phone sends in a second.
_WIDEST_PX = 1500
# Narrow screens show a picture at so many pixels an inch and scroll it: its text stays legible.
_LEAST_PX_AN_INCH = 96


class PageImage(NamedTuple):
    """A picture inside the page: a data URI, what it shows without a full stop, its size in pixels
    of the page, and the width below which it is scrolled instead of reduced."""

    source: str
    alt: str
    width: int
    height: int
    least: int

    @classmethod
    def of(cls, picture: Picture) -> "PageImage":
        """A picture as the page shows it."""
        inches = float(picture.figure.get_figwidth())
        data = encode(picture.figure, ".webp", min(_WIDEST_PX, round(inches * 150)))
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
        shown = min(width, round(110 * inches))
        least = min(shown, round(_LEAST_PX_AN_INCH * inches))
        source = html.data_uri("image/webp", data)
        return cls(source, picture.alt, shown, round(shown * height / width), least)


class Table(NamedTuple):
    """A table of texts; the first cell of a row is its name.

    Attributes:
      totals: so many of the last rows are means or sums.
      percent: names of columns in percent, behind whose numbers a bar is drawn.
      words: whether the cells are words rather than numbers.
    """

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    totals: int = 0
    percent: Sequence[str] = ()
    words: bool = False


class Section(NamedTuple):
    """A heading and what stands under it: a paragraph, pictures, tables, (summary, text) pairs that
    are unfolded on demand, lines for a shell."""

    title: str
    text: str = ""
    images: Sequence[PageImage] = ()
    tables: Sequence[Table] = ()
    details: Sequence[tuple[str, str]] = ()
    commands: Sequence[str] = ()


def write_report(
    source: Source, pictures: Mapping[Figure, Sequence[Picture]], path: str | os.PathLike
) -> Path:
    """Writes the page to an HTML file, whose folders are made; gives its path.

    Figures without pictures are left out.
    """
    result = _read(source.run.result(source.split))
    figures = [
        Section(figure.title, figure.text, list(map(PageImage.of, drawn)))
        for figure, drawn in pictures.items()
        if drawn
    ]
    space, data = source.embedder.attributes, source.run.config().data
    model = type(source.embedder.model).__name__
    page = html.render(
        "report.html",
        title=f"{model}: what it learned",
        subtitle=f"{len(source.manifest):,} images of the format {data.format}, {len(space)} "
        f"attributes with {sum(space.value_counts)} values; pictures of its {source.split} split. "
        f"The run is {source.run.path}.",
        numbers=_numbers(source, result),
        sections=[_scores(source, result), *figures, _training(source), _configuration(source)],
        footer=f"Written by asen-visualize of asen_tf {__version__}. This file holds all that it "
        "shows.",
    )
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_text(path, page)
    return path


def _read(path: Path) -> dict | None:
    return files.read_json(path) if path.exists() else None


def _numbers(source: Source, result: dict | None) -> list[tuple[str, str]]:
    """The few numbers that stand on top."""
    result = result or {}
    shares = [(text, result.get(metric)) for metric, text in SCORES.items()]
    pointing = result.get("localization", {}).get("pointing_accuracy")
    shares.append(("attention peaks on the part, percent", pointing))
    numbers = [(text, f"{100 * share:.1f}") for text, share in shares if share is not None]
    seconds = max((entry["seconds"] for entry in source.run.history()), default=0.0)
    if seconds:
        numbers.append(("minutes of training", f"{seconds / 60:.1f}"))
    numbers.append(("million weights", f"{source.embedder.model.count_params() / 1e6:.1f}"))
    return numbers


def _scores(source: Source, result: dict | None) -> Section:
    """The tables of what was measured on the split, or how to measure it."""
    title, split = "What it scores", source.split
    details = []
    if changes := _read(source.run.result(split, "manipulation")):
        details.append(("Searches after attributes were changed", manipulation_table(changes)))
    if result is None:
        return Section(
            title,
            f"The {split} split has not been measured yet. This does it, and leaves the tables "
            "where the next report finds them:",
            details=details,
            commands=[
                shlex.join(["asen-evaluate", f"--workdir={source.run.path}", f"--split={split}"])
            ],
        )
    if "triplets" in result:
        text = "The share of triplets whose positive is nearer to the anchor than its negative."
        tables = [_table(f"Triplets ranked rightly, {split} split, percent", triplets_rows(result))]
    else:
        text = (
            "By the papers' protocol: for each attribute, every query ranks all candidates "
            "labelled for it. Random is what a random order scores."
        )
        tables = [_table(f"Mean average precision, {split} split, percent", rows_of(result))]
    if "recognition" in result:
        caption = f"Values that it says, {split} split, percent"
        tables.append(_table(caption, recognition_rows(result["recognition"]), totals=1))
    if "localization" in result:
        caption = "Attention peaks in the annotated part (pointing), and overlap of region and part"
        tables.append(_table(caption, localization_rows(result["localization"])))
    return Section(title, text, tables=tables, details=details)


def _table(caption: str, rows: Sequence[Sequence[str]], totals: int = 2) -> Table:
    """Cells in percent have a point, counts have none."""
    header, *body = rows
    percent = [name for name, cell in zip(header, body[-totals], strict=True) if "." in cell]
    named = [[row[0].replace("_", " "), *row[1:]] for row in body]
    return Table(caption, header, named, totals, percent)


def _training(source: Source) -> Section:
    """Which checkpoint is the best, and what the stages did."""
    run, best, history = source.run, source.run.best(), source.run.history()
    file = run.best_model(best["stage"])
    rows = [("file", str(file)), ("size", f"{file.stat().st_size / 1e6:.1f} MB")]
    for key, value in best.items():
        rows.append((key, ", ".join(value) if isinstance(value, list) else _short(value)))
    tables = [Table("The best checkpoint", ("", "value"), rows, words=True)]
    stages = []
    for stage in dict.fromkeys(entry["stage"] for entry in history):
        own = [entry for entry in history if entry["stage"] == stage]
        rates = [entry["images_per_sec"] for entry in own if "images_per_sec" in entry]
        speed = f"{np.median(rates):.0f}" if rates else "-"
        stages.append((stage, str(own[-1]["step"]), f"{own[-1]['seconds'] / 60:.1f}", speed))
    if stages:
        header = ("stage", "steps", "minutes in all", "images a second")
        tables.append(Table("The stages", header, stages))
    return Section("Its training", tables=tables)


def _configuration(source: Source) -> Section:
    """What differs from the defaults, the whole, and the versions."""
    config = source.run.config()
    given, usual = configs.flat(config), configs.flat(configs.defaults())
    changed = [
        (key, _short(value), _short(usual[key]) if key in usual else "")
        for key, value in given.items()
        if value != usual.get(key)
    ]
    versions = [
        ("asen_tf", __version__),
        *((module.__name__, module.__version__) for module in (tf, keras, np)),
        ("Python", platform.python_version()),
        ("system", f"{platform.system()} {platform.machine()}"),
    ]
    header = ("key", "value", "default")
    return Section(
        "Configuration",
        "The defaults are the settings of the ASEN++ paper.",
        tables=[
            Table("Keys that differ from the defaults", header, changed, words=True),
            Table("Versions that drew this page", ("", "version"), versions, words=True),
        ],
        details=[("All keys", json.dumps(json.loads(config.to_json_best_effort()), indent=1))],
    )


def _short(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
