"""Adds an attribute to a trained run, learned from a few photographs."""

import contextlib
import dataclasses
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from ml_collections import ConfigDict

from asen_client.core.attributes import AttributeSpace
from asen_client.core.errors import check_names, unknown_name
from asen_tf.core import config as configs
from asen_tf.core import files
from asen_tf.core.choices import NOT_SERVED
from asen_tf.data.groups import photograph_groups
from asen_tf.data.load import load, naming_bad_images
from asen_tf.data.manifest import Manifest
from asen_tf.data.matching import matched
from asen_tf.data.tables import Table
from asen_tf.evaluation.tasks import NothingToMeasure, retrieval_tasks
from asen_tf.workdir import Workdir

RECORD = "added.json"
FEWEST, MOST = 2, 200  # photographs of a value
# How photographs are read, and how they become what the model sees.
_SEEN = (
    "fit",
    "box_margin",
    "max_pixels",
    "follow_links",
    "check",
    "cache",
    "cache_gb",
    "cache_dir",
)


@dataclasses.dataclass(frozen=True)
class AddedAttribute:
    """What `add_attribute` gives.

    Attributes:
      run: the new run.
      counts: value -> how many photographs it was learned from.
      folds: parts of the cross-validation.
      quality: see `training.new_attribute.Learned`; `accuracy` only where the run names values.
      measured: the split on which the new attribute can be measured; "": none.
    """

    run: Workdir
    counts: dict[str, int]
    folds: int
    quality: dict[str, float]
    measured: str


def add_attribute(
    run: str | os.PathLike | Workdir,
    table: str | os.PathLike,
    attribute: str,
    output: str | os.PathLike,
    *,
    root: str | os.PathLike | None = None,
    boxes: str | os.PathLike | None = None,
    column_names: Mapping[str, str] | None = None,
    skip_bad: bool = False,
    folds: int = 5,
    seed: int = 0,
) -> AddedAttribute:
    """Writes a run that knows an attribute more, whose vectors of the others are the same.

    It learns from the photographs of split train that are labelled for it. The data of the new run
    is this table: its column of the attribute, and those of the attributes that the run knows.

    Args:
      run: the trained run, of a model with `EmbeddingModel.attribute_tables`.
      table: `image,split,...` as for training, with a column of the attribute.
      attribute: its name.
      output: folder to write, which holds no run yet.
      root: folder of the photographs; None: the table's.
      boxes: a table image,x1,y1,x2,y2 of garments' boxes, if `table` has none.
      column_names: what columns are called in the table: `{"image": "photo_url"}`.
      skip_bad: drop bad rows of the table.
      folds: of the cross-validation, 2 or more; fewer where a value has fewer photographs.
      seed: of the folds and of learning.

    Raises:
      BadData: rows of the table are bad.
      ValueError: the run knows the attribute, the table does not, it has too few values or
        photographs of one, other values of the run's attributes, or `output` holds a run.
      FileNotFoundError: there is no such run or table.
      NotImplementedError: an attribute cannot be added to a model of this kind.
      BlockingIOError: another process writes to `output`.
    """
    before, after = Workdir(run), Workdir(output)
    before.best()  # it is a run
    _check(before, after, attribute, folds)
    config = _configuration(before, Path(table), attribute, root, boxes, column_names or {})
    config.data.skip_bad = skip_bad
    manifest = _read(config, before.space(), attribute)
    rows, labels = _labelled(manifest, attribute, seed)
    groups = photograph_groups(manifest.take(rows))
    counts = _counts(manifest, attribute, labels, groups)
    from asen_tf.models.grown import check_grows
    from asen_tf.training import determinism
    from asen_tf.training.new_attribute import Examples, with_attribute

    model = before.load_best()
    check_grows(model)
    examples = Examples.divided(rows, labels, groups, folds, seed)
    lock = after.hold()
    try:
        with determinism.enabled(), naming_bad_images(manifest, config.data.max_pixels):
            learned = _learn(model, before, after, manifest, examples, config, seed)
        made, measured = with_attribute(model, learned), _measured(manifest, attribute)
        quality = {k: v for k, v in learned.quality.items() if made.predicts or "map" in k}
        found = AddedAttribute(after, counts, examples.count, quality, measured)
        _write(found, made, before, config, manifest, attribute)
    finally:
        lock.release()
    return found


def _check(before: Workdir, after: Workdir, attribute: str, folds: int) -> None:
    """What can be said without looking at data."""
    if attribute in before.space():
        raise ValueError(
            f"{before.path} knows {attribute!r} already: name another attribute, of "
            f"{', '.join(before.space())} none is added again"
        )
    if attribute in NOT_SERVED:
        raise ValueError(f"attribute {attribute!r} cannot be served by that name: rename it")
    if folds < 2:
        raise ValueError(f"cross-validation takes 2 folds or more, got {folds}")
    if after.config_file.exists():
        raise ValueError(f"{after.path} holds a run: name another folder, or remove it")


def _configuration(
    before: Workdir,
    table: Path,
    attribute: str,
    root: str | os.PathLike | None,
    boxes: str | os.PathLike | None,
    column_names: Mapping[str, str],
) -> ConfigDict:
    """That of the run, whose data is the table; photographs are seen as the run has seen them."""
    config, data = before.config(), configs.defaults().data
    data.update({key: config.data[key] for key in _SEEN})
    check_names("column in column_names", column_names, data.column_names)
    data.column_names.update(column_names)
    header = Table.at(table, ["image", "split"], data.column_names).header
    if attribute not in header:
        raise ValueError(unknown_name(f"column of {table}", attribute, header))
    data.columns = (*(name for name in before.space() if name in header), attribute)
    data.root = os.path.abspath(root or table.parent)
    data.manifest = os.path.abspath(table) if root else table.name
    data.garment_boxes = os.path.abspath(boxes) if boxes else ""
    config.data = data
    return config


