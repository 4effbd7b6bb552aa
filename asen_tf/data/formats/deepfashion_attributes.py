"""`list_attr_cloth.txt` of DeepFashion's category and attribute prediction benchmark.

Its first line counts the attributes, its second names the columns; then a line each: a name, which
may contain blanks, and in the last column a type, from 1 to 5 (in `Anno_fine` to 6). What
DeepFashion calls an attribute (`abstract floral`) is a value here, what it calls a type (texture)
an attribute.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from asen_client.core.attributes import AttributeSpace
from asen_client.core.foreign import FormatError, shown, text_lines

NAME = "list_attr_cloth.txt"
FOLDERS = ("Anno_coarse", "Anno")  # later releases and earlier ones
TYPES = ("texture", "fabric", "shape", "part", "style")


def find(root: Path, folders: Sequence[str] = FOLDERS) -> str | None:
    """The file in the first of the folders that has it, relative to `root`."""
    sources = [f"{folder}/{NAME}" for folder in folders]
    return next((source for source in sources if (root / source).is_file()), None)


def read(root: Path, source: str, kinds: Sequence[str] = TYPES) -> tuple[list[int], list[str]]:
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
        if not name or kind not in map(str, range(1, len(kinds) + 1)):
            hint = "; this is the list of Anno_fine: data.format=deepfashion_fine reads it"
            raise ValueError(
                f"{source}:{line}: expected a name and a type from 1 to {len(kinds)}, "
                f"found {shown(row)}{hint if name and kind == str(len(TYPES) + 1) else ''}"
            )
        types.append(int(kind))
        names.append(" ".join(name.split()))
    return types, names


def space(
    source: str, types: Sequence[int], names: Sequence[str], kinds: Sequence[str]
) -> AttributeSpace:
    """The types as attributes and the names of each as its values.

    Raises:
      FormatError: a type of the file `source` has none, or one twice.
    """
    values = {
        kind: [name for name, of in zip(names, types, strict=True) if of == number]
        for number, kind in enumerate(kinds, 1)
    }
    try:
        return AttributeSpace(values)
    except ValueError as error:
        raise FormatError(source, str(error)) from error


def ranks(types: np.ndarray) -> np.ndarray:
    """The rank of each attribute among those of its type, which is its number as a value."""
    rank = np.empty(len(types), np.int32)
    for kind in np.unique(types):
        rank[types == kind] = np.arange((types == kind).sum())
    return rank
