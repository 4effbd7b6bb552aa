"""Text files with whole numbers between blanks, a record a line."""

import array
from collections.abc import Callable
from pathlib import Path

import numpy as np

from asen_tf.data.manifest import Problem


def read(
    root: Path,
    source: str,
    fits: Callable[[int], bool],
    expected: str,
    problems: list[Problem],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Reads the lines of a file; blank ones are passed over.

    Args:
      root: the data root.
      source: the file, relative to `root`.
      fits: whether a line may have so many numbers.
      expected: what a line holds, for messages.
      problems: gets the lines that hold anything else; they are left out.

    Returns:
      The numbers of all good lines in a row int64 [K], how many of them each line has int64 [R],
      and the number of each line int64 [R], counted from 1.
    """
    numbers, counts, lines = (array.array("q") for _ in range(3))
    with open(root / source, encoding="utf-8-sig") as file:
        for line, text in enumerate(file, 1):
            tokens = text.split()
            if not tokens:
                continue
            try:
                row = array.array("q", map(int, tokens))
            except (ValueError, OverflowError):
                row = ()
            if not fits(len(row)):
                message = f"expected whole numbers {expected!r}, found {text.strip()!r}"
                problems.append(Problem(source, line, message))
                continue
            numbers.extend(row)
            counts.append(len(row))
            lines.append(line)
    return tuple(np.array(column, np.int64) for column in (numbers, counts, lines))


def keyed_pairs(
    numbers: np.ndarray, counts: np.ndarray, lines: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Takes lines `key a b [a b ...]` apart.

    Args:
      numbers, counts, lines: what `read` gave.

    Returns:
      [P, 3] int64 (key, a, b) and [P] the line each stands in.
    """
    pairs = counts // 2
    starts = np.cumsum(counts) - counts
    keys = np.repeat(numbers[starts], pairs)
    a, b = np.delete(numbers, starts).reshape(-1, 2).T
    return np.stack([keys, a, b], 1), np.repeat(lines, pairs)
