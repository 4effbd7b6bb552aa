"""What users write: filters, boxes, vocabularies and the like."""

import contextlib
import sqlite3
from pathlib import Path

import numpy as np

from asen_tf.catalogue import filters
from asen_tf.catalogue.items import Record
from asen_tf.catalogue.storage import cells
from asen_tf.catalogue.words import Words
from asen_tf.cli import lists
from asen_tf.core import AttributeSpace
from asen_tf.text import Vocabulary
from asen_tf.text.phrases import measures, table
from tests.fuzz.target import Target, of_files


def _conditions():
    from hypothesis import strategies as st

    text = st.text(max_size=8) | st.sampled_from(("price", "color", "and", "not", "9" * 400))
    word = st.one_of(
        st.from_regex(r"[a-z_.\-/é]{1,6}", fullmatch=True),
        text.map(lambda t: '"' + t.replace("\\", r"\\").replace('"', r"\"") + '"'),
        st.integers().map(str) | st.floats().map(repr),
    )
    sign = st.sampled_from(("=", "!=", "<", "<=", ">", ">=", "=="))
    one = st.tuples(word, sign, word).map(" ".join) | st.tuples(
        word, st.lists(word, min_size=1, max_size=3)
    ).map(lambda t: f"{t[0]} in ({', '.join(t[1])})")
    whole = st.recursive(
        one,
        lambda inner: (
            st.tuples(inner, st.sampled_from((" and ", " or ")), inner).map("".join)
            | inner.map(lambda t: f"not ({t})")
        ),
        max_leaves=6,
    )
    return whole | st.text(max_size=40) | st.tuples(whole, st.text(max_size=3)).map("".join)


def _filter(_: Path, text: str) -> None:
    condition = filters.parse(text)
    if condition is None:
        assert not text.strip()
        return
    names = sorted({one.name for one in condition.comparisons()})
    values = ["red", None, 2.5, True, 2**63 - 1, "9" * 400]
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        database.execute(cells.TABLE)
        for row, value in enumerate(values):
            found = cells.cells_of(Record({}, dict.fromkeys(names, value)))
            database.executemany("INSERT INTO cells VALUES (?, ?, ?)", ((*c, row) for c in found))

        def met(comparison: filters.Comparison) -> np.ndarray:
            where, parameters = cells.met(comparison)
            rows = database.execute(f"SELECT row FROM cells WHERE {where}", parameters)
            return np.isin(np.arange(len(values)), [row for (row,) in rows])

        assert condition.mask(met).shape == (len(values),)
        assert np.array_equal(filters.Not(condition).mask(met), ~condition.mask(met))


def _list(_: Path, text: str) -> None:
    assert all(isinstance(value, str) for value in lists.Values().parse(text))


def _list_texts():
    from hypothesis import strategies as st

    pieces = st.sampled_from(('"', ",", " ", "\n", "\r", "\0", "a", "b c", "é"))
    return st.lists(pieces, max_size=12).map("".join) | st.text(max_size=30)


_VOCABULARY = """
spellings: {colour: color}
endings: {"": [s], y: [ies]}
negations: [no, not]
joins: [and]
parts: [with]
units: {cm: 1, inch: 2.54}
ignore: [red tape]
attributes:
  color: {several: all, values: {red: , navy: {words: [navy blue], is: blue}, blue: }}
  length:
    nouns: [length]
    values: {long: {beside: [long], measured: {inseam: [70, 120]}}, "3/4": [three quarter]}
  shoes: {values: {shoe: {becomes: {color: {red: boot}}}, boot: }}
"""


def _vocabulary(folder: Path) -> None:
    found = Vocabulary.load(folder / "shop.yaml")
    assert found.attributes
    table(found)
    measures(found)


def _words(folder: Path, text: str) -> None:
    path = folder / "shop.yaml"
    path.write_text(_VOCABULARY)
    values = {"Colour": ["Navy_Blue", "red", "none"], "length": ["long"], "a|b": ["none", "-"]}
    space = AttributeSpace(values)
    understood = Words(space, Vocabulary.load(path)).read(text, lambda *_: True)
    condition = understood.condition()
    if condition is None:
        raise ValueError("nothing is understood")  # as a search of such words says
    for one in condition.comparisons():
        assert one.sign == "=" and one.value in space[one.name].values


def _word_texts():
    from hypothesis import strategies as st

    pieces = st.sampled_from(
        ("not ", "no", "navy ", "colour", "long", "length", ", ", "and", "none", ":", "(", "30 in ")
    )
    return st.lists(pieces | st.text(max_size=4), max_size=12).map("".join)


TARGETS = [
    Target("words of a search", ["asen_tf.catalogue.words"], _words, strategy=_word_texts),
    *of_files(
        "vocabulary",
        ["asen_tf.text.entries", "asen_tf.text.vocabulary", "asen_tf.text.phrases"],
        _vocabulary,
        {"shop.yaml": _VOCABULARY},
    ),
    Target("list of a flag", ["asen_tf.cli.lists"], _list, strategy=_list_texts),
    Target(
        "filter",
        ["asen_tf.catalogue.filters", "asen_tf.catalogue.storage.cells"],
        _filter,
        strategy=_conditions,
        mentions=["filter"],
    ),
]
