"""A folder of synthetic photographs: a CSV manifest, part boxes and ASEN++ index files."""

import contextlib
import csv
import functools
import json
import multiprocessing
import os
import shutil
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from os import PathLike
from pathlib import Path

import filelock
from PIL import Image

from asen_tf.core.files import read_json
from asen_tf.core.progress import Progress
from asen_tf.data.synthetic.attributes import SPACE, draw_labels
from asen_tf.data.synthetic.index_files import write_index_files
from asen_tf.data.synthetic.render import check_series, render

GENERATOR_VERSION = 1
FEWEST_IMAGES = 18  # the first valid query is image 7, the first valid candidate image 17

_SPLITS = ("train",) * 7 + ("valid",) + ("test",) * 2
_STAMP = "synthetic.json"
_QUALITY = 92
_CHUNK = 16


class OtherDataset(ValueError):
    """A folder holds garments of other parameters, `found`."""

    def __init__(self, message: str, found: dict):
        super().__init__(message)
        self.found = found


def split_and_role(index: int) -> tuple[str, str]:
    """Split of image `index` (70 % train, 10 % valid, 20 % test) and its role.

    One in five images of valid and of test is a query, the others are candidates; in train the
    role is empty. The pattern is fixed: labels are drawn without regard to it.
    """
    ten, place = divmod(index, len(_SPLITS))
    split = _SPLITS[place]
    if split == "train":
        return split, ""
    nth = ten * _SPLITS.count(split) + place - _SPLITS.index(split)
    return split, "candidate" if nth % 5 else "query"


def write_dataset(
    output: str | PathLike,
    images: int,
    seed: int = 0,
    look: str = "plain",
    processes: int = 1,
) -> None:
    """Renders images 0 .. images - 1 of a series into the folder `output`.

    Writes images/000000.jpg and on, manifest.csv (image, split, role, an attribute a column),
    attributes.csv, boxes.csv (image, attribute, left, top, right, bottom), the index files of the
    ASEN++ release in splits/, and last synthetic.json with the parameters: where that lies, the
    folder is complete. A folder that holds just this data set already is left as it is.

    Args:
      output: a folder that does not exist, is empty, or holds this very data set.
      images: how many photographs, at least 18.
      seed: number of the series, 0 or more. Image i depends on (seed, i, look) alone.
      look: "plain" or "cluttered".
      processes: how many processes render. More than one are started afresh ("spawn", so that
        they share nothing with TensorFlow in this one): a script that asks for them must guard
        its own start with `if __name__ == "__main__":`.

    Raises:
      OtherDataset: the folder holds garments of other parameters.
      ValueError: too few images, a bad seed, an unknown look, processes below 1, or a folder that
        holds something else.
    """
    check_series(seed, look)
    if images < FEWEST_IMAGES:
        raise ValueError(
            f"images must be at least {FEWEST_IMAGES}, so that valid and test hold queries and "
            f"candidates; got {images}"
        )
    if processes < 1:
        raise ValueError(f"processes must be 1 or more, got {processes}")
    stamp = {"images": images, "seed": seed, "look": look, "generator": GENERATOR_VERSION}
    root = Path(os.path.abspath(output))
    if _is_complete(root, stamp):
        return
    # Rendered aside, so that a run that is cut off leaves nothing that looks like a data set.
    aside = root.with_name(f".{root.name}.part")
    aside.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(aside.with_suffix(".lock")) as held:
        if not _is_complete(root, stamp):  # by another process meanwhile
            shutil.rmtree(aside, ignore_errors=True)
            _write(aside, images, seed, look, processes)
            (aside / _STAMP).write_text(json.dumps(stamp, indent=1) + "\n", encoding="utf-8")
            aside.replace(root)
        Path(held.lock_file).unlink(missing_ok=True)


def _write(root: Path, images: int, seed: int, look: str, processes: int) -> None:
    names = [f"images/{index:06d}.jpg" for index in range(images)]
    (root / "images").mkdir(parents=True)
    rows = _render_all(root, names, seed, look, processes)
    _write_csv(root / "boxes.csv", ["image", "attribute", "left", "top", "right", "bottom"], rows)
    labels = [draw_labels(seed, index) for index in range(images)]
    places = [split_and_role(index) for index in range(images)]
    _write_csv(
        root / "manifest.csv",
        ["image", "split", "role", *SPACE],
        ([n, *p, *v.values()] for n, p, v in zip(names, places, labels, strict=True)),
    )
    (root / "splits").mkdir()
    for folder in (root, root / "splits"):
        _write_csv(
            folder / "attributes.csv",
            ["index", "attribute", "values"],
            ([i, name, "|".join(SPACE[name].values)] for i, name in enumerate(SPACE)),
        )
    write_index_files(root / "splits", names, places, labels)


def _is_complete(root: Path, stamp: dict) -> bool:
    """Whether the folder holds this data set; raises ValueError where it holds anything else."""
    if not root.exists():
        return False
    mend = "choose another output, or remove it first"
    if not root.is_dir():
        raise ValueError(f"output {str(root)!r} is a file, expected a folder: {mend}")
    if not any(root.iterdir()):
        return False
    if not (root / _STAMP).exists():
        raise ValueError(
            f"output {str(root)!r} is not empty and has no {_STAMP}, so it holds "
            f"something else: {mend}"
        )
    found = read_json(root / _STAMP)
    if found != stamp:
        raise OtherDataset(
            f"{root} holds garments of {_told(found)}, expected those of {_told(stamp)}: {mend}",
            found,
        )
    return True


def _told(stamp: dict) -> str:
    return ", ".join(f"{key}={value}" for key, value in stamp.items())


def _render_all(
    root: Path, names: Sequence[str], seed: int, look: str, processes: int
) -> list[list]:
    """Writes the photographs; returns the rows of boxes.csv in order."""
    work = functools.partial(_render_one, root, seed, look)
    rows: list[list] = []
    with contextlib.ExitStack() as stack:
        found = map(work, range(len(names)), names)
        if processes > 1:
            context = multiprocessing.get_context("spawn")
            pool = stack.enter_context(ProcessPoolExecutor(processes, mp_context=context))
            found = pool.map(work, range(len(names)), names, chunksize=_CHUNK)
        progress = stack.enter_context(Progress("rendering", len(names), "images"))
        for of_image in found:
            rows += of_image
            progress.update(1)
    return rows


def _render_one(root: Path, seed: int, look: str, index: int, name: str) -> list[list]:
    photograph = render(seed, index, look)
    Image.fromarray(photograph.image).save(root / name, quality=_QUALITY)
    return [
        [name, attribute, *(f"{edge:.1f}" for edge in box)]
        for attribute, box in photograph.boxes.items()
    ]


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
