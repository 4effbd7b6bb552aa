"""What programs use: the list of items, the key, metrics, documentation; new items are seen."""

import base64
import functools
import http.server
import shutil
import threading

import anyio
import numpy as np
import pytest

pytest.importorskip("fastapi")

from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from asen_tf.app import Limits, Model, checked_key, create_app, queries
from asen_tf.catalogue import Catalogue, Record
from asen_tf.embedders import VectorEmbedder
from asen_tf.photographs import Remote, Source

KEY = "0123456789abcdefghij"


@pytest.fixture
def client_of(shop, embedder):
    """A function that gives a client of a catalogue's application."""

    def client_of(catalogue, images=None, **options):
        model = Model(embedder, catalogue.engine.fingerprint)
        images = images or Source(shop)
        app = create_app(catalogue, model, images, hosts=["testserver"], **options)
        return TestClient(app)

    return client_of


def listed(client, **params):
    """Ids of the items, and how many there are."""
    answer = client.get("/v1/items", params=params)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]], answer.json()["total"]


def test_items_are_listed_page_by_page(client_of, catalogue, garments):
    with client_of(catalogue) as client:
        first, total = listed(client, count=20)
        second, _ = listed(client, count=20, offset=20)
        assert first + second == sorted(f"garment-{n}" for n in range(30)) and total == 30
        assert listed(client, offset=30) == ([], 30)
        [item] = client.get("/v1/items?count=1&offset=29").json()["items"]
    assert item["metadata"] == {"brand": "b & co", "price": 90, "new": True}
    assert item["labels"] == {name: [value] for name, value in garments[9].labels.items()}


def test_items_that_meet_a_condition(client_of, catalogue):
    with client_of(catalogue) as client:
        assert listed(client, condition="price>=280") == (["garment-28", "garment-29"], 2)
        assert listed(client, condition="price<0", spread=True) == ([], 0)
        answer = client.get("/v1/items", params={"condition": "price<"})
        assert (answer.status_code, answer.json()["code"]) == (422, "condition")


def test_items_from_all_over_are_others_each_time(client_of, catalogue):
    with client_of(catalogue) as client:
        turns = [listed(client, spread=True, count=10, offset=n)[0] for n in range(4)]
    assert sorted(turns[0] + turns[1] + turns[2]) == sorted(f"garment-{n}" for n in range(30))
    assert turns[3] == [*turns[0][1:], turns[0][0]]


def test_what_is_written_meanwhile_is_seen(client_of, shop, tmp_path):
    shutil.copytree(shop / "store", tmp_path / "store")
    place = f"faiss:{tmp_path}/store"
    with Catalogue(place, read_only=True) as catalogue:
        fingerprint = catalogue.engine.fingerprint
        vectors = catalogue.engine.vectors(["garment-0"])
        with client_of(catalogue, limits=Limits(seen_seconds=0)) as client:
            assert listed(client)[1] == 30 and 'data-field="stock"' not in client.get("/").text
            with Catalogue(place, VectorEmbedder(fingerprint)) as writer:
                writer.insert(["new"], vectors, [Record({}, {"stock": 3})])
                writer.delete(["garment-1"])
                writer.update(["garment-2"], [{"price": 1234}])
            search = {"query": {"item": "garment-0"}, "count": 1}
            [found] = client.post("/v1/search", json=search).json()["results"]
            assert found["id"] == "new" and found["score"] == pytest.approx(1, abs=1e-5)
            assert found["metadata"] == {"stock": 3}
            ids, total = listed(client, count=48)
            assert total == 30 and {"new", "garment-1"} & {*ids} == {"new"}
            assert listed(client, condition="price=1234")[0] == ["garment-2"]
            html = client.get("/").text
    assert 'data-field="stock"' in html and 'placeholder="1234"' in html


def asked(client, **search):
    answer = client.post("/v1/search", json=search)
    assert answer.status_code == 200, answer.text
    return answer.json()


