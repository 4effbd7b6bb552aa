"""What every engine has to do, beside plain Python and double precision."""

import contextlib
import resource
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

from asen_tf.catalogue import Catalogue, Items, Record, open_store
from asen_tf.catalogue.filters import Comparison, parse
from asen_tf.embedders import Fingerprint

COUNT = 60
IDS = [f"{n:02d}.jpg" for n in range(COUNT)]


@pytest.fixture
def engine(filled_uri):
    with open_store(filled_uri) as engine:
        yield engine


def expected(items, query, rows):
    """(id, score) of these rows, best first, in loops."""
    scored = [
        (items.ids[row], float((query.astype(float) * items.vectors[row].astype(float)).sum()))
        for row in rows
    ]
    return sorted(scored, key=lambda pair: (-pair[1], pair[0]))


def check(hits, pairs):
    assert hits.ids == [name for name, _ in pairs]
    np.testing.assert_allclose(hits.scores, [score for _, score in pairs], atol=1e-5)


@pytest.mark.parametrize("weights", [(1, 0, 0), (0, 1, 0), (1, 0.5, -0.3), (-2, 0, 0)])
def test_scores_are_sums_of_weighted_cosines(engine, items, unit, weights):
    assert engine.exact
    query = unit(3, 8, seed=1) * np.array(weights, np.float32)[:, None]
    pairs = expected(items, query, range(COUNT))
    check(engine.search(query, 7), pairs[:7])
    check(engine.search(query, 7, offset=7), pairs[7:14])
    check(engine.search(query, 1000), pairs)
    check(engine.search(query, 5, offset=58), pairs[58:])
    check(engine.search(query, 5, offset=60), [])


def test_equal_scores_come_in_the_order_of_ids(engine, items, unit):
    same = np.repeat(unit(1, 3, 8, seed=5), 4, axis=0)
    engine.insert(Items(["d", "b", "a", "c"], same))
    assert engine.search(same[0], 4).ids == ["a", "b", "c", "d"]


CONDITIONS = {
    "price<20": lambda r: r.metadata.get("price", 99) < 20,
    "price>=20 and price<=40": lambda r: 20 <= r.metadata.get("price", 99) <= 40,
    "not price<20": lambda r: not r.metadata.get("price", 99) < 20,
    "price=7": lambda r: r.metadata.get("price") == 7,
    "price=7.0 or price!=8 and price>50": lambda r: (
        r.metadata.get("price") == 7 or r.metadata.get("price", -1) > 50
    ),
    "color=red": lambda r: "red" in r.labels["color"],
    "collar=polo": lambda r: "polo" in r.labels.get("collar", ()),
    "collar!=polo": lambda r: "polo" not in r.labels.get("collar", ()),
    "not (collar=mandarin or color=red)": lambda r: (
        "mandarin" not in r.labels.get("collar", ()) and "red" not in r.labels["color"]
    ),
    'brand="b & co"': lambda r: r.metadata.get("brand") == "b & co",
    "brand in (acme, 'c\"d')": lambda r: r.metadata.get("brand") in ("acme", 'c"d'),
    "new=true": lambda r: r.metadata.get("new") is True,
    "not new=true": lambda r: r.metadata.get("new") is not True,
}


@pytest.mark.parametrize("text", CONDITIONS)
def test_conditions_on_labels_and_metadata(engine, items, unit, text):
    query, condition = unit(3, 8, seed=2), parse(text)
    rows = [n for n in range(COUNT) if CONDITIONS[text](items.records[n])]
    check(engine.search(query, 9, condition), expected(items, query, rows)[:9])
    assert engine.ids(condition) == [IDS[n] for n in rows]


def test_excluded_items_are_left_out(engine, items, unit):
    query = unit(3, 8, seed=3)
    left = [n for n in range(COUNT) if n not in (4, 7)]
    hits = engine.search(query, 60, exclude=["04.jpg", "07.jpg", "nobody"])
    check(hits, expected(items, query, left))


