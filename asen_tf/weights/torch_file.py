"""Files of `torch.save`, read without torch and without running anything that is in them.

The format since PyTorch 1.6 is a zip archive: `data.pkl`, a pickle of the saved object in which
every tensor refers to a storage, and `data/<key>`, the raw numbers of each storage. The one before
is a chain of pickles (a magic number, a version, the machine, the object, the keys of the storages)
and then, for each key, how many numbers it has, 8 bytes, and the numbers.
"""

import functools
import io
import os
import pickle
import zipfile
from typing import Any, BinaryIO

import numpy as np

from asen_client.core.foreign import FormatError, stand_in
from asen_tf.weights import torch_pickle
from asen_tf.weights.torch_pickle import Plain, Storage

SUFFIXES = (".pth", ".pt", ".tar")

_ZIP = b"PK\x03\x04"
_CHAIN = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."  # a pickled magic number
_MAX_PICKLE_BYTES = 64 << 20


def read(path: str | os.PathLike) -> Any:
    """What `torch.save` wrote: dicts, lists, tuples, strings, numbers, and arrays for tensors.

    Floats of 16 bits become float32, other tensors keep their dtype. Arrays are read-only, and
    those that shared a storage share memory.

    Raises:
      FileNotFoundError: there is no such file.
      FormatError: it is no such file, is damaged, or names something that a state dict does not
        need (which is not run).
    """
    with open(path, "rb") as file:
        start = file.read(512)
        file.seek(0)
        for begin, reader in ((_ZIP, _read_archive), (_CHAIN, _read_chain)):
            if start.startswith(begin):
                return _explaining(path, reader, file)
    other = f"it begins with {start[:8]!r}" if start else "it is empty"
    reason = stand_in(start) or other
    raise FormatError(path, f"expected a file written by torch.save, but {reason}")


def _explaining(path, reader, file):
    try:
        return reader(file)
    except pickle.UnpicklingError as error:
        raise FormatError(path, str(error)) from error
    except Exception as error:  # zipfile raises many types on archives with wrong numbers
        message = f"damaged, was it copied to its end? ({str(error)[:200]})"
        raise FormatError(path, message) from error


def _read_archive(file: BinaryIO) -> Any:
    with zipfile.ZipFile(file) as archive:
        return _Archive(archive).load()


def _read_chain(file: BinaryIO) -> Any:
    pickles = io.BytesIO(file.read(_MAX_PICKLE_BYTES))
    for _ in ("magic number", "version", "machine"):
        torch_pickle.load(pickles)
    loaded, storages = torch_pickle.load(pickles)
    keys, _ = torch_pickle.load(pickles)
    if not isinstance(keys, list) or set(keys) != set(storages) or len(keys) != len(storages):
        raise pickle.UnpicklingError("the storages that follow are not those that it names")
    file.seek(pickles.tell())
    found = {key: _next_numbers(file, storages[key]) for key in keys}
    return Plain(lambda storage: found[storage.key])(loaded)


def _next_numbers(file: BinaryIO, storage: Storage) -> np.ndarray:
    head = file.read(8)
    if len(head) == 8 and int.from_bytes(head, "little") != storage.count:
        raise pickle.UnpicklingError(f"storage {storage.key} has another size than is said")
    raw = file.read(storage.bytes)
    if len(raw) != storage.bytes:
        raise EOFError(f"storage {storage.key} has {len(raw)} of {storage.bytes} bytes")
    return storage.numbers(raw)


class _Archive:
    """The zip archive of one `torch.save`."""

    def __init__(self, archive: zipfile.ZipFile):
        self._archive = archive
        _check_sizes(archive)
        pickles = [n for n in archive.namelist() if n == "data.pkl" or n.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise pickle.UnpicklingError(
                f"expected an archive of torch.save, with one data.pkl, found {len(pickles)}"
            )
        self._folder = pickles[0].removesuffix("data.pkl")
        self._order = self._byte_order()
        self._values = functools.cache(self._read_values)

    def load(self) -> Any:
        with self._open("data.pkl", _MAX_PICKLE_BYTES) as file:
            loaded, _ = torch_pickle.load(file)
        return Plain(self._values)(loaded)

    def _byte_order(self) -> str:
        if f"{self._folder}byteorder" not in self._archive.namelist():
            return "<"
        with self._open("byteorder", 16) as file:
            order = file.read()
        if order not in (b"little", b"big"):
            raise pickle.UnpicklingError(f"byteorder must be little or big, got {order!r}")
        return "<" if order == b"little" else ">"

    def _open(self, name: str, most: int):
        """An entry that takes at most so many bytes; torch compresses none, so a bomb has none."""
        info = self._archive.getinfo(self._folder + name)
        if info.compress_type != zipfile.ZIP_STORED or info.file_size > most:
            raise pickle.UnpicklingError(
                f"{info.filename} is compressed or larger than {most} bytes: not by torch.save"
            )
        return self._archive.open(info)

    def _read_values(self, storage: Storage) -> np.ndarray:
        with self._open(f"data/{storage.key}", storage.bytes) as file:
            raw = file.read()
        if len(raw) != storage.bytes:
            raise pickle.UnpicklingError(
                f"storage {storage.key} should have {storage.bytes} bytes, has {len(raw)}"
            )
        return storage.numbers(raw, self._order)


def _check_sizes(archive: zipfile.ZipFile) -> None:
    """Entries do not share their bytes, so that what they hold is no more than the file has."""
    size = archive.fp.seek(0, os.SEEK_END)
    if sum(info.file_size for info in archive.infolist()) > size:
        raise pickle.UnpicklingError("its entries are larger than the file: not by torch.save")
