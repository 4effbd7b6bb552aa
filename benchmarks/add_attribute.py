"""How good an attribute is that is added to a trained run from a few photographs a value.

    python benchmarks/add_attribute.py --data=clothing_attributes --data_root=DIR --output=DIR \\
        --json=benchmarks/results/add_attribute_clothing_attributes.json

Each of --attributes is left out in turn: a run is trained without it for --minutes, and it is added
from so many photographs of each value, drawn at random. Measured is its MAP on the test split, in
percent, beside that of

- random: a random order;
- frozen: the cosine of the features of the backbone that training started from;
- linear: discriminants of these features, of the same photographs;
- full: a run that was trained with all labels of all attributes for as long.

Reached is the part of the way from frozen to full. What is finished in --output is not repeated,
so that attributes and seeds may be measured one by one; the result has all that lie there.
"""

import csv
import itertools
import json
import time
from pathlib import Path

import numpy as np
from absl import app, flags
from ml_collections import ConfigDict

import asen_tf
from asen_client.core.attributes import AttributeSpace
from asen_tf.benchmarks import machine
from asen_tf.benchmarks.report import report
from asen_tf.core import experiment_files, experiments, files
from asen_tf.data.load import load
from asen_tf.data.manifest import SPLITS, Manifest
from asen_tf.data.matching import matched
from asen_tf.data.synthetic import write_dataset
from asen_tf.evaluation import Evaluator
from asen_tf.models.linear.discriminant import linear_discriminant
from asen_tf.training.features import frozen_vectors

_DATA = flags.DEFINE_string("data", "synthetic", "A format of data, or synthetic garments.")
_ROOT = flags.DEFINE_string("data_root", "", "Folder of the data; default: garments in --output.")
_OUTPUT = flags.DEFINE_string("output", None, "Folder for tables and runs.", required=True)
_ATTRIBUTES = flags.DEFINE_list(
    "attributes", ["sleeve_length", "collar", "neckline", "pattern"], "Those that are left out."
)
_EXAMPLES = flags.DEFINE_list("examples", ["5", "20", "50"], "Photographs of each value.")
_SEEDS = flags.DEFINE_list("seeds", ["0"], "Of training and of which photographs are drawn.")
_MINUTES = flags.DEFINE_float("minutes", 3.0, "How long each run is trained.")
_IMAGES = flags.DEFINE_integer("images", 1500, "Garments that are rendered.", 18)
_JSON = flags.DEFINE_string("json", "", "File to write the result to, beside printing it.")


def experiment(root: Path, table: Path, columns: tuple[str, ...], seed: int) -> ConfigDict:
    """The experiment on one's own photographs, from ImageNet weights."""
    config = experiment_files.read(experiment_files.find("asen", "csv"))
    config.data.update(root=str(root), manifest=str(table), columns=columns, check="none")
    config.data.cache_dir = str(Path(_OUTPUT.value).resolve() / "cache")
    config.train.update(seed=seed, max_minutes=_MINUTES.value)
    return config


def write_table(manifest: Manifest, left_out: dict[int, set[str]], path: Path) -> None:
    """Writes the labels of a manifest as a table, without those of some rows."""
    values = [dict.fromkeys(manifest.space, "") for _ in range(len(manifest))]
    names = list(manifest.space.to_dict().items())
    for image, attribute, value, _ in manifest.labels.tolist():
        name, known = names[attribute]
        if name not in left_out.get(image, ()):
            values[image][name] = "|".join(filter(None, (values[image][name], known[value])))
    with files.written_whole(path) as draft, draft.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "split", *manifest.space])
        for image, split, own in zip(manifest.images, manifest.splits, values, strict=True):
            writer.writerow([image, SPLITS[split], *own.values()])


def drawn(manifest: Manifest, attribute: str, count: int, seed: int) -> np.ndarray:
    """Rows of split train: so many photographs of each value of an attribute, where there are."""
    labels = own_values(manifest, attribute, "train")
    draw = np.random.default_rng(seed)
    return np.unique(
        np.concatenate([draw.permutation(np.flatnonzero(own))[:count] for own in labels.T])
    )


def own_values(manifest: Manifest, attribute: str, split: str) -> np.ndarray:
    """bool [N, V]: the values of an attribute that photographs of the split carry."""
    at = manifest.space.index(attribute)
    return manifest.values_of(split)[:, slice(*manifest.space.offsets[at : at + 2])]


