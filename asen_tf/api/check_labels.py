"""Which labels of a table are probably wrong."""

import collections
import csv
import dataclasses
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from absl import logging
from ml_collections import ConfigDict

from asen_tf import images
from asen_tf.backbones.imagenet import check_imagenet
from asen_tf.core import config_check, experiments
from asen_tf.core.files import check_outputs, write_text, written_whole
from asen_tf.core.progress import Progress
from asen_tf.data.doubts import some
from asen_tf.data.groups import photograph_groups
from asen_tf.data.load import load
from asen_tf.data.manifest import Manifest
from asen_tf.data.tables import Frame, check_written, contents, write_changed
from asen_tf.evaluation import label_errors

COLUMNS = ("image", "line", "attribute", "given", "likely", "probability", "score")
_TABLES = {"csv": None, "synthetic": "manifest.csv"}  # formats whose labels are cells of a table
_LISTED, _PAGE = "labels.csv", "labels.html"
_SHOWN_PX = 512
# Means of parts tell where something is, such as a collar; benchmarks/check_labels.py compares.
GRID, COMPONENTS = 4, 384


@dataclasses.dataclass(frozen=True)
class Label:
    """A label and what other photographs say of it.

    Attributes:
      image: path relative to the data root.
      line: of the table.
      attribute: its name.
      given: the value it has.
      likely: the most probable value beside that.
      probability: of the likely value, 0 to 1.
      score: how probable the given value is, 0 to 1.
      wrong: whether it is probably wrong.
    """

    image: str
    line: int
    attribute: str
    given: str
    likely: str
    probability: float
    score: float
    wrong: bool


@dataclasses.dataclass(frozen=True)
class CheckedLabels:
    """What `check_labels` gives.

    Attributes:
      labels: all that were checked, the most doubtful first.
      left_out: a line for each kind of label that cannot be checked.
    """

    labels: list[Label]
    left_out: list[str]

    @property
    def wrong(self) -> list[Label]:
        """Those that are probably wrong, the most doubtful first."""
        return [label for label in self.labels if label.wrong]

    @property
    def counts(self) -> dict[str, tuple[int, int]]:
        """Attribute -> how many of its labels were checked, and are probably wrong."""
        checked = collections.Counter(label.attribute for label in self.labels)
        wrong = collections.Counter(label.attribute for label in self.wrong)
        return {name: (count, wrong[name]) for name, count in sorted(checked.items())}


def check_labels(
    config: ConfigDict,
    workdir: str | os.PathLike,
    *,
    table: Frame | None = None,
    folds: int = 5,
    drop: str | os.PathLike | None = None,
    fix: str | os.PathLike | None = None,
    photographs: int = 200,
) -> CheckedLabels:
    """Finds labels that are probably wrong, by what labels of photographs that look alike say.

    Classifiers of the frozen features of the backbone that an experiment starts from say, by
    cross-validation, how probable each value of a photograph is; confident learning judges from
    that. Photographs of one product, or of one content, are never in two folds.

    Writes into `workdir`: `labels.csv`, the labels that are probably wrong, the most doubtful
    first; `labels.html`, the same with photographs; `features/`, for the next time.

    Args:
      config: an experiment: its data, and the backbone of its model.
      workdir: the folder, which is made.
      table: a frame of pandas, Polars or Arrow in place of the file `data.manifest`.
      folds: of the cross-validation, 2 or more; values with fewer photographs are left out.
      drop: a file to write: the table with the doubtful cells blank.
      fix: likewise with the likely value in them.
      photographs: most that the page shows.

    Raises:
      BadData: rows are bad, or the data set as a whole is; `problems` has all of them.
      ValueError: the configuration or a table cannot be understood, the experiment's model has no
        backbone, the data has no labels, a file to write is one that is read, the table to write
        again has changed meanwhile, or cleanlab is not installed.
      FileNotFoundError: a file of the format, or the folder of a file to write, is missing.
    """
    label_errors.needed()
    config_check.check(config)
    if folds < 2:
        raise ValueError(f"cross-validation takes 2 folds or more, got {folds}")
    _check_outputs(config.data, table, list(filter(None, (drop, fix))), Path(workdir))
    config = config.copy_and_resolve_references()
    experiments.linear(config)
    check_imagenet(config.model.to_dict())
    if config.model.weights in ("", "random"):
        logging.warning("labels are checked by random features: the model names no weights")
    root = Path(config.data.root)
    source = table if table is not None else _TABLES.get(config.data.format) or config.data.manifest
    known = contents(root, source) if drop or fix else b""
    manifest = load(config.data, table=table)
    # In an order of their own, so that what comes out is the same whatever the table's is.
    manifest = manifest.take(np.argsort(manifest.images, kind="stable"))
    groups = photograph_groups(manifest)
    plan, left_out = _plan(manifest, groups, folds)
    if not plan:
        raise ValueError(f"{manifest.source}: no labels to check: {'; '.join(left_out) or 'none'}")
    from asen_tf.training.features import frozen_vectors

    Path(workdir).mkdir(parents=True, exist_ok=True)
    vectors = frozen_vectors(config, manifest, workdir, GRID, COMPONENTS)
    labels = sorted(
        _checked(manifest, vectors, groups, plan, folds),
        key=lambda label: (not label.wrong, label.score, label.image, label.attribute),
    )
    found = CheckedLabels(labels, left_out)
    _write(found, manifest, Path(workdir), photographs)
    for output, text in ((drop, lambda _: ""), (fix, lambda label: label.likely)):
        if output:
            cells: dict[int, dict[str, str]] = collections.defaultdict(dict)
            for label in found.wrong:
                cells[label.line][label.attribute] = text(label)
            write_changed(root, source, config.data.column_names, cells, output, known)
    return found


