"""Arrow's own files (Feather), and streams of them."""

import struct
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from flatbuffers.table import Table

from asen_client.core.foreign import FormatError, reading
from asen_tf.data.tables.arrow import Rows, batch_rows
from asen_tf.data.tables.cells import MOST_BYTES, needed

FILE, STREAM = b"ARROW1", b"\xff\xff\xff\xff"

# Places in the tables of Arrow's File.fbs and Message.fbs.
_DICTIONARIES, _BATCHES, _HEADER, _DATA, _BUFFERS, _COMPRESSION = (
    4 + 2 * slot for slot in (2, 3, 2, 1, 2, 3)
)


def rows(path: Path, source: str) -> Rows:
    """(number, cells) of each row, the names of the columns first.

    Raises:
      FormatError: it is no such file, or a large one.
      ValueError: pyarrow is not installed.
    """
    pa = needed("pyarrow", f"{source}: Arrow")
    with reading(path, "expected a file or a stream of Arrow"), pa.memory_map(str(path)) as file:
        if file.read(len(FILE)) == FILE:
            reader = pa.ipc.open_file(file)
            _check(source, _messages(file, pa.ipc.read_message))
            batches = map(reader.get_batch, range(reader.num_record_batches))
        else:
            file.seek(0)
            _check(source, pa.ipc.MessageReader.open_stream(file))
            file.seek(0)
            batches = reader = pa.ipc.open_stream(file)
        with reader:
            yield from batch_rows(source, reader.schema, map(_validated, batches))


def _check(source: str, messages: Iterable[Any]) -> None:
    if sum(map(_unpacked, messages)) > MOST_BYTES:
        raise FormatError(source, f"more than {MOST_BYTES} bytes unpacked: split it")


def _messages(file: Any, read: Callable[[Any], Any]) -> Iterator[Any]:
    """Those that the file's footer lists, which pyarrow has verified."""
    file.seek(file.size() - len(FILE) - 4)
    length = struct.unpack("<i", file.read(4))[0]
    file.seek(file.size() - len(FILE) - 4 - length)
    footer = bytearray(file.read(length))
    root = Table(footer, struct.unpack_from("<I", footer)[0])
    for slot in (_DICTIONARIES, _BATCHES):
        for start, _, _ in _structs(root, slot, "<qi4xq"):
            file.seek(start)
            yield read(file)


def _structs(table: Table, slot: int, layout: str) -> Iterator[tuple[int, ...]]:
    if at := table.Offset(slot):
        start, count = table.Vector(at), table.VectorLen(at)
        size = struct.calcsize(layout)
        yield from struct.iter_unpack(layout, table.Bytes[start : start + size * count])


def _validated(batch: Any) -> Any:
    """The batch, none of whose offsets leads out of it."""
    batch.validate(full=True)
    return batch


def _unpacked(message: Any) -> int:
    """Bytes that the compressed buffers of a message say they become."""
    if message.type not in ("record batch", "dictionary"):
        return 0
    metadata, body = bytearray(message.metadata), memoryview(message.body)
    root = Table(metadata, struct.unpack_from("<I", metadata)[0])
    found = Table(metadata, root.Indirect(root.Pos + root.Offset(_HEADER)))
    if message.type == "dictionary":
        found = Table(metadata, found.Indirect(found.Pos + found.Offset(_DATA)))
    if not found.Offset(_COMPRESSION):
        return 0
    return sum(_length(body, start) for start, length in _structs(found, _BUFFERS, "<qq") if length)


def _length(body: memoryview, start: int) -> int:
    """-1 stands for a buffer that was left as it is."""
    return max(0, struct.unpack_from("<q", body, start)[0])