def test_vectors_and_records_come_in_the_order_asked_for(engine, items):
    ids = ["31.jpg", "02.jpg", "31.jpg"]
    np.testing.assert_array_equal(engine.vectors(ids), items.vectors[[31, 2, 31]])
    np.testing.assert_array_equal(
        engine.vectors(ids, [2, 0]), items.vectors[[31, 2, 31]][:, [2, 0]]
    )
    assert engine.records(ids) == [items.records[n] for n in (31, 2, 31)]
    assert engine.vectors([]).shape == (0, 3, 8) and engine.records([]) == []


def test_items_are_replaced_and_deleted_and_all_of_it_lasts(filled_uri, fingerprint, items, unit):
    new = Items(
        ["05.jpg", "new"], unit(2, 3, 8, seed=9), [Record({}, {"price": 5}), items.records[1]]
    )
    with open_store(filled_uri, fingerprint) as engine:
        engine.upsert(new)
        assert engine.delete(["06.jpg", "07.jpg", "nobody", "06.jpg"]) == 2
        engine.upsert(items.take([7]))
        assert engine.delete(["06.jpg"]) == 0
    ids = sorted({*IDS, "new"} - {"06.jpg"})
    for compacted in (False, True):
        with open_store(filled_uri) as engine:
            assert engine.fingerprint == fingerprint
            assert len(engine) == 60 and engine.ids() == ids
            assert engine.known(["06.jpg", "05.jpg"]) == {"05.jpg"}
            np.testing.assert_array_equal(engine.vectors(["05.jpg", "new"]), new.vectors)
            np.testing.assert_array_equal(engine.vectors(["07.jpg"]), items.vectors[[7]])
            assert engine.records(["05.jpg"]) == [Record({}, {"price": 5})]
            assert engine.search(items.vectors[6], 60).ids.count("06.jpg") == 0
            assert engine.search(new.vectors[0], 1).ids == ["05.jpg"]
            if not compacted:
                engine.compact()


def test_records_change_and_vectors_stay(filled_uri, items):
    with Catalogue(filled_uri) as catalogue:
        catalogue.update(["07.jpg", "02.jpg"], [{"price": 1000, "brand": None}, {"stock": 3}])
        catalogue.update([], [])
        for bad, message in [
            (lambda: catalogue.update(["01.jpg", "nobody"], [{"price": 0}] * 2), "no item 'nobody"),
            (lambda: catalogue.update(["01.jpg"] * 2, [{"price": 0}] * 2), "comes twice"),
            (lambda: catalogue.update(["01.jpg"], []), "metadata of each of the 1 ids, got 0"),
            (lambda: catalogue.update(["01.jpg"], [{"price": np.inf}]), "a finite number"),
            (lambda: catalogue.update(["01.jpg"], [{"hem": 3}]), "give it as a label"),
        ]:
            with pytest.raises(ValueError, match=message):
                bad()
    with open_store(filled_uri) as engine:
        labels, before = items.records[7]
        after = {**before, "price": 1000, "brand": None}
        assert engine.records(["07.jpg"]) == [Record(labels, after)]
        assert engine.records(["01.jpg"]) == [items.records[1]]
        assert engine.ids(parse("price=1000")) == ["07.jpg"]
        assert engine.ids(parse("stock=3")) == ["02.jpg"]
        assert not engine.ids(parse("price=7")) and len(engine) == COUNT
        assert "07.jpg" not in engine.ids(parse(f"brand={before['brand']!r}"))
        np.testing.assert_array_equal(engine.vectors(IDS), items.vectors)


def test_marks_stay_with_their_vectors(filled_uri, unit):
    with open_store(filled_uri) as engine:
        assert engine.marks(["03.jpg", "new"]) == {"03.jpg": ""}
        engine.upsert(Items(["new", "03.jpg"], unit(2, 3, 8), (), ["7-1", 'a "b"']))
        engine.describe(["new"], [Record({}, {"mark": "no"})])
        engine.compact()
    with open_store(filled_uri) as engine:
        assert engine.marks(["03.jpg", "new"]) == {"03.jpg": 'a "b"', "new": "7-1"}
        assert engine.records(["new"]) == [Record({}, {"mark": "no"})]
        assert engine.ids(parse("mark=no")) == ["new"]
        engine.upsert(Items(["new"], unit(1, 3, 8)))
        assert engine.marks(["new"]) == {"new": ""}


