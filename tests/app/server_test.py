"""What the page asks, without a browser; browser_test.py has the page itself."""

import io
import json
import re
import struct
import threading
import zlib

import anyio
import numpy as np
import pytest
from PIL import Image

from asen_tf.app import Limits, Model, Problem, create_app
from asen_tf.catalogue import Catalogue, Record
from asen_tf.embedders import VectorEmbedder
from asen_tf.photographs import Source

starlette = pytest.importorskip("starlette.testclient")


@pytest.fixture
def client(page):
    with starlette.TestClient(page, raise_server_exceptions=False) as client:
        yield client


def ask(client, path, query):
    response = client.post(f"/v1/{path}", json=query)
    assert response.status_code == 200, response.text
    return response.json()


def refused(response, status, code):
    """The problem that is told."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status and problem["code"] == code and problem["advice"]
    return problem["title"]


def send(client, encoded):
    response = client.post("/v1/photographs", content=encoded)
    assert response.status_code == 201, response.text
    return response.json()


def ids(answer):
    return [one["id"] for one in answer["results"]]


def as_file(image, format, **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def declaring(side):
    """A PNG of a few bytes that says it is a large square."""
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)), (b"IDAT", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def test_a_photograph_finds_what_the_catalogue_finds(client, catalogue, embedder, jpegs):
    photograph = send(client, jpegs[-1])
    found = ask(
        client,
        "search",
        {
            "query": {"photograph": photograph["photograph"]},
            "weights": {"collar": 1, "color": -0.5},
            "changes": {"collar": "mandarin"},
            "exclude": ["garment-3"],
            "count": 5,
        },
    )
    [vectors] = embedder.embed_all([jpegs[-1]])
    query = {"vectors": vectors, "weights": {"collar": 1, "color": -0.5}}
    expected = catalogue.search(changes={"collar": "mandarin"}, exclude=["garment-3"], k=5, **query)
    assert ids(found) == [match.id for match in expected]
    first = found["results"][0]
    assert first["score"] == pytest.approx(expected[0].score, abs=1e-4)
    assert first["cosines"].keys() == {"collar", "color"}
    assert first["metadata"].keys() == {"brand", "price", "new"}
    assert found["more"] and found["regions"] == ["collar"]
    assert found["weights"]["collar"] == pytest.approx(2 / 3)
    assert found["weights"]["color"] == pytest.approx(-1 / 3)


def test_words_are_the_query_or_change_it(client, catalogue):
    pytest.importorskip("ahocorasick")
    labels = {one: record.labels for one, record in records(catalogue).items()}
    query = {"text": "a red or blue one, not striped, velcro", "count": 30}
    alone = ask(client, "search", query)
    asked = {"wanted": {"color": ["red", "blue"]}, "unwanted": {"pattern": ["stripes"]}}
    asked["free"] = ""
    assert alone["query"] is None and alone["understood"] == asked
    assert [one["words"] for one in alone["unknown"]] == ["one", "velcro"]
    met = {
        one
        for one, its in labels.items()
        if its["color"][0] in ("red", "blue") and its["pattern"] != ["stripes"]
    }
    assert set(ids(alone)) == met
    # What was understood can be sent back.
    assert ids(ask(client, "search", {**asked, "count": 30})) == ids(alone)
    # Facets count what the words leave.
    [*counts] = ask(client, "search", {**asked, "facets": ["color"]})["facets"]["color"]
    assert {one["value"] for one in counts} == {"red", "blue"}
    beside = {"query": {"item": "garment-0"}}
    changed = ask(client, "search", {**beside, "text": "mandarin collar"})
    expected = ask(client, "search", {**beside, "changes": {"collar": "mandarin"}})
    assert ids(changed) == ids(expected) and changed["understood"]["unwanted"] == {}
    assert "understood" not in expected


def test_free_text_is_searched_with_and_sent_back(client, reader, catalogue):
    pytest.importorskip("ahocorasick")
    found = ask(client, "search", {"text": "flowing, red, not frilly"})
    understood = {"wanted": {"color": ["red"]}, "unwanted": {}, "free": "flowing"}
    assert found["understood"] == understood
    assert [one["words"] for one in found["unknown"]] == ["not frilly"]
    assert ids(ask(client, "search", understood)) == ids(found)
    alone = ask(client, "search", {"free": "flowing"})
    assert ids(alone)[0] == "garment-7" and alone["weights"]["collar"] == 1
    query = {"query": {"item": "garment-0"}, "weights": {"collar": 1}, "free": "flowing"}
    assert ids(ask(client, "search", query))[0] == "garment-7"
    catalogue.text_model = None
    problem = client.post("/v1/search", json={"free": "flowing"})
    assert "reads the free text 'flowing'" in refused(problem, 422, "query")


def test_words_that_are_passed_over_are_told(client):
    pytest.importorskip("ahocorasick")
    text = "a red one. Pair it with blue jeans; black friday"
    found = ask(client, "search", {"text": text})
    assert found["understood"]["wanted"] == {"color": ["red"]}
    told = {one["words"]: one["why"] for one in found["unknown"]}
    assert set(told) == {"one", "pair it with blue jeans", "black friday"}
    assert "another article" in told["pair it with blue jeans"]


def test_a_negative_weight_of_what_is_not_wanted_is_refused(client):
    pytest.importorskip("ahocorasick")
    query = {"text": "not red", "weights": {"color": -1}}
    title = refused(client.post("/v1/search", json=query), 422, "query")
    assert "leave out its sign" in title


@pytest.mark.parametrize(
    "query",
    [
        {"text": "velcro"},
        {"text": "  "},
        {"wanted": {"colour": ["red"]}},
        {"wanted": {"color": []}},
        {"unwanted": {"color": ["'; DROP TABLE cells"]}},
    ],
)
def test_words_that_say_nothing_are_refused(client, query):
    pytest.importorskip("ahocorasick")
    refused(client.post("/v1/search", json=query), 422, "query")


def records(catalogue):
    names = catalogue.ids()
    return dict(zip(names, catalogue.engine.records(names), strict=True))


def test_regions_are_of_what_weighs_most_or_is_most_similar(client):
    query = {"query": {"item": "garment-0"}, "count": 10}
    similar = ask(client, "search", query)
    cosines = {
        name: np.mean([one["cosines"][name] for one in similar["results"]])
        for name in similar["weights"]
    }
    assert similar["regions"] == [max(cosines, key=cosines.get)]
    weights = {"color": 1, "collar": -1, "pocket": 0.5}
    two = ask(client, "search", {**query, "weights": weights})
    assert two["regions"] == ["collar", "color"]


def test_pages_follow_each_other(client):
    query = {"query": {"item": "garment-0"}, "count": 20}
    first = ask(client, "search", query)
    second = ask(client, "search", {**query, "offset": 20})
    assert first["more"] and not second["more"]
    assert sorted(ids(first) + ids(second)) == sorted(f"garment-{n}" for n in range(1, 30))


def test_filters_and_the_condition_hold_together(client):
    query = {"query": {"item": "garment-0"}, "count": 48}
    filters = {"price": {"least": 50, "most": 250}, "brand": {"equals": "b & co"}}
    condition = "not new=true and price!=110"
    found = ask(client, "search", {**query, "filters": filters, "condition": condition})
    wanted = [n for n in range(5, 26) if n % 2 and n % 3 and n != 11]
    assert sorted(ids(found)) == sorted(f"garment-{n}" for n in wanted)


def test_feedback_goes_on_from_what_was_liked(client, catalogue):
    rounds = [["garment-4", "garment-9"], ["garment-9", "garment-2", "garment-5"]]
    found = ask(client, "search", {"query": {"item": "garment-0"}, "liked": rounds, "count": 5})
    expected = catalogue.search(id="garment-0", liked=rounds, k=5)
    assert found["query"] == {"item": "garment-9"}
    assert ids(found) == [match.id for match in expected]
    weights = np.array(list(found["weights"].values()))
    assert weights.sum() == pytest.approx(1) and weights.std() > 0
    near = weights.max() * (1 - 1e-3)  # two that count alike are both shown
    assert found["regions"] == [name for name, weight in found["weights"].items() if weight > near]
    by_distance = {"query": {"item": "garment-0"}, "liked": rounds, "measure": "euclidean"}
    found = ask(client, "search", by_distance | {"count": 5})
    expected = catalogue.search(id="garment-0", liked=rounds, measure="euclidean", k=5)
    assert found["query"] == {"item": "garment-0"}
    assert ids(found) == [match.id for match in expected]


def test_regions_are_those_of_the_model(client, embedder, jpegs, garments):
    photograph = send(client, jpegs[-1])["photograph"]
    photographs = [{"photograph": photograph}, {"item": "garment-7"}, {"item": "garment-29"}]
    query = {"photographs": photographs, "attributes": ["collar", "color"]}
    regions = ask(client, "regions", query)["regions"]
    for n, attribute in enumerate(query["attributes"]):
        _, boxes = embedder.explain([jpegs[-1], jpegs[7]], attribute)
        for m, garment in enumerate((garments[-1], garments[7])):
            height, width = garment.image.shape[:2]
            expected = boxes[m] / [width, height, width, height]
            np.testing.assert_allclose(regions[m][n], expected, atol=1e-4)
    assert regions[2] == [None, None]
    # What was looked at is kept.
    embedder.explain = None
    assert ask(client, "regions", query)["regions"] == regions
    del embedder.explain


def test_predictions_are_the_most_probable_values(client, embedder, jpegs):
    photograph = send(client, jpegs[-1])["photograph"]
    found = embedder.predict_all([jpegs[-1], jpegs[7]])
    for n, reference in enumerate(({"photograph": photograph}, {"item": "garment-7"})):
        predictions = ask(client, "predict", {"photograph": reference})["predictions"]
        assert [one["attribute"] for one in predictions] == list(embedder.attributes)
        for one in predictions:
            own = found[one["attribute"]][n]
            assert one["value"] == embedder.attributes[one["attribute"]].values[own.argmax()]
            assert one["probability"] == pytest.approx(own.max(), abs=1e-3)
    missing = {"photograph": {"item": "garment-29"}}
    assert ask(client, "predict", missing) == {"predictions": []}
    embedder.away = True
    refused(client.post("/v1/predict", json={"photograph": reference}), 503, "model_away")
    embedder.away = False


def test_a_model_that_says_no_values(client, embedder):
    known = embedder.model.value_classifiers
    embedder.model.value_classifiers = None
    try:
        query = {"photograph": {"item": "garment-7"}}
        title = refused(client.post("/v1/predict", json=query), 422, "no_values")
    finally:
        embedder.model.value_classifiers = known
    assert title == "The model does not say which values photographs show."


def test_a_box_says_which_garment_is_meant(client, catalogue, embedder, jpegs, garments):
    sent = send(client, jpegs[-1])
    width, height = sent["width"], sent["height"]
    shares = [0.25, 0.1, 0.75, 0.6]
    box = np.array(shares) * [width, height, width, height]
    cut = ask(client, "cut", {"photograph": sent["photograph"], "box": shares})
    query = {"query": cut, "weights": {"collar": 1}, "count": 3}
    [vectors] = embedder.embed_all([jpegs[-1]], [box])
    expected = catalogue.search(vectors=vectors, weights={"collar": 1}, k=3)
    assert ids(ask(client, "search", query)) == [match.id for match in expected]
    # What is seen stays the whole photograph, and regions are shares of it.
    small = Image.open(io.BytesIO(client.get("/v1/picture", params=cut).content))
    assert small.size == (width, height)
    look = {"photographs": [cut], "attributes": ["collar"]}
    [[region]] = ask(client, "regions", look)["regions"]
    _, [expected] = embedder.explain([jpegs[-1]], "collar", [box])
    np.testing.assert_allclose(region, expected / [width, height, width, height], atol=1e-4)
    # The whole counts again.
    whole = ask(client, "cut", {"photograph": cut["photograph"], "box": None})
    [vectors] = embedder.embed_all([jpegs[-1]])
    expected = catalogue.search(vectors=vectors, weights={"collar": 1}, k=3)
    assert ids(ask(client, "search", {**query, "query": whole})) == [m.id for m in expected]


@pytest.mark.parametrize("box", [[0.5, 0.1, 0.5, 0.6], [0, 0, 1.2, 1], [0, 0, 1], "all"])
def test_what_is_no_box_is_told(box, client, jpegs):
    sent = send(client, jpegs[-1])["photograph"]
    refused(client.post("/v1/cut", json={"photograph": sent, "box": box}), 422, "query")
    gone = client.post("/v1/cut", json={"photograph": "gone", "box": [0, 0, 1, 1]})
    refused(gone, 410, "photograph_gone")


def test_regions_of_items_lie_in_their_boxes(catalogue, shop, embedder, garments, jpegs, tmp_path):
    fingerprint, vectors = catalogue.engine.fingerprint, catalogue.engine.vectors(["garment-0"])
    boxes = ["20 30 80 90", "my own note"]
    records = [Record({}, {"image": "garment-7.jpg", "box": box}) for box in boxes]
    with Catalogue(f"faiss:{tmp_path}/store", VectorEmbedder(fingerprint)) as other:
        other.insert(["a", "b"], np.repeat(vectors, 2, axis=0), records)
        app = create_app(
            other, Model(embedder, fingerprint), Source(shop / "photographs"), hosts=["testserver"]
        )
        with starlette.TestClient(app) as client:
            look = {"photographs": [{"item": "a"}, {"item": "b"}], "attributes": ["collar"]}
            regions = ask(client, "regions", look)["regions"]
            [shown] = ask(client, "search", {"query": {"item": "b"}})["results"]
    assert shown["metadata"] == {}
    height, width = garments[7].image.shape[:2]
    _, expected = embedder.explain([jpegs[7]] * 2, "collar", [(20, 30, 80, 90), None])
    expected = expected / [width, height, width, height]
    np.testing.assert_allclose(np.array(regions)[:, 0], expected, atol=1e-4)


def test_one_broken_photograph_hides_no_other_ones_region(client, shop, jpegs):
    photographs = [{"item": "garment-3"}, {"item": "garment-4"}]
    broken = shop / "photographs" / "garment-4.jpg"
    broken.write_bytes(jpegs[4][:3000])
    try:
        regions = ask(client, "regions", {"photographs": photographs, "attributes": ["color"]})
    finally:
        broken.write_bytes(jpegs[4])
    [[box], [none]] = regions["regions"]
    assert len(box) == 4 and none is None


def test_a_model_without_attention_is_told_from_one_that_is_away(client, embedder, monkeypatch):
    def explain(images, attribute):
        raise NotImplementedError("CSN has no attention")

    monkeypatch.setattr(embedder, "explain", explain)
    look = {"photographs": [{"item": "garment-3"}], "attributes": ["color"]}
    refused(client.post("/v1/regions", json=look), 422, "no_regions")


def test_comparison_in_the_order_of_the_attributes(client, catalogue, jpegs):
    items = {"left": {"item": "garment-1"}, "right": {"item": "garment-2"}}
    found = ask(client, "compare", items)["attributes"]
    expected = {one.attribute: one for one in catalogue.compare("garment-2", id="garment-1")}
    assert [one["attribute"] for one in found] == list(catalogue.attributes)
    for one in found:
        assert one["cosine"] == pytest.approx(expected[one["attribute"]].cosine, abs=1e-5)
        assert one["percentile"] == pytest.approx(expected[one["attribute"]].percentile)
    # A photograph may stand on either side.
    photograph = {"photograph": send(client, jpegs[2])["photograph"]}
    found = ask(client, "compare", {"left": {"item": "garment-2"}, "right": photograph})
    assert {round(one["cosine"], 3) for one in found["attributes"]} == {1.0}
    response = client.post("/v1/compare", json={"left": photograph, "right": photograph})
    assert "must be an item's" in refused(response, 422, "query")


def test_no_other_folder_is_read(catalogue, shop, embedder, garments, tmp_path):
    fingerprint, vectors = catalogue.engine.fingerprint, catalogue.engine.vectors(["garment-0"])
    outside = ["../secret.jpg", str(shop / "secret.jpg"), "garment-0.jpg"]
    with Catalogue(f"faiss:{tmp_path}/store", VectorEmbedder(fingerprint)) as other:
        records = [Record({}, {"image": name}) for name in outside]
        other.insert(["a", "b", "c"], np.repeat(vectors, 3, axis=0), records)
        app = create_app(
            other, Model(embedder, fingerprint), Source(shop / "photographs"), hosts=["testserver"]
        )
        with starlette.TestClient(app) as client:
            for item in "ab":
                refused(client.get("/v1/picture", params={"item": item}), 404, "no_picture")
            response = client.get("/v1/picture", params={"item": "c", "size": "large"})
    picture = Image.open(io.BytesIO(response.content))
    assert picture.format == "JPEG" and picture.size == garments[0].image.shape[1::-1]
    assert response.headers["content-type"] == "image/jpeg"


def test_telephones_photographs_are_turned_and_other_formats_taken(client, embedder, garments):
    upright = Image.fromarray(garments[-1].image)
    exif = Image.Exif()
    exif[0x0112] = 6  # held so that it must be turned clockwise
    lying = as_file(upright.transpose(Image.Transpose.ROTATE_90), "JPEG", quality=95, exif=exif)
    plain, turned = send(client, as_file(upright, "PNG")), send(client, lying)
    webp = send(client, as_file(upright.convert("RGBA"), "WEBP", lossless=True))
    found = []
    for one in (plain, turned, webp):
        assert (one["width"], one["height"]) == upright.size
        query = {"query": {"photograph": one["photograph"]}, "count": 5}
        found.append(ask(client, "search", query)["results"])
        small = client.get("/v1/picture", params={"photograph": one["photograph"]}).content
        size = Image.open(io.BytesIO(small)).size
        assert size[0] < size[1]
    for other in found[1:]:
        scores = [one["score"] for one in other]
        np.testing.assert_allclose(scores, [one["score"] for one in found[0]], atol=0.05)


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"]
)
def test_what_is_no_photograph_is_refused(client, content):
    response = client.post("/v1/photographs", content=content)
    assert "no photograph" in refused(response, 415, "no_photograph")


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_a_broken_photograph_is_refused(client, garments, format):
    whole = as_file(Image.fromarray(garments[0].image), format)
    response = client.post("/v1/photographs", content=whole[: len(whole) // 2])
    assert "no photograph" in refused(response, 415, "no_photograph")
    assert format == "WEBP" or "broken" in response.text


def test_a_png_of_broken_chunks_is_refused(client, garments):
    whole = as_file(Image.fromarray(garments[0].image), "PNG")
    second = whole.index(b"IDAT") + 4 + int.from_bytes(whole[33:37], "big") + 4
    broken = whole[: second + 4] + b"\0\0\0\0" + whole[second + 8 :]
    response = client.post("/v1/photographs", content=broken)
    assert "broken" in refused(response, 415, "no_photograph")


def test_too_much_is_refused_before_it_is_decoded(client):
    too_long = b"\xff\xd8" + bytes(300_000)
    refused(client.post("/v1/photographs", content=too_long), 413, "too_large")
    # Without its length it is counted as it comes.
    parts = (bytes(50_000) for _ in range(10))
    refused(client.post("/v1/photographs", content=parts), 413, "too_large")
    for side, said in ((1001, "1001 x 1001"), (60_000, "hundreds of millions of")):
        title = refused(client.post("/v1/photographs", content=declaring(side)), 413, "too_large")
        assert said in title
    refused(client.post("/v1/search", content=b" " * 300_000), 413, "too_large")


def test_without_its_server_what_needs_no_model_goes_on(client, embedder, jpegs):
    embedder.away = True
    response = client.post("/v1/photographs", content=jpegs[0])
    assert "does not answer" in refused(response, 503, "model_away")
    health = client.get("/v1/health")
    assert health.status_code == 200
    assert health.json() == {"status": "limited", "problem": response.json()}
    assert "secret-host" not in response.text
    assert ids(ask(client, "search", {"query": {"item": "garment-0"}}))
    embedder.away = False
    assert client.get("/v1/health").json() == {"status": "ready", "problem": None}
    send(client, jpegs[0])


def test_a_model_that_hangs_holds_up_no_search(catalogue, shop, embedder, monkeypatch):
    called, answer = threading.Event(), threading.Event()

    def explain(images, attribute):
        called.set()
        answer.wait(10)
        raise OSError("DEADLINE_EXCEEDED")

    monkeypatch.setattr(embedder, "explain", explain)
    app = create_app(
        catalogue,
        Model(embedder, catalogue.engine.fingerprint),
        Source(shop / "photographs"),
        hosts=["testserver"],
        limits=Limits(at_once=1),
    )
    look = {"photographs": [{"item": "garment-3"}], "attributes": ["color"]}
    with starlette.TestClient(app) as client:
        hanging = threading.Thread(target=client.post, args=("/v1/regions",), kwargs={"json": look})
        hanging.start()
        assert called.wait(20)
        ask(client, "search", {"query": {"item": "garment-0"}})
        assert hanging.is_alive() and not answer.is_set()
        answer.set()
        hanging.join()


def test_a_model_that_was_away_is_not_called_by_each_visitor(catalogue, embedder, monkeypatch):
    calls = []

    def embed_all(images):
        calls.append(images)
        raise OSError("UNAVAILABLE")

    monkeypatch.setattr(embedder, "embed_all", embed_all)
    model = Model(embedder, catalogue.engine.fingerprint)
    for _ in range(3):
        with pytest.raises(Problem, match="does not answer"):
            model.check()
    assert len(calls) == 1


def test_another_model_is_told_from_the_stores(client, embedder, monkeypatch, jpegs):
    monkeypatch.setattr(embedder, "embed_all", lambda images: np.eye(8, 24)[None].repeat(1, 0))
    response = client.post("/v1/photographs", content=jpegs[0])
    assert "does not fit" in refused(response, 409, "model_differs")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"query": {"item": "garment-99"}}, "garment-99"),
        ({"query": {"item": "garment-0"}, "weights": {"colar": 1}}, "Did you mean 'collar'"),
        (
            {"query": {"item": "garment-0"}, "changes": {"collar": "mandarn"}},
            "Did you mean 'mandarin'",
        ),
        ({"query": {"item": "garment-0"}, "weights": {"collar": 0}}, "only zeros"),
        ({"query": {"item": "garment-0"}, "filters": {"prize": {"least": 1}}}, "prize"),
        ({"query": {"item": "garment-0"}, "count": 49}, "Count: "),
        ({"query": {}}, "Query: expected one of item, photograph and product."),
        ({"query": {"item": "garment-0", "product": "p"}}, "Query: expected one of item, "),
        ({"query": {"item": []}}, "should have at least 1 item"),
        ({"query": {"item": ["garment-0"] * 17}}, "should have at most 16 items"),
        ({"query": {"item": ["garment-0", 1]}}, "Query.item.several.1: Input should be a valid s"),
        ({"query": {"item": ["garment-0", "garment-99"]}}, "garment-99"),
        ({"query": {"photograph": ["x"] * 17}}, "should have at most 16 items"),
        ({"query": {"product": "none"}}, "No item of the product 'none'"),
        ({"query": {"product": True}}, "Query.product"),
        ({"query": {"product": 10**400}}, "No item of the product"),
        ({"query": {"item": "garment-0"}, "several": "worst"}, "'mean' or 'best'"),
        ({"query": {"item": "garment-0"}, "ceiling": 2}, "Ceiling: "),
        ({"query": {"item": "garment-0"}, "threshold": 0.5, "ceiling": 0.4}, "below the ceiling"),
        ({"query": {"item": "garment-0"}, "diversity": 1.1}, "less than or equal to 1"),
        ({"query": {"item": "garment-0"}, "disliked": ["garment-99"]}, "garment-99"),
        ({"query": {"item": "garment-0"}, "facets": ["colour"]}, "No item has 'colour'"),
        ({"query": {"item": "garment-0"}, "facets": ["image"]}, "'image' is not shown"),
        ({"query": {"item": "garment-0"}, "facets": ["color"] * 21}, "should have at most 20"),
        ({"query": {"item": "garment-0"}, "facets": "color"}, "Facets: Input should be a valid li"),
        ({}, "Expected a query, liked items, or words"),
        ({"liked": [[], []]}, "Expected a query, liked items, or words"),
        ({"liked": [["garment-1", "garment-2"]], "measure": "euclidean"}, "give one, or like a"),
        ("no object", "valid dictionary"),
    ],
)
def test_bad_queries_are_explained(client, query, said):
    response = client.post("/v1/search", json=query)
    assert said in refused(response, 422, "query")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 200_000])
def test_what_is_no_json_is_refused(client, content):
    kind = {"Content-Type": "application/json"}
    response = client.post("/v1/search", content=content, headers=kind)
    assert "JSON" in refused(response, 400, "query")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "a/b/c"])
def test_json_has_to_be_said(client, kind):
    query = json.dumps({"query": {"item": "garment-0"}})
    response = client.post("/v1/search", content=query, headers={"Content-Type": kind})
    assert f"application/json, got {kind or 'none'}" in refused(response, 415, "query")


def test_an_upload_that_breaks_off_is_no_error_of_the_server(page, caplog):
    parts = [
        {"type": "http.request", "body": b"\xff\xd8", "more_body": True},
        {"type": "http.disconnect"},
    ]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/photographs",
        "query_string": b"",
        "headers": [(b"host", b"testserver")],
    }
    sent = []

    async def receive():
        return parts.pop(0)

    async def send(message):
        sent.append(message)

    anyio.run(page, scope, receive, send)
    assert sent[0]["status"] == 400 and not caplog.records


def test_a_bad_condition_says_where(client):
    query = {"query": {"item": "garment-0"}, "condition": "price<"}
    title = refused(client.post("/v1/search", json=query), 422, "condition")
    assert "expected a value, found the end" in title


def test_forgotten_photographs_are_told_as_unknown_ones_are(client, jpegs):
    forgotten = send(client, jpegs[0])["photograph"]
    assert client.get("/v1/picture", params={"photograph": forgotten}).status_code == 200
    for jpeg in jpegs[1:3]:
        send(client, jpeg + bytes(200_000))
    for name in (forgotten, "unknown"):
        gone = {"query": {"photograph": name}}
        refused(client.post("/v1/search", json=gone), 410, "photograph_gone")
        refused(client.get("/v1/picture", params={"photograph": name}), 410, "photograph_gone")


def test_more_than_may_wait_is_refused(catalogue, shop, embedder, jpegs):
    limits = Limits(at_once=1, waiting=-1)  # no place at all
    model = Model(embedder, catalogue.engine.fingerprint)
    app = create_app(catalogue, model, Source(shop), hosts=["testserver"], limits=limits)
    with starlette.TestClient(app) as client:
        refused(client.post("/v1/search", json={"query": {"item": "garment-0"}}), 503, "busy")
        assert client.get("/").status_code == 200


def test_the_page_has_everything_from_here_and_says_so(client):
    response = client.get("/")
    html = response.text
    assert "default-src 'self'" in response.headers["content-security-policy"]
    assert not re.search(r"https?://|\sstyle=|\son\w+=|<script>|<style", html)
    for path in re.findall(r'(?:href|src)="(/[^"]*)"', html):
        assert client.get(path).status_code == 200, path
    assert "default-src" in client.get("/static/page.js").headers["content-security-policy"]
    for field in ("brand", "price", "new"):
        assert f'data-field="{field}"' in html
    # Values are counted of labels, and of columns of few values.
    counted = re.findall('data-facet="([^"]*)"', html)
    assert {"brand", "new", "color", "collar"} <= set(counted) and "price" not in counted


def test_nothing_of_the_servers_files_is_told(client, shop, monkeypatch, caplog, catalogue):
    def broken(*_, **__):
        raise RuntimeError(f"{shop}/store: no such row")

    monkeypatch.setattr(catalogue, "search", broken)
    response = client.post("/v1/search", json={"query": {"item": "garment-0"}})
    refused(response, 500, "unexpected")
    assert "default-src" in response.headers["content-security-policy"]
    assert str(shop) not in response.text and str(shop) in caplog.text
    for path in ("/static/../server.py", "/static/%2e%2e/server.py", "/nowhere"):
        refused(client.get(path), 404, "http")


def test_other_names_of_this_machine_are_refused(client):
    response = client.get("/", headers={"Host": "evil.example"})
    assert response.status_code == 400 and "data-upload" not in response.text
