"""Messages for bad input: what was expected, what was received, how to mend it."""

import difflib
from collections.abc import Collection, Iterable


class Failed(RuntimeError):
    """What was asked for was not done; the message says why, and how to go on."""


def unknown_name(kind: str, name: object, known: Iterable[object]) -> str:
    """Says that `name` is no `kind`, proposes the nearest known name, lists the known ones."""
    known = [str(k) for k in known]
    nearest = difflib.get_close_matches(str(name), known, n=1)
    hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
    listed = ", ".join(known[:20]) + (f", ... ({len(known)} in all)" if len(known) > 20 else "")
    return f"unknown {kind} {str(name)!r}.{hint} Known: {listed}."


def check_names(kind: str, names: Iterable, known: Collection, *, once: bool = False) -> None:
    """Raises ValueError for a name that is not known and, with `once`, for one named twice."""
    names = list(names)
    for name in names:
        if name not in known:
            raise ValueError(unknown_name(kind, name, known))
    if once and (twice := {str(name) for name in names if names.count(name) > 1}):
        raise ValueError(f"{kind} {', '.join(map(repr, sorted(twice)))} is named more than once")
