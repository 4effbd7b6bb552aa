"""Flags that take ids, names and values of tables: one, or a list with commas between them.

Accents are in one of their two Unicode forms (NFC), as in what is read of tables.
"""

import csv
import io
import unicodedata
from collections.abc import Callable, Sequence

from absl import flags


class Text(flags.ArgumentParser):
    """A text as tables have it."""

    def parse(self, argument: str) -> str:
        return unicodedata.normalize("NFC", argument)

    def flag_type(self) -> str:
        return "string"


class Values(flags.ArgumentParser):
    """`a,"b,1"` as ["a", "b,1"], as a line of CSV; a value in quotes may hold line breaks, too."""

    syntactic_help = (
        "values with commas between them; one that holds a comma in quotes: 'a,\"b,1\"'"
    )

    def parse(self, argument: str | list[str]) -> list[str]:
        if isinstance(argument, list):
            return argument
        text = io.StringIO(unicodedata.normalize("NFC", argument), newline="")
        try:
            rows = list(csv.reader(text, skipinitialspace=True, strict=True))
        except csv.Error as error:
            raise ValueError(f"expected {self.syntactic_help}, got {argument!r}: {error}") from None
        if len(rows) > 1:
            raise ValueError(f"a value with a line break stands in quotes, got {argument!r}")
        return rows[0] if rows else []

    def flag_type(self) -> str:
        return "list of values"


def define_text(name: str, default: str | None, help: str) -> None:
    """Defines a flag that takes one."""
    flags.DEFINE(Text(), name, default, help)


def define_texts(name: str, help: str) -> None:
    """Defines a flag that takes one each time that it is given, none by default."""
    flags.DEFINE_multi(Text(), flags.ArgumentSerializer(), name, None, help)


def define(name: str, help: str) -> None:
    """Defines a flag that takes a list, empty by default."""
    flags.DEFINE(Values(), name, [], help, serializer=flags.CsvListSerializer(","))


def define_several(name: str, help: str) -> None:
    """Defines a flag that takes a list each time that it is given."""
    flags.DEFINE_multi(Values(), flags.CsvListSerializer(","), name, [], help)


def define_column_names() -> None:
    """Defines the flag that says what a table calls the columns that programs look for."""
    define(
        "column_names",
        "What columns are called, such as image=photo_url,id=sku.",
    )


def pairs(texts: Sequence[str], part: Callable = str.partition) -> dict[str, str]:
    """`["collar=mandarin"]` as a dictionary; `part` says at which sign, should there be several.

    Raises:
      ValueError: one is no NAME=VALUE, or a name comes twice.
    """
    found = {}
    for text in texts:
        name, _, value = (side.strip() for side in part(text, "="))
        if not name or not value:
            raise ValueError(f"expected NAME=VALUE, got {text!r}")
        if name in found:
            raise ValueError(f"{name} is given twice: {found[name]} and {value}")
        found[name] = value
    return found
