"""A shop's server on this machine, with all that goes wrong at such servers."""

import http.server
import threading
import time
import urllib.parse

import pytest

from asen_tf.photographs import Remote

PHOTOGRAPH = b"\x89PNG" + bytes(range(256)) * 4


class Shop(http.server.BaseHTTPRequestHandler):
    """Answers by path; `asked` has the paths and the conditions of all requests."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = urllib.parse.urlsplit(self.path).path  # a proxy is given whole URLs
        condition = self.headers.get("If-None-Match") or self.headers.get("If-Modified-Since")
        self.server.asked.append((self.path, condition))
        getattr(self, f"answer_{path.strip('/').partition('/')[0]}", self.answer_missing)(condition)

    def send(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def answer_missing(self, _):
        self.send(404)

    def answer_plain(self, _):
        self.send(200, self.server.content)

    def answer_tagged(self, condition):
        tag = f'"{hash(self.server.content)}"'
        if condition == tag:
            self.send(304, ETag=tag)
        else:
            self.send(200, self.server.content, ETag=tag)

    def answer_dated(self, condition):
        date = "Wed, 21 Oct 2015 07:28:00 GMT"
        if condition == date:
            self.send(304)
        else:
            self.send(200, self.server.content, Last_Modified=date)

    def answer_busy(self, _):
        """Answers the third time."""
        if len(self.server.asked) % 3:
            self.send(503, Retry_After="0")
        else:
            self.send(200, self.server.content)

    def answer_broken(self, _):
        self.send(500)

    def answer_empty(self, _):
        self.send(200)

    def answer_huge(self, _):
        """Declares much and sends nothing of it."""
        self.send_response(200)
        self.send_header("Content-Length", str(10**12))
        self.end_headers()

    def answer_endless(self, _):
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        for _ in range(1000):
            self.wfile.write(bytes(10_000))

    def answer_cut(self, _):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(bytes(500))
        self.close_connection = True

    def answer_drip(self, _):
        """A byte now and then, of a file of unknown length."""
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        self.drip(b"x")

    def answer_headers(self, _):
        """The same within the headers."""
        self.send_response(200)
        self.flush_headers()
        self.drip(b"X-A: b\r\n")

    def answer_silent(self, _):
        time.sleep(2)

    def drip(self, part):
        for _ in range(40):
            self.wfile.write(part)
            time.sleep(0.05)

    def answer_to(self, _):
        """Redirects to what the path says after /to/."""
        self.send(302, b"moved", Location=self.path.partition("/to/")[2])

    def answer_round(self, _):
        self.send(301, Location="/round")

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_):
        pass  # clients leave


@pytest.fixture
def shop():
    """The server, with `url`, `content` of its photographs and what it was `asked`."""
    with Server(("127.0.0.1", 0), Shop) as server:
        server.asked, server.content = [], PHOTOGRAPH
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def remote(tmp_path):
    """A function that makes settings which allow addresses of this machine."""

    def make(**given):
        usual = {"allow_private": True, "attempts": 1, "seconds": 5, "cache": tmp_path / "cache"}
        return Remote(**{**usual, **given})

    return make