def found(client, **search):
    return asked(client, **search)["results"]


def test_a_result_is_a_product(client_of, catalogue, tmp_path):
    fingerprint = catalogue.engine.fingerprint
    vectors = catalogue.engine.vectors([f"garment-{n}" for n in range(4)])
    records = [Record({}, {"product": name}) for name in ("p", "q", "q", None)]
    with Catalogue(f"faiss:{tmp_path}/store", VectorEmbedder(fingerprint)) as other:
        other.insert(["a", "b", "c", "d"], vectors, records)
        with client_of(other) as client:
            hits = found(client, query={"item": "a"})
            items = found(client, query={"item": "a"}, group="")
            alike = found(client, query={"product": "q"})
    assert sorted((hit["product"] or "", hit["id"], *hit["others"]) for hit in hits) in (
        [("", "d"), ("q", "b", "c")],
        [("", "d"), ("q", "c", "b")],
    )
    assert sorted(hit["id"] for hit in items) == ["b", "c", "d"]
    of_product = vectors[1:3].mean(0) / np.linalg.norm(vectors[1:3].mean(0), axis=-1)[:, None]
    scores = {name: (of_product * vectors[n]).sum(-1).mean() for name, n in (("a", 0), ("d", 3))}
    assert {hit["id"]: hit["score"] for hit in alike} == pytest.approx(scores, abs=1e-5)


def same(hits, matches):
    assert [hit["id"] for hit in hits] == [match.id for match in matches]
    scores = [match.score for match in matches]
    assert [hit["score"] for hit in hits] == pytest.approx(scores, abs=1e-6)


def test_several_photographs_or_items_of_one_garment(client_of, catalogue, embedder, jpegs):
    chosen = [f"garment-{n}" for n in (4, 11, 20)]
    with client_of(catalogue) as client:
        sent = [client.post("/v1/photographs", content=one).json() for one in jpegs[-3:]]
        query = {"photograph": [one["photograph"] for one in sent]}
        of_photographs = asked(client, query=query, count=9)
        of_items = asked(client, query={"item": chosen}, count=9)
        best_of = asked(client, query={"item": chosen}, several="best", count=9)
    assert (of_photographs["query"], of_items["query"]) == (query, {"item": chosen})
    same(of_photographs["results"], catalogue.search(vectors=embedder.embed_all(jpegs[-3:]), k=9))
    same(of_items["results"], catalogue.search(id=chosen, k=9))
    best = catalogue.search(id=chosen, k=9, several="best")
    same(best_of["results"], best)
    assert best != catalogue.search(id=chosen, k=9)


def test_what_is_liked_is_enough_to_start_from(client_of, catalogue):
    with client_of(catalogue) as client:
        answer = asked(client, liked=[[], ["garment-4", "garment-11"]], count=9)
        kept = {
            "query": {"item": ["garment-1", "garment-4"]},
            "liked": [["garment-4", "garment-11"]],
        }
        by_distance = asked(client, **kept, measure="euclidean")
    assert answer["query"] == {"item": "garment-4"} and by_distance["query"] == kept["query"]
    same(answer["results"], catalogue.search(liked=["garment-4", "garment-11"], k=9))


@pytest.mark.parametrize(
    ("given", "limits", "count"),
    [
        ({}, {}, 30),
        ({"condition": "price<90"}, {"where": "price<90"}, 9),
        ({"filters": {"brand": {"equals": "acme"}}}, {"where": "brand=acme"}, 15),
        ({"group": "brand"}, {"group": "brand"}, 2),
    ],
)
def test_facets_are_the_catalogues(client_of, catalogue, given, limits, count):
    names = ["collar", "brand", "price", "new"]
    with client_of(catalogue) as client:
        answer = asked(client, query={"item": "garment-0"}, facets=names, **given)
        plain = asked(client, query={"item": "garment-0"}, **given)
    assert plain == answer | {"facets": {}}
    facets = {
        name: [(one["value"], one["count"]) for one in counts]
        for name, counts in answer["facets"].items()
    }
    assert facets == catalogue.facets(names, **limits)
    assert sum(of_value for _, of_value in facets["brand"]) == count


