"""A catalogue that follows a table."""

import math

import numpy as np
import pytest

from asen_tf.catalogue import Catalogue, Record
from asen_tf.catalogue.indexing import Embedded, Item, index, load
from asen_tf.embedders import VectorEmbedder
from asen_tf.photographs import Read


class Model:
    """Embeds texts; refuses those that say bad, one at a time or a whole batch."""

    def __init__(self):
        self.calls = []

    def __call__(self, images):
        self.calls.append(list(images))
        if any(b"bad" in image for image in images):
            raise ValueError("this is no photograph")
        seeds = [int.from_bytes(image, "big") for image in images]
        found = np.array([np.random.default_rng(s).normal(size=(3, 8)) for s in seeds])
        return found / np.linalg.norm(found, axis=-1, keepdims=True)

    @property
    def embedded(self):
        return sorted(image for call in self.calls for image in call)


@pytest.fixture
def model():
    return Model()


@pytest.fixture
def catalogue(faiss_uri, fingerprint, model):
    with Catalogue(faiss_uri, VectorEmbedder(fingerprint, model)) as catalogue:
        yield catalogue


def item(name, content, **metadata):
    def read(_):
        if content is None:
            raise FileNotFoundError(2, "no such file")
        return Read(content, f"v-{content}")

    mark = None if content is None else f"v-{content}"
    return Item(name, Record({"color": ["red"]}, metadata), mark, read)


def test_everything_is_embedded_once(catalogue, model):
    items = [item(f"{n}", b"%d" % n, price=n) for n in range(10)]
    found = index(catalogue, items, batch_size=4)
    assert (found.embedded, found.unchanged, found.problems) == (10, 0, {})
    assert [len(call) for call in model.calls] == [4, 4, 2]
    np.testing.assert_allclose(catalogue.engine.vectors(["7"]), Model()([b"7"]), atol=1e-6)
    assert catalogue.engine.records(["7"])[0].metadata["price"] == 7
    model.calls.clear()
    found = index(catalogue, items)
    assert (found.embedded, found.unchanged) == (0, 10) and model.calls == []
    assert index(catalogue, items, embed_again=True).embedded == 10


def test_what_changed_is_brought_up_to_date(catalogue, model):
    index(catalogue, [item(f"{n}", b"%d" % n, price=n) for n in range(6)])
    model.calls.clear()
    items = [
        item("0", b"0", price=0),
        item("1", b"1", price=99),  # dearer
        item("2", b"22", price=2),  # photographed anew
        item("6", b"6"),
    ]
    found = index(catalogue, items, prune=True)
    assert (found.embedded, found.updated, found.unchanged, found.deleted) == (2, 1, 1, 3)
    assert model.embedded == [b"22", b"6"]
    assert catalogue.ids() == ["0", "1", "2", "6"]
    assert catalogue.engine.records(["1"])[0].metadata["price"] == 99
    expected = Model()([b"0", b"1", b"22", b"6"])
    np.testing.assert_allclose(catalogue.engine.vectors(catalogue.ids()), expected, atol=1e-6)


def test_a_table_that_was_cut_off_deletes_nothing(catalogue, model):
    items = [item(f"{n}", b"%d" % n) for n in range(5)]
    index(catalogue, items)
    model.calls.clear()
    few = [item("0", b"dearer"), item("1", b"1")]
    with pytest.raises(ValueError, match=r"delete 3 of the catalogue's 5 items.*max_pruned=1"):
        index(catalogue, few, prune=True)
    for percent in (50, math.nan, -1):
        with pytest.raises(ValueError, match=f"max_pruned={percent}: expected a share"):
            index(catalogue, few, prune=True, max_pruned=percent)
    assert len(catalogue) == 5 and not model.calls
    assert index(catalogue, few, prune=True, max_pruned=1).deleted == 3
    assert catalogue.ids() == ["0", "1"]


def test_a_bad_photograph_takes_no_other_with_it(catalogue):
    items = [item(f"{n}", b"bad" if n in (3, 8) else b"%d" % n) for n in range(10)]
    items += [item("gone", None)]
    found = index(catalogue, items, batch_size=8)
    reason = "this is no photograph"
    assert found.problems == {"3": reason, "8": reason, "gone": "no such file"}
    assert found.embedded == 8 and len(catalogue) == 8
    np.testing.assert_allclose(catalogue.engine.vectors(["9"]), Model()([b"9"]), atol=1e-6)


