"""How many of the labels that were changed at random `asen-check-labels` finds.

    python benchmarks/check_labels.py --output=DIR --json=benchmarks/results/check_labels.json

Of the garments that are rendered, or of --data_root's table, so many labels, drawn at random, get
another value of their attribute. Printed are, of all attributes and of each: precision at the
number changed (of so many that are ranked first, how many were changed), and precision and recall
of what is reported. Beside it stand two ways without cross-validation or classifiers: the
probability of the given label by classifiers that have seen it, and the share of the ten nearest
neighbours that have another label.
"""

import csv
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from absl import app, flags
from ml_collections import ConfigDict
from sklearn.neighbors import NearestNeighbors

from asen_tf.api import check_labels
from asen_tf.benchmarks import machine
from asen_tf.benchmarks.report import report
from asen_tf.core import experiment_files, experiments
from asen_tf.data.load import load
from asen_tf.data.synthetic import write_dataset
from asen_tf.models.linear.discriminant import linear_discriminant
from asen_tf.training.features import frozen_vectors

_OUTPUT = flags.DEFINE_string("output", None, "Folder for the data and features.", required=True)
_DATA_ROOT = flags.DEFINE_string("data_root", "", "Folder with a manifest.csv; default: garments.")
_COLUMNS = flags.DEFINE_list("columns", "", "Attributes of the table; default: all.")
_IMAGES = flags.DEFINE_integer("images", 1500, "Garments that are rendered.", 18)
_SHARE = flags.DEFINE_float("share", 0.05, "Share of the labels that are changed.", 0, 1)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of which labels are changed.")
_JSON = flags.DEFINE_string("json", "", "File to write the result to, beside printing it.")

_NEIGHBOURS = 10
_RESERVED = ("image", "split", "role")


def change(table: Path, changed: Path) -> set[tuple[str, str]]:
    """Writes a table with labels changed; (image, attribute) of each."""
    with table.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    draw, found = random.Random(_SEED.value), set()
    for name in _COLUMNS.value or [key for key in rows[0] if key not in _RESERVED]:
        values = sorted({row[name] for row in rows if row[name] and "|" not in row[name]})
        for row in rows:
            if row[name] in values and draw.random() < _SHARE.value:
                row[name] = draw.choice([value for value in values if value != row[name]])
                found.add((row["image"], name))
    with changed.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return found


def others(
    config: ConfigDict, labels: Sequence[check_labels.Label], folder: Path
) -> Iterator[tuple[str, str, np.ndarray, list[str]]]:
    """(attribute, way, scores, images) of the ways beside: the lowest is the most doubtful."""
    experiments.linear(config)
    manifest = load(config.data)
    manifest = manifest.take(np.argsort(manifest.images, kind="stable"))
    vectors = frozen_vectors(config, manifest, folder, check_labels.GRID, check_labels.COMPONENTS)
    rows = {image: row for row, image in enumerate(manifest.images.tolist())}
    for name in sorted({label.attribute for label in labels}):
        own = [label for label in labels if label.attribute == name]
        images = [label.image for label in own]
        found = vectors[[rows[image] for image in images]]
        values, given = np.unique([label.given for label in own], return_inverse=True)
        carried = given[:, None] == np.arange(len(values))
        weights, bias = linear_discriminant(found, carried)
        logits = found @ weights + bias
        yield name, "seen", logits[carried] - np.logaddexp.reduce(logits, axis=1), images
        nearest = NearestNeighbors(n_neighbors=_NEIGHBOURS).fit(found)
        neighbours = nearest.kneighbors(return_distance=False)
        yield name, "neighbours", (given[neighbours] == given[:, None]).mean(1), images


def at_number(scores: np.ndarray, changed: np.ndarray) -> float:
    """Precision at the number changed, ties at random."""
    order = np.lexsort((np.random.default_rng(0).permutation(len(scores)), scores))
    return float(changed[order[: changed.sum()]].mean())


def measure(
    labels: Sequence[check_labels.Label], changed: set[tuple[str, str]]
) -> dict[str, float]:
    """Counts and measures of labels that were checked."""
    truth = np.array([(one.image, one.attribute) in changed for one in labels])
    wrong = np.array([one.wrong for one in labels])
    return {
        "changed": int(truth.sum()),
        "reported": int(wrong.sum()),
        "precision_at_number": at_number(np.array([one.score for one in labels]), truth),
        "precision": float(truth[wrong].mean()),
        "recall": float(wrong[truth].mean()),
    }


def main(_) -> None:
    output = Path(_OUTPUT.value).resolve()
    root = Path(_DATA_ROOT.value or output / "garments").resolve()
    if not _DATA_ROOT.value:
        write_dataset(root, _IMAGES.value)
    config = experiment_files.read(experiment_files.find("asen", "csv"))
    config.data.update(root=str(root), manifest=str(output / "changed.csv"))
    config.data.columns = tuple(_COLUMNS.value)
    output.mkdir(parents=True, exist_ok=True)
    changed = change(root / "manifest.csv", output / "changed.csv")
    found = check_labels.check_labels(config, output / "checked")
    beside = {name: {} for name in found.counts}
    for name, way, scores, images in others(config, found.labels, output / "checked"):
        truth = np.array([(image, name) in changed for image in images])
        beside[name][way] = at_number(scores, truth)
    result = {"all": measure(found.labels, changed)}
    for name in found.counts:
        own = [label for label in found.labels if label.attribute == name]
        result[name] = measure(own, changed) | beside[name]
    for way in ("seen", "neighbours"):
        weights = [result[name]["changed"] for name in beside]
        means = [beside[name][way] for name in beside]
        result["all"][way] = float(np.average(means, weights=weights))
    report({**result, "left_out": found.left_out, **machine.description()}, _JSON.value)


if __name__ == "__main__":
    app.run(main)
