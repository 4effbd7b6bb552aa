"""What kind of table a file or folder is, by its first bytes; its name does not count."""

from collections.abc import Iterator
from pathlib import Path

from asen_tf.core.foreign import FormatError
from asen_tf.data.tables import arrow, arrow_file, dataset_folder, excel, json_lines, text

_READERS = {
    b"PK\x03\x04": excel.rows,
    b"PAR1": arrow.of_parquet,
    arrow_file.FILE: arrow_file.rows,
    arrow_file.STREAM: arrow_file.rows,
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
    with open(path, "rb") as file:
        head = file.read(512)
    if head.startswith(_OLD_EXCEL):
        raise FormatError(
            source,
            "a file of Excel as before 2007, or one with a password; save it "
            "as .xlsx, or as CSV UTF-8",
        )
    for start, reader in _READERS.items():
        if head.startswith(start):
            return reader(path, source)
    first = head.decode(text.encoding_of(path), "ignore").lstrip()
    return (json_lines if first.startswith("{") else text).rows(path, source)
