"""Which values a text says: a case for each rule, and properties of all texts."""

import itertools
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asen_tf.text import Matcher, label

pytest.importorskip("ahocorasick", reason="needs asen_tf[text]")

OFTEN = settings(
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

SHOP = """
spellings: {colour: color, gray: grey}
endings: {"": [s], y: [ies], s: [ses]}
negations: [no, not, without, w/o]
joins: [and, or]
parts: [with, for]
sets: [set, combo pack]
elsewhere: [pair it with]
units: {cm: 1, inch: 2.54}
ignore: [red tape]
attributes:
  category:
    several: last
    values:
      shirt:
      dress:
      jeans:
      skirt:
      shoes:
        words: [shoe]
        becomes: {use: {sports: sports shoes}}
      sports shoes: {is: shoes}
      belly: {is: shoes}
      gift: [gift set]
      combo: [combo pack]
      perfume: [scent]
      eau fraiche: {is: perfume}
  use: {values: {sports: }}
  color:
    not_of: {category: [perfume]}
    values: {red: , blue: , grey: , navy: {words: [navy blue], is: blue}, multicolor: [multi-color]}
  neckline:
    nouns: [neck, neckline]
    values:
      v-neck: {beside: [v, v shape]}
      round: {beside: [round]}
  sleeves:
    nouns: [sleeve]
    values:
      sleeveless: [sleeve-less, no sleeve, without sleeve]
      long: {beside: [long]}
      short: {beside: [short]}
      three-quarter: {beside: [3/4]}
  length:
    nouns: [length, dress]
    values:
      long: {beside: [long], measured: {inseam: [70, 120], length: [90, 150]}}
      short: {beside: [short], measured: {inseam: [0, 70], length: [0, 90]}}
  pattern: {values: {striped: [stripe], plain: }}
  collar: {nouns: [collar], values: {hooded: [hood], collared: [collar], shirt: {beside: [shirt]}}}
  detail: {several: all, values: {belt: , bow: }}
  first: {several: first, values: {one: , two: }}
"""


@pytest.fixture
def said(vocabulary):
    """A function: texts of one thing -> cells that are not blank."""
    matcher = Matcher(vocabulary(SHOP))
    return lambda *texts: matcher.label(texts)[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # One spelling or another.
        ("NAVY-BLUE", {"color": "navy"}),
        ("navyblue", {"color": "navy"}),
        ("Gray shirts", {"color": "grey", "category": "shirt"}),
        ("multicoloured", {}),
        ("Multi-Colour", {"color": "multicolor"}),
        ("bellies", {"category": "belly"}),
        ("\uff52\uff45\uff44 r\u00e9d", {"color": "red"}),
        ("reddish infrared", {}),
        ("navy\u00a0blue", {"color": "navy"}),
        ("navy\u2011blue v\u2010neck", {"color": "navy", "neckline": "v-neck"}),
        ("re\u0301d", {"color": "red"}),
        ("\u00be sleeve", {"sleeves": "three-quarter"}),
        ("3\u20444 sleeve", {"sleeves": "three-quarter"}),
        # Word order.
        ("v neck", {"neckline": "v-neck"}),
        ("vneck", {"neckline": "v-neck"}),
        ("neck: V", {"neckline": "v-neck"}),
        ("neckline v-shape", {"neckline": "v-neck"}),
        ("v-shape print", {}),
        ("neck: round sleeve: short length: long", {"neckline": "round", "sleeves": "short"}
         | {"length": "long"}),
        ("long sleeve short dress", {"sleeves": "long", "length": "short", "category": "dress"}),
        ("dress short sleeve", {"sleeves": "short", "category": "dress"}),
        # The longest phrase.
        ("red tape shoes", {"category": "shoes"}),
        ("red, tape", {"color": "red"}),
        ("shirt collar", {"collar": "shirt"}),
        # What is not so.
        ("not striped", {}),
        ("shirt without stripes, blue", {"category": "shirt", "color": "blue"}),
        ("w/o hood", {}),
        ("no sleeves", {"sleeves": "sleeveless"}),
        ("sleeveless", {"sleeves": "sleeveless"}),
        ("without hood or collar", {}),
        ("without sleeves or collar", {"sleeves": "sleeveless"}),
        ("not striped plain", {"pattern": "plain"}),
        ("no plain or red shirt", {"category": "shirt"}),
        # Numbers with units.
        ("32 inch inseam", {"length": "long"}),
        ("inseam: 69,9 cm", {"length": "short"}),
        ("length 100 cm", {"length": "long"}),
        ("100cm length", {"length": "long"}),
        ("length 100", {}),
        # Several values.
        ("blue jeans dress", {"color": "blue", "category": "dress"}),
        ("dress and skirt", {}),
        ("jeans / dress shirt", {"category": "shirt"}),
        ("shirt with skirt", {"category": "shirt"}),
        ("for skirt: shirt", {"category": "shirt"}),
        ("red blue", {}),
        ("blue dress with red stripes", {"color": "blue", "category": "dress"}
         | {"pattern": "striped"}),
        ("shirt (red). blue sky", {"color": "red", "category": "shirt"}),
        ("blue or navy", {"color": "navy"}),
        ("bow, belt", {"detail": "bow|belt"}),
        ("two, one", {"first": "two"}),
        # A set is all that stands before it.
        ("shirt and dress gift sets", {"category": "gift"}),
        ("gift set and shirt", {}),
        ("shirt and dress combo pack", {"category": "combo"}),
        ("shirt and dress pack", {}),
        ("gift set, red", {"category": "gift", "color": "red"}),
        # What a thing of a kind does not have.
        ("red scent", {"category": "perfume"}),
        ("red and blue eau fraiche", {"category": "eau fraiche"}),
        ("red shirt with scent", {"category": "shirt", "color": "red"}),
        # Together.
        ("sports shoes", {"category": "sports shoes"}),
        ("sports red shoe", {"category": "sports shoes", "color": "red", "use": "sports"}),
        # Other things.
        ("shirt. Pair it with blue jeans and a belt. Plain", {"category": "shirt"}
         | {"pattern": "plain"}),
    ],
)  # fmt: skip
def test_a_text_says(said, text, expected):
    assert said(text) == expected


