"""Columns of labels for a table, from its texts."""

import collections
import csv
import dataclasses
import os
import random
from collections.abc import Sequence

from asen_client.core.errors import check_names
from asen_tf.core.choices import NOT_SERVED, PRODUCT
from asen_tf.core.files import check_outputs, write_text, written_whole
from asen_tf.core.progress import Progress
from asen_tf.data.doubts import some
from asen_tf.data.formats.csv import RESERVED
from asen_tf.data.tables import Frame, Table, check_written
from asen_tf.text import Matcher, Vocabulary, discovery

_EXAMPLES = 5


@dataclasses.dataclass
class Cases:
    """What was found often.

    Attributes:
      count: how many rows have it.
      examples: titles of some of them, drawn at random.
    """

    count: int = 0
    examples: list[str] = dataclasses.field(default_factory=list)

    def add(self, title: str, chance: random.Random) -> None:
        """Counts a row; its title is kept as probably as each other's."""
        self.count += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append(title)
        elif (at := chance.randrange(self.count)) < _EXAMPLES:
            self.examples[at] = title


@dataclasses.dataclass(frozen=True)
class Labelled:
    """What the texts of a table say.

    Attributes:
      rows: of the table.
      labelled: attribute -> how many rows have a value.
      values: attribute -> value -> its rows.
      conflicts: attribute -> values that a text says beside each other -> its rows.
    """

    rows: int
    labelled: dict[str, int]
    values: dict[str, dict[str, Cases]]
    conflicts: dict[str, dict[tuple[str, ...], Cases]]


def label_table(
    table: str | os.PathLike | Frame,
    text: Sequence[str],
    vocabulary: Vocabulary,
    output: str | os.PathLike,
    *,
    attributes: Sequence[str] = (),
    overwrite: bool = False,
) -> Labelled:
    """Writes a table with a column for each attribute: what the row's texts say, or blank.

    Args:
      table: a file or frame, see `asen_tf.data.tables`.
      text: columns with texts; a later one is asked for what the earlier ones do not speak of.
      vocabulary: what to look for.
      output: file to write, CSV in UTF-8, with all columns of the table.
      attributes: those that get a column; () for all of the vocabulary's.
      overwrite: columns that are there already get the new labels in their place.

    Raises:
      ValueError: the table is not understood, rows are bad, a column is there already, the
        vocabulary is ambiguous, the output is the table or is called like another kind of one.
      FileNotFoundError: there is no such table, or no folder for the output.
    """
    check_names("attribute of the vocabulary", attributes, vocabulary.attributes, once=True)
    names = list(attributes) or list(vocabulary.attributes)
    for name in names:
        if name in (*RESERVED, PRODUCT):
            raise ValueError(f"an attribute cannot be called {name}: asen_tf reads such a column")
        if name in NOT_SERVED:
            raise ValueError(f"an attribute cannot be called {name}: it could not be served")
    matcher = Matcher(vocabulary)
    check_written(output)
    check_outputs([output], _paths(table))
    opened, rows = _read(table, text)
    there = [name for name in names if name in opened.header]
    if there and not overwrite:
        raise ValueError(
            f"{opened.heading}: column {', '.join(there)} is there already: overwrite "
            "(--overwrite) puts the new labels in its place, attributes (--attributes) names those "
            "to write"
        )
    header = [*opened.header, *(name for name in names if name not in there)]
    places = [header.index(name) for name in names]
    at = [opened.header.index(name) for name in text]
    found = Labelled(
        len(rows),
        dict.fromkeys(names, 0),
        {name: collections.defaultdict(Cases) for name in names},
        {name: collections.defaultdict(Cases) for name in names},
    )
    chance = random.Random(0)
    with (
        written_whole(output) as draft,
        # Halves of pairs of UTF-16, which JSON can hold, are no text.
        open(draft, "w", encoding="utf-8", errors="replace", newline="") as file,
        Progress("labelling", len(rows), "rows") as progress,
    ):
        writer = csv.writer(file)
        writer.writerow(header)
        for cells in rows:
            texts = [cells[one] for one in at]
            title = next(filter(None, texts), "")
            labels, unclear = matcher.label(texts)
            row = [*cells, *[""] * (len(header) - len(cells))]
            for name, place in zip(names, places, strict=True):
                row[place] = labels.get(name, "")
                found.labelled[name] += bool(row[place])
                for value in filter(None, row[place].split("|")):
                    found.values[name][value].add(title, chance)
                if name in unclear:
                    found.conflicts[name][unclear[name]].add(title, chance)
            writer.writerow(row)
            progress.update()
    return found


def discover_table(
    table: str | os.PathLike | Frame,
    text: Sequence[str],
    vocabulary: Vocabulary,
    output: str | os.PathLike,
    at_least: int = 10,
) -> tuple[list[discovery.Group], list[discovery.Term]]:
    """Writes what the texts of a table often say and the vocabulary lacks, as one to edit.

    Args:
      table: a file or frame, see `asen_tf.data.tables`.
      text: columns with texts.
      vocabulary: what is known.
      output: file to write, YAML.
      at_least: rows that a word has to stand in.

    Returns:
      As `asen_tf.text.discovery.discover`.

    Raises:
      ValueError: the table is not understood, rows are bad, the vocabulary is ambiguous, or the
        output is the table.
      FileNotFoundError: there is no such table, or no folder for the output.
    """
    check_outputs([output], _paths(table))
    opened, rows = _read(table, text)
    at = [opened.header.index(name) for name in text]
    texts = [[cells[one] for one in at] for cells in rows]
    groups, rest = discovery.discover(texts, vocabulary, at_least)
    write_text(output, discovery.written(groups, rest))
    return groups, rest


def _paths(table: str | os.PathLike | Frame) -> list[str | os.PathLike]:
    return [table] if isinstance(table, str | os.PathLike) else []


def _read(table: str | os.PathLike | Frame, text: Sequence[str]) -> tuple[Table, list[list[str]]]:
    if not text:
        raise ValueError("expected the columns that hold the texts, got none")
    opened = Table.at(table, text)
    problems: list = []
    rows = [cells for _, cells in opened.rows(problems)]
    if problems:
        told = some([str(problem) for problem in problems], joint="\n")
        raise ValueError(f"{len(problems)} rows cannot be read:\n{told}")
    if not rows:
        raise ValueError(f"{opened.source}: only a header")
    return opened, rows
