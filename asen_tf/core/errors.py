"""Messages for bad input: what was expected, what was received, how to mend it."""

import difflib
from collections.abc import Iterable


def unknown_name(kind: str, name: object, known: Iterable[object]) -> str:
    """Says that `name` is no `kind`, proposes the nearest known name, lists the known ones."""
    known = [str(k) for k in known]
    nearest = difflib.get_close_matches(str(name), known, n=1)
    hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
    listed = ", ".join(known[:20]) + (f", ... ({len(known)} in all)" if len(known) > 20 else "")
    return f"unknown {kind} {str(name)!r}.{hint} Known: {listed}."