def test_an_insert_of_a_known_id_writes_nothing(engine, items, unit):
    with pytest.raises(ValueError, match="there already, '03.jpg'"):
        engine.insert(Items(["a", "03.jpg"], unit(2, 3, 8, seed=4)))
    assert len(engine) == 60
    np.testing.assert_array_equal(engine.vectors(["03.jpg"]), items.vectors[[3]])


AWKWARD = [
    *("a,1", "l'amour.jpg", 'a"b.jpg', "back\\slash", "line\nbreak.jpg", "a\0b.jpg", "\u2028"),
    "".join(map(chr, range(1, 128))),
]


def test_any_text_is_an_id(uri, fingerprint, unit):
    """18-ids-with-commas, sec-02-milvus-apostrophe"""
    same = np.repeat(unit(1, 3, 8), len(AWKWARD), axis=0)
    records = [Record({"color": [name]}, {"name": name}) for name in AWKWARD]
    with open_store(uri, fingerprint) as engine:
        engine.insert(Items(AWKWARD, same, records))
        assert engine.known(AWKWARD) == set(AWKWARD)
        assert engine.ids() == engine.search(same[0], 9).ids == sorted(AWKWARD)
        for name, record in zip(AWKWARD, records, strict=True):
            assert engine.records([name]) == [record]
            for field in ("color", "name"):
                assert engine.ids(Comparison(field, "=", name)) == [name]
            others = engine.search(same[0], 9, exclude=[name]).ids
            assert others == sorted({*AWKWARD} - {name})
        assert engine.delete(AWKWARD[1:]) == len(AWKWARD) - 1
        assert engine.ids() == AWKWARD[:1]


def test_an_id_is_never_an_expression(engine):
    """sec-01-milvus-id-injection"""
    for evil in ("nothing'] or id not in ['q", 'nothing"] or id not in ["q', '" or id != "'):
        assert not engine.known([evil])
        assert engine.delete([evil]) == 0
        assert engine.search(engine.vectors(["00.jpg"])[0], 99, exclude=[evil]).ids != []
    assert len(engine) == COUNT


def test_pages_show_every_item_once(engine, unit):
    """47-pages-that-repeat: shops show one photograph for many sizes."""
    looks = unit(3, 3, 8, seed=6)
    engine.upsert(Items(IDS, looks[np.arange(COUNT) % 3]))
    # Of equal scores in the order of ids, however the sums of each are rounded.
    scores = (looks.astype(float) * looks[0].astype(float)).sum((1, 2))
    whole = [name for look in np.argsort(-scores) for name in IDS[look::3]]
    pages = [engine.search(looks[0], 7, offset=n).ids for n in range(0, COUNT + 7, 7)]
    assert [name for page in pages for name in page] == whole


@pytest.mark.parametrize(
    "after",
    [
        Record({}, {"price": 10, "brand": "acme"}),
        Record({"color": ["green"]}, {"price": 10, "brand": "acme"}),
        Record({"color": ["red"]}, {}),
        Record({"color": ["red"]}, {"price": "ask", "brand": "acme"}),
        Record({}, {}),
    ],
)
def test_nothing_is_left_of_what_was_replaced(uri, fingerprint, unit, after):
    """29-milvus-forgets-nothing"""
    before = Record({"color": ["red"]}, {"price": 10, "brand": "acme"})
    with open_store(uri, fingerprint) as engine:
        engine.upsert(Items(["a", "b"], unit(2, 3, 8), [before, before]))
        engine.upsert(Items(["a"], unit(1, 3, 8), [after]))
        expected = {
            "color=red": "red" in after.labels.get("color", ()),
            "not color=red": "red" not in after.labels.get("color", ()),
            "price<50": after.metadata.get("price") == 10,
            "brand=acme": after.metadata.get("brand") == "acme",
        }
        found = {where: "a" in engine.ids(parse(where)) for where in expected}
        assert found == expected


