"""What kind of table a file is, by its first bytes; its name does not count."""

from collections.abc import Iterator
from pathlib import Path

from asen_tf.data.tables import text


def rows_of(path: Path, source: str) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of each row, the header's first; `source` is what messages call the file."""
    return text.rows(path, source)
