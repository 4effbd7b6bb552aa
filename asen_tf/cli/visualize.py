"""Draws where a trained model looks, what it finds, and how it learned.

asen-visualize --workdir=runs/asen --output=runs/asen/pictures
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from absl import flags
from PIL import Image

from asen_tf import viz
from asen_tf.cli import program
from asen_tf.cli.run_data import load_manifest
from asen_tf.data.manifest import CANDIDATE, QUERY, SPLITS, Manifest
from asen_tf.embedder import load as load_embedder
from asen_tf.workdir import Workdir


def visualize(
    workdir: str,
    output: str,
    split: str = "test",
    attributes: Sequence[str] = (),
    photographs: int = 6,
    results: int = 6,
    data_root: str = "",
) -> list[Path]:
    """Writes the pictures of a run.

    Args:
      workdir: of the run.
      output: folder to write.
      split: whose photographs are shown.
      attributes: those that are shown; none: all.
      photographs: rows of a picture.
      results: columns of a retrieval grid.
      data_root: where the data lies now; "": where it lay in training.

    Returns:
      The files: `attention.jpg` where the model has attention, `retrieval_<attribute>.jpg`, and
      `learning_curve.png` where the run has validated.
    """
    run = Workdir(workdir)
    embedder = load_embedder(workdir)
    attributes = list(attributes) or list(embedder.attributes)
    for name in attributes:
        embedder.attributes.index(name)
    manifest = load_manifest(run, data_root)
    files = []
    if embedder.model.explains:
        files.append(_draw_attention(embedder, manifest, split, attributes, photographs, output))
    for name in attributes:
        files += _draw_retrieval(embedder, manifest, split, name, photographs, results, output)
    return files + _draw_curve(run, output)


def _draw_attention(embedder, manifest, split, attributes, count, output):
    rows = _spread(manifest.rows(split), count)
    images = [_pixels(manifest, row) for row in rows]
    found = [embedder.explain(images, name) for name in attributes]
    maps = [[found[a][0][n] for a in range(len(attributes))] for n in range(len(rows))]
    boxes = np.stack([boxes for _, boxes in found], axis=1)
    ids = [embedder.attributes.index(name) for name in attributes]
    labels = [[_values(manifest, row, a) for a in ids] for row in rows]
    parts = None if manifest.boxes is None else manifest.boxes[np.ix_(rows, ids)]
    figure = viz.attention_grid(images, attributes, maps, boxes, labels, parts)
    return viz.save(figure, Path(output) / "attention.jpg")


def _draw_retrieval(embedder, manifest, split, name, count, results, output):
    attribute = embedder.attributes.index(name)
    labels = manifest.labels_of(split)
    labels = labels[labels["attribute"] == attribute]
    queries = _spread(np.unique(labels["image"][labels["role"] == QUERY]), count)
    candidates = np.unique(labels["image"][labels["role"] == CANDIDATE])
    if not len(queries) or not len(candidates):
        return []
    scores = (
        embedder.embed(manifest.paths[queries], name)
        @ embedder.embed(manifest.paths[candidates], name).T
    )
    best = np.argsort(-scores, axis=1, kind="stable")[:, :results]
    found = candidates[best]
    values = {row: set(labels["value"][labels["image"] == row]) for row in [*queries, *found.flat]}
    correct = [
        [bool(values[q] & values[row]) for row in line]
        for q, line in zip(queries, found, strict=True)
    ]
    figure = viz.retrieval_grid(
        [_pixels(manifest, row) for row in queries],
        [[_pixels(manifest, row) for row in line] for line in found],
        np.array(correct),
        name,
        [_values(manifest, row, attribute) for row in queries],
        [[_values(manifest, row, attribute) for row in line] for line in found],
        np.take_along_axis(scores, best, axis=1),
    )
    return [viz.save(figure, Path(output) / f"retrieval_{name}.jpg")]


def _draw_curve(run, output):
    validated = [entry for entry in run.history() if "valid_map" in entry]
    curves = {
        stage: tuple(
            np.array(
                [(e["seconds"] / 60, e["valid_map"]) for e in validated if e["stage"] == stage]
            ).T
        )
        for stage in dict.fromkeys(entry["stage"] for entry in validated)
    }
    if not curves:
        return []
    figure = viz.learning_curve(curves, y_label="validation MAP")
    return [viz.save(figure, Path(output) / "learning_curve.png")]


def _spread(rows: np.ndarray, count: int) -> np.ndarray:
    """So many of the rows, evenly spread."""
    return rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)]


def _pixels(manifest: Manifest, row: int) -> np.ndarray:
    with Image.open(manifest.path(row)) as image:
        return np.asarray(image.convert("RGB"))


def _values(manifest: Manifest, row: int, attribute: int) -> str:
    labels = manifest.labels
    chosen = labels["value"][(labels["image"] == row) & (labels["attribute"] == attribute)]
    names = manifest.space[manifest.space.names[attribute]].values
    return " | ".join(names[value] for value in chosen)


def main() -> None:
    given = flags.FLAGS
    files = visualize(
        given.workdir,
        given.output,
        given.split,
        given.attributes,
        given.photographs,
        given.results,
        given.data_root,
    )
    print("\n".join(str(file) for file in files))


def run() -> None:
    flags.DEFINE_string("workdir", None, "Folder of the run.")
    flags.DEFINE_string("output", None, "Folder to write.")
    flags.DEFINE_enum("split", "test", SPLITS, "Whose photographs are shown.")
    flags.DEFINE_list("attributes", "", "Those that are shown; default: all.")
    flags.DEFINE_integer("photographs", 6, "Rows of a picture.", 1)
    flags.DEFINE_integer("results", 6, "Columns of a retrieval grid.", 1)
    flags.DEFINE_string(
        "data_root", "", "Where the data lies now, if not where it lay in training."
    )
    flags.mark_flags_as_required(["workdir", "output"])
    program.run(main)


if __name__ == "__main__":
    run()