def test_what_earlier_versions_left_in_a_store_is_put_right(tmp_path, fingerprint, unit):
    pytest.importorskip("milvus_lite")
    uri = f"milvus:{tmp_path / 'store.db'}"
    with open_store(uri, fingerprint) as engine:
        items = Items(["a"], unit(1, 3, 8), [Record({"color": ["green"]}, {"price": 9})])
        stale = {"label.color=red": True, "number.size": 3.0}
        engine._client.insert("asen", [{**engine._row(items, 0), **stale}])
        row = {"id": "identity", "content": fingerprint.to_dict(), "vectors": [1.0, 0.0]}
        engine._client.insert("asen_identity", [row])
        assert engine.ids(parse("color=red")) == ["a"]
    for _ in range(2):
        with open_store(uri, fingerprint) as engine:
            assert engine.ids(parse("color=red")) == []
            assert engine.ids(parse("color=green and price=9")) == ["a"]
            assert not engine.has_field("size")
            np.testing.assert_array_equal(engine.vectors(["a"]), unit(1, 3, 8))


def test_bad_questions_are_explained(engine, unit):
    query = unit(3, 8)
    for call, message in [
        (lambda: engine.search(query[:2], 5), "[3, 8]"),
        (lambda: engine.search(query * 0, 5), "all zeros"),
        (lambda: engine.search(query * np.nan, 5), "not finite"),
        (lambda: engine.search(query, 0), "k must be positive"),
        (lambda: engine.search(query, 5, offset=-1), "offset not negative"),
        (lambda: engine.search(query, 5, parse("prise<3")), "no item has 'prise'"),
        (lambda: engine.ids(parse("price<3 or brand>5")), "> compares numbers, and 'brand' has"),
        (lambda: engine.ids(parse("color<3")), "< compares numbers, and 'color' has none"),
        (lambda: engine.ids(parse("not color in (red, grene)")), "Did you mean 'green'?"),
        (lambda: engine.vectors(["nobody"]), "no item 'nobody'"),
        (lambda: engine.records(["nobody"]), "no item 'nobody'"),
    ]:
        with pytest.raises(ValueError) as caught:
            call()
        assert message in str(caught.value)


def test_items_that_do_not_belong_are_refused(engine, unit):
    for items, message in [
        (Items(["a"], unit(1, 3, 9)), "[3, 8]"),
        (Items(["a"], unit(1, 3, 8), [Record({"colour": ["red"]}, {})]), "Did you mean 'color'"),
        (Items(["a"], unit(1, 3, 8), [Record({}, {"hem": 3})]), "give it as a label"),
    ]:
        with pytest.raises(ValueError) as caught:
            engine.upsert(items)
        assert message in str(caught.value)
    assert len(engine) == 60


def test_another_model_is_refused(filled_uri, fingerprint):
    for other in [
        Fingerprint(fingerprint.attributes, 9, "shop/1"),
        Fingerprint(fingerprint.attributes, 8, "shop/2"),
    ]:
        with pytest.raises(ValueError, match="store"):
            open_store(filled_uri, other)
    with open_store(filled_uri, fingerprint) as again:
        assert len(again) == 60


def test_nothing_is_made_by_looking(uri, fingerprint):
    with pytest.raises(FileNotFoundError, match="asen-index makes one"):
        open_store(uri)
    with pytest.raises(FileNotFoundError, match="asen-index makes one"):
        open_store(uri, fingerprint, read_only=True)


def test_what_was_opened_read_only_is_not_written(filled_uri, unit):
    items = Items(["new"], unit(1, 3, 8))
    with open_store(filled_uri, read_only=True) as engine:
        for write in (
            lambda: engine.upsert(items),
            lambda: engine.insert(items),
            lambda: engine.compact(),
        ):
            with pytest.raises(ValueError, match="read-only"):
                write()