def score(manifest: Manifest, attribute: str, vectors: np.ndarray) -> dict:
    """How vectors [N, D], the same for every attribute, rank the test split by an attribute."""
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)

    def embed(rows, attributes):
        return np.repeat(unit[rows][:, None], attributes.shape[1], axis=1)

    found = Evaluator(embed, 256, ks=()).evaluate(manifest, "test", lambda rows: rows)
    return found["attributes"][attribute]


def trained(name: str, root: Path, table: Path, columns: tuple[str, ...], seed: int):
    """A run, trained unless it is there; how it ranks the test split."""
    folder = Path(_OUTPUT.value).resolve() / name
    done = folder / "test.json"
    if not done.exists():
        run = asen_tf.train(experiment(root, table, columns, seed), folder)
        files.write_text(done, json.dumps(asen_tf.evaluate(run), indent=1))
    return folder, files.read_json(done)["attributes"]


def measure(manifest: Manifest, table: Path, attribute: str, count: int, seed: int) -> dict:
    """One attribute, added from so many photographs of each value."""
    output, root = Path(_OUTPUT.value).resolve(), manifest.root
    names = manifest.space.names
    others = tuple(name for name in names if name != attribute)
    run, _ = trained(f"without_{attribute}_{seed}", root, table, others, seed)
    _, full = trained(f"all_{seed}", root, table, names, seed)
    rows = drawn(manifest, attribute, count, seed)
    hidden = np.setdiff1d(manifest.rows("train"), rows)
    part = output / f"{attribute}_{seed}_{count}.csv"
    alone = matched(manifest, AttributeSpace({attribute: manifest.space[attribute].values}))
    write_table(alone, {row: {attribute} for row in hidden.tolist()}, part)
    folder, again = output / f"{attribute}_{seed}_{count}", itertools.count()
    while folder.exists():  # of a process that was stopped
        folder = output / f"{attribute}_{seed}_{count}_{next(again)}"
    began = time.monotonic()
    added = asen_tf.add_attribute(run, part, attribute, folder, root=root, seed=seed)
    seconds = time.monotonic() - began
    config = experiment(root, table, names, seed)
    experiments.linear(config)
    vectors = frozen_vectors(config, manifest, output)
    kernel, bias = linear_discriminant(
        vectors[rows], own_values(manifest, attribute, "train")[rows]
    )
    logits = vectors @ kernel + bias
    probabilities = np.exp(logits - logits.max(1, keepdims=True))
    frozen = score(manifest, attribute, vectors)
    found = {
        "added": asen_tf.evaluate(added.run)["attributes"][attribute]["map"],
        "random": frozen["random_map"],
        "frozen": frozen["map"],
        "linear": score(manifest, attribute, probabilities / probabilities.sum(1, keepdims=True))[
            "map"
        ],
        "full": full[attribute]["map"],
        "estimated": added.quality["map"],
        "estimated_frozen": added.quality["frozen_map"],
    }
    return {
        "attribute": attribute,
        "seed": seed,
        "examples": count,
        "photographs": sum(added.counts.values()),
        "seconds": round(seconds, 1),
        **{name: round(100 * value, 2) for name, value in found.items()},
    }


def summary(rows: list[dict]) -> dict:
    """Of each number of examples the means over attributes and seeds, and the part reached."""
    found = {}
    for count in sorted({row["examples"] for row in rows}):
        own = [row for row in rows if row["examples"] == count]
        kinds = ("added", "random", "frozen", "linear", "full", "estimated", "seconds")
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
    write_table(manifest, {}, table)
    chosen = itertools.product(map(int, _SEEDS.value), _ATTRIBUTES.value, map(int, _EXAMPLES.value))
    for seed, attribute, count in chosen:
        done = output / f"{attribute}_{seed}_{count}.json"
        if not done.exists():
            files.write_text(done, json.dumps(measure(manifest, table, attribute, count, seed)))
    rows = [files.read_json(path) for path in sorted(output.glob("*_*_*.json"))]
    result = {"minutes": _MINUTES.value, "means": summary(rows), "rows": rows}
    report({"data": _DATA.value, **result, **machine.description()}, _JSON.value)


if __name__ == "__main__":
    app.run(main)
