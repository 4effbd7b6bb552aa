"""JSON lines: an object a line, whose keys are the columns."""

import json
from collections.abc import Iterator
from pathlib import Path

from asen_client.core.foreign import FormatError
from asen_tf.data.tables.cells import check_size
from asen_tf.data.tables.text import Lines, encoding_of, not_decoded


def rows(path: Path, source: str) -> Iterator[tuple[int, list[object]]]:
    """(line, cells) of each object, the names of all keys first.

    Raises:
      FormatError: a line is not an object in JSON.
    """
    names, count = {}, 0
    for _, found in _objects(path, source):
        names.update(dict.fromkeys(found))
        count += 1
    check_size(source, count, len(names))
    yield 0, list(names)
    for line, found in _objects(path, source):
        yield line, [found.get(name) for name in names]


def _objects(path: Path, source: str) -> Iterator[tuple[int, dict[str, object]]]:
    line = 0
    # Numbers stay as they are written; null and NaN are blank.
    how = {"parse_int": str, "parse_float": str, "parse_constant": lambda _: None}
    with open(path, encoding=encoding_of(path)) as file:
        lines = Lines(file)
        try:
            for line, written in enumerate(lines, 1):
                lines.fresh()
                if not written.strip():
                    continue
                found = json.loads(written, **how)
                if not isinstance(found, dict):
                    raise ValueError("expected an object")
                yield line, found
        except UnicodeDecodeError as error:
            raise not_decoded(path, source, line) from error
        except (ValueError, RecursionError) as error:
            message = f"not JSON lines, an object a line: {error}"
            raise FormatError(source, message, line=line or 1) from error