@pytest.mark.parametrize(
    "more",
    [
        {"disliked": ["garment-9"]},
        {"diversity": 0.7},
        {"threshold": 0.3},
        {"group": "brand"},
    ],
)
def test_searches_are_the_catalogues(client_of, catalogue, more):
    with client_of(catalogue) as client:
        hits = found(client, query={"item": "garment-0"}, count=9, **more)
        plain = found(client, query={"item": "garment-0"}, count=9)
    expected = catalogue.search(id="garment-0", k=9, **more)
    assert [hit["id"] for hit in hits] == [match.id for match in expected]
    assert "threshold" in more or [hit["id"] for hit in hits] != [hit["id"] for hit in plain]


def test_above_the_ceiling_nothing_is_found(client_of, catalogue):
    with client_of(catalogue) as client:
        plain = found(client, query={"item": "garment-0"}, count=9)
        ceiling = (plain[3]["score"] + plain[4]["score"]) / 2
        assert found(client, query={"item": "garment-0"}, ceiling=ceiling, count=5) == plain[4:]


def test_photographs_behind_urls_are_shown(client_of, catalogue, shop, tmp_path):
    handler = functools.partial(
        http.server.SimpleHTTPRequestHandler, directory=shop / "photographs"
    )
    vectors = catalogue.engine.vectors(["garment-0", "garment-1"])
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = f"http://127.0.0.1:{server.server_port}"
        names = [f"{place}/garment-0.jpg", f"{place}/nowhere.jpg"]
        records = [Record({}, {"image": name}) for name in names]
        with Catalogue(
            f"faiss:{tmp_path}/store", VectorEmbedder(catalogue.engine.fingerprint)
        ) as other:
            other.insert(["a", "b"], vectors, records)
            statuses = []
            for allowed in (True, False):
                remote = Remote(attempts=1, allow_private=allowed, cache=tmp_path, cache_bytes=0)
                with client_of(other, images=Source(shop, remote=remote)) as client:
                    for item in "ab":
                        answer = client.get("/v1/picture", params={"item": item})
                        statuses.append(answer.status_code)
        server.shutdown()
    assert statuses == [200, 404, 404, 404]


def test_health_waits_for_no_model_that_hangs(client_of, catalogue, embedder, monkeypatch):
    called, answer = threading.Event(), threading.Event()

    def fingerprint():
        called.set()
        answer.wait(20)
        raise OSError("DEADLINE_EXCEEDED")

    monkeypatch.setattr(embedder, "fingerprint", fingerprint)
    with client_of(catalogue) as client:
        first = threading.Thread(target=client.get, args=("/v1/health",))
        first.start()
        assert called.wait(20)
        assert client.get("/v1/health").json()["status"] == "ready"  # as far as is known
        assert first.is_alive()
        answer.set()
        first.join()
        assert client.get("/v1/health").json()["problem"]["code"] == "model_away"


def test_health_tells_of_a_store_that_is_away(client_of, catalogue, monkeypatch):
    def away(_):
        raise OSError("connection to secret-host refused")

    monkeypatch.setattr(type(catalogue), "__len__", away)
    with client_of(catalogue) as client:
        answer = client.get("/v1/health")
    assert (answer.status_code, answer.json()["code"]) == (503, "store_away")
    assert "secret-host" not in answer.text


