"""What stands behind a `?` in the place of a store."""

import urllib.parse
from collections.abc import Iterable

from asen_tf.core.errors import unknown_name


def split_options(place: str, known: Iterable[str]) -> tuple[str, dict[str, str]]:
    """`PATH?name=value&name=value` as the path and the options.

    Raises:
      ValueError: no path, or an option that is unknown.
    """
    path, _, text = place.partition("?")
    # A plus is no blank here: faiss has it in names of indexes.
    pairs = urllib.parse.parse_qsl(text.replace("+", "%2B"), keep_blank_values=True)
    for name, _ in pairs:
        if name not in known:
            raise ValueError(unknown_name("option of the store", name, known))
    if not path:
        raise ValueError(f"store: no path in {place!r}")
    return path, dict(pairs)
