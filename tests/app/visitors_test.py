"""Visitors with bad intentions or bad lines: sec-15-page-cross-site-and-slow."""

import contextlib
import http.client
import json
import socket
import time

import pytest

from asen_tf.web.connections import Protocol

starlette = pytest.importorskip("starlette.testclient")

SEARCH = json.dumps({"query": {"item": "garment-0"}})


@pytest.fixture
def host(address):
    """Where the page is served, HOST:PORT."""
    return address.removeprefix("http://")


def post(host, path, body, **headers):
    """Status of an answer, and the code of its problem."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named.setdefault("Content-Type", "application/json")
    with contextlib.closing(http.client.HTTPConnection(host, timeout=30)) as connection:
        connection.request("POST", path, body, named)
        response = connection.getresponse()
        return response.status, json.loads(response.read()).get("code")


@contextlib.contextmanager
def begun(host, count, path, length=1000):
    """Sockets on which so many requests have begun, each with a byte of its body."""
    with contextlib.ExitStack() as stack:
        sockets = []
        for _ in range(count):
            one = stack.enter_context(socket.create_connection(host.split(":"), timeout=30))
            head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n\r\nx"
            one.sendall(head.encode())
            sockets.append(one)
        yield sockets


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"}, 200),
        ({"Origin": "http://testserver"}, 200),
        ({"Origin": "https://127.0.0.1"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "https://testserver.evil.example"}, 403),
        ({"Origin": "http://testserver:8081"}, 200),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://[::1"}, 403),
        ({"Origin": ""}, 403),
    ],
)
@pytest.mark.parametrize("kind", ["text/plain", "application/json"])
def test_what_other_sites_make_a_browser_send_is_refused(page, headers, status, kind):
    with starlette.TestClient(page) as client:
        headers = {**headers, "Content-Type": kind}
        response = client.post("/v1/search", content=SEARCH, headers=headers)
        # A page of another site cannot say that it sends JSON without being refused before.
        assert response.status_code == (415 if status == 200 and kind == "text/plain" else status)
        if status == 403:
            assert response.json()["code"] == "other_site"
        photograph = client.post("/v1/photographs", content=b"x", headers=headers)
        assert photograph.status_code == (415 if status == 200 else 403)


@pytest.mark.parametrize(
    ("path", "mode", "status"),
    [("/", "navigate", 200), ("/", "no-cors", 403), ("/v1/picture?item=garment-1", "no-cors", 403)],
)
def test_other_sites_may_link_to_the_page_and_embed_nothing(page, path, mode, status):
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": mode}
    with starlette.TestClient(page) as client:
        assert client.get(path, headers=headers).status_code == status


def test_slow_uploads_make_way(host, jpegs):
    with begun(host, 16, "/v1/photographs") as slow:
        time.sleep(0.3)
        for _ in range(3):
            assert post(host, "/v1/photographs", jpegs[0])[0] == 201
        assert b" 408 " in slow[0].recv(4096)


@pytest.mark.parametrize("path", ["/v1/photographs", "/v1/search"])
def test_a_body_has_a_least_rate(host, path):
    began = time.monotonic()
    with begun(host, 2, path) as slow:
        for one in slow:
            assert b" 408 " in one.recv(4096)
    assert time.monotonic() - began < 15
    assert post(host, "/v1/search", SEARCH) == (200, None)


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: 127"])
def test_idle_connections_are_closed(host, monkeypatch, sent):
    monkeypatch.setattr(Protocol, "look_every", 0.5)
    with socket.create_connection(host.split(":"), timeout=20) as idle:
        idle.sendall(sent)
        assert idle.recv(4096) == b""
    # One that goes on requesting stays.
    with contextlib.closing(http.client.HTTPConnection(host, timeout=20)) as busy:
        busy.connect()
        kept = busy.sock
        for _ in range(6):
            busy.request("GET", "/v1/items")
            assert busy.getresponse().read()
            time.sleep(0.25)
            assert busy.sock is kept


def test_connections_whose_answers_nobody_takes_are_closed(host, monkeypatch):
    monkeypatch.setattr(Protocol, "look_every", 0.5)
    page = b"GET /static/page.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.settimeout(20)
        deaf.connect(("127.0.0.1", int(host.split(":")[1])))
        with pytest.raises(ConnectionError):
            for _ in range(10_000):
                deaf.sendall(page * 20)
                time.sleep(0.002)
    assert post(host, "/v1/search", SEARCH) == (200, None)
