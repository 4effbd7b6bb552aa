"""Folders that `save_to_disk` of Hugging Face's datasets wrote: Arrow's streams, and their list."""

from collections.abc import Iterator
from pathlib import Path

from asen_client.core.foreign import FormatError
from asen_tf.core.files import read_json
from asen_tf.data.tables import arrow_file
from asen_tf.data.tables.arrow import Rows

_SPLITS, _FILES = "dataset_dict.json", "state.json"
_LONGEST = 255  # bytes of a file's name


def is_one(path: Path) -> bool:
    """Whether a path is such a folder."""
    return (path / _SPLITS).is_file() or (path / _FILES).is_file()


def rows(folder: Path, source: str) -> Rows:
    """(number, cells) of each row, the names of the columns first.

    Where the folder has splits, and no column of that name, a row's is its last cell;
    `validation` is called valid.

    Raises:
      FormatError: it is damaged.
    """
    header, done = None, 0
    for split, file in _files(folder, source):
        table = arrow_file.rows(file, f"{source}/{file.relative_to(folder)}")
        names, ending = next(table)[1], []
        if split and "split" not in names:
            names, ending = [*names, "split"], ["valid" if split == "validation" else split]
        if header is None:
            header = names
            yield 0, header
        elif names != header:
            raise FormatError(source, f"{file.name} has other columns than the first file")
        for _, cells in table:
            done += 1
            yield done, cells + ending


def _files(folder: Path, source: str) -> Iterator[tuple[str, Path]]:
    """(split, file); the split is blank where there are none."""
    whole = folder / _SPLITS
    splits = _names(read_json(whole).get("splits"), source) if whole.is_file() else [""]
    for split in splits:
        listed = read_json(folder / split / _FILES).get("_data_files")
        if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            listed = []
        for name in _names([one.get("filename") for one in listed], source):
            yield split, folder / split / name


def _names(found: object, source: str) -> list[str]:
    """The names in a list, none of which leads elsewhere."""
    names = found if isinstance(found, list) else []
    if not names or not all(isinstance(name, str) and _is_name(name) for name in names):
        raise FormatError(source, f"{_SPLITS} or {_FILES} is damaged: expected a list of names")
    return names


def _is_name(text: str) -> bool:
    return text == Path(text).name and len(text.encode(errors="replace")) <= _LONGEST