def basic(name, password):
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (None, 401),
        ("", 401),
        (KEY, 401),
        (f"Bearer {KEY}", 200),
        (f"bearer  {KEY}", 200),
        (f"Bearer {KEY}x", 401),
        (f"Bearer {KEY[:-1]}", 401),
        ("Bearer é", 401),
        ("Bearer", 401),
        (basic("", KEY), 200),
        (basic("anyone", KEY), 200),
        (basic(KEY, ""), 401),
        (basic("anyone", f"{KEY}:"), 401),
        ("Basic %%%", 401),
        ("Basic w7w=", 401),
        (f"Digest {KEY}", 401),
    ],
)
def test_the_key_opens(client_of, catalogue, authorization, status):
    headers = {} if authorization is None else {"Authorization": authorization.encode()}
    with client_of(catalogue, key=KEY) as client:
        for path in ("/", "/static/page.js", "/v1/items", "/metrics", "/openapi.json", "/nowhere"):
            answer = client.get(path, headers=headers)
            wanted = 404 if (path, status) == ("/nowhere", 200) else status
            assert answer.status_code == wanted, path
            if status == 401:
                assert answer.json()["code"] == "key"
                assert 'Basic realm="asen_tf"' in answer.headers["www-authenticate"]
        assert client.get("/v1/health", headers=headers).status_code == 200


def test_without_the_key_no_body_is_read(client_of, catalogue):
    read = []

    async def receive():
        read.append(1)

    with client_of(catalogue, key=KEY) as client:
        app = client.app
    scope = {"type": "http", "method": "POST", "path": "/v1/photographs", "query_string": b""}
    sent = []

    async def send(message):
        sent.append(message)

    anyio.run(app, scope | {"headers": [(b"host", b"testserver")]}, receive, send)
    assert sent[0]["status"] == 401 and not read


@pytest.mark.parametrize("text", ["", "short", "a key with blanks in it", "schlüssel-0123456789"])
def test_what_is_no_key_is_told(text):
    with pytest.raises(ValueError, match="key.txt: expected an API key of 16 or more"):
        checked_key(text, "key.txt")
    assert checked_key(f"  {KEY}\n", "key.txt") == KEY


def metrics(client):
    """Value of each sample, by its name and labels."""
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_metrics_count_by_route_and_status(client_of, catalogue):
    with client_of(catalogue) as client:
        for n in range(3):
            client.get(f"/v1/items?offset={n}")
            client.get(f"/nowhere/{n}")
        client.post("/v1/search", json={"query": {"item": "nobody's"}})
        client.get("/static/page.js")
        found = metrics(client)
    assert found["asen_http_requests_total", "/v1/items", "200"] == 3
    assert found["asen_http_requests_total", "/v1/search", "422"] == 1
    assert found["asen_http_requests_total", "404", "none"] == 3
    assert found["asen_http_requests_total", "200", "none"] == 1
    assert found["asen_http_request_seconds_count", "/v1/items"] == 3
    assert found["asen_http_request_seconds_sum", "/v1/items"] > 0
    assert found["asen_http_requests_under_way",] == 1  # this one
    assert found["asen_catalogue_items",] == 30
    assert not any("nowhere" in label for labels in found for label in labels)


def test_the_documentation_has_examples_and_says_where_a_key_is_needed(client_of, catalogue):
    with client_of(catalogue) as client, client_of(catalogue, key=KEY) as locked:
        document = client.get("/openapi.json").json()
        headers = {"Authorization": f"Bearer {KEY}"}
        of_locked = locked.get("/openapi.json", headers=headers).json()
    needs = {
        path: "security" in next(iter(one.values())) for path, one in of_locked["paths"].items()
    }
    assert {path for path, needed in needs.items() if not needed} == {"/v1/health"}
    assert not any("security" in next(iter(one.values())) for one in document["paths"].values())
    schemas = document["components"]["schemas"]
    for name, column in (("Search", "weights"), ("Hit", "cosines"), ("Likeness", "cosine")):
        assert schemas[name]["properties"][column]["examples"], name
    for example in schemas["Search"]["examples"]:
        assert queries.Search.model_validate(example)
    assert {"/v1/search", "/v1/items", "/v1/compare", "/v1/predict", "/v1/health"} < needs.keys()
