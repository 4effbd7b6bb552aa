"""Attributes that made titles have, and the vocabulary lacks."""

import random

import pytest

from asen_tf.text import Vocabulary, label
from asen_tf.text.discovery import discover, written

pytest.importorskip("ahocorasick", reason="needs asen_tf[text]")

MAKERS = {"quimby", "norvex", "tarpin", "belluno", "krayt", "ostara"}
SHADES = {"ecrulia", "phthalo", "celadon", "gamboge", "smalt"}
WEAVES = {"drellic weave", "mocado weave", "tusk cloth"}


@pytest.fixture(scope="module")
def titles():
    """A maker, people, a shade or a known colour, now and then a weave, a type."""
    draw = random.Random(0)
    made = []
    for _ in range(600):
        color = draw.choice([*sorted(SHADES), "Black", "Red", "Navy Blue"])
        weave = draw.choice([*sorted(WEAVES), "", ""])
        maker, who = draw.choice(sorted(MAKERS)).title(), draw.choice(["Men", "Women"])
        made.append(" ".join((maker, who, color, weave, draw.choice(["Shirt", "Dress", "Jeans"]))))
    return made


def test_what_takes_each_others_place_is_a_group(titles, fashion):
    groups, rest = discover(titles, fashion)
    found = {frozenset(term.text for term in group.terms): group for group in groups}
    assert set(found) == {frozenset(one) for one in (MAKERS, SHADES, WEAVES)} and not rest
    assert found[frozenset(SHADES)].like == "color"
    term = found[frozenset(MAKERS)].terms[0]
    assert term.count == sum(term.text in title.lower() for title in titles)
    assert term.examples and all(term.text in title.lower() for title in term.examples)


def test_what_is_written_is_a_vocabulary(titles, fashion, tmp_path):
    path = tmp_path / "found.yaml"
    path.write_text(written(*discover(titles, fashion)), encoding="utf-8")
    extended = Vocabulary.load("fashion", path)
    labels = label(titles, extended)
    names = [name for name in extended.attributes if name.startswith("attribute_")]
    assert len(names) == 3
    assert all(sum(map(bool, labels.columns[name])) > 300 for name in names)
    assert discover(titles, extended) == ([], []), "all is known now"


@pytest.mark.parametrize(
    "texts",
    [
        [],
        [None, ""],
        ["\0\x1b[2J\u202e word"] * 20,
        ["紺色のシャツ", "Темно-синее платье"] * 20,
        [["one", None], ["other\n\n: {}", "\ud83d\ude00"]] * 30,
        ["'\"#: *&!%@` lone", "lone other"] * 20,
        ["x" * 10**6, "null true ~"] * 12,
    ],
    ids=range(7),
)
def test_odd_texts_give_a_file_that_is_read(texts, fashion, tmp_path):
    path = tmp_path / "found.yaml"
    path.write_text(written(*discover(texts, fashion, at_least=2)), encoding="utf-8")
    Vocabulary.load("fashion", path)


def test_long_work_says_how_far_it_is(capsys, monkeypatch):
    monkeypatch.setattr("asen_tf.core.progress._SILENT_SECONDS", 0)
    discover([f"{word}x {word}y" for word in "abcdefgh" * 3], Vocabulary("none"), at_least=2)
    said = capsys.readouterr().err
    assert "reading: 100%" in said and "comparing words of: 100%" in said and "24/24" in said


def test_chance_makes_no_pair():
    """Words drawn one by one: none of their pairs is a term."""
    draw = random.Random(1)
    words = [f"{a}{b}x" for a in "bdfgk" for b in "aeiou"]
    texts = [" ".join(draw.choices(words, k=4)) for _ in range(500)]
    groups, rest = discover(texts, Vocabulary("none"))
    terms = [term.text for group in groups for term in group.terms] + [term.text for term in rest]
    assert sorted(terms) == sorted(words)