def test_a_later_text_is_asked_for_what_the_first_does_not_say(said):
    assert said("red shirt", "blue jeans, striped") == {
        "color": "red",
        "category": "shirt",
        "pattern": "striped",
    }
    assert said("red or blue", "grey") == {}, "the first speaks of it"
    assert said(None, "grey") == {"color": "grey"}


def test_columns_of_frames(vocabulary):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"title": ["red", None], "more": [float("nan"), "blue"]})
    shop = vocabulary(SHOP)
    assert label(frame["title"].astype("string"), shop).columns["color"] == ["red", ""]
    pairs = zip(frame["title"], frame["more"], strict=True)
    assert label(pairs, shop).columns["color"] == ["red", "blue"]
    with pytest.raises(TypeError, match="expected a text or None, got int"):
        label([3], shop)


def test_conflicts_are_told(vocabulary):
    labels = label(["red", "red blue", None, "blue, grey"], vocabulary(SHOP))
    assert labels.columns["color"] == ["red", "", "", ""]
    assert labels.conflicts["color"] == {1: ("red", "blue"), 3: ("blue", "grey")}
    assert labels.conflicts["category"] == {}
    assert label(["red or blue scent"], vocabulary(SHOP)).conflicts["color"] == {}


def test_what_was_understood_can_be_shown(vocabulary):
    """As a search's field would show it."""
    found = Matcher(vocabulary(SHOP)).find("Navy-Blue, no stripes; V Neck")
    assert [(one.attribute, one.value, one.words, one.negated) for one in found] == [
        ("color", "navy", "navy blue", False),
        ("pattern", "striped", "stripes", True),
        ("neckline", "v-neck", "v neck", False),
    ]


GERMAN = """
endings: {"": [e, er, es, en, s], el: [eln, els], d: [der, des, es, e]}
negations: [ohne, nicht, kein, keine]
joins: [und, oder]
parts: [mit, für, in, aus]
attributes:
  kategorie:
    several: last
    values: {hemd: [hemden], kleid: , bluse: [blusen], schuh: }
  farbe:
    values: {rot: , weiß: , grün: , dunkelblau: {words: [dunkel-blau, marine], is: blau}, blau: }
  ärmel:
    nouns: [ärmel, arm]
    values: {lang: {beside: [lang], words: [lang-arm, langärmelig]}, ohne: [ärmellos, ohne ärmel]}
  muster: {values: {gestreift: [streifen], kariert: [karo]}}
"""


