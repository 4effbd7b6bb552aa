"""HOST:PORT, and proxies: 33-proxy-for-this-machine."""

import socket
import threading

import pytest

from asen_client.core import addresses


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("localhost:8500", ("localhost", 8500)),
        ("a-b.example.org:1", ("a-b.example.org", 1)),
        ("10.0.0.7:65535", ("10.0.0.7", 65535)),
        ("[::1]:8500", ("::1", 8500)),
        ("[fe80::1%eth0]:8500", ("fe80::1%eth0", 8500)),
    ],
)
def test_addresses(address, parts):
    assert addresses.split(address) == parts


@pytest.mark.parametrize(
    ("place", "served"),
    [
        ("localhost:8500", True),
        ("[::1]:8500", True),
        ("localhost:99999", True),  # a server's, and wrong
        ("there:8500", False),
        ("runs/asen", False),
        ("runs/asen:1", False),
        ("asen", False),
        ("gs://bucket/asen", False),
    ],
)
def test_what_names_a_server(place, served, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there:8500").mkdir()
    assert addresses.names_server(place) == served


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1:99999", "127.0.0.1", "http://localhost:8500", "localhost:0", "localhost:", ""),
        *(
            ":8500",
            "localhost:8500/x",
            "localhost:-1",
            "::1:8500",
            "local host:1",
            "localhost:\uff11",
        ),
        *("localhost:8500\n", "user@host:1", "localhost:000000000000000000000008500"),
    ],
)
def test_what_is_no_address(address):
    with pytest.raises(ValueError, match="expected HOST:PORT, port 1 to 65535"):
        addresses.split(address)


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST", "127.0.0.1", "127.8.9.1", "::1", "[::1]"]
)
def test_no_proxy_stands_before_this_machine(monkeypatch, host):
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    assert addresses.is_this_machine(host)
    assert addresses.channel_options(host) == {"grpc.enable_http_proxy": 0}
    assert addresses.through(host) == ""


@pytest.mark.parametrize("host", ["example.org", "10.0.0.7", "128.0.0.1", "localhost.example.org"])
def test_the_proxy_before_another_machine_is_named(monkeypatch, host):
    for name in ("grpc_proxy", "https_proxy", "http_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert addresses.through(host) == ""
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    assert addresses.channel_options(host) == {}
    assert addresses.through(host) == " through the proxy of http_proxy"
    monkeypatch.setenv("no_proxy", host)
    assert addresses.through(host) == ""


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
def test_a_port_that_is_taken(host):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        with pytest.raises(OSError, match=f"^cannot listen at {host}:{port}: address already in"):
            addresses.check_free(host, port)
    addresses.check_free(host, port)
    addresses.check_free(host, 0)
    addresses.check_free("no.such.host.invalid", 0)


SETTINGS = bytes((0, 0, 6, 4, 0, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("answer", "tls", "why"),
    [
        (SETTINGS, False, None),  # gRPC, which is slow
        (SETTINGS, True, "what listens there speaks no TLS"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", False, "HTTP/1 and no gRPC: is it the port of REST?"),
        (b"HTTP/1.0 400 Bad request syntax\r\n\r\n", True, "speaks HTTP/1 and no gRPC"),
        (b"", False, "ends the connection: does it want TLS?"),
        (b"", True, None),
        (bytes((21, 3, 1, 0, 2, 2, 70)), False, "does it want TLS?"),
        (bytes((21, 3, 1, 0, 2, 2, 70)), True, None),
    ],
)
def test_why_nothing_answers(answer, tls, why):
    def serve(listening):
        connection = listening.accept()[0]
        assert connection.recv(100).startswith(b"PRI * HTTP/2.0")
        connection.sendall(answer)
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        server = threading.Thread(target=serve, args=[listening])
        server.start()
        said = addresses.unreachable("127.0.0.1", port, tls)
        server.join()
    assert said is None if why is None else why in said
    assert addresses.unreachable("127.0.0.1", port, tls) == "connection refused"


def test_a_server_that_says_nothing(monkeypatch):
    monkeypatch.setattr(addresses, "_TRIED_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        assert addresses.unreachable("127.0.0.1", listening.getsockname()[1]) is None
