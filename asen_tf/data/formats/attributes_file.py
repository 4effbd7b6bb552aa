"""The attributes file: CSV `index,attribute,values`, the values joined by `|`."""

from pathlib import Path

from asen_client.core.attributes import AttributeSpace
from asen_tf.data.tables import Table


def read(root: Path, source: str) -> AttributeSpace:
    """Reads the attributes and their values, numbered as the file says.

    Args:
      root: the data root.
      source: the file, relative to `root`.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: a row that is not understood, or indices that are not 0, 1, 2, ...
    """
    problems = []
    table = Table(root, source, required=("index", "attribute", "values"))
    column = {name: table.header.index(name) for name in table.header}
    values = {}
    for line, cells in table.rows(problems):
        index, name = cells[column["index"]], cells[column["attribute"]]
        if index != str(len(values)):
            raise ValueError(
                f"{source}:{line}: attributes are numbered 0, 1, 2, ... in order: expected index "
                f"{len(values)}, found {index!r}"
            )
        if not name or name in values:
            raise ValueError(f"{source}:{line}: expected a new attribute, found {name!r}")
        values[name] = split_values(cells[column["values"]])
    if problems:
        raise ValueError(str(problems[0]))
    try:
        return AttributeSpace(values)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from error


def split_values(cell: str) -> list[str]:
    """The values in a cell `a|b`, without surrounding blanks; none for a blank cell."""
    return [value for part in cell.split("|") if (value := part.strip())]
