"""Columns of numbers in files of MATLAB 5 to 7, which is what `save` writes without `-v7.3`.

SciPy's reader trusts the sizes that such a file declares, and a damaged one can end the process.
"""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from asen_client.core.foreign import FormatError, check_stand_in

_HEADER, _TAG = 128, 8
_MATRIX, _COMPRESSED, _INT32, _UINT32, _INT8 = 14, 15, 5, 6, 1
_NUMBERS = {
    **{1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4"},
    **{7: "f4", 9: "f8", 12: "i8", 13: "u8"},
}
_NUMERIC_CLASSES = range(6, 16)
_COMPLEX = 0x08
_MAX_BYTES = 64 << 20
_ADVICE = "expected a column of numbers, saved with `save -v7`"


class _Element(NamedTuple):
    kind: int
    content: bytes
    start: int


def read_column(path: Path, name: str) -> np.ndarray:
    """The numbers of the column (or row) `name`, float64 [N].

    Raises:
      FormatError: there is no such column, or it is no such file.
      OSError: it cannot be read.
    """
    check_stand_in(path)
    return _File(path, name).column()


class _File:
    def __init__(self, path: Path, name: str):
        self._path, self._name = path, name
        with open(path, "rb") as file:
            self._raw = file.read(_MAX_BYTES + 1)
        order = {b"IM": "<", b"MI": ">"}.get(self._raw[126:_HEADER])
        if order is None or len(self._raw) > _MAX_BYTES:
            raise self._error(0, f"it is of another kind; {_ADVICE}")
        self._order = order

    def column(self) -> np.ndarray:
        found = []
        for element in self._elements(self._raw, _HEADER):
            if element.kind == _COMPRESSED:
                element = self._inflated(element)
            if element.kind != _MATRIX:
                raise self._error(element.start, f"expected a matrix, found type {element.kind}")
            flags, sizes, its_name, *parts = self._parts(element)
            if its_name.content.rstrip(b"\0") == self._name.encode():
                return self._values(flags, sizes, parts, element.start)
            found.append(its_name.content.rstrip(b"\0").decode("latin1")[:40])
        raise self._error(_HEADER, f"it holds {', '.join(found[:10]) or 'nothing'}")

    def _elements(self, raw: bytes, at: int, base: int = 0) -> Iterator[_Element]:
        """What lies one behind the other there; `base` is where that begins in the file."""
        while at < len(raw):
            tag = np.frombuffer(raw[at : at + _TAG].ljust(_TAG, b"\0"), f"{self._order}u4")
            kind, size, start = int(tag[0]), int(tag[1]), at + _TAG
            if kind >> 16:  # up to four bytes, in the place of their size
                kind, size, start = kind & 0xFFFF, kind >> 16, at + 4
                end = at + _TAG
            else:
                end = start + size if kind == _COMPRESSED else start + size + -size % _TAG
            # Some writers leave the padding of the last one out.
            if start + size > len(raw) or (start < at + _TAG and size > 4):
                raise self._error(base + at, f"{size} bytes are said to follow: is it cut off?")
            yield _Element(kind, raw[start : start + size], base + at)
            at = end

    def _inflated(self, element: _Element) -> _Element:
        unpacker = zlib.decompressobj()
        try:
            raw = unpacker.decompress(element.content, _MAX_BYTES)
            if not unpacker.eof:
                raise self._error(element.start, f"is cut off, or larger than {_MAX_BYTES} bytes")
        except zlib.error as error:
            raise self._error(element.start, f"damaged ({error})") from error
        inner = next(self._elements(raw, 0, element.start), None)
        if inner is None:
            raise self._error(element.start, "nothing is compressed in it")
        return inner

    def _parts(self, matrix: _Element) -> list[_Element]:
        parts = list(self._elements(matrix.content, 0, matrix.start + _TAG))
        if [part.kind for part in parts[:3]] != [_UINT32, _INT32, _INT8] or not parts[0].content:
            raise self._error(matrix.start, "expected flags, sizes and a name")
        return parts

    def _values(self, flags, sizes, parts, start: int) -> np.ndarray:
        bits = int.from_bytes(flags.content[:4], "little" if self._order == "<" else "big")
        if bits & 0xFF not in _NUMERIC_CLASSES or bits >> 8 & _COMPLEX or not parts:
            raise self._error(start, f"not plain numbers; {_ADVICE}")
        code = _NUMBERS.get(parts[0].kind)
        if code is None or len(parts[0].content) % np.dtype(code).itemsize:
            raise self._error(start, f"not plain numbers; {_ADVICE}")
        values = np.frombuffer(parts[0].content, self._order + code).astype(np.float64)
        if len(sizes.content) != 8:
            raise self._error(start, f"it has other than two axes; {_ADVICE}")
        rows, columns = np.frombuffer(sizes.content, f"{self._order}i4").tolist()
        if 1 not in (rows, columns) or rows * columns != len(values):
            raise self._error(
                start, f"{rows} x {columns} numbers are said, {len(values)} are there; {_ADVICE}"
            )
        return values

    def _error(self, byte: int, message: str) -> FormatError:
        text = f"not a MATLAB file with a column {self._name}: {message}"
        return FormatError(self._path, text, byte=byte)