def test_another_language_is_a_file(vocabulary):
    """As docs/labels.md says it: endings, words of grammar, attributes."""
    german = vocabulary(GERMAN)
    titles = [
        "Rotes Hemd mit langen Ärmeln",
        "DUNKELBLAUES KLEID, ärmellos, nicht gestreift",
        "Weisse Bluse mit blauen Streifen",
        "Grüne Schuhe und weiße Hemden",
    ]
    assert label(titles, german).columns == {
        "kategorie": ["hemd", "kleid", "bluse", ""],
        "farbe": ["rot", "dunkelblau", "weiß", ""],
        "ärmel": ["lang", "ohne", "", ""],
        "muster": ["", "", "gestreift", ""],
    }


@pytest.mark.parametrize("text", ["", " ", "\0\x1b[2J\u202e", "紺色のシャツ", "<red>", "a" * 10**6])
def test_odd_texts_say_nothing(said, text):
    assert said(text) == ({"color": "red"} if "red" in text else {})


def test_a_huge_text_takes_no_longer_than_its_length(said):
    """20 000 phrases that overlap: each is not compared with each."""
    assert said("navy blue v neck " * 5_000)["neckline"] == "v-neck"


@OFTEN
@given(text=st.text())
def test_every_text_gives_values_of_the_vocabulary(fashion_matcher, text):
    cells, unclear = fashion_matcher.label(text)
    attributes = fashion_matcher.vocabulary.attributes
    for name, cell in cells.items():
        assert set(cell.split("|")) <= set(attributes[name].values)
    for name, values in unclear.items():
        assert len(values) > 1 and set(values) <= set(attributes[name].values)
    assert not cells.keys() & unclear.keys()


@pytest.fixture(scope="session")
def fashion_matcher(fashion):
    return Matcher(fashion)


UNKNOWN = st.lists(st.sampled_from(["qix", "Zorb", "vlanta", "7Q9"]), max_size=4).map(" ".join)


@OFTEN
@given(data=st.data())
def test_unknown_words_around_change_nothing(fashion_matcher, data):
    attributes = fashion_matcher.vocabulary.attributes
    name = data.draw(st.sampled_from(sorted(attributes)))
    value = data.draw(st.sampled_from(sorted(attributes[name].values)))
    words = sorted(attributes[name].values[value].words)
    if words:
        phrase = " ".join(data.draw(st.sampled_from(words)))
        around = f"{data.draw(UNKNOWN)} {phrase.upper()} {data.draw(UNKNOWN)}"
        assert fashion_matcher.label(around) == fashion_matcher.label(phrase)


@OFTEN
@given(
    order=st.permutations(["red", "scarlet", "dark red", "wine"]),
    text=st.lists(st.sampled_from(["red", "dark", "wine", "scarlet", "blue", "and", "x"])),
)
def test_the_order_of_synonyms_does_not_matter(vocabulary, order, text):
    blue = "blue: [dark blue]"
    files = (
        f"attributes: {{c: {{values: {{red: {words}, {blue}}}}}}}"
        for words in (order, sorted(order))
    )
    one, other = (label([" ".join(text)], vocabulary(file)) for file in files)
    assert one == other


WORDS = ["a", "b", "c", "d"]
PHRASES = [" ".join(p) for n in (1, 2, 3) for p in itertools.product(WORDS, repeat=n)]


@OFTEN
@given(
    phrases=st.lists(st.sampled_from(PHRASES), min_size=1, max_size=8, unique=True),
    text=st.lists(st.sampled_from([*WORDS, "x"]), max_size=12),
)
def test_longest_first_as_by_hand(vocabulary, phrases, text):
    """Against a plain search: of all places, the longest phrase, then the first, is taken."""
    values = ", ".join(f"'v {phrase}': {{words: ['{phrase}']}}" for phrase in phrases)
    loaded = vocabulary(f"attributes: {{z: {{several: all, values: {{{values}}}}}}}")
    found = [one.value for one in Matcher(loaded).find(" ".join(text))]

    places = [
        (-len(phrase.split()), at, phrase)
        for phrase in phrases
        for at in range(len(text))
        if text[at : at + len(phrase.split())] == phrase.split()
    ]
    free, taken = [True] * len(text), []
    for size, at, phrase in sorted(places):
        if all(free[at : at - size]):
            free[at : at - size] = [False] * -size
            taken.append((at, f"v {phrase}"))
    assert found == [value for _, value in sorted(taken)]


def test_labels_without_the_library_say_what_to_install(vocabulary, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ahocorasick", None)
    with pytest.raises(ValueError, match=re.escape('pip install "asen_tf[text]"')):
        Matcher(vocabulary(SHOP))
