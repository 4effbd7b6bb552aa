"""Pickles of `torch.save`, read without running anything that is in them.

A pickle is a program. Python's own unpickler runs whatever its author liked, and a few hundred
bytes of one can take all memory (a table as long as a number says) or all time (hashes and texts of
nested pairs). Here its steps are taken one by one, and only those that a state dict needs: the few
functions it may name stand for code of ours, and tensors are made afterwards, from checked numbers.
"""

import dataclasses
import math
import pickle
import pickletools
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

import numpy as np

_MAX_RANK = 16
_MAX_STEPS = 1_000_000  # some 40 a tensor
_MAX_NUMBER = 2**127  # the old format begins with one of 80 bits
_SCALARS = (str, bytes, bool, int, float, type(None))
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
_NUMBERS = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8")


def load(file: BinaryIO) -> tuple[Any, dict[str, "Storage"]]:
    """The next pickle of a file, for `Plain`, and the storages that it names, by their keys.

    Raises:
      pickle.UnpicklingError: it is no pickle, or does what a state dict does not need.
    """
    machine = _Machine()
    position = 0
    try:
        for step, (opcode, argument, at) in enumerate(pickletools.genops(file)):
            position = at
            if step == _MAX_STEPS:
                raise pickle.UnpicklingError(f"more than {_MAX_STEPS} steps")
            if opcode.name == "STOP":
                return machine.result(), machine.storages
            machine.take(opcode.name, argument)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise pickle.UnpicklingError(f"step at byte {position}: {_said(error)}") from error
    except pickle.UnpicklingError as error:
        raise pickle.UnpicklingError(f"{error} (step at byte {position})") from error
    raise pickle.UnpicklingError("truncated")


def _said(error: Exception) -> str:
    return f"broken or truncated ({type(error).__name__}: {str(error)[:80]})"


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
            return {key: self(item) for key, item in value.items()}
        if type(value) in (list, tuple):
            return type(value)(map(self, value))
        if isinstance(value, _SCALARS):
            return value
        raise pickle.UnpicklingError(f"holds {_name(value)}, which no state dict does")

    def _array(self, tensor: "_Tensor") -> np.ndarray:
        storage, shape, strides = tensor.storage, tensor.shape, tensor.strides
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
class Storage:
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
class _Tensor:
    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class _StorageType:
    dtype: str


@dataclasses.dataclass(frozen=True)
class _Function:
    """Stands for a function that a state dict's pickle calls."""

    call: Callable


@dataclasses.dataclass
class _NumberType:
    """A NumPy dtype, for a score that is a NumPy number."""

    dtype: np.dtype


def _mapping(pairs=()):
    made = {}
    for key, value in pairs:
        _set(made, key, value)
    return made


def _tensor(storage, offset, shape, strides, *_):
    if not isinstance(storage, Storage):
        raise pickle.UnpicklingError(f"a tensor has {_name(storage)} in the place of its storage")
    if not (type(shape) is type(strides) is tuple and len(shape) == len(strides) <= _MAX_RANK):
        raise pickle.UnpicklingError(f"a tensor needs as many strides as axes, at most {_MAX_RANK}")
    if any(type(n) is not int or n < 0 for n in (*shape, *strides, offset)):
        raise pickle.UnpicklingError(
            "a tensor's shape, strides and offset must be whole numbers from 0"
        )
    return _Tensor(storage, offset, shape, strides)


def _number_type(code, align=False, copy=True):
    if code not in _NUMBERS:
        raise pickle.UnpicklingError("holds a NumPy number of a type that is not known")
    return _NumberType(np.dtype(code))


def _number(kind, raw):
    return np.frombuffer(raw, kind.dtype, count=1)[0].item()


def _encode(text, encoding):
    # How protocol 2, which torch writes, puts bytes.
    if encoding != "latin1":
        raise pickle.UnpicklingError("holds bytes in another encoding than latin1")
    return text.encode("latin1")


_KNOWN = {
    "collections.OrderedDict": _Function(_mapping),
    "torch._utils._rebuild_tensor_v2": _Function(_tensor),
    "torch._utils._rebuild_parameter": _Function(lambda tensor, *_: tensor),
    "numpy.dtype": _Function(_number_type),
    "numpy.core.multiarray.scalar": _Function(_number),
    "numpy._core.multiarray.scalar": _Function(_number),
    "_codecs.encode": _Function(_encode),
    **{f"torch.{name}": _StorageType(dtype) for name, dtype in _STORAGES.items()},
}

_MARK = object()
_CONSTANTS = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "MARK": lambda: _MARK,
}
_ARGUMENTS = (
    *("BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT"),
    *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINSTRING", "SHORT_BINSTRING"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
)
_PUT, _GET = ("BINPUT", "LONG_BINPUT", "MEMOIZE"), ("BINGET", "LONG_BINGET")
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


