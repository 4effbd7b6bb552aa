"""A table again, with other texts in some of its cells."""

import csv
import os
from collections.abc import Mapping
from pathlib import Path

from asen_tf.core.files import written_whole
from asen_tf.data.tables.arrow import Frame
from asen_tf.data.tables.kinds import form_of
from asen_tf.data.tables.table import Table


def write_changed(
    root: Path,
    source: str | Frame,
    names: Mapping[str, str],
    cells: Mapping[int, Mapping[str, str]],
    output: str | os.PathLike,
) -> None:
    """Writes a table with these cells changed: all columns, under their own names, all rows.

    A table of text keeps its encoding and what separates its cells; others become CSV in UTF-8.
    Rows that cannot be read are left out.

    Args:
      root, source, names: of `Table`.
      cells: line, as `Table.rows` counts them -> column, as `names` has it -> text.
      output: the file; not the table itself.

    Raises:
      ValueError, OSError: as `Table`.
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
