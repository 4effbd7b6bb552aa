"""Files of `torch.save`, read without running anything that is in them.

PyTorch's format since 1.6 is a zip archive: `data.pkl`, a pickle of the saved object in which every
tensor refers to a storage, and `data/<key>`, the raw numbers of each storage. A pickle may name any
function of any module, so that loading one with Python's own unpickler runs whatever its author
liked. Here only the few names that a state dict needs are known, none of them reaches Python's
objects of that name, and tensors are made after unpickling, from checked numbers.

The archive is read by this module whether torch is installed or not, so that a file is accepted or
refused alike everywhere. Only the format before 1.6, which is no archive, is left to torch itself
(`weights_only=True`, which has the same purpose).
"""

import dataclasses
import functools
import math
import os
import pickle
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np

SUFFIXES = (".pth", ".pt", ".tar")

_ZIP = b"PK\x03\x04"
_LEGACY = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."  # a pickled magic number
_MAX_PICKLE_BYTES = 64 << 20
_MAX_RANK = 16
_STORAGES = {
    "DoubleStorage": "f8",
    "FloatStorage": "f4",
    "HalfStorage": "f2",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}


def read(path: str | os.PathLike) -> Any:
    """What `torch.save` wrote: dicts, lists, tuples, strings, numbers, and arrays for tensors.

    Floats of 16 bits become float32, other tensors keep their dtype. Arrays are read-only, and
    those that shared a storage share memory.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: it is no such file, is damaged, or names something that a state dict does not
        need (which is not run).
    """
    with open(path, "rb") as file:
        start = file.read(512)
    if start.startswith(_ZIP):
        return _read_archive(path)
    if start.startswith(_LEGACY):
        return _read_legacy(path)
    raise ValueError(f"{path}: expected a file written by torch.save, {_what_it_is(start)}")


def _what_it_is(start: bytes) -> str:
    if not start:
        return "but it is empty"
    if start.lstrip().startswith(b"<"):
        return "but it looks like a web page: open it to see what the download said"
    return f"but it begins with {start[:8]!r}"


def _read_archive(path):
    try:
        with zipfile.ZipFile(path) as archive:
            return _Archive(archive).load()
    except zipfile.BadZipFile as error:
        raise ValueError(f"{path}: damaged, was it copied to its end? ({error})") from error
    except pickle.UnpicklingError as error:
        raise ValueError(f"{path}: {error}") from error
    except _BROKEN_PICKLE as error:
        raise ValueError(
            f"{path}: not understood as a saved state dict ({type(error).__name__}: {error})"
        ) from error


# What the unpickler raises on nonsense beside UnpicklingError.
_BROKEN_PICKLE = (
    *(ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, NotImplementedError),
    *(RecursionError, TypeError, ValueError),
)


def _read_legacy(path):
    try:
        import torch
    except ImportError as error:
        raise ValueError(
            f"{path}: in the format that PyTorch wrote before 1.6, which takes torch to read: "
            "install the extra `[torch]`, for example with pip install .[torch], or save it anew "
            "with torch.save"
        ) from error
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise ValueError(f"{path}: torch cannot load its weights ({error})") from error
    return _without_torch(loaded, torch)


def _without_torch(value, torch):
    if isinstance(value, torch.Tensor):
        value = value.detach()
        small = value.dtype in (torch.float16, torch.bfloat16)
        return (value.float() if small else value).numpy()
    if isinstance(value, dict):
        return {key: _without_torch(item, torch) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_without_torch(item, torch) for item in value)
    return value


