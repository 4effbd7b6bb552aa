"""Photographs that fail in a program that goes on without them."""

import sys
from collections.abc import Mapping

from absl import flags

from asen_tf.cli.program import FAILED
from asen_tf.core.terminal import printable

_SHOWN = 20


def define_flag() -> None:
    """Defines --max_failed."""
    flags.DEFINE_integer(
        "max_failed", 0, "Photographs that may fail; with more the exit status is 1.", 0
    )


def status(problems: Mapping[str, str], count: int, done: int, most: int) -> int:
    """Names what failed on stderr and gives the exit status.

    Args:
      problems: name -> what is wrong, of some or all that failed.
      count: how many failed.
      done: how many did not.
      most: --max_failed. It excuses none where all failed.
    """
    for name, problem in list(problems.items())[:_SHOWN]:
        print(f"{printable(name)}: {problem}", file=sys.stderr)
    if count > _SHOWN:
        print(f"... and {count - _SHOWN} more", file=sys.stderr)
    if not count or (done and count <= most):
        return 0
    accepted = f"; --max_failed={count} would accept that" if done else ""
    print(f"error: {count} of {count + done} photographs failed{accepted}", file=sys.stderr)
    return FAILED
