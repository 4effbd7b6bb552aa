"""Vocabulary files: what they may say, and what is said of a wrong one."""

import pytest

from asen_client.core.foreign import FormatError
from asen_tf.text import Vocabulary, label

pytest.importorskip("ahocorasick", reason="needs asen_tf[text]")

COLORS = """
attributes:
  color:
    values:
      red: [scarlet]
      blue:
"""


def said(text, vocabulary):
    return {name: cells[0] for name, cells in label([text], vocabulary).columns.items() if cells[0]}


def test_a_later_file_adds_attributes_values_and_words(vocabulary):
    more = "attributes: {color: {values: {blue: [azure], green: }}, fit: {values: {slim: }}}"
    found = vocabulary(COLORS, more)
    assert list(found.attributes) == ["color", "fit"]
    assert list(found.attributes["color"].values) == ["red", "blue", "green"]
    assert said("azure slim", found) == {"color": "blue", "fit": "slim"}
    assert said("scarlet", found) == {"color": "red"}


def test_a_later_file_takes_a_word_over(vocabulary):
    orange = "attributes: {color: {values: {orange: [scarlet]}}}"
    assert said("scarlet", vocabulary(COLORS, orange)) == {"color": "orange"}
    assert said("scarlet", vocabulary(COLORS, "ignore: [scarlet]")) == {}
    assert said("scarlet", vocabulary("ignore: [scarlet]", COLORS)) == {"color": "red"}


def test_a_later_file_changes_what_several_values_mean(vocabulary):
    both = "attributes: {color: {several: all}}"
    assert said("red and blue", vocabulary(COLORS)) == {}
    assert said("red and blue", vocabulary(COLORS, both)) == {"color": "red|blue"}


def test_a_later_file_adds_what_has_no_such_attribute(vocabulary):
    things = (
        "attributes: {thing: {values: {scent: , soap: , cap: }}, color: {not_of: {thing: [%s]}}}"
    )
    found = vocabulary(COLORS, things % "scent", things % "soap")
    assert said("red scent", found) == {"thing": "scent"}
    assert said("red soap", found) == {"thing": "soap"}
    assert said("red cap", found) == {"thing": "cap", "color": "red"}