class _Machine:
    """The stack and the memory of one pickle."""

    def __init__(self):
        self.storages: dict[str, Storage] = {}
        self._stack: list[Any] = []
        self._memory: dict[int, Any] = {}

    def result(self) -> Any:
        [value] = self._stack
        return value

    def take(self, name: str, argument: Any) -> None:
        """One step."""
        if name in _ARGUMENTS:
            if type(argument) is int and not -_MAX_NUMBER <= argument < _MAX_NUMBER:
                raise pickle.UnpicklingError("holds a number of more than 128 bits")
            self._stack.append(argument)
        elif name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name]())
        elif name in _PUT:
            at = len(self._memory) if argument is None else argument
            if at > len(self._memory) + 1:
                raise pickle.UnpicklingError(f"counts {at} values where there are fewer")
            self._memory[at] = self._stack[-1]
        elif name in _GET:
            self._stack.append(self._memory[argument])
        elif name in _TUPLES:
            items = [self._stack.pop() for _ in range(_TUPLES[name])]
            self._stack.append(tuple(reversed(items)))
        elif name not in ("PROTO", "FRAME"):
            if (step := getattr(self, f"_{name.lower()}", None)) is None:
                raise pickle.UnpicklingError(f"does {name}, which no state dict needs")
            step(argument)

    def _marked(self) -> list[Any]:
        """What was put on the stack since the last mark."""
        items = []
        while (item := self._stack.pop()) is not _MARK:
            items.append(item)
        return items[::-1]

    def _pop(self, _):
        self._stack.pop()

    def _tuple(self, _):
        self._stack.append(tuple(self._marked()))

    def _append(self, _):
        self._extend([self._stack.pop()])

    def _appends(self, _):
        self._extend(self._marked())

    def _extend(self, items: Sequence[Any]) -> None:
        if type(self._stack[-1]) is not list:
            raise pickle.UnpicklingError("appends to what is no list")
        self._stack[-1].extend(items)

    def _setitem(self, _):
        value, key = self._stack.pop(), self._stack.pop()
        _set(self._stack[-1], key, value)

    def _setitems(self, _):
        items = iter(self._marked())
        for key, value in zip(items, items, strict=True):
            _set(self._stack[-1], key, value)

    def _global(self, name):
        full = name.replace(" ", ".")
        if full not in _KNOWN:
            raise pickle.UnpicklingError(
                f"refused: it names {full[:80]}, which a file of weights does not need. "
                "Nothing of it was run. If you trust where it comes from, save the state dict "
                "alone: torch.save(model.state_dict(), path)"
            )
        self._stack.append(_KNOWN[full])

    def _stack_global(self, _):
        name, module = self._stack.pop(), self._stack.pop()
        self._global(f"{module} {name}" if type(name) is type(module) is str else "?")

    def _reduce(self, _):
        arguments, function = self._stack.pop(), self._stack.pop()
        if not isinstance(function, _Function) or type(arguments) is not tuple:
            raise pickle.UnpicklingError(f"calls {_name(function)}, which no state dict does")
        self._stack.append(function.call(*arguments))

    def _build(self, _):
        state, changed = self._stack.pop(), self._stack[-1]
        if isinstance(changed, _NumberType):
            if state[1] not in ("<", ">", "|", "="):
                raise pickle.UnpicklingError("holds a NumPy number of an unknown byte order")
            changed.dtype = changed.dtype.newbyteorder(state[1])
        elif not isinstance(changed, dict):  # of which it is the versions of modules
            raise pickle.UnpicklingError(f"changes {_name(changed)}, which no state dict does")

    def _binpersid(self, _):
        match self._stack.pop():
            # Of the formats, the older one has a last place, for views that are written no more.
            case ("storage", _StorageType(dtype), str(key), str(), int(count), *view) if (
                key.isalnum() and count >= 0 and view in ([], [None])
            ):
                storage = Storage(key, dtype, count)
                if self.storages.setdefault(key, storage) != storage:
                    raise pickle.UnpicklingError(f"names two storages {key}")
                self._stack.append(storage)
            case _:
                raise pickle.UnpicklingError("refers to something else than a storage of numbers")


def _set(mapping: Any, key: Any, value: Any) -> None:
    # The hash of nested pairs takes as long as it likes.
    if type(mapping) is not dict or not isinstance(key, _SCALARS):
        raise pickle.UnpicklingError("a dictionary needs texts or numbers as its keys")
    mapping[key] = value


def _name(value: Any) -> str:
    """What a value is; not its content, which may be of any length."""
    return type(value).__name__.lstrip("_")
