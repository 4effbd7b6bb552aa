"""Makes columns of labels from the titles and descriptions of a table.

    asen-label --manifest=products.csv --text=title,description --output=labelled.csv

writes all columns of the table and one for each attribute of the vocabulary: the value that the
title says, or else the description; blank where neither says one, or one says several. It prints
how much was found, and titles to look at.

    asen-label --manifest=products.csv --text=title --discover=found.yaml

writes what titles often say and the vocabulary lacks, grouped by what takes each other's place, as
a vocabulary to edit. --vocabulary=fashion,found.yaml then uses both. docs/labels.md has the format.
"""

import json
import os
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from absl import app, flags

from asen_client.cli import program
from asen_client.core.errors import Failed
from asen_client.core.terminal import one_line
from asen_tf.cli import lists

if TYPE_CHECKING:
    from asen_tf.api.label import Cases, Labelled

_LINE = 110


def main() -> None:
    from asen_tf.api.label import discover_table, label_table
    from asen_tf.core.files import check_outputs, write_text
    from asen_tf.data.doubts import some
    from asen_tf.text import Vocabulary

    given = flags.FLAGS
    if not given.text:
        raise app.UsageError("give --text, the columns that hold titles and descriptions")
    if not given.output and not given.discover:
        raise app.UsageError("give --output, the table to write, or --discover, a vocabulary")
    outputs = filter(None, (given.output, given.discover, given.report))
    check_outputs(outputs, (given.manifest, *given.vocabulary))
    vocabulary = Vocabulary.load(*given.vocabulary)
    found = None
    if given.output:  # first: it looks at the names that are given
        found = label_table(
            given.manifest,
            given.text,
            vocabulary,
            given.output,
            attributes=given.attributes,
            overwrite=given.overwrite,
        )
        print(report(found, 1, 5))
        if given.report:
            write_text(given.report, report(found, 5, 1000) + "\n")
        columns = [name for name, values in found.values.items() if values]
        advice = f"; to train on it: {training(given.output, columns)}" if columns else ""
        print(f"\n{given.output}{advice}")
    if given.discover:
        groups, rest = discover_table(
            given.manifest, given.text, vocabulary, given.discover, given.at_least
        )
        words = sum(len(group.terms) for group in groups)
        print(f"{words} words in {len(groups)} groups, {len(rest)} others: {given.discover}")
    if found and not any(found.labelled.values()):
        raise Failed(
            f"{given.output}: no text says a value of {some(list(found.values))}; --discover finds "
            "what they say that the vocabulary lacks"
        )


def training(table: str, columns: Sequence[str]) -> str:
    """The flags of `asen-train` for a table and its new columns, as a shell takes them."""
    names = "".join(f"{json.dumps(name, ensure_ascii=False)}," for name in columns)
    manifest = f"--config.data.manifest={os.path.abspath(table)}"
    return shlex.join([manifest, f"--config.data.columns=({names})"])


def report(found: "Labelled", examples: int, conflicts: int) -> str:
    """What was found as text: a table of attributes, then each one's values and conflicts.

    Args:
      found: of `label_table`.
      examples: titles of each value.
      conflicts: kinds of conflict of each attribute.
    """
    wide = max(map(len, ("attribute", *found.values)))
    lines = [f"{'attribute':{wide}}  values  labelled  conflicts"]
    for name, values in found.values.items():
        unclear = sum(case.count for case in found.conflicts[name].values())
        labelled = found.labelled[name]
        lines.append(
            f"{name:{wide}}  {len(values):6}  {labelled / found.rows:8.1%}  "
            f"{unclear / found.rows:9.1%}"
        )
    for name, values in found.values.items():
        if values or found.conflicts[name]:
            lines += ["", name]
            lines += _cases(values, examples)
        if found.conflicts[name]:
            both = {" / ".join(key): case for key, case in found.conflicts[name].items()}
            lines.append(f"  {name}, left blank:")
            lines += _cases(dict(_first(both, conflicts)), max(1, examples))
            if len(both) > conflicts:
                lines.append(f"  ... and {len(both) - conflicts} more kinds")
    return "\n".join(lines)


def _first(cases: dict[str, "Cases"], most: int) -> list[tuple[str, "Cases"]]:
    return sorted(cases.items(), key=lambda item: -item[1].count)[:most]


def _cases(cases: dict[str, "Cases"], examples: int) -> list[str]:
    wide = max((len(name) for name in cases), default=0)
    lines = []
    for name, case in _first(cases, len(cases)):
        head = f"  {name:{wide}}  {case.count:6}  "
        shown = [_shown(title) for title in case.examples[:examples]]
        lines.append(head + (shown[0] if shown else ""))
        lines += [" " * len(head) + title for title in shown[1:]]
    return lines


def _shown(title: str) -> str:
    return one_line(title[:_LINE]) + ("..." if len(title) > _LINE else "")


def run() -> None:
    flags.DEFINE_string("manifest", None, "The table to label: CSV, Excel, Parquet, JSON lines.")
    lists.define("text", "Columns with texts; a later one is asked where earlier ones are silent.")
    flags.DEFINE_list(
        "vocabulary", ["fashion"], "Vocabularies, names or files; later ones extend earlier ones."
    )
    flags.DEFINE_string("output", None, "The labelled table to write, as CSV.")
    lists.define("attributes", "Attributes that get a column; all of the vocabulary by default.")
    flags.DEFINE_bool("overwrite", False, "Replace columns that the table has already.")
    flags.DEFINE_string("report", None, "A text file for all that is printed, with more examples.")
    flags.DEFINE_string("discover", None, "A vocabulary to write, of what is not known yet.")
    flags.DEFINE_integer("at_least", 10, "Rows that a word has to stand in for --discover.", 1)
    flags.mark_flag_as_required("manifest")
    program.run(main)


if __name__ == "__main__":
    run()
