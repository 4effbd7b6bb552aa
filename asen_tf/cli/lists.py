"""Flags that take ids, names and values of tables: one, or a list with commas between them.

Accents are in one of their two Unicode forms (NFC), as in what is read of tables.
"""

import csv
import io
import unicodedata

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


def define(name: str, help: str) -> None:
    """Defines a flag that takes a list, empty by default."""
    flags.DEFINE(Values(), name, [], help, serializer=flags.CsvListSerializer(","))


def define_several(name: str, help: str) -> None:
    """Defines a flag that takes a list each time that it is given."""
    flags.DEFINE_multi(Values(), flags.CsvListSerializer(","), name, [], help)
