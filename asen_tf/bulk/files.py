"""Files on any file system that Beam knows: local ones and, say, gs://, s3:// or hdfs://."""

import contextlib
import itertools
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

join = FileSystems.join
exists = FileSystems.exists
rename = FileSystems.rename


def is_local(path: str) -> bool:
    """Whether a path is of this machine."""
    return FileSystems.get_scheme(path) is None


def full(path: str | os.PathLike) -> str:
    """A path that means the same in every process."""
    path = os.fspath(path)
    return os.path.abspath(path) if is_local(path) else path.rstrip("/")


def opened(path: str) -> BinaryIO:
    """A file to read, as it is: whatever its ending, it is not decompressed."""
    return FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)


def read(path: str) -> bytes:
    """The content of a file."""
    with opened(path) as file:
        return file.read()


@contextlib.contextmanager
def written_whole(path: str, aside: str) -> Iterator[BinaryIO]:
    """A file that is written in the folder `aside` and renamed when it is whole.

    Nothing appears at `path` where writing fails, or its process is killed.
    """
    draft = join(aside, f"{uuid.uuid4().hex}-{os.path.basename(path)}")
    try:
        with FileSystems.create(draft, compression_type=CompressionTypes.UNCOMPRESSED) as file:
            yield file
    except BaseException:
        delete(draft)
        raise
    delete(path)  # not every file system renames over a file
    rename([draft], [path])


def delete(path: str) -> None:
    """Deletes a file, if it is there."""
    if is_local(path):  # whose name may have signs that a pattern has
        Path(path).unlink(missing_ok=True)
    elif exists(path):
        FileSystems.delete([path])


def make_folder(path: str) -> None:
    """Makes a folder and those above, if it is not there; nothing on stores without folders."""
    if not exists(path):
        FileSystems.mkdirs(path)


def delete_folder(path: str) -> None:
    """Deletes a folder and the files it holds, if it is there."""
    if is_local(path):
        shutil.rmtree(path, ignore_errors=True)
        return
    if left := names(path):
        FileSystems.delete([join(path, name) for name in left])
    if FileSystems.get_filesystem(path).has_dirs() and exists(path):
        FileSystems.delete([path])


def names(folder: str) -> list[str]:
    """Names of the files in a folder; none where there is no folder."""
    if is_local(folder):
        return os.listdir(folder) if os.path.isdir(folder) else []
    [found] = FileSystems.match([join(folder, "*")])
    return [os.path.basename(file.path) for file in found.metadata_list]


def versions(folders: Iterable[str]) -> dict[str, str]:
    """Path -> what tells whether it was changed, of all files in some folders."""
    results = FileSystems.match([join(folder, "*") for folder in folders])
    found = itertools.chain.from_iterable(result.metadata_list for result in results)
    return {f.path: f"{f.size_in_bytes}-{f.last_updated_in_seconds}" for f in found}
