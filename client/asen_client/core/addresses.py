"""Addresses of servers, HOST:PORT, and whether a proxy stands before them."""

import contextlib
import errno
import ipaddress
import os
import re
import socket

_ADDRESS = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%\w]+\]|[^\s:/\\\[\]@?#]+):(?P<port>[0-9]{1,5})")

_SERVER = re.compile(r"[^/\\]*[^/\\:]:\d+")

# Those that gRPC obeys, the first that is set.
_PROXIES = ("grpc_proxy", "https_proxy", "http_proxy")

_TRIED_S = 1.0
_ANSWERS_S = 0.2

# How a connection of gRPC begins: HTTP/2's preface and empty settings; and how answers to it do.
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
_HTTP_1, _TLS_ALERT, _SETTINGS = b"HTTP/1", b"\x15\x03", 4

_NOT_OURS = (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL)


def split(address: str) -> tuple[str, int]:
    """Host and port of HOST:PORT; ValueError: it is something else."""
    match = _ADDRESS.fullmatch(address)
    if not match or not 1 <= int(match["port"]) <= 65535:
        raise ValueError(
            f"server {address!r}: expected HOST:PORT, port 1 to 65535, such as localhost:8500"
        )
    return match["host"].strip("[]"), int(match["port"])


def names_server(place: str) -> bool:
    """Whether the place of a model is HOST:PORT, and no file or folder.

    Raises:
      ValueError: it is an address of REST.
    """
    if place.startswith(("http://", "https://")):
        raise ValueError(f"{place}: a served model is asked by gRPC; expected HOST:PORT alone")
    return not os.path.exists(place) and _SERVER.fullmatch(place) is not None


def is_this_machine(host: str) -> bool:
    """Whether a host is the machine that asks."""
    if host.lower() == "localhost" or host.lower().endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def channel_options(host: str) -> dict[str, int]:
    """What gRPC has to know of a host: no proxy can reach the machine that asks."""
    return {"grpc.enable_http_proxy": 0} if is_this_machine(host) else {}


def through(host: str) -> str:
    """Says through which proxy, where gRPC asks a proxy for a host; empty where not."""
    import urllib.request  # --help does not wait for it

    named = next((name for name in _PROXIES if os.environ.get(name)), None)
    if named is None or is_this_machine(host) or urllib.request.proxy_bypass_environment(host):
        return ""
    return f" through the proxy of {named}"


def check_free(host: str, port: int) -> None:
    """Before what takes long: raises OSError where nothing could listen there; port 0 is any."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host.strip("[]"), port), family=family).close()
    except OSError as error:
        if error.errno in _NOT_OURS:  # whoever listens says what else is wrong
            why = os.strerror(error.errno).lower()
            raise OSError(f"cannot listen at {host}:{port}: {why}") from error


def unreachable(host: str, port: int, tls: bool = False) -> str | None:
    """Why gRPC, perhaps with TLS, does not get through to there; None: nothing seems wrong.

    It is nothing that listens there, such as "connection refused", or nothing that speaks so.
    """
    try:
        connection = socket.create_connection((host, port), _TRIED_S)
    except OSError as error:
        return (error.strerror or str(error)).lower()
    with connection, contextlib.suppress(OSError):
        connection.settimeout(_ANSWERS_S)
        connection.sendall(_PREFACE)
        first = connection.recv(16)
        if first.startswith(_HTTP_1):
            return "what listens there speaks HTTP/1 and no gRPC: is it the port of REST?"
        if not tls and (not first or first.startswith(_TLS_ALERT)):
            return "what listens there ends the connection: does it want TLS?"
        if first[3:4] == bytes([_SETTINGS]) and tls:
            return "what listens there speaks no TLS"
    return None