def test_texts_are_texts(vocabulary):
    """YAML would make a boolean, a number and nothing of these."""
    found = vocabulary("attributes: {hood: {values: {no: [off], 3: , 'null': }}}")
    assert list(found.attributes["hood"].values) == ["no", "3", "null"]
    assert said("off", found) == {"hood": "no"}


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("attributes: [color]", 1, "attributes: expected `key: ...`, a line each, got a list"),
        ("attribute:\n  color:", 1, "unknown key 'attribute'. Did you mean 'attributes'"),
        ("ignore: [x]", 1, "no `attributes`"),
        ("", 1, "no `attributes`"),
        ("attributes:\n  color:\n    vals: {}", 3, "color > vals: unknown key 'vals'"),
        ("attributes:\n  color:", 2, "attributes > color: expected `values:`, a line each"),
        (
            "attributes:\n  color:\n    values:\n      red: scarlet",
            4,
            "red: expected a list of words, [scarlet]",
        ),
        ("attributes: {a: {values: {b: [{c: d}]}}}", 1, "b > 1: expected a text, got a mapping"),
        ("attributes: {a: {values: {b: ['-']}}}", 1, "b > 1: expected a phrase with a letter"),
        ("attributes: {a: {values: {b|c: }}}", 1, "b|c: expected a name without"),
        ("attributes: {a: {values: {b: [x],\n c: [x]}}}", 2, "'x' says 'b' already"),
        ("attributes: {a: {values: {b: }},\n a: {values: {b: }}}", 2, "'a' is there twice, first"),
        ("attributes: {a: {several: many, values: {b: }}}", 1, "expected one of blank, first"),
        ("attributes: {a: {values: {b: {is: c}}}}", 1, "unknown value after `is` 'c'"),
        ("attributes: {a: {values: {b: {is: b}}}}", 1, "is a kind of itself"),
        ("attributes: {a: {values: {b: {becomes: {c: {d: b}}}}}}", 1, "unknown attribute after"),
        ("attributes: {a: {not_of: {c: [d]}, values: {b: }}}", 1, "unknown attribute after `not_o"),
        ("attributes: {a: {not_of: {a: [d]}, values: {b: }}}", 1, "unknown value of a 'd'"),
        ("attributes: {a: {values: {b: {beside: [c]}}}}", 1, "`beside` needs the attribute's `nou"),
        ("attributes: {a: {values: {b: {measured: {c: [2, 1]}}}}}", 1, "expected [from, below]"),
        (
            "attributes: {a: {values: {b: {measured: {c: [x, 1]}}}}}",
            1,
            "expected a number, got 'x'",
        ),
        ("units: {cm: 0}\nattributes: {a: {values: {b: }}}", 1, "units > cm: expected how much"),
        ("ignore: [b]\nattributes: {a: {values: {b: }}}", 1, "'b' is a word of a value, too"),
        ("attributes: {a: &x {values: {b: }}, c: *x}", 1, "refers to another entry by `*`"),
        ("a:\n  b: [c\n d: e", 3, "not YAML"),
        ("---\na: b\n---\nc: d", 3, "a second document"),
        ("a: " + "[" * 50 + "]" * 50, 1, "levels deep"),
        ("{" * 2000, 1, "expected a text before `:`"),
        ("? " * 1000 + "a", 1, "expected a text before `:`"),
        ("spellings: {a: " + "b" * 101 + "}", 1, "a: expected at most 100 characters"),
        ("spellings: {ab: " + "cb" * 50 + ",\n b: " + "d" * 100 + "}", 1, "ab: contains 'b'"),
        ("spellings: {a: aa}", 1, "a: contains 'a'"),
        (
            "attributes: {a: {values: {v0: ,\n"
            + ", ".join(f"v{n + 1}: {{is: v{n}}}" for n in range(9))
            + "}}}",
            2,
            "v9: is a kind of more than 8",
        ),
        (
            "endings: {" + ", ".join(f"{'a' * n}: [b]" for n in range(1, 202)) + "}",
            1,
            "expected at most 200 endings",
        ),
        (f"attributes: {{a: {{values: {{b: [{'x' * 101}]}}}}}}", 1, "a phrase of 101 characters"),
        (
            'attributes: {"a\\nb": {values: {c: }}}',
            1,
            r"attributes > a\nb: expected a name without",
        ),
        ("spellings: {'': x}", 1, "expected letters as texts have them"),
    ],
)
def test_a_wrong_file_is_named_with_line_and_entry(vocabulary, tmp_path, text, line, expected):
    with pytest.raises(FormatError) as caught:
        vocabulary(text)
    assert expected in str(caught.value)
    assert (caught.value.source, caught.value.line) == (str(tmp_path / "0.yaml"), line)


def test_large_files_are_refused(tmp_path):
    path = tmp_path / "large.yaml"
    path.write_text("# " + "x" * (1 << 20))
    with pytest.raises(FormatError, match="divide it"):
        Vocabulary.load(path)


def test_a_form_of_two_values_is_named(vocabulary):
    two = "endings: {'': [s], s: [ses]}\nattributes: {a: {values: {glas-ses: , glass: }}}"
    with pytest.raises(ValueError, match="'glasses' may say 'glas-ses' or 'glass' of a"):
        label([""], vocabulary(two))


def test_what_is_written_settles_what_forms_leave_open(vocabulary):
    """Whatever comes first in the file: `leaves` is a form of two, and written of one."""
    forms, values = "endings: {'': [s], f: [ves]}", ["leave: ", "leaf: [leaves]"]
    for one in (values, values[::-1]):
        found = vocabulary(f"{forms}\nattributes: {{a: {{values: {{{', '.join(one)}}}}}}}")
        assert said("leaves", found) == {"a": "leaf"}


def test_names_and_files():
    with pytest.raises(ValueError, match="'fashoin'. Did you mean 'fashion'.*own ends in .yaml"):
        Vocabulary.load("fashoin")
    with pytest.raises(FileNotFoundError, match="mine.yaml: no such file"):
        Vocabulary.load("mine.yaml")
    with pytest.raises(FileNotFoundError, match=r"^/.*mine.yaml: no such file"):
        Vocabulary.load("fashion", "~/mine.yaml")
    with pytest.raises(ValueError, match="expected a vocabulary: one of fashion"):
        Vocabulary.load()


def test_fashion_is_rich(fashion):
    """What issue 20 asks of it, and some hundred values and words."""
    asked = ("category", "color", "pattern", "neckline", "collar", "sleeve_length", "length")
    asked += ("fit", "material", "fastening", "occasion", "gender", "season")
    assert set(asked) <= set(fashion.attributes)
    values = [value for one in fashion.attributes.values() for value in one.values.values()]
    assert len(values) > 400
    assert sum(len(value.words) + len(value.beside) for value in values) > 2500