class _Archive:
    """The zip archive of one `torch.save`."""

    def __init__(self, archive: zipfile.ZipFile):
        self._archive = archive
        pickles = [n for n in archive.namelist() if n == "data.pkl" or n.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise pickle.UnpicklingError(
                f"expected an archive of torch.save, with one data.pkl, found {len(pickles)}"
            )
        self._folder = pickles[0].removesuffix("data.pkl")
        self._order = self._byte_order()
        self._values = functools.cache(self._read_values)
        self._made: dict[int, Any] = {}

    def load(self) -> Any:
        with self._open("data.pkl", _MAX_PICKLE_BYTES) as file:
            loaded = _Unpickler(file, encoding="utf-8").load()
        return self._plain(loaded)

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

    def _plain(self, value: Any) -> Any:
        """The object with arrays in the place of tensors, and nothing else that is not plain."""
        # What stands in several places is made once, so that nesting cannot multiply it.
        if id(value) not in self._made:
            self._made[id(value)] = self._make_plain(value)
        return self._made[id(value)]

    def _make_plain(self, value):
        if isinstance(value, _Tensor):
            return self._array(value)
        if isinstance(value, dict):
            return {self._plain(key): self._plain(item) for key, item in value.items()}
        if type(value) in (list, tuple):
            return type(value)(map(self._plain, value))
        if value is None or type(value) in (str, bytes, bool, int, float):
            return value
        raise pickle.UnpicklingError(f"holds {value!r}, which no state dict does")

    def _array(self, tensor: "_Tensor") -> np.ndarray:
        storage, shape, strides = tensor.storage, tensor.shape, tensor.strides
        numbers = (*shape, *strides, tensor.offset)
        if len(shape) != len(strides) or len(shape) > _MAX_RANK:
            raise pickle.UnpicklingError(f"a tensor of shape {shape} has strides {strides}")
        if any(type(n) is not int or n < 0 for n in numbers):
            raise pickle.UnpicklingError(
                f"a tensor's shape {shape}, strides {strides} and offset {tensor.offset} must be "
                "whole numbers from 0"
            )
        values = self._values(storage)
        size = math.prod(shape)
        last = tensor.offset + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
        if size and (size > len(values) or last >= len(values)):
            raise pickle.UnpicklingError(
                f"a tensor of shape {shape}, strides {strides} and offset {tensor.offset} does not "
                f"lie in its storage {storage.key} of {len(values)} numbers"
            )
        if not size:
            return np.empty(shape, values.dtype)
        steps = tuple(s * values.itemsize for s in strides)
        return np.lib.stride_tricks.as_strided(
            values[tensor.offset :], shape, steps, writeable=False
        )

    def _read_values(self, storage: "_Storage") -> np.ndarray:
        wide = "u2" if storage.dtype == "bfloat16" else storage.dtype
        dtype = np.dtype(wide).newbyteorder(self._order)
        expected = storage.count * dtype.itemsize
        with self._open(f"data/{storage.key}", expected) as file:
            raw = file.read()
        if len(raw) != expected:
            raise pickle.UnpicklingError(
                f"storage {storage.key} should have {expected} bytes, has {len(raw)}"
            )
        values = np.frombuffer(raw, dtype).astype(dtype.newbyteorder("="))
        if storage.dtype == "bfloat16":
            return (values.astype(np.uint32) << 16).view(np.float32)
        return values.astype(np.float32) if storage.dtype == "f2" else values


@dataclasses.dataclass(frozen=True)
class _Sealed:
    """What a pickle may hold but not change."""

    def __setstate__(self, state):
        raise pickle.UnpicklingError(f"changes {self!r}, which no state dict does")


@dataclasses.dataclass(frozen=True)
class _Storage(_Sealed):
    key: str
    dtype: str
    count: int


@dataclasses.dataclass(frozen=True)
class _Tensor(_Sealed):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class _StorageType(_Sealed):
    dtype: str


@dataclasses.dataclass(frozen=True)
class _Known(_Sealed):
    """Stands for a function that a state dict's pickle calls."""

    function: Callable

    def __call__(self, *arguments):
        return self.function(*arguments)


class _Mapping(dict):
    """An OrderedDict; its attributes (the versions of modules) are not needed."""

    def __setstate__(self, state):
        pass


class _NumberType:
    """A NumPy dtype, for a score that is a NumPy number."""

    _CODES = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8")

    def __init__(self, code, align=False, copy=True):
        if code not in self._CODES:
            raise pickle.UnpicklingError(f"holds a NumPy number of type {code!r}")
        self._dtype = np.dtype(code)

    def __setstate__(self, state):
        order = state[1]
        if order not in ("<", ">", "|", "="):
            raise pickle.UnpicklingError(f"holds a NumPy number of byte order {order!r}")
        self._dtype = self._dtype.newbyteorder(order)

    def number(self, raw: bytes) -> float | int:
        return np.frombuffer(raw, self._dtype, count=1)[0].item()


def _tensor(storage, offset, shape, strides, *_):
    if not isinstance(storage, _Storage):
        raise pickle.UnpicklingError(f"a tensor has {storage!r} in the place of its storage")
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


def _encode(text, encoding):
    # How protocol 2, which torch writes, puts bytes.
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"holds bytes in the encoding {encoding!r}")
    return text.encode("latin1")


_KNOWN = {
    "collections.OrderedDict": _Known(_Mapping),
    "torch._utils._rebuild_tensor_v2": _Known(_tensor),
    "torch._utils._rebuild_parameter": _Known(lambda tensor, *_: tensor),
    "numpy.dtype": _Known(_NumberType),
    "numpy.core.multiarray.scalar": _Known(lambda dtype, raw: dtype.number(raw)),
    "numpy._core.multiarray.scalar": _Known(lambda dtype, raw: dtype.number(raw)),
    "_codecs.encode": _Known(_encode),
    **{f"torch.{name}": _StorageType(dtype) for name, dtype in _STORAGES.items()},
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        full = f"{module}.{name}"
        if full not in _KNOWN:
            raise pickle.UnpicklingError(
                f"refused: it names {full}, which a file of weights does not need. "
                "Nothing of it was run. If you trust where it comes from, save the state dict "
                "alone: torch.save(model.state_dict(), path)"
            )
        return _KNOWN[full]

    def persistent_load(self, pid):
        match pid:
            case ("storage", _StorageType(dtype), str(key), str(), int(count)) if (
                key.isalnum() and count >= 0
            ):
                return _Storage(key, dtype, count)
        raise pickle.UnpicklingError(f"refers to {pid!r}, expected a storage of numbers")
