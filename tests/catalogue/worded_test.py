"""Searches in words, on a store of twelve items."""

import numpy as np
import pytest

pytest.importorskip("ahocorasick")
pytest.importorskip("faiss")

from asen_tf.catalogue import Catalogue, Record, Understood
from asen_tf.core import AttributeSpace
from asen_tf.embedders import Fingerprint, VectorEmbedder

COLORS = ("navy blue", "red", "green")
SPACE = AttributeSpace({"color": COLORS, "side": ("left", "right"), "hem": ("short", "long")})
VOCABULARY = """
negations: [not]
joins: [or]
attributes:
  color: {values: {navy blue: {words: [navy], is: blue}, blue: , red: [scarlet]}}
  side: {values: {left: , right: }}
"""


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    """A function: words -> arguments of a search in them."""
    path = tmp_path_factory.mktemp("words") / "shop.yaml"
    path.write_text(VOCABULARY)
    return lambda text: {"text": text, "vocabulary": str(path), "k": 12}


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    """Items 0 to 11 of three colors in turn, the first six left; the last is without labels.

    Item n lies n degrees from those of its color, whose directions are at right angles.
    """
    vectors = np.zeros((12, 3, 3), np.float32)
    records = []
    for n in range(12):
        angle = np.radians(n)
        vectors[n, 0, [n % 3, (n + 1) % 3]] = np.cos(angle), np.sin(angle)
        vectors[n, 1, [n // 6, 2]] = np.cos(angle), np.sin(angle)
        vectors[n, 2, 0] = 1
        labels = {"color": [COLORS[n % 3]], "side": [("left", "right")[n // 6]]}
        records.append(Record(labels if n < 11 else {}, {"price": n}))
    place = f"faiss:{tmp_path_factory.mktemp('shop')}/store"
    with Catalogue(place, VectorEmbedder(Fingerprint(SPACE, 3))) as catalogue:
        catalogue.insert([str(n) for n in range(12)], vectors, records)
        yield catalogue


def ids(found):
    return [int(match.id) for match in found]


def test_alone_they_are_conditions_and_the_typical_come_first(catalogue, words):
    # The mean of 1, 4, 7 and 10 degrees is 5.5.
    assert sorted(ids(catalogue.search(**words("scarlet")))[:2]) == [4, 7]
    assert sorted(ids(catalogue.search(**words("scarlet")))) == [1, 4, 7, 10]
    assert sorted(ids(catalogue.search(**words("navy or red, left")))) == [0, 1, 3, 4]
    assert sorted(ids(catalogue.search(**words("blue, not left")))) == [6, 9]
    found = catalogue.search(**words("red"), where="price>4")
    assert sorted(ids(found)) == [7, 10] and set(found[0].cosines) == {"color"}
    # What is labelled with nothing is not red, either.
    assert sorted(ids(catalogue.search(**words("not red")))) == [0, 2, 3, 5, 6, 8, 9, 11]
    # Weights count of what the words say.
    weights = {"weights": {"side": 1, "hem": 1, "color": 0}}
    assert set(catalogue.search(**words("red, left"), **weights)[0].cosines) == {"side"}
    # Of red ones the least typical first; what is not wanted has its sign already.
    away = catalogue.search(**words("red"), weights={"color": -1})
    assert set(ids(away)[:2]) == {1, 10}
    with pytest.raises(ValueError, match="0 or more of color, .* not wanted, got -1"):
        catalogue.search(**words("not red"), weights={"color": -1})
    more = catalogue.search(**words("not red, left"), weights={"color": 2, "side": 1})
    assert set(ids(more)) == {0, 2, 3, 5}


def test_beside_an_item_they_are_changes(catalogue, words):
    by = {"id": "0", "weights": {"side": 1}}
    changed = catalogue.search(**by, changes={"color": "red"}, k=12)
    assert catalogue.search(**by, **words("scarlet")) == changed
    # What is set as such counts before.
    assert catalogue.search(**by, **words("navy"), changes={"color": "red"}) == changed
    # Of all items, with labels or not; what is not wanted is left out.
    assert sorted(ids(changed)) == [*range(1, 12)]
    assert sorted(ids(catalogue.search(**by, **words("not red")))) == [2, 3, 5, 6, 8, 9, 11]
    nothing = catalogue.search(**by, **words("velcro"))
    assert nothing == catalogue.search(**by, k=12)


def test_what_was_understood_can_be_edited(catalogue, words):
    said = catalogue.understand("red, left, velcro", words("")["vocabulary"])
    assert said.wanted == {"color": ("red",), "side": ("left",)}
    assert [one.words for one in said.unknown] == ["velcro"]
    edited = Understood({"color": ["red", "green"]}, {"side": ["left"]})
    assert sorted(ids(catalogue.search(text=edited))) == [7, 8, 10]
    wanted = catalogue.query(text=edited)
    assert catalogue.facets(["color"], where=wanted.where) == {"color": [("red", 2), ("green", 1)]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("velcro", "nothing was understood of the words. 'velcro': neither"),
        ("", "nothing was understood of the words."),
        ("hem: short", "no item is labelled hem=short."),
        ("'; DROP TABLE cells", "nothing was understood"),
        (Understood({"colour": ["red"]}), "Did you mean 'color'?"),
        (Understood({"color": ["pink"]}), "unknown value of color 'pink'"),
        (Understood({}, {"color": ["' or 1=1"]}), "unknown value of color"),
    ],
)
def test_what_makes_no_search_is_explained(catalogue, words, text, message):
    with pytest.raises(ValueError) as error:
        catalogue.search(**words(text))
    assert message in str(error.value)


def test_reranking_leaves_nothing_out(catalogue, words):
    with pytest.raises(ValueError, match="rerank leaves nothing out"):
        catalogue.rerank([("1", 1.0)], id="0", text="not red", vocabulary=words("")["vocabulary"])


class Reader(VectorEmbedder):
    """Reads free text, in the space of `look`: one with a number points to so many degrees."""

    text_attribute = "look"

    def embed_text(self, texts):
        found = np.zeros((len(texts), 3), np.float32)
        for row, text in enumerate(texts):
            angle = np.radians(next(int(word) for word in text.split() if word.isdigit()))
            found[row, :2] = np.cos(angle), np.sin(angle)
        return found


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """Items 0 to 7, red and green in turn; in `look` item n lies at 10 n degrees."""
    space = AttributeSpace({"color": COLORS, "look": ["-"]})
    vectors = np.zeros((8, 2, 3), np.float32)
    for n in range(8):
        vectors[n, 0, n % 2] = 1
        vectors[n, 1, :2] = np.cos(np.radians(10 * n)), np.sin(np.radians(10 * n))
    records = [Record({"color": [COLORS[1 + n % 2]]}, {"price": n}) for n in range(8)]
    place = f"faiss:{tmp_path_factory.mktemp('reader')}/store"
    with Catalogue(place, Reader(Fingerprint(space, 3))) as catalogue:
        catalogue.insert([str(n) for n in range(8)], vectors, records)
        yield catalogue


@pytest.mark.parametrize(
    ("text", "free", "wanted", "unwanted", "unknown"),
    [
        ("flowing 30", "flowing 30", [], [], []),
        ("  A gown for Anna, at 30!", "A gown for Anna, at 30!", [], [], []),
        ("red, flowing 30", "flowing 30", ["red"], [], []),
        ("flowing red 30, wide", "flowing 30 wide", ["red"], [], []),
        ("flowing, not red", "flowing", [], ["red"], []),
        # The vocabulary knows it, and no item has it; of what is denied nothing is read.
        ("red navy 30", "navy 30", ["red"], [], []),
        ("red, not flowing", "", ["red"], [], ["not flowing"]),
        ("wide, not red or flowing", "wide", [], ["red"], ["flowing"]),
        ("not red, flowing", "flowing", [], ["red"], []),
        ("not wide", "", [], [], ["not wide"]),
        ("-, !", "", [], [], []),
    ],
)
def test_what_no_value_says_is_free_text(reader, words, text, free, wanted, unwanted, unknown):
    said = reader.understand(text, words("")["vocabulary"])
    assert said.free == free
    assert list(said.wanted.get("color", ())) == wanted
    assert list(said.unwanted.get("color", ())) == unwanted
    assert [one.words for one in said.unknown] == unknown
    assert bool(said) == bool(free or wanted or unwanted)
    assert (f"as free text {free!r}" in str(said)) == bool(free)


def test_free_text_ranks_by_the_space_of_texts(reader, words):
    found = reader.search(**words("flowing 34"))
    assert ids(found) == [3, 4, 2, 5, 1, 6, 0, 7]
    assert found[0].cosines == {"look": pytest.approx(np.cos(np.radians(4)), abs=1e-5)}
    assert found[0].score == found[0].cosines["look"]
    assert ids(reader.search(**words("flowing 34, not red"))) == [3, 5, 1, 7]
    assert ids(reader.search(**words("flowing 34, red"), where="price>0")) == [4, 2, 6]
    assert ids(reader.search(**words("flowing 34"), where="price<3", exclude=["2"])) == [1, 0]
    # Values that are wanted count as much, unless weights say otherwise.
    both = reader.search(**words("flowing 34, red"))[0]
    assert both.score == pytest.approx((1 + np.cos(np.radians(6))) / 2, abs=1e-5)
    weighed = reader.search(**words("flowing 34, red"), weights={"look": 3})[0]
    assert weighed.score == pytest.approx((1 + 3 * np.cos(np.radians(6))) / 4, abs=1e-5)
    away = reader.search(**words("flowing 34"), weights={"look": -1})
    assert ids(away)[0] == 7


def test_beside_an_item_free_text_takes_the_place_of_its_look(reader, words):
    by = {"id": "1", "weights": {"look": 1}}
    assert ids(reader.search(**by, **words("flowing 62"))) == [6, 7, 5, 4, 3, 2, 0]
    # It counts 1 where the weights leave it out; the color is that of the item.
    found = reader.search(id="1", weights={"color": 1}, **words("flowing 62"))
    assert ids(found)[:3] == [7, 5, 3] and set(found[0].cosines) == {"color", "look"}
    changed = reader.search(id="1", **words("flowing 62, red"))
    assert ids(changed)[:2] == [6, 4]


def test_without_its_model_free_text_is_not_understood(catalogue, reader, words):
    edited = Understood({"color": ["red"]}, free="flowing 34")
    assert ids(reader.search(text=edited)) == [4, 2, 6, 0]
    with pytest.raises(ValueError, match="no model reads the free text 'flowing 34'"):
        catalogue.search(text=edited)
    said = catalogue.understand("red, flowing 34", words("")["vocabulary"])
    assert said.free == "" and [one.words for one in said.unknown] == ["flowing 34"]
