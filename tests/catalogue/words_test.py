"""Words as values of a store; no store is needed."""

import pytest

pytest.importorskip("ahocorasick")
pytest.importorskip("yaml")

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asen_tf.catalogue.filters import parse
from asen_tf.catalogue.words import Understood, Words
from asen_tf.core import AttributeSpace
from asen_tf.text import Vocabulary

SPACE = AttributeSpace(
    {
        "Sleeve-Length": ["short", "long sleeve", "3/4"],
        "color": ["Navy_Blue", "blue", "red", "pale green"],
        "neckline": ["V", "round"],
        "collar": ["none", "mandarin", "ruffle up"],
        "pocket": ["none", "kangaroo"],
        "pattern": ["stripes", "solid"],
        "category": ["sneakers", "boots", "dress"],
        "lining": ["wool", "Wool"],
    }
)
VOCABULARY = """
endings: {"": [s]}
negations: [no, not, without]
articles: [a]
joins: [and, or]
parts: [with]
elsewhere: [pair it with]
ignore: [red tape]
attributes:
  color:
    not_of: {category: [boots]}  # of titles, not of what is asked for
    values:
      navy blue: {words: [navy], is: blue}
      sky blue: {is: blue}
      azure: {is: sky blue}
      blue:
      red: [scarlet]
      black:
  sleeve length:
    nouns: [sleeve]
    values: {long: {beside: [long]}, short: {beside: [short]}, three quarter: [3/4]}
  neckline: {nouns: [neck], values: {v-neck: {beside: [v]}, crew neck: {beside: [crew]}}}
  pattern: {values: {striped: [stripes], plain: [solid]}}
  category:
    several: last
    values: {shoes: [shoe], sneakers: {is: shoes}, boots: {is: shoes}, dress: }
  season: {values: {summer: }}
"""


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory):
    path = tmp_path_factory.mktemp("words") / "shop.yaml"
    path.write_text(VOCABULARY)
    return Vocabulary.load(path)


@pytest.fixture(scope="module")
def words(vocabulary):
    return Words(SPACE, vocabulary)


def always(*_):
    return True


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("scarlet boots", "color=red, category=boots"),
        ("navy, V-Neck, long sleeves", "color=Navy_Blue, neckline=V, Sleeve-Length=long sleeve"),
        ("short sleeved", ""),
        ("SHORT-SLEEVE", "Sleeve-Length=short"),
        ("3/4 sleeve", "Sleeve-Length=3/4"),
        ("not striped", "not pattern=stripes"),
        ("red, not stripes", "color=red, not pattern=stripes"),
        # A value itself, or else its kinds, or else what it is a kind of.
        ("blue", "color=blue"),
        ("azure", "color=blue"),
        ("shoes", "category=sneakers|boots"),
        # What is not wanted is also none of its kinds, and never more than was said.
        ("not blue", "not color=blue|Navy_Blue"),
        ("not azure", ""),
        ("blue or red", "color=blue|red"),
        ("a red dress", "color=red, category=dress"),
        # The store's own names: one that no other attribute has, or with its attribute's.
        ("mandarin", "collar=mandarin"),
        ("ruffleup", "collar=ruffle up"),
        ("pale green", "color=pale green"),
        ("none", ""),
        ("collar: none", "collar=none"),
        ("no pocket", ""),
        ("kangaroo pocket", "pocket=kangaroo"),
        ("wool", "lining=wool|Wool"),
        ("red tape", ""),
        ("without a red or blue dress", "category=dress, not color=red|blue|Navy_Blue"),
        ("navy. Pair it with red boots, long sleeves. V neck", "color=Navy_Blue, neckline=V"),
        ("", ""),
    ],
)
def test_what_words_ask_for(words, text, asked):
    assert str(words.read(text, always)) == asked


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("navy", {}),
        ("manderin collar, a b", {"manderin": "mandarin", "collar": None, "b": None}),
        ("black", {"black": "unknown color of the store 'black'"}),
        ("summer", {"summer": "unknown attribute of the store 'season'"}),
        ("crew neck", {"crew neck": "Known: V, round"}),
        ("not azure", {"azure": "unknown color of the store 'azure'"}),
        ("blue dress with red lace", {"red": "color is blue already", "lace": "neither"}),
        # What was passed over.
        ("a navy dress", {}),
        ("azure blue", {}),  # one is a kind of the other
        ("dress boots", {"dress": "category is boots already"}),
        ("navy, red tape", {"red tape": "the vocabulary ignores it"}),
        (
            "navy. Pair it with a red dress, lace! Velcro",
            {"pair it with a red dress lace": "another article", "velcro": "neither"},
        ),
        ("navy, not really red", {"not really": "neither"}),
        ("navy, not, red", {"not": "nothing that is known follows"}),
        ("navy, without a", {"without": "nothing that is known follows"}),
        ("size 7.5 navy", {"size 7.5": "neither"}),
    ],
)
def test_what_is_not_understood_is_said(words, text, unknown):
    found = {one.words: one.why for one in words.read(text, always).unknown}
    for said, why in unknown.items():
        [told] = [found[key] for key in found if said in key.split() or key == said]
        assert why is None or why in told
    assert bool(found) == bool(unknown)


def test_hints_are_short_whatever_the_store_holds(vocabulary):
    long = [f"{n} {'of a tale told twice ' * 50}" for n in range(200)]
    words = Words(AttributeSpace({"color": long}), vocabulary)
    [unknown] = words.read("black", always).unknown
    assert "black" in unknown.why and len(unknown.why) < 1000


def test_values_that_no_item_has_are_not_asked_for(words):
    found = words.read("navy dress", lambda name, value: value != "Navy_Blue")
    assert str(found) == "color=blue, category=dress"  # what navy is a kind of
    found = words.read("red", lambda *_: False)
    assert not found and found.unknown[0].why == "no item is labelled color=red."


def test_conditions():
    asked = Understood({"color": ["red", "b' or 1"]}, {"a b": ["x"], "c": []})
    assert asked.condition() == parse("""color in (red, "b' or 1") and not "a b"=x""")
    assert asked.condition(garment=True) == parse('not "a b"=x')
    assert asked.condition(changed=["color"]) == parse('not "a b"=x')
    assert Understood({"color": ["red"]}).condition(garment=True) is None
    assert Understood({"color": []}) == Understood()


PIECES = [
    "not ",
    "without",
    "navy",
    " v",
    "neck",
    ", ",
    "or",
    "(",
    "long ",
    "sleeves",
    "'",
    '"',
    "=",
]


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=12).map("".join))
def test_any_text_asks_only_for_what_there_is(words, text):
    found = words.read(text, always)
    condition = found.condition()
    for one in condition.comparisons() if condition else ():
        assert one.sign == "=" and one.value in SPACE[one.name].values
    assert all(one.words and one.why for one in found.unknown)


names = st.text(min_size=1, max_size=6) | st.sampled_from(["long", "not", "navy", "Navy", "color"])


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(names, st.lists(names, min_size=1, max_size=4, unique=True), min_size=1))
def test_a_store_may_have_any_names(words, values):
    """Each value is found by its attribute's name and its own, or not at all."""
    reader = Words(AttributeSpace(values), words._vocabulary)
    for name, its in values.items():
        for value in its:
            found = reader.read(f"{name}: {value}", always)
            asked = {**found.wanted, **found.unwanted}
            assert all(set(some) <= set(values[one]) for one, some in asked.items())
