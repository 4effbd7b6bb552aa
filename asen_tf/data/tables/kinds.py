"""What kind of table a file or folder is, by its first bytes; its name does not count."""

from collections.abc import Iterator
from pathlib import Path

from asen_client.core.foreign import FormatError
from asen_tf.data.tables import arrow, arrow_file, dataset_folder, excel, json_lines, text

_READERS = {
    b"PK\x03\x04": excel.rows,
    b"PAR1": arrow.of_parquet,
    arrow_file.FILE: arrow_file.rows,
    arrow_file.STREAM: arrow_file.rows,
}
_COMPRESSED = {
    "gzip": b"\x1f\x8b",
    "bzip2": tuple(b"BZh%d1AY&SY" % level for level in range(1, 10)),
    "xz": b"\xfd7zXZ",
    "zstd": b"\x28\xb5\x2f\xfd",
}
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"


def rows_of(path: Path, source: str) -> Iterator[tuple[int, list[object]]]:
    """(line, cells) of each row, the header's first; `source` is what messages call the file.

    The header's line is 0 where it has none.

    Raises:
      FormatError: it cannot be read.
    """
    if path.is_dir():
        return dataset_folder.rows(path, source)
    head = _head(path)
    if head.startswith(_OLD_EXCEL):
        raise FormatError(
            source,
            "a file of Excel as before 2007, or one with a password; save it "
            "as .xlsx, or as CSV UTF-8",
        )
    for program, start in _COMPRESSED.items():
        if head.startswith(start):
            raise FormatError(source, f"it is compressed by {program}: unpack it first")
    for start, reader in _READERS.items():
        if head.startswith(start):
            return reader(path, source)
    return (json_lines if _is_json(path, head) else text).rows(path, source)


def form_of(path: Path) -> tuple[str, str]:
    """(sign between cells, encoding) to write a table of text alike; a comma, UTF-8 of others."""
    if path.is_dir():
        return ",", "utf-8"
    head = _head(path)
    if head.startswith((*_READERS, _OLD_EXCEL)) or _is_json(path, head):
        return ",", "utf-8"
    return text.form_of(path)


def _head(path: Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(512)


def _is_json(path: Path, head: bytes) -> bool:
    return head.decode(text.encoding_of(path), "ignore").lstrip().startswith("{")