def test_a_second_process_does_not_write(engine, filled_uri, items):
    program = f"from asen_tf.catalogue import open_store; open_store({filled_uri!r})"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.returncode == 1
    last = result.stderr.strip().splitlines()[-1]
    assert "BlockingIOError" in last and "has this store open for writing" in last
    engine.upsert(items)
    assert len(engine) == 60


def test_a_process_sees_what_another_writes(faiss_uri, fingerprint, unit):
    program = f"""
import sys
from asen_tf.catalogue import open_store
with open_store({faiss_uri!r}, read_only=True) as engine:
    for line in sys.stdin:
        print(engine.ids(), flush=True)
"""
    with open_store(faiss_uri, fingerprint) as writer:
        command = [sys.executable, "-c", program]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with subprocess.Popen(command, text=True, **pipes) as reader:

            def seen():
                print(file=reader.stdin, flush=True)
                return reader.stdout.readline().strip()

            assert seen() == "[]"
            writer.insert(Items(["a", "b"], unit(2, 3, 8)))
            assert seen() == "['a', 'b']"
            writer.delete(["a"])
            writer.compact()
            assert seen() == "['b']"
            reader.stdin.close()


def test_a_full_disk_loses_nothing(filled_uri, unit, small_disk, tmp_path):
    def new(name):
        return Items([name], unit(1, 3, 8, seed=7))

    engine = open_store(filled_uri)
    engine.insert(new("before"))
    small_disk(max(path.stat().st_size for path in tmp_path.rglob("*")) + 10)
    with pytest.raises(OSError):
        for n in range(1000):
            engine.insert(Items([f"{n}-{m}" for m in range(50)], unit(50, 3, 8)))
    small_disk(resource.RLIM_INFINITY)
    known = {"before", *engine.ids()}
    # With room again it may be refused, but not be taken and lost.
    with contextlib.suppress(OSError):
        engine.insert(new("next"))
        known.add("next")
    engine.close()
    for name in ("after", "at last"):
        with open_store(filled_uri) as engine:
            assert set(engine.ids()) == known
            engine.insert(new(name))
            known.add(name)
    with open_store(filled_uri) as engine:
        assert set(engine.ids()) == known


@pytest.mark.parametrize(
    ("ids", "change", "record", "message"),
    [
        (["a", "a"], 1, Record({}, {}), "id 'a' comes twice"),
        (["a", ""], 1, Record({}, {}), "an id must be a text"),
        (["a", 7], 1, Record({}, {}), "an id must be a text"),
        (["a"], 1, Record({}, {}), "got 1 ids"),
        (["a", "b"], 1.5, Record({}, {}), "item 'a': vector 0 is not of length one"),
        (["a", "b"], np.nan, Record({}, {}), "not of length one"),
        (["a", "b"], 1, Record({"color": "red"}, {}), "a list of texts as 'color', got 'red'"),
        (["a", "b"], 1, Record({}, {"price": np.float32(1)}), "as 'price'"),
        (["a", "b"], 1, Record({}, {"price": float("nan")}), "a finite number"),
        (["a", "b"], 1, Record({}, {"sizes": [1]}), "as 'sizes', got [1]"),
        # sec-09-metadata-huge-integer
        (["a", "b"], 1, Record({}, {"price": 10**400}), "'price' is an integer of 1329 bits"),
        (["a", "b"], 1, Record({}, {"price": 2**63}), "expected -9223372036854775808 to 92"),
        (["a", "b"], 1, Record({}, {"price": -(2**70)}), "'price' is an integer of 71 bits"),
        (["a", "\ud800"], 1, Record({}, {}), "expected Unicode text"),
        (["a", "b"], 1, Record({}, {"brand": "\udcff"}), "'brand': expected Unicode text"),
        (["a", "b"], 1, Record({"color": ["\udcff"]}, {}), "'color': expected Unicode text"),
        (["a", "b"], 1, Record({}, {"\udcff": 1}), "name of metadata: expected Unicode text"),
    ],
)
def test_items_are_checked(unit, ids, change, record, message):
    with pytest.raises(ValueError) as caught:
        Items(ids, unit(2, 3, 8) * change, [record] * 2)
    assert message in str(caught.value)


