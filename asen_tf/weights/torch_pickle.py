"""Pickles of `torch.save`, read without running anything that is in them.

A pickle may name any function of any module, so that loading one with Python's own unpickler runs
whatever its author liked. Here only the few names that a state dict needs are known, none of them
reaches Python's objects of that name, and tensors are made after unpickling, from checked numbers.
"""

import dataclasses
import math
import pickle
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np

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


def load(file: BinaryIO) -> tuple[Any, dict[str, "Storage"]]:
    """The next pickle of a file, for `Plain`, and the storages that it names, by their keys.

    Raises:
      pickle.UnpicklingError: it names what a state dict does not need, or two storages alike.
      Others of `BROKEN`: it is no pickle.
    """
    unpickler = _Unpickler(file, encoding="utf-8")
    return unpickler.load(), unpickler.storages


# What the unpickler raises on nonsense beside UnpicklingError.
BROKEN = (
    *(ArithmeticError, AttributeError, LookupError, MemoryError, NotImplementedError),
    *(RecursionError, TypeError, ValueError),
)


class Plain:
    """Makes of what `load` gave an object with arrays in the place of tensors.

    Args:
      values: the numbers of a storage, as an array of one axis.
    """

    def __init__(self, values: Callable[["Storage"], np.ndarray]):
        self._values = values
        self._made: dict[int, Any] = {}

    def __call__(self, value: Any) -> Any:
        # What stands in several places is made once, so that nesting cannot multiply it.
        if id(value) not in self._made:
            self._made[id(value)] = self._make(value)
        return self._made[id(value)]

    def _make(self, value):
        if isinstance(value, _Tensor):
            return self._array(value)
        if isinstance(value, dict):
            return {self(key): self(item) for key, item in value.items()}
        if type(value) in (list, tuple):
            return type(value)(map(self, value))
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


@dataclasses.dataclass(frozen=True)
class _Sealed:
    """What a pickle may hold but not change."""

    def __setstate__(self, state):
        raise pickle.UnpicklingError(f"changes {self!r}, which no state dict does")


@dataclasses.dataclass(frozen=True)
class Storage(_Sealed):
    """So many numbers of one type, which stand elsewhere in the file."""

    key: str
    dtype: str
    count: int

    @property
    def bytes(self) -> int:
        return self.count * np.dtype(self._stored).itemsize

    def numbers(self, raw: bytes, order: str = "<") -> np.ndarray:
        """As an array, in this machine's byte order; floats of 16 bits become float32."""
        values = np.frombuffer(raw, np.dtype(self._stored).newbyteorder(order))
        values = values.astype(values.dtype.newbyteorder("="))
        if self.dtype == "bfloat16":
            return (values.astype(np.uint32) << 16).view(np.float32)
        return values.astype(np.float32) if self.dtype == "f2" else values

    @property
    def _stored(self):
        return "u2" if self.dtype == "bfloat16" else self.dtype


@dataclasses.dataclass(frozen=True)
class _Tensor(_Sealed):
    storage: Storage
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
    if not isinstance(storage, Storage):
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
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.storages: dict[str, Storage] = {}

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
            # Of the formats, the older one has a last place, for views that are written no more.
            case ("storage", _StorageType(dtype), str(key), str(), int(count), *view) if (
                key.isalnum() and count >= 0 and view in ([], [None])
            ):
                storage = Storage(key, dtype, count)
                if self.storages.setdefault(key, storage) != storage:
                    raise pickle.UnpicklingError(f"names two storages {key}")
                return storage
        raise pickle.UnpicklingError(f"refers to {pid!r}, expected a storage of numbers")
