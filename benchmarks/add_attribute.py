"""How good an attribute is that is added to a trained run from a few photographs a value.

    python benchmarks/add_attribute.py --data=clothing_attributes --data_root=DIR --output=DIR \\
        --json=benchmarks/results/add_attribute_clothing_attributes.json

Each of --attributes is left out in turn: a run is trained without it for --steps, and it is added
from so many photographs of each value, drawn at random. Measured is its MAP on the test split, in
percent, beside that of

- random: a random order;
- frozen: the cosine of the features of the backbone, which no training changes here;
- linear: discriminants of these features, of the same photographs;
- full: a run that was trained with all labels of all attributes for as long.

Reached is the part of the way from frozen to full. The backbone's features are computed once for
all, so that the seconds are those of learning alone, by the clock and of the processor. What is
finished in --output is not repeated, so that attributes and draws may be measured one by one; the
result has all that lie there.
"""

import csv
import functools
import itertools
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf
from absl import app, flags
from ml_collections import ConfigDict

import asen_tf
from asen_client.core.attributes import AttributeSpace
from asen_tf.benchmarks import machine
from asen_tf.benchmarks.report import report
from asen_tf.core import experiment_files, files
from asen_tf.data.feature_cache import FeatureLoader
from asen_tf.data.image_cache import open_images
from asen_tf.data.load import load
from asen_tf.data.manifest import SPLITS, Manifest
from asen_tf.data.matching import matched
from asen_tf.data.synthetic import write_dataset
from asen_tf.evaluation import Evaluator
from asen_tf.evaluation.embed import embed_rows_fn
from asen_tf.models.linear.discriminant import linear_discriminant
from asen_tf.training import determinism, new_attribute
from asen_tf.training.frozen import FrozenFeatures
from asen_tf.workdir import Workdir

_DATA = flags.DEFINE_string("data", "synthetic", "A format of data, or synthetic garments.")
_ROOT = flags.DEFINE_string("data_root", "", "Folder of the data; default: garments in --output.")
_OUTPUT = flags.DEFINE_string("output", None, "Folder for tables and runs.", required=True)
_ATTRIBUTES = flags.DEFINE_list(
    "attributes", ["sleeve_length", "pattern", "neckline"], "Those that are left out."
)
_EXAMPLES = flags.DEFINE_list("examples", ["5", "20", "50"], "Photographs of each value.")
_DRAWS = flags.DEFINE_list("draws", ["0", "1"], "Seeds of which photographs are drawn.")
_SIDE = flags.DEFINE_integer("side", 160, "Of the photographs as networks see them, in pixels.")
_STEPS = flags.DEFINE_integer("steps", 300, "How long each run is trained.", 1)
_IMAGES = flags.DEFINE_integer("images", 1200, "Garments that are rendered.", 18)
_JSON = flags.DEFINE_string("json", "", "File to write the result to, beside printing it.")

_TIMES = ("seconds", "processor_seconds")


def experiment(root: Path, table: Path, columns: tuple[str, ...]) -> ConfigDict:
    """The experiment on one's own photographs, from ImageNet weights."""
    config = experiment_files.read(experiment_files.find("asen", "csv"))
    config.data.update(root=str(root), manifest=str(table), columns=columns, check="none")
    config.data.cache_dir = str(Path(_OUTPUT.value).resolve() / "cache")
    # Attention and projection learn, on features that all runs share; the backbone does not.
    config.model.global_branch.size = _SIDE.value
    config.train.update(stages=("heads",), max_steps=_STEPS.value)
    config.eval.pictures = 0
    return config


