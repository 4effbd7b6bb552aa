"""`list_attr_cloth.txt` of DeepFashion's category and attribute prediction benchmark.

Its first line counts the attributes, its second names the columns; then a line each: a name, which
may contain blanks, and in the last column a type from 1 to 5. What DeepFashion calls an attribute
(`abstract floral`) is a value here, what it calls a type (texture) an attribute.
"""

from collections.abc import Sequence
from pathlib import Path

from asen_tf.core.foreign import shown, text_lines

NAME = "list_attr_cloth.txt"
FOLDERS = ("Anno_coarse", "Anno")  # later releases and earlier ones
TYPES = ("texture", "fabric", "shape", "part", "style")


def find(root: Path, folders: Sequence[str] = FOLDERS) -> str | None:
    """The file in the first of the folders that has it, relative to `root`."""
    sources = [f"{folder}/{NAME}" for folder in folders]
    return next((source for source in sources if (root / source).is_file()), None)


def read(root: Path, source: str) -> tuple[list[int], list[str]]:
    """The type, from 1, and the name of each attribute, in the order that numbers them.

    Raises:
      ValueError: a line that is not understood, or another number of lines than the first says.
    """
    lines = (text.strip() for _, text in text_lines(root / source, source))
    count, _, *rows = [*lines, "", ""]
    while rows and not rows[-1]:
        rows.pop()
    if count != str(len(rows)):
        raise ValueError(
            f"{source}:1: expected the number of attributes that follow, {len(rows)}, found "
            f"{shown(count)}: is the file complete?"
        )
    types, names = [], []
    for line, row in enumerate(rows, 3):
        name, _, kind = row.rpartition(" ")
        if not name or kind not in map(str, range(1, len(TYPES) + 1)):
            raise ValueError(
                f"{source}:{line}: expected a name and a type from 1 to {len(TYPES)}, "
                f"found {shown(row)}"
            )
        types.append(int(kind))
        names.append(" ".join(name.split()))
    return types, names