def test_what_is_known_of_a_lost_photograph_is_brought_up_to_date(catalogue):
    """It is sold out, though its photograph cannot be read or is none today."""
    index(catalogue, [item(n, n.encode(), image=f"{n}.jpg", stock=3) for n in "ab"])
    now = {"image": "moved.jpg", "box": "0 0 9 9", "stock": 0}
    found = index(catalogue, [item("a", None, **now), item("b", b"bad", **now), item("c", None)])
    assert (found.embedded, found.updated, found.unchanged) == (0, 0, 0)
    assert list(found.problems) == ["a", "c", "b"] and found.items == 2
    for name, record in zip("ab", catalogue.engine.records(["a", "b"]), strict=True):
        assert record.metadata == {"image": f"{name}.jpg", "stock": 0}  # as it was embedded
    marks = {"a": "v-b'a'", "b": "v-b'b'"}
    assert catalogue.engine.marks(["a", "b"]) == marks
    expected = Model()([b"a", b"b"])
    np.testing.assert_allclose(catalogue.engine.vectors(["a", "b"]), expected, atol=1e-6)


def test_a_run_that_was_stopped_goes_on(catalogue, model):
    items = [item(f"{n}", b"%d" % n) for n in range(10)]
    embed, left = model.__class__.__call__, [2]

    def failing(self, images):
        if not left[0]:
            raise OSError("the server is away")
        left[0] -= 1
        return embed(self, images)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Model, "__call__", failing)
        with pytest.raises(OSError, match="away"):
            index(catalogue, items, batch_size=3)
    assert len(catalogue) == 6
    assert index(catalogue, items, batch_size=3).embedded == 4
    assert model.embedded == sorted(b"%d" % n for n in range(10))


def test_only_reading_tells_whether_some_photographs_changed(catalogue, model):
    """As behind URLs: what is read tells, given the mark of what was embedded."""
    asked = []

    def remote(name, content):
        def read(known):
            asked.append((name, known))
            mark = f"etag-{content}"
            return None if known == mark else Read(content, mark)

        return Item(name, Record({}, {"price": len(asked)}), None, read)

    index(catalogue, [remote("a", b"1"), remote("b", b"2")])
    model.calls.clear()
    asked.clear()
    found = index(catalogue, [remote("a", b"1"), remote("b", b"3")])
    assert asked == [("a", "etag-b'1'"), ("b", "etag-b'2'")] and model.embedded == [b"3"]
    assert (found.embedded, found.updated, found.unchanged) == (1, 0, 1)
    assert catalogue.engine.marks(["b"]) == {"b": "etag-b'3'"}


def test_vectors_of_elsewhere_are_kept_without_a_model(faiss_uri, fingerprint, unit):
    vectors = unit(5, 3, 8)
    records = {f"{n}": Record({}, {"price": n}) for n in range(4)}
    parts = [
        Embedded(["0", "1", "other"], vectors[:3], ["m0", "m1", "m"]),
        Embedded(["2"], vectors[3:4], [""]),
    ]
    with Catalogue(faiss_uri, VectorEmbedder(fingerprint, None)) as catalogue:
        found = load(catalogue, records, parts)
        assert (found.embedded, found.items) == (3, 3)
        assert found.problems == {"3": "it has no vectors there"}
        np.testing.assert_array_equal(catalogue.engine.vectors(["0", "1", "2"]), vectors[[0, 1, 3]])
        records = {"0": Record({}, {"price": 0}), "1": Record({}, {"price": 9})}
        again = [Embedded(["0", "1"], vectors[[0, 4]], ["m0", "m1, changed"])]
        found = load(catalogue, records, again, prune=True)
        assert (found.embedded, found.updated, found.unchanged, found.deleted) == (1, 0, 1, 1)
        np.testing.assert_array_equal(catalogue.engine.vectors(["1"])[0], vectors[4])
        assert catalogue.engine.records(["1"])[0].metadata == {"price": 9}