def write_table(manifest: Manifest, path: Path) -> None:
    """Writes the labels of a manifest as a table."""
    values = [dict.fromkeys(manifest.space, "") for _ in range(len(manifest))]
    names = list(manifest.space.to_dict().items())
    for image, attribute, value, _ in manifest.labels.tolist():
        name, known = names[attribute]
        values[image][name] = "|".join(filter(None, (values[image][name], known[value])))
    with files.written_whole(path) as draft, draft.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "split", *manifest.space])
        for image, split, own in zip(manifest.images, manifest.splits, values, strict=True):
            writer.writerow([image, SPLITS[split], *own.values()])


def drawn(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Rows: so many photographs of each value, where there are, of labels bool [N, V]."""
    draw = np.random.default_rng(seed)
    return np.unique(
        np.concatenate([draw.permutation(np.flatnonzero(own))[:count] for own in labels.T])
    )


def score(manifest: Manifest, embed) -> dict:
    """How vectors rank the test split: `embed` gives those of rows [B], float32 [B, D]."""
    found = Evaluator(lambda rows, _: embed(rows)[:, None], ks=())
    (result,) = found.evaluate(manifest, "test", lambda rows: rows)["attributes"].values()
    return result


def score_vectors(manifest: Manifest, vectors: np.ndarray) -> dict:
    """The same of vectors of all rows, float32 [N, D], by their cosine."""
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return score(manifest, lambda rows: unit[rows])


def trained(name: str, root: Path, table: Path, columns: tuple[str, ...]) -> Workdir:
    """A run, trained and measured unless it is there."""
    run = Workdir(Path(_OUTPUT.value).resolve() / name)
    done = run.path / "test.json"
    if not done.exists():
        asen_tf.train(experiment(root, table, columns), run.path)
        files.write_text(done, json.dumps(asen_tf.evaluate(run), indent=1))
    return run


def features_of(run: Workdir, manifest: Manifest) -> FeatureLoader:
    """What the backbone makes of all photographs."""
    model, rows = run.load_best(), np.arange(len(manifest))
    model.trainable = False
    seen = {key: run.config().data[key] for key in ("fit", "box_margin")}

    def load_images():
        return open_images(manifest, rows, model.image_size, "none", 0, "", **seen)

    folder = Path(_OUTPUT.value).resolve() / "cache/features"
    kept = FrozenFeatures(model, [next(iter(model.slices))], "adding an attribute")
    return kept.open(manifest, rows, seen, load_images, folder, math.inf, 32)


def means(features: FeatureLoader, count: int) -> np.ndarray:
    """The features of so many photographs, means over the positions, float32 [N, C]."""
    found = []
    for at in range(0, count, 32):
        rows = tf.range(at, min(at + 32, count), dtype=tf.int64)
        maps = features(rows, tf.zeros((len(rows), 1), tf.int32)).values()
        found.append(np.concatenate([np.float32(own).mean((1, 2)) for own in maps], -1))
    return np.concatenate(found)


def measured(manifest: Manifest, table: Path, attribute: str) -> Iterator[dict]:
    """One attribute, left out and added again, from each number of photographs and each draw."""
    names = manifest.space.names
    others = tuple(name for name in names if name != attribute)
    run = trained(f"without_{attribute}", manifest.root, table, others)
    whole = trained("all", manifest.root, table, names)
    alone = matched(manifest, AttributeSpace({attribute: manifest.space[attribute].values}))
    labels = alone.values_of("train")
    features = features_of(run, manifest)
    vectors = means(features, len(manifest))
    frozen = score_vectors(alone, vectors)
    full = files.read_json(whole.path / "test.json")["attributes"][attribute]["map"]
    for draw, count in itertools.product(map(int, _DRAWS.value), map(int, _EXAMPLES.value)):
        done = run.path / f"{count}_{draw}.json"
        if not done.exists():
            rows = drawn(labels, count, draw)
            found = {
                **added(run, alone, features, rows, labels[rows]),
                "random": frozen["random_map"],
                "frozen": frozen["map"],
                "linear": linear(alone, vectors, rows, labels[rows]),
                "full": full,
            }
            percent = {
                name: round(number, 1) if name in _TIMES else round(100 * number, 2)
                for name, number in found.items()
            }
            own = {"attribute": attribute, "examples": count, "draw": draw}
            files.write_text(done, json.dumps({**own, "photographs": len(rows), **percent}))
        yield files.read_json(done)


def linear(manifest: Manifest, vectors: np.ndarray, rows: np.ndarray, labels: np.ndarray) -> float:
    """MAP by discriminants of vectors that photographs have taught."""
    kernel, bias = linear_discriminant(vectors[rows], labels)
    return score_vectors(manifest, tf.nn.softmax(vectors @ kernel + bias).numpy())["map"]


def added(
    run: Workdir,
    manifest: Manifest,
    features: FeatureLoader,
    rows: np.ndarray,
    labels: np.ndarray,
) -> dict[str, float]:
    """How good the attribute becomes, how good it says that it is, and what learning it takes."""
    model, slices = run.load_best(), run.best()["slices"]
    used = model.used_slices(slices)
    examples = new_attribute.Examples.divided(rows, labels, rows, 5)
    loss = run.config().heads.losses.global_triplet
    clocks = time.monotonic, time.process_time
    with determinism.enabled():
        began = [clock() for clock in clocks]
        learned = new_attribute.learn(
            model,
            examples,
            features,
            None,
            used,
            {key: loss[key] for key in ("distance", "margin")},
            model.embeds_values(slices),
        )
        took = [clock() - start for clock, start in zip(clocks, began, strict=True)]
    more = new_attribute.with_attribute(model, learned)
    embed = functools.partial(_embedded, embed_rows_fn(more, features, slices), model.attributes)
    return {
        "added": score(manifest, embed)["map"],
        "estimated": learned.quality["map"],
        "estimated_frozen": learned.quality["frozen_map"],
        **dict(zip(_TIMES, took, strict=True)),
    }


def _embedded(embed, attribute: int, rows: np.ndarray) -> np.ndarray:
    return embed(rows, np.full((len(rows), 1), attribute, np.int32))[:, 0]


def summary(rows: list[dict]) -> dict:
    """Of each number of examples the means, and the part of the way that is reached."""
    found = {}
    for count in sorted({row["examples"] for row in rows}):
        own = [row for row in rows if row["examples"] == count]
        kinds = ("added", "random", "frozen", "linear", "full", "estimated", *_TIMES)
        means = {kind: round(float(np.mean([row[kind] for row in own])), 2) for kind in kinds}
        way = means["full"] - means["frozen"]
        means["reached"] = round(100 * (means["added"] - means["frozen"]) / way, 1)
        found[str(count)] = means
    return found


def main(_) -> None:
    output = Path(_OUTPUT.value).resolve()
    root = Path(_ROOT.value or output / "garments").resolve()
    if _DATA.value == "synthetic" and not root.exists():
        write_dataset(root, _IMAGES.value)
    config = experiment_files.read(experiment_files.find("asen", "csv"))
    config.data.update(root=str(root), check="none")
    config.data.format = "csv" if _DATA.value == "synthetic" else _DATA.value
    manifest = load(config.data)
    table = output / "all.csv"
    output.mkdir(parents=True, exist_ok=True)
    write_table(manifest, table)
    for attribute in _ATTRIBUTES.value:
        for row in measured(manifest, table, attribute):
            print(json.dumps(row), flush=True)
    rows = [files.read_json(path) for path in sorted(output.glob("without_*/*_*.json"))]
    by_attribute = {
        name: summary([row for row in rows if row["attribute"] == name])
        for name in sorted({row["attribute"] for row in rows})
    }
    result = {"steps": _STEPS.value, "side": _SIDE.value, "means": summary(rows)}
    result |= {"attributes": by_attribute, "rows": rows}
    report({"data": _DATA.value, **result, **machine.description()}, _JSON.value)


if __name__ == "__main__":
    app.run(main)
