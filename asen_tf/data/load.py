"""From the `data` part of a configuration to a manifest one can rely on."""

import contextlib
from collections.abc import Iterator, Sequence

import numpy as np
from absl import logging
from ml_collections import ConfigDict

from asen_client.core.attributes import AttributeSpace
from asen_client.core.limits import MAX_PIXELS
from asen_tf.core.choices import NOT_SERVED
from asen_tf.core.progress import Progress
from asen_tf.data import formats
from asen_tf.data.check import check_images
from asen_tf.data.doubts import doubts, no_attributes
from asen_tf.data.manifest import CANDIDATE, QUERY, Manifest, Problem, with_default_roles
from asen_tf.data.matching import matched
from asen_tf.data.root import FOLLOW_ADVICE, LEADS_OUT
from asen_tf.data.tables import Frame

SHOWN = 50
SKIP = "--config.data.skip_bad=true"


class BadData(ValueError):
    """Something is wrong with the data set; `problems` has everything that was found."""

    def __init__(self, problems: Sequence[Problem], skip: str = SKIP):
        self.problems = list(problems)
        said = listed(self.problems, skip=skip)
        super().__init__(f"{len(self.problems)} problems in the data set\n{said}")


def load(
    options: ConfigDict,
    *,
    training: bool = True,
    progress: type[Progress] = Progress,
    table: Frame | None = None,
) -> Manifest:
    """Reads and checks the data set that `options` (the `data` part of a configuration) describes.

    Splits for evaluation that bring no roles get the default ones. With `options.skip_bad`, rows
    that are bad are dropped and named in the log. What the data set can hardly mean, see `doubts`,
    is warned about. Columns of a CSV table that look like no attribute are not learned, unless
    `options.columns` or `options.attributes_file` names them.

    Args:
      options: which data set, and how to check it.
      training: whether images for training have to be there.
      progress: what says how the check of the images goes.
      table: a frame of pandas, Polars or Arrow in place of the file `options.manifest`.

    Raises:
      BadData: rows are bad and not to be skipped, or the data set as a whole is: no image for
        training, or a split for evaluation whose roles are all queries or all candidates.
      ValueError: the configuration or a whole file cannot be understood.
      FileNotFoundError: a file of the format is missing.
    """
    manifest, problems = formats.read(options, table)
    if training and options.format == "csv" and not (options.columns or options.attributes_file):
        manifest = _with_attributes_alone(manifest)
    problems += check_images(
        manifest, options.check, options.max_pixels, progress, options.follow_links
    )
    if options.skip_bad:
        manifest, problems = _without_bad_rows(manifest, problems)
    problems += _split_problems(manifest, training)
    manifest = with_default_roles(manifest)
    if training:
        problems += _name_problems(manifest)
    if problems:
        raise BadData(problems)
    for doubt in doubts(manifest, training, options.check == "full"):
        logging.warning("%s", doubt)
    return manifest


@contextlib.contextmanager
def naming_bad_images(manifest: Manifest, max_pixels: int = MAX_PIXELS) -> Iterator[None]:
    """Names images that have become bad since they were checked, in place of TensorFlow's words.

    Raises:
      BadData: TensorFlow failed inside, and there are such images.
    """
    try:
        yield
    except Exception as error:
        if not type(error).__module__.startswith("tensorflow."):
            raise
        for level in ("exists", "full"):
            if bad := check_images(manifest, level, max_pixels):
                raise BadData(bad) from error
        raise


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


def listed(problems: Sequence[Problem], shown: int = SHOWN, skip: str = SKIP) -> str:
    """The problems, a line each: the first `shown`, how many more, and how to go on without."""
    links = [problem for problem in problems if problem.message.endswith(LEADS_OUT)]
    repeated = set(links[1:])
    lines = _first([one for one in problems if one not in repeated], shown)
    if len(links) > 1:
        lines.append(f"... and {len(links) - 1} more: {LEADS_OUT}")
    if links:
        lines.append(f"({FOLLOW_ADVICE})")
    if any(_names_row(problem) for problem in problems):
        lines.append(f"({skip} drops the bad rows)")
    return "\n".join(lines)


def _first(problems: Sequence[Problem], shown: int) -> list[str]:
    more = [f"... and {len(problems) - shown} more"] if len(problems) > shown else []
    return [*map(str, problems[:shown]), *more]


def _with_attributes_alone(manifest: Manifest) -> Manifest:
    """The manifest without the columns that look like no attributes, which the log names."""
    left_out = no_attributes(manifest)
    kept = {n: v for n, v in manifest.space.to_dict().items() if n not in left_out}
    if not left_out:
        return manifest
    told = ", ".join(f"{name} ({why})" for name, why in left_out.items())
    if not kept:
        raise ValueError(
            f"{manifest.source}: no column looks like an attribute: {told}; name those that are in "
            "data.columns"
        )
    logging.warning(
        "columns that look like no attribute are left out: %s; data.columns names those to learn",
        told,
    )
    return matched(manifest, AttributeSpace(kept), "data.columns")


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


def _name_problems(manifest: Manifest) -> list[Problem]:
    """Attributes that a later program cannot take."""
    return [
        Problem(manifest.source, 0, f"attribute {name!r} cannot be served by that name: rename it")
        for name in manifest.space
        if name in NOT_SERVED
    ]


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
            if roles.any() and not (roles == role).any():
                message = f"split {split} without {name}, though it has labelled images"
                found.append((split, message))
    return [Problem(manifest.source.replace("{split}", s), 0, message) for s, message in found]