def _check_outputs(
    data: ConfigDict, table: Frame | None, tables: list[str | os.PathLike], folder: Path
) -> None:
    if tables and data.format not in _TABLES:
        raise ValueError(
            f"data.format={data.format} has its labels in other files than a table: a new one is "
            f"written for {', '.join(_TABLES)}"
        )
    for path in tables:
        check_written(path)
    own = [folder / name for name in (_LISTED, _PAGE)] if folder.is_dir() else []
    named = [] if table is not None else [_TABLES.get(data.format) or data.manifest]
    read = [Path(data.root, name) for name in (*named, data.attributes_file) if name]
    check_outputs([*tables, *own], read)


@dataclasses.dataclass(frozen=True)
class _Checkable:
    """Labels of one attribute: rows of the manifest [N], and of each its place in `values`."""

    attribute: str
    rows: np.ndarray
    given: np.ndarray
    values: list[str]


def _plan(manifest: Manifest, groups: np.ndarray, folds: int) -> tuple[list[_Checkable], list[str]]:
    """What can be checked, and a line for each kind of label that cannot."""
    plan, left_out = [], []
    labels = np.unique(manifest.labels[["image", "attribute", "value"]])
    for place, (name, values) in enumerate(manifest.space.to_dict().items()):
        own = labels[labels["attribute"] == place]
        rows, first, counts = np.unique(own["image"], return_index=True, return_counts=True)
        if several := int((counts > 1).sum()):
            left_out.append(f"{name}: {several} photographs with several values")
        rows, given = rows[counts == 1], own["value"][first[counts == 1]]
        known = label_errors.checked_values(given, groups[rows], folds)
        if few := [values[n] for n in np.setdiff1d(given, known)]:
            left_out.append(
                f"{name}: values with fewer than {folds} photographs, or products: {some(few)}"
            )
        if len(known) < 2:
            left_out.append(f"{name}: no two values to tell apart")
            continue
        kept = np.isin(given, known)
        given = np.searchsorted(known, given[kept])
        plan.append(_Checkable(name, rows[kept], given, [values[n] for n in known]))
    return plan, left_out


def _checked(
    manifest: Manifest,
    vectors: np.ndarray,
    groups: np.ndarray,
    plan: Sequence[_Checkable],
    folds: int,
) -> Iterator[Label]:
    with Progress("checking labels", folds * sum(len(one.rows) for one in plan), "labels") as bar:
        for one in plan:
            rows, found = one.rows, np.zeros((len(one.rows), len(one.values)))
            for held_out, probabilities in label_errors.out_of_sample(
                vectors[rows], one.given, groups[rows], folds
            ):
                found[held_out] = probabilities
                bar.update(len(rows))
            judged = label_errors.judge(one.given, found)
            for row, given, likely, probability, score, wrong in zip(
                rows, one.given, *judged, strict=True
            ):
                yield Label(
                    str(manifest.images[row]),
                    int(manifest.lines[row]),
                    one.attribute,
                    one.values[given],
                    one.values[likely],
                    float(probability),
                    float(score),
                    bool(wrong),
                )


def _write(found: CheckedLabels, manifest: Manifest, folder: Path, photographs: int) -> None:
    with (
        written_whole(folder / _LISTED) as draft,
        open(draft, "w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for label in found.wrong:
            words = (label.image, label.line, label.attribute, label.given, label.likely)
            writer.writerow([*words, f"{label.probability:.4f}", f"{label.score:.4f}"])
    write_text(folder / _PAGE, _page(found, manifest, photographs))


def _page(found: CheckedLabels, manifest: Manifest, photographs: int) -> str:
    """The most doubtful labels with their photographs."""
    from asen_tf.figures.contact_sheet import Card, contact_sheet  # matplotlib takes a second

    # A photograph may be there twice, with a box each.
    places = zip(manifest.images.tolist(), manifest.lines.tolist(), strict=True)
    rows = {place: row for row, place in enumerate(places)}
    cards = [
        Card(
            f"{label.attribute}: {label.image}",
            images.read(manifest.photograph(rows[label.image, label.line]), longest=_SHOWN_PX),
            cosines={"given": label.score, "likely": label.probability},
            values={"given": label.given, "likely": label.likely},
        )
        for label in found.wrong[:photographs]
    ]
    facts = {
        name: f"{wrong} of {count} labels are probably wrong"
        for name, (count, wrong) in found.counts.items()
    }
    return contact_sheet("Labels that are probably wrong", cards, facts=facts)
