"""The same operations, drawn at random, on both engines: they must answer alike."""

import itertools

import numpy as np
import pytest

from asen_tf.catalogue import Items, Record, open_store
from asen_tf.catalogue.filters import All, AnyOf, Comparison, Not

# Texts that mean something to Milvus' grammar, and every character of ASCII.
TEXTS = [
    *("a,1", "l'amour.jpg", 'a"b', "back\\slash", "line\nbreak", "carriage\r", "tab\t", "a\0b"),
    *("nothing'] or id not in ['q", '"] or id != "', "id", " ", "%", "{x}", "$meta", "\u2028"),
    *("é", "e\u0301", "😀", "".join(map(chr, range(1, 128))), "\\", "\\n", "\\'", "true", "5"),
]
NUMBERS = [0, 5, -5, 5.0, 0.1, -1e300, 2**53, 2**53 + 1, 2**63 - 1, -(2**63)]
COLORS = ["red", "green", 'r"d', "line\nbreak", "a=b"]
SIGNS = ["=", "<", "<=", ">", ">="]


class Drawn:
    """What one seed draws; the same for both engines."""

    def __init__(self, seed, unit):
        self._random = np.random.default_rng(seed)
        # Few looks: many items score alike.
        self._looks = unit(4, 3, 8, seed=seed)

    def one(self, things):
        return things[self._random.integers(len(things))]

    def some(self, things, most):
        order = self._random.permutation(len(things))[: self._random.integers(1, most)]
        return [things[n] for n in order]

    def record(self):
        labels = {"color": self.some(COLORS, 3), "collar": ["polo"], "hem": []}
        cells = {
            "price": NUMBERS,
            "brand": TEXTS,
            "new": [True, False],
            "odd": [None, 5, "5", True],
        }
        metadata = {name: self.one(values) for name, values in cells.items()}
        kept = self.some([*labels, *metadata], 6)
        return Record(
            *({k: v for k, v in part.items() if k in kept} for part in (labels, metadata))
        )

    def items(self, most):
        names = self.some(TEXTS, most)
        looks = self._random.integers(len(self._looks), size=len(names))
        return Items(names, self._looks[looks], [self.record() for _ in names])

    def condition(self, depth=2):
        kind = self._random.integers(5) if depth else 0
        if kind == 1:
            return Not(self.condition(depth - 1))
        if kind in (2, 3):
            return (All, AnyOf)[kind - 2](tuple(self.condition(depth - 1) for _ in range(2)))
        name = self.one(["color", "collar", "price", "brand", "new", "odd", "nobody"])
        sign = self.one(SIGNS)
        numbers = [*map(str, NUMBERS), "-0.5", "1e3", "5"]
        known = {"color": COLORS, "collar": ["polo"], "brand": TEXTS}.get(name, [*numbers, "true"])
        return Comparison(name, sign, self.one(known if sign == "=" else numbers))

    def query(self):
        weights = np.array(self.one([(1, 0, 0), (1, 1, 1), (0.5, -1, 0), (0, 0, 2)]), np.float32)
        return self.one(self._looks) * weights[:, None]

    def step(self):
        """A name, and a function of an engine."""
        kinds = "upsert upsert insert delete ids search search known counts having"
        kind = self.one(kinds.split())
        names, where = self.some(TEXTS, 8), self.one([None, self.condition()])
        if kind in ("upsert", "insert"):
            items = self.items(12 if kind == "upsert" else 3)
            return kind, lambda engine: getattr(engine, kind)(items)
        if kind == "search":
            query, exclude, size = self.query(), self.one([(), names]), self.one([1, 3, 7])
            limits = where, exclude, self.one(["", "brand", "odd", "price", "nobody"])
            return f"search {limits}", lambda engine: paged(engine, query, size, *limits)
        group = self.one(["", "brand", "odd", "nobody"])
        fields = ["color", "brand", "odd", "price", "new", "nobody"]
        calls = {
            "counts": lambda engine: engine.counts(fields, where, group),
            "having": lambda engine: engine.having("brand", names, where),
            "delete": lambda engine: engine.delete(names),
            "known": lambda engine: engine.known(names),
            "ids": lambda engine: engine.ids(where),
        }
        return f"{kind} {where}", calls[kind]


def paged(engine, query, size, where, exclude, group):
    """Ids and scores of all pages, which are those of one long page."""
    whole = engine.search(query, 1000, where, exclude, group=group)
    pages = [
        engine.search(query, size, where, exclude, offset, group)
        for offset in range(0, len(whole.ids) + size, size)
    ]
    assert whole.ids == list(itertools.chain(*(page.ids for page in pages)))
    np.testing.assert_array_equal(whole.scores, np.concatenate([page.scores for page in pages]))
    return whole.ids, whole.scores.tolist()


def answer(call, engine):
    try:
        return call(engine)
    except ValueError as error:
        return str(error)


def content(engine):
    ids = engine.ids()
    vectors = engine.vectors(ids).tolist()
    return len(engine), ids, vectors, [tuple(map(dict, one)) for one in engine.records(ids)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("milvus", ["lite", "server"])
def test_both_engines_answer_alike(milvus, seed, tmp_path, fingerprint, unit, request):
    pytest.importorskip("faiss")
    pytest.importorskip("milvus_lite")
    other = tmp_path / "store.db"
    if milvus == "server":
        other = f"{request.getfixturevalue('milvus_server')}?collection=seed_{seed}"
    places = [f"faiss:{tmp_path / 'store'}", f"milvus:{other}"]
    drawn = Drawn(seed, unit)
    for _ in range(2):
        first, second = (open_store(place, fingerprint) for place in places)
        with first, second:
            for _ in range(60):
                what, call = drawn.step()
                assert answer(call, first) == answer(call, second), what
            assert content(first) == content(second)
            first.compact()
            second.compact()
