"""Text files with whole numbers between blanks, a record a line, or with a path a line."""

import array
from collections.abc import Callable
from pathlib import Path

import numpy as np

from asen_client.core.foreign import shown, text_lines
from asen_tf.data.manifest import Problem
from asen_tf.data.root import clean_name


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
    for line, text in text_lines(root / source, source):
        tokens = text.split()
        if not tokens:
            continue
        try:
            row = array.array("q", map(int, tokens))
        except (ValueError, OverflowError):
            row = ()
        if not fits(len(row)):
            message = f"expected whole numbers {expected!r}, found {shown(text.strip())}"
            problems.append(Problem(source, line, message))
            continue
        numbers.extend(row)
        counts.append(len(row))
        lines.append(line)
    return tuple(np.array(column, np.int64) for column in (numbers, counts, lines))


def read_pairs(
    root: Path, source: str, expected: str, problems: list[Problem]
) -> tuple[np.ndarray, np.ndarray]:
    """Reads lines `key a b [a b ...]`; arguments as `read`.

    Returns:
      [P, 3] int64 (key, a, b) and [P] the line each stands in.
    """
    numbers, counts, lines = read(root, source, lambda n: n >= 3 and n % 2 == 1, expected, problems)
    pairs = counts // 2
    starts = np.cumsum(counts) - counts
    keys = np.repeat(numbers[starts], pairs)
    a, b = np.delete(numbers, starts).reshape(-1, 2).T
    return np.stack([keys, a, b], 1), np.repeat(lines, pairs)


def read_paths(root: Path, source: str) -> list[str]:
    """The path on each line; blank lines inside are "", those at the end are no lines."""
    names = [clean_name(text) for _, text in text_lines(root / source, source)]
    while names and not names[-1]:
        names.pop()
    return names
