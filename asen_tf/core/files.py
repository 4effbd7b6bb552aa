"""Files that are there as a whole or not at all, and what tells whether one has changed."""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

_DRAFT = ".draft"


@contextlib.contextmanager
def written_whole(path: str | os.PathLike) -> Iterator[Path]:
    """A path to write to, which takes the place of `path` at the end.

    Where writing fails, or another process writes the same file, nothing half-written is left.
    """
    path = Path(path)
    place = {"dir": path.parent, "prefix": f".{path.name}.", "suffix": _DRAFT}
    with tempfile.TemporaryDirectory(**place) as folder:
        draft = Path(folder, path.name)
        yield draft
        os.replace(draft, path)


def remove_drafts(folder: str | os.PathLike) -> None:
    """Removes what killed processes left of `written_whole`; only where nobody writes now."""
    for draft in Path(folder).glob(f".*{_DRAFT}"):
        shutil.rmtree(draft, ignore_errors=True)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Writes a file in UTF-8, see `written_whole`."""
    with written_whole(path) as draft:
        draft.write_text(text, encoding="utf-8")


def check_outputs(
    outputs: Iterable[str | os.PathLike], inputs: Iterable[str | os.PathLike] = ()
) -> None:
    """Before work begins: files that can be written without taking the place of one another.

    Args:
      outputs: files to write.
      inputs: files that are read; what is no file does not matter.

    Raises:
      FileNotFoundError: the folder of an output is missing.
      ValueError: an output is an input, or two are one file.
    """
    read = [path for path in map(Path, inputs) if path.exists()]
    written: set[Path] = set()
    for output in map(Path, outputs):
        if not output.parent.is_dir():
            raise FileNotFoundError(f"{output.parent}: no such folder")
        if output.exists() and any(map(output.samefile, read)):
            raise ValueError(f"{output} is read itself: name another file to write")
        if output.resolve() in written:
            raise ValueError(f"{output} would be written twice: name another file")
        written.add(output.resolve())


def read_json(path: str | os.PathLike, kind: type = dict) -> Any:
    """What a JSON file holds, an object or what else `kind` says.

    Raises:
      ValueError: it is damaged; the message names it.
      OSError: it cannot be read.
    """
    return _parsed(Path(path).read_bytes(), kind, os.fspath(path))


def read_json_lines(path: str | os.PathLike) -> list[dict]:
    """The objects in the lines of a file, without a last one that was never written to its end.

    Raises:
      ValueError: another line is damaged; the message names file and line.
      OSError: it cannot be read.
    """
    *lines, _ = Path(path).read_bytes().split(b"\n")
    return [_parsed(line, dict, f"{path}:{n}") for n, line in enumerate(lines, start=1)]


def version(path: str | os.PathLike) -> str:
    """Tells whether a file was changed, by its size and time; blank where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return ""
    return f"{status.st_size}-{status.st_mtime_ns}"


def digest(path: str | os.PathLike) -> bytes:
    """SHA-256 of a file's content."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _parsed(content: bytes, kind: type, place: str) -> Any:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{place} is damaged: expected JSON; {error}") from error
    if not isinstance(found, kind):
        expected = "a list" if kind is list else "an object"
        raise ValueError(f"{place} is damaged: expected JSON with {expected}")
    return found


@contextlib.contextmanager
def literal(folder: str | os.PathLike) -> Iterator[str]:
    """A path of the folder for TensorFlow, which takes `* ? [ ] { } \\` in paths for patterns."""
    folder = os.fspath(folder)
    if "://" in folder or not set(os.path.abspath(folder)) & set("*?[]{}\\"):
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="asen_") as aside:
        link = os.path.join(aside, "folder")
        os.symlink(os.path.abspath(folder), link, target_is_directory=True)
        yield link
