"""Messages for bad input: what was expected, what was received, how to mend it."""

import difflib
import errno
from collections.abc import Collection, Iterable

from asen_client.core.foreign import shown

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says of a disk that is full."""

_SHOWN, _LONGEST = 20, 400


class Failed(RuntimeError):
    """What was asked for was not done; the message says why, and how to go on."""


def unknown_name(kind: str, name: object, known: Iterable[object]) -> str:
    """Says that `name` is no `kind`, proposes the nearest known one, lists the first of them."""
    known = [str(k) for k in known]
    nearest = difflib.get_close_matches(str(name)[:_LONGEST], known, n=1)
    hint = f" Did you mean {shown(nearest[0])}?" if nearest else ""
    listed = ", ".join(known[:_SHOWN])
    if len(listed) > _LONGEST:
        listed = listed[:_LONGEST].rpartition(", ")[0] or listed[:_LONGEST]
    if len(listed) < len(", ".join(known)):
        listed += f", ... ({len(known)} in all)"
    return f"unknown {kind} {shown(name)}.{hint} Known: {listed}."


def check_names(kind: str, names: Iterable, known: Collection, *, once: bool = False) -> None:
    """Raises ValueError for a name that is not known and, with `once`, for one named twice."""
    names = list(names)
    for name in names:
        if name not in known:
            raise ValueError(unknown_name(kind, name, known))
    if once and (twice := {str(name) for name in names if names.count(name) > 1}):
        raise ValueError(f"{kind} {', '.join(map(repr, sorted(twice)))} is named more than once")