def test_a_server_takes_several_clients(fingerprint, items, unit, tmp_path):
    adapter = pytest.importorskip("milvus_lite.adapter.grpc.server")
    pytest.importorskip("pymilvus")
    server, database, port = adapter.start_server_in_thread(str(tmp_path / "data"), "127.0.0.1", 0)
    address = f"milvus:http://127.0.0.1:{port}?collection=shop"
    try:
        with open_store(address, fingerprint) as writer, open_store(address) as reader:
            writer.insert(items)
            assert len(reader) == 60 and reader.fingerprint == fingerprint
            query = unit(3, 8, seed=1)
            check(reader.search(query, 5), expected(items, query, range(COUNT))[:5])
            with pytest.raises(FileNotFoundError, match="no collection 'other'"):
                open_store(address.replace("shop", "other"))
    finally:
        server.stop(0)
        database.close()


def test_milvus_looks_once_for_what_no_item_has(
    make_filled, fingerprint, unit, tmp_path, monkeypatch
):
    pytest.importorskip("milvus_lite")
    place = shutil.copytree(make_filled("milvus"), tmp_path / "store.db")
    with open_store(f"milvus:{place}") as engine:
        looks = []
        query = engine._client.query

        def counted(*arguments, **options):
            looks.append(options["filter"])
            return query(*arguments, **options)

        monkeypatch.setattr(engine._client, "query", counted)

        def has():
            return engine.has_label("hem", "a"), engine.has_field("size"), engine.has_numbers("new")

        assert has() == has() == (False, False, False) and len(looks) == 3
        # What it writes itself is there at once.
        engine.upsert(Items(["z"], unit(1, 3, 8), [Record({"hem": ["a"]}, {"size": 1, "new": 2})]))
        assert has() == (True, True, True)
        engine.delete(["z"])
        assert has() == (False, False, False)
        # What others write, soon.
        with open_store(f"milvus:{place}") as other:
            other.upsert(Items(["z"], unit(1, 3, 8), [Record({}, {"size": 1})]))
        assert not engine.has_field("size")
        now = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: now + 11)
        assert engine.has_field("size")


def test_a_file_is_no_store_of_milvus(fingerprint, tmp_path, capfd):
    """40-small-surprises: in a line."""
    pytest.importorskip("milvus_lite")
    (tmp_path / "t.db").write_text("text")
    capfd.readouterr()
    with pytest.raises(FileExistsError, match=r"t\.db: no store; expected a new name"):
        open_store(f"milvus:{tmp_path}/t.db", fingerprint)
    assert capfd.readouterr() == ("", "")


def test_a_server_that_is_away(fingerprint):
    pytest.importorskip("pymilvus")
    with pytest.raises(ConnectionError, match="127.0.0.1:1 cannot be opened"):
        open_store("milvus:http://127.0.0.1:1", fingerprint)


def test_a_proxy_does_not_stand_before_this_machine(uri, fingerprint, unit, monkeypatch):
    """33-proxy-for-this-machine"""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with open_store(uri, fingerprint) as engine:
        engine.insert(Items(["a"], unit(1, 3, 8)))
        assert engine.ids() == ["a"]


@pytest.mark.parametrize(
    "uri",
    [
        "milvus:http://localhost:99999",
        "milvus:http://",
        "fais:x",
        "faiss",
        "faiss:",
        "milvus:notdb",
        "faiss:?index=Flat",
    ],
)
def test_a_wrong_uri_is_explained(uri, fingerprint):
    pytest.importorskip("faiss")
    pytest.importorskip("pymilvus")
    with pytest.raises(ValueError, match="store|milvus"):
        open_store(uri, fingerprint)
