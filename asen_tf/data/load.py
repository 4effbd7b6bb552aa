"""From the `data` part of a configuration to a manifest one can rely on."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from absl import logging
from ml_collections import ConfigDict

from asen_tf.core.attributes import AttributeSpace
from asen_tf.core.progress import Progress
from asen_tf.data import formats
from asen_tf.data.check import check_images
from asen_tf.data.manifest import CANDIDATE, QUERY, SPLITS, Manifest, Problem, with_default_roles
from asen_tf.data.matching import matched

SHOWN = 50


class BadData(ValueError):
    """Something is wrong with the data set; `problems` has everything that was found."""

    def __init__(self, problems: Sequence[Problem]):
        self.problems = list(problems)
        super().__init__(f"{len(self.problems)} problems in the data set\n{listed(self.problems)}")


def load(
    options: ConfigDict, *, training: bool = True, progress: type[Progress] = Progress
) -> Manifest:
    """Reads and checks the data set that `options` (the `data` part of a configuration) describes.

    Splits for evaluation that bring no roles get the default ones. With `options.skip_bad`, rows
    that are bad are dropped and named in the log. Values that no training image carries, and
    images that stand in two splits, or twice in one, are warned about, and so are queries that no
    candidate is relevant to.

    Args:
      options: which data set, and how to check it.
      training: whether images for training have to be there.
      progress: what says how the check of the images goes.

    Raises:
      BadData: rows are bad and not to be skipped, or the data set as a whole is: no image for
        training, or a split for evaluation without queries or candidates.
      ValueError: the configuration or a whole file cannot be understood.
      FileNotFoundError: a file of the format is missing.
    """
    manifest, problems = formats.read(options)
    problems += check_images(manifest, options.check, options.max_pixels, progress)
    if options.skip_bad:
        manifest, problems = _without_bad_rows(manifest, problems)
    manifest = with_default_roles(manifest)
    problems += _split_problems(manifest, training)
    if problems:
        raise BadData(problems)
    _warn(manifest, training)
    return manifest


def load_for(space: AttributeSpace, data: ConfigDict | Manifest) -> Manifest:
    """Data for evaluation by a model that knows these attributes.

    Args:
      space: the attributes and values.
      data: a manifest; or a configuration, or the `data` part of one, to load.

    Raises:
      ValueError: the data has other values, or none of the attributes.
    """
    manifest = data if isinstance(data, Manifest) else load(data.get("data", data), training=False)
    return matched(manifest, space)


def listed(problems: Sequence[Problem], shown: int = SHOWN) -> str:
    """The problems, a line each: the first `shown`, how many more, and how to go on without."""
    lines = _first(problems, shown)
    if any(_names_row(problem) for problem in problems):
        lines.append("(--config.data.skip_bad=true drops the bad rows)")
    return "\n".join(lines)


def _first(problems: Sequence[Problem], shown: int) -> list[str]:
    more = [f"... and {len(problems) - shown} more"] if len(problems) > shown else []
    return [*map(str, problems[:shown]), *more]


def _names_row(problem: Problem) -> bool:
    return problem.line > 0 or problem.image is not None


def _without_bad_rows(
    manifest: Manifest, problems: list[Problem]
) -> tuple[Manifest, list[Problem]]:
    """The manifest without the rows that problems name, and the problems that name none."""
    bad = [problem for problem in problems if _names_row(problem)]
    if bad:
        logging.warning("dropped %d bad rows:\n%s", len(bad), "\n".join(_first(bad, SHOWN)))
    rows = [problem.image for problem in bad if problem.image is not None]
    kept = np.setdiff1d(np.arange(len(manifest)), rows)
    return manifest.take(kept), [problem for problem in problems if not _names_row(problem)]


def _split_problems(manifest: Manifest, training: bool) -> list[Problem]:
    """What makes the data set as a whole unfit."""
    found = []
    if training and not len(manifest.rows("train")):
        found.append(("train", "no images for training (split train)"))
    elif training and manifest.triplets is not None and not len(manifest.triplets_of("train")):
        found.append(("train", "no triplets for training (split train)"))
    for split in ("valid", "test"):
        roles = manifest.labels_of(split)["role"]
        for role, name in ((QUERY, "queries"), (CANDIDATE, "candidates")):
            if len(roles) and not (roles == role).any():
                message = f"split {split} without {name}, though it has labelled images"
                found.append((split, message))
    return [Problem(manifest.source.replace("{split}", s), 0, message) for s, message in found]


def _warn(manifest: Manifest, training: bool) -> None:
    images = {split: set(manifest.images[manifest.rows(split)].tolist()) for split in SPLITS}
    for split in SPLITS:
        names, counts = np.unique(manifest.images[manifest.rows(split)], return_counts=True)
        if twice := names[counts > 1].tolist():
            logging.warning("%d images are in %s twice: %s", len(twice), split, _some(twice))
    for one, other in combinations(SPLITS, 2):
        if both := sorted(images[one] & images[other]):
            logging.warning("%d images are in %s and %s: %s", len(both), one, other, _some(both))
    for split in ("valid", "test"):
        if lost := _lost_queries(manifest, split):
            logging.warning(
                "%d queries of %s have no candidate that shares their value and will count 0: %s",
                len(lost),
                split,
                _some(lost, 5),
            )
    if training and manifest.triplets is None:
        labels = manifest.labels_of("train")
        carried = np.unique(np.array(manifest.space.offsets)[labels["attribute"]] + labels["value"])
        names = [f"{name}={v}" for name, vs in manifest.space.to_dict().items() for v in vs]
        if missing := [names[i] for i in np.setdiff1d(np.arange(len(names)), carried)]:
            logging.warning(
                "%d values that no image for training carries: %s", len(missing), _some(missing)
            )


def _lost_queries(manifest: Manifest, split: str) -> list[str]:
    """Image, attribute and values of the queries that no candidate is relevant to."""
    labels = manifest.labels_of(split)
    flat = np.array(manifest.space.offsets)[labels["attribute"]] + labels["value"]
    query = labels["role"] == QUERY
    found = query & np.isin(flat, flat[labels["role"] == CANDIDATE])
    keys = ["image", "attribute"]
    lost = labels[query & ~np.isin(labels[keys], labels[keys][found])]
    attributes = list(manifest.space.to_dict().items())
    return [
        f"{manifest.images[image]} ({attributes[attribute][0]}={attributes[attribute][1][value]})"
        for image, attribute, value, _ in lost.tolist()
    ]


def _some(names: list[str], most: int = 20) -> str:
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")
