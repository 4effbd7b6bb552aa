"""Files that are there as a whole or not at all, and what tells whether one has changed."""

import contextlib
import functools
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from asen_client.core.errors import NO_ROOM

_DRAFT, _LOCK = ".asen.draft", ".lock"


@contextlib.contextmanager
def written_whole(path: str | os.PathLike) -> Iterator[Path]:
    """A path to write to, which takes the place of `path` at the end.

    Where writing fails, or another process writes the same file, nothing half-written is left; what
    a killed process left goes when the next one writes in that folder. A link stays, and leads to
    what was written; a device, such as /dev/stdout, is written to as it is.

    Raises:
      OSError: the file cannot be written; names it, whatever the draft was called.
    """
    import filelock  # --help does not wait for it

    given, target = Path(path), Path(os.path.realpath(path))
    _check_place(given)
    if given.exists() and not given.is_file():
        yield given
        return
    _remove_drafts_once(target.parent)
    prefix = f".{target.name[:50]}."
    place = {"dir": target.parent, "prefix": prefix, "suffix": _DRAFT}
    with (
        _naming(path, target.with_name(prefix)),
        tempfile.TemporaryDirectory(**place) as folder,
        filelock.FileLock(os.path.join(folder, _LOCK)),
    ):
        draft = Path(folder, target.name)
        yield draft
        os.replace(draft, target)


@contextlib.contextmanager
def _naming(path: str | os.PathLike, draft: Path) -> Iterator[None]:
    """Says of `path` what the system says of its draft, and of a disk without room."""
    try:
        yield
    except OSError as error:
        of_draft = str(error.filename).startswith(str(draft))
        if of_draft or (error.filename is None and error.errno in NO_ROOM):
            raise OSError(error.errno, error.strerror, os.fspath(path)) from error
        raise


def remove_drafts(folder: str | os.PathLike) -> None:
    """Removes what killed processes left of `written_whole`: nobody holds its lock."""
    import filelock

    for draft in Path(folder).glob(f".*{_DRAFT}"):
        held = filelock.FileLock(draft / _LOCK, timeout=0)
        with contextlib.suppress(filelock.Timeout, OSError), held:
            shutil.rmtree(draft, ignore_errors=True)


_remove_drafts_once = functools.cache(remove_drafts)  # folders may have many files


def write_bytes(path: str | os.PathLike, content: bytes) -> None:
    """Writes a file, see `written_whole`."""
    with written_whole(path) as draft:
        draft.write_bytes(content)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Writes a file in UTF-8, see `written_whole`."""
    write_bytes(path, text.encode())


def check_outputs(
    outputs: Iterable[str | os.PathLike], inputs: Iterable[str | os.PathLike] = ()
) -> None:
    """Before work begins: files that can be written without taking the place of one another.

    Args:
      outputs: files to write.
      inputs: files that are read, `~` is the home; what is no file does not matter.

    Raises:
      FileNotFoundError: the folder of an output is missing.
      IsADirectoryError: an output is a folder.
      ValueError: an output is an input, or two are one file.
    """
    read = [path for path in map(Path, map(os.path.expanduser, inputs)) if path.exists()]
    written: set[Path] = set()
    for output in map(Path, outputs):
        _check_place(output)
        if output.exists() and any(map(output.samefile, read)):
            raise ValueError(f"{output} is read itself: name another file to write")
        if output.resolve() in written:
            raise ValueError(f"{output} would be written twice: name another file")
        written.add(output.resolve())


def _check_place(path: Path) -> None:
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: name a file to write")
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"{path} cannot be written, {path.parent}: no such folder; make it, or name another"
        )


def read_json(path: str | os.PathLike, kind: type = dict) -> Any:
    """What a JSON file holds, an object or what else `kind` says.

    Raises:
      ValueError: it is damaged; the message names it.
      OSError: it cannot be read.
    """
    return parse_json(Path(path).read_bytes(), os.fspath(path), kind)


def read_json_lines(path: str | os.PathLike) -> list[dict]:
    """The objects in the lines of a file, without a last one that was never written to its end.

    Raises:
      ValueError: another line is damaged; the message names file and line.
      OSError: it cannot be read.
    """
    *lines, _ = Path(path).read_bytes().split(b"\n")
    return [parse_json(line, f"{path}:{n}") for n, line in enumerate(lines, start=1)]


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


def parse_json(content: bytes, place: str, kind: type = dict) -> Any:
    """What JSON holds, an object or what else `kind` says.

    Raises:
      ValueError: it is damaged; the message begins with `place`.
    """
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
