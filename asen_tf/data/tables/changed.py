"""A table again, with other texts in some of its cells."""

import csv
import os
from collections.abc import Mapping
from pathlib import Path

from asen_tf.core.files import digest, written_whole
from asen_tf.data.tables.arrow import Frame
from asen_tf.data.tables.kinds import form_of
from asen_tf.data.tables.table import Table


def contents(root: Path, source: str | Frame) -> bytes:
    """Tells whether a table was changed, by the content of its file or files; b"" of a frame."""
    if not isinstance(source, str):
        return b""
    path = root / source
    parts = sorted(filter(Path.is_file, path.rglob("*"))) if path.is_dir() else [path]
    return b"".join(map(digest, parts))


def write_changed(
    root: Path,
    source: str | Frame,
    names: Mapping[str, str],
    cells: Mapping[int, Mapping[str, str]],
    output: str | os.PathLike,
    known: bytes | None = None,
) -> None:
    """Writes a table with these cells changed: all columns, under their own names, all rows.

    A table of text keeps its encoding and what separates its cells; others become CSV in UTF-8.
    Rows that cannot be read are left out.

    Args:
      root, source, names: of `Table`.
      cells: line, as `Table.rows` counts them -> column, as `names` has it -> text.
      output: the file; not the table itself.
      known: what `contents` gave when these lines were counted; None: they are trusted.

    Raises:
      ValueError: the table has changed since, or as `Table`.
      OSError: as `Table`.
    """
    table = Table(root, source, (), names)
    sign, encoding = form_of(root / source) if isinstance(source, str) else (",", "utf-8")
    with (
        written_whole(output) as draft,
        # Halves of pairs of UTF-16, which JSON can hold, are no text.
        open(draft, "w", newline="", encoding=encoding, errors="replace") as file,
    ):
        writer = csv.writer(file, delimiter=sign, lineterminator="\n")
        writer.writerow(table.own_header)
        for line, row in table.rows([]):
            for column, text in cells.get(line, {}).items():
                row[table.header.index(column)] = text
            writer.writerow(row)
        if known is not None and contents(root, source) != known:
            raise ValueError(
                f"{source} was changed while its labels were checked: {output} is not written. "
                "Give the same command again"
            )