def _read(config: ConfigDict, space: AttributeSpace, attribute: str) -> Manifest:
    """The table, in terms of what the run knows and of the new attribute, the last of all."""
    options = config.data.copy_and_resolve_references()
    options.check = "exists"  # those that are learned from are read soon
    manifest = load(options)
    return matched(
        manifest,
        AttributeSpace({**space.to_dict(), attribute: manifest.space[attribute].values}),
        "the run",
    )


def _labelled(manifest: Manifest, attribute: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of split train that are labelled for it, [N], and their values, bool [N, V].

    Of values with more than `MOST` photographs, so many are drawn at random.
    """
    at = manifest.space.index(attribute)
    labels = manifest.values_of("train")[:, slice(*manifest.space.offsets[at : at + 2])]
    rows = np.flatnonzero(labels.any(1))
    if not len(rows):
        raise ValueError(
            f"{manifest.source}: no photograph of split train is labelled for {attribute}, and "
            "it is learned from these"
        )
    taken, kept = np.zeros(labels.shape[1], int), []
    for row in np.random.default_rng(seed).permutation(rows):
        if (taken[labels[row]] < MOST).any():
            taken += labels[row]
            kept.append(row)
    rows = np.sort(kept)
    return rows, labels[rows]


def _counts(
    manifest: Manifest, attribute: str, labels: np.ndarray, groups: np.ndarray
) -> dict[str, int]:
    """Value -> how many photographs carry it; ValueError where these are too few."""
    values = manifest.space[attribute].values
    if len(values) < 2:
        raise ValueError(
            f"{manifest.source}: {attribute} has one value, {values[0]}: expected two or more"
        )
    of_groups = {
        value: len(np.unique(groups[own])) for value, own in zip(values, labels.T, strict=True)
    }
    if few := {value: count for value, count in of_groups.items() if count < FEWEST}:
        told = ", ".join(f"{value} {count}" for value, count in few.items())
        raise ValueError(
            f"{manifest.source}: {attribute} is learned from {FEWEST} or more photographs of each "
            f"value in split train, of different products; got of {told}: label more, or leave "
            "these values blank"
        )
    return dict(zip(values, labels.sum(0).tolist(), strict=True))


def _learn(model, before, after, manifest, examples, config, seed):
    """What `training.new_attribute.learn` gives; features are kept in the new run's folder."""
    from asen_tf.data.image_cache import open_images
    from asen_tf.training import new_attribute
    from asen_tf.training.frozen import FrozenFeatures

    slices, first = before.best()["slices"], next(iter(model.slices))
    seen = {"fit": config.data.fit, "box_margin": config.data.box_margin}
    load_images = open_images(manifest, examples.rows, model.image_size, "none", 0, "", **seen)
    model.trainable = False
    features = FrozenFeatures(model, [first], "adding an attribute").open(
        manifest,
        examples.rows,
        seen,
        lambda: load_images,
        Path(config.data.cache_dir or after.path) / "features",
        math.inf,
        config.eval.batch_size,
    )
    model.trainable = True
    return new_attribute.learn(
        model,
        examples,
        features,
        load_images,
        model.used_slices(slices),
        _loss(config, first),
        model.embeds_values(slices),
        seed,
    )


def _loss(config: ConfigDict, output: str) -> dict[str, object]:
    """Distance and margin of the triplet loss that trained the output last."""
    for stage in reversed(config.train.stages):
        for loss in config[stage].losses.values():
            if loss["name"] == "triplet" and loss["output"] == output:
                return {key: loss[key] for key in ("distance", "margin")}
    return {"distance": "cosine", "margin": 0.2}


def _measured(manifest: Manifest, attribute: str) -> str:
    """The split on which the attribute can be measured; "": none."""
    for split in ("test", "valid"):
        with contextlib.suppress(NothingToMeasure):
            tasks, _ = retrieval_tasks(manifest, split)
            if manifest.space.index(attribute) in (task.attribute for task in tasks):
                return split
    return ""


def _write(found, model, before, config, manifest, attribute) -> None:
    best = before.best()
    kept = {key: best[key] for key in ("stage", "step", "slices")}
    own = {"beta": model.beta}
    if model.value_classifiers is not None:
        kept["recognition"] = True
        own["values"] = model.value_classifiers.shares
    for key, numbers in own.items():
        if key in best:
            kept[key] = {**best[key], attribute: round(float(numbers[-1]), 6)}
    if np.ndim(config.model.get("beta", 0.0)):
        config.model.beta = model.beta
    record = {
        "attribute": attribute,
        "run": os.path.abspath(before.path),
        "photographs": found.counts,
        "folds": found.folds,
        **found.quality,
    }
    found.run.save_best(model, best["stage"])
    files.write_text(found.run.path / RECORD, json.dumps(record, indent=1, ensure_ascii=False))
    found.run.write_best({**kept, "map": None, "measure": found.measured})
    # Last, so that a folder that has a configuration is complete.
    found.run.begin(config, manifest.space, manifest)
