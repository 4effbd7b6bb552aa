"""Photographs that fail in a program that goes on without them."""

import collections
import sys
from collections.abc import Mapping

from absl import flags

from asen_client.cli.program import FAILED
from asen_client.core.terminal import printable

# How many problems are shown; of more photographs than these that have the same, one is.
_SHOWN, _ALIKE = 20, 3


def define_flag() -> None:
    """Defines --max_failed."""
    flags.DEFINE_integer(
        "max_failed", 0, "Photographs that may fail; with more the exit status is 1.", 0
    )


def status(problems: Mapping[str, str], count: int, done: int, most: int) -> int:
    """Names what failed on stderr, by kinds of problem, and gives the exit status.

    Args:
      problems: name -> what is wrong, of some or all that failed.
      count: how many failed.
      done: how many did not.
      most: --max_failed. It excuses none where all failed.
    """
    kinds = collections.defaultdict(list)
    for name, problem in problems.items():
        kinds[problem].append(name)
    said = 0
    for problem, names in list(kinds.items())[:_SHOWN]:
        few = len(names) <= _ALIKE
        for name in names if few else names[:1]:
            print(f"{printable(name)}: {problem}", file=sys.stderr)
        if not few:
            print(f"... and {len(names) - 1} more: {problem}", file=sys.stderr)
        said += len(names)
    if count > said:
        print(f"... and {count - said} more", file=sys.stderr)
    if not count or (done and count <= most):
        return 0
    accepted = f"; --max_failed={count} would accept that" if done else ""
    print(f"error: {count} of {count + done} photographs failed{accepted}", file=sys.stderr)
    return FAILED
