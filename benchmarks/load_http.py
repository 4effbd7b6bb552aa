"""`asen-app` under load, a tenth of which is junk: codes of the answers, times, and memory.

    python benchmarks/load_http.py --minutes=10 --json=benchmarks/results/http_load.json

The server is a process of its own: an untrained model, and a store of random vectors that is made
here. Four clients ask as fast as they are answered. Junk is: JSON that is cut off; wrong types,
names, numbers and texts; no photographs; bodies that are too large; wrong methods and routes; no
HTTP; pages of other sites; requests of which half is sent; clients that leave at once. It ends with
status 1 where the server died or did not answer, a good request was refused, or any was answered
with a 5xx other than 503.
"""

import collections
import concurrent.futures
import contextlib
import copy
import http.client
import io
import json
import multiprocessing
import os
import platform
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from absl import app, flags
from PIL import Image

from asen_tf.benchmarks.report import report
from asen_tf.data.synthetic import SPACE, render

_MINUTES = flags.DEFINE_float("minutes", 10.0, "How long to ask, after the warm-up.", 0.01)
_WARM_UP = flags.DEFINE_float("warm_up", 20.0, "Seconds of the same load that are not counted.", 0)
_ITEMS = flags.DEFINE_integer("items", 3000, "Items of the store.", 100)
_JUNK = flags.DEFINE_float("junk", 0.1, "Share of the requests that are junk.", 0.0, 1.0)
_CLIENTS = flags.DEFINE_integer("clients", 4, "Clients that ask at the same time.", 1)
_JSON = flags.DEFINE_string("json", "", "File to write the result to.")

_PHOTOGRAPHS, _SIDE = 64, 160
_MOST_BYTES = 1_000_000  # of a photograph, for the server
_TIMEOUT_S = 60.0
_KEPT_S = 3.0  # the server closes idle connections after five
_NO_ANSWER, _CLOSED = "no answer", "closed"
_HALVES = 40  # requests that wait for their other half


def make(folder: str, items: int) -> None:
    """Photographs, a model with random weights, and a store of random vectors with labels."""
    from asen_tf.catalogue import Catalogue, Record
    from asen_tf.keras_embedder import KerasEmbedder
    from asen_tf.models import ASEN
    from asen_tf.models.recognition import ValueClassifiers

    draw = np.random.default_rng(0)
    photographs = Path(folder, "photographs")
    photographs.mkdir()
    for number in range(_PHOTOGRAPHS):
        (photographs / f"{number}.jpg").write_bytes(jpeg(number))
    branch = {"backbone": "resnet6", "size": 32, "common_dim": 8, "embedding_dim": 12}
    model = ASEN(len(SPACE), branch, dict(branch), attribute_dim=8)
    values = SPACE.offsets[-1]
    model.value_classifiers = ValueClassifiers(
        np.array(SPACE.offsets), np.arange(2), draw.normal(size=(24, values)), np.zeros(values)
    )
    embedder = KerasEmbedder(model, SPACE)
    embedder.save_to_preset(Path(folder, "model"))
    vectors = draw.normal(size=(items, len(SPACE), embedder.dimension)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    records = [
        Record(
            {name: [draw.choice(SPACE[name].values)] for name in SPACE},
            {
                "image": f"{n % _PHOTOGRAPHS}.jpg",
                "product": f"product-{n // 2}",
                "brand": f"brand {n % 7}",
                "price": n % 200,
            },
        )
        for n in range(items)
    ]
    with Catalogue(f"faiss:{folder}/store", embedder) as catalogue:
        catalogue.insert([f"item-{n}" for n in range(items)], vectors, records)


def jpeg(number: int) -> bytes:
    """The file of a small photograph."""
    file, image = io.BytesIO(), Image.fromarray(render(0, number, "plain").image)
    image.thumbnail((_SIDE, _SIDE))
    image.save(file, "JPEG", quality=90)
    return file.getvalue()


class Server:
    """An `asen-app` of its own."""

    def __init__(self, folder: str):
        self._log = Path(folder, "log")
        arguments = [f"--store=faiss:{folder}/store", f"--model={folder}/model", "--port=0"]
        arguments += [f"--images={folder}/photographs", f"--max_upload_mb={_MOST_BYTES / 1e6}"]
        began = time.perf_counter()
        with open(self._log, "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "asen_tf.cli.app", *arguments],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the server did not start: {self.log()[-2000:]}")
        self.port = int(re.search(r":(\d+)$", line.strip())[1])
        self.start_up_seconds = time.perf_counter() - began

    def memory_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return round(int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024, 1)

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait()


class Good:
    """Requests that are answered, by their routes: method, path, body."""

    def __init__(self, items: int, photographs: list[bytes], draw: np.random.Generator):
        self._items, self._photographs, self._draw = items, photographs, draw
        self._sent: str | None = None
        self.kinds: dict[str, Callable[[], tuple]] = {
            "/v1/search": lambda: ("POST", "/v1/search", self.search()),
            "/v1/items": lambda: ("GET", f"/v1/items?spread=true&offset={self._some(100)}", None),
            "/v1/compare": lambda: ("POST", "/v1/compare", self.compare()),
            "/v1/predict": lambda: ("POST", "/v1/predict", {"photograph": {"item": self._item()}}),
            "/v1/regions": lambda: ("POST", "/v1/regions", self.regions()),
            "/v1/photographs": lambda: ("POST", "/v1/photographs", self._photograph()),
            "/v1/picture": lambda: ("GET", f"/v1/picture?item={self._item()}", None),
            "/v1/health": lambda: ("GET", "/v1/health", None),
            "/metrics": lambda: ("GET", "/metrics", None),
            "/": lambda: ("GET", "/", None),
        }

    def answered(self, route: str, body: bytes) -> None:
        """Notes the name of a photograph that was sent."""
        if route == "/v1/photographs":
            self._sent = json.loads(body)["photograph"]

    def search(self) -> dict:
        ways = [
            {"query": {"item": self._item()}, "weights": {"collar": 1, "color": -0.5}},
            {"query": {"product": f"product-{self._some(self._items // 2)}"}, "facets": ["color"]},
            {"query": {"item": [self._item(), self._item()]}, "condition": "price<150"},
            {"query": {"item": self._item()}, "liked": [[self._item(), self._item()]]},
            {"query": {"item": self._item()}, "measure": "euclidean", "diversity": 0.3},
            {"query": {"item": self._item()}, "text": "mandarin collar, not red"},
            {"text": "red or blue, not striped", "facets": ["color", "brand"]},
        ]
        if self._sent:
            ways.append({"query": {"photograph": self._sent}, "filters": {"price": {"least": 20}}})
        return ways[self._some(len(ways))]

    def compare(self) -> dict:
        return {"left": {"item": self._item()}, "right": {"item": self._item()}}

    def regions(self) -> dict:
        return {"photographs": [{"item": self._item()}] * 3, "attributes": ["collar"]}

    def _some(self, count: int) -> int:
        return int(self._draw.integers(count))

    def _item(self) -> str:
        return f"item-{self._some(self._items)}"

    def _photograph(self) -> bytes:
        return self._photographs[self._some(len(self._photographs))]


_TYPES = (None, True, -1.5, "x", [], {}, [[{}]], ["x"] * 600, {"x": {"x": []}})
_NUMBERS = ("1e999", "-1e999", "NaN", "-1", "0.5", "1e308", "9" * 400, "9" * 5000, "9" * 19)
_PLACES = (
    '"count": %s',
    '"offset": %s',
    '"threshold": %s',
    '"diversity": %s',
    '"weights": {"color": %s}',
    '"filters": {"price": {"least": %s}}',
    '"query": {"product": %s}',
    '"condition": "price<%s"',
)
_TEXTS = ("\ud800", "\0", "x" * 1999, "x" * 2001, "(" * 2000, "not " * 500, "'; DROP TABLE x", "‮")
_TEXT_PLACES = (
    lambda text: {"query": {"item": text}},
    lambda text: {"query": {"product": text}},
    lambda text: {"query": {"photograph": text}},
    lambda text: {"text": text},
    lambda text: {"text": f"red, {text}"},
    lambda text: {"text": "red", "condition": text},
    lambda text: {"text": "red", "group": text},
    lambda text: {"text": "red", "facets": [text]},
    lambda text: {"text": "red", "exclude": [text]},
    lambda text: {"text": "red", "weights": {text: 1}},
    lambda text: {"wanted": {"color": [text]}},
    lambda text: {"unwanted": {text: ["red"]}},
    lambda text: {"query": {"item": "item-1"}, "changes": {"color": text}},
    lambda text: {"query": {"item": "item-1"}, "filters": {"brand": {"equals": text}}},
    lambda text: {"liked": [[text]]},
)


class Junk:
    """Kinds of junk by name: functions that give the code of an answer."""

    def __init__(self, port: int, good: Good, photographs: list[bytes], draw: np.random.Generator):
        self._port, self._good, self._photographs, self._draw = port, good, photographs, draw
        self._halves: collections.deque[socket.socket] = collections.deque()
        self.kinds: dict[str, Callable[[], str]] = {
            "cut JSON": lambda: self._post(self._cut(json.dumps(self._search()).encode())),
            "wrong types": lambda: self._post(self._wrong_types()),
            "wrong names": lambda: self._post({**self._search(), "colour": 1}),
            "huge numbers": lambda: self._post(self._huge()),
            "odd texts": lambda: self._post(self._pick(_TEXT_PLACES)(self._pick(_TEXTS))),
            "odd addresses": lambda: self._ask(_request("GET", self._pick(_ADDRESSES))),
            "no photograph": lambda: self._post(self._no_photograph(), "/v1/photographs"),
            "too large": self._too_large,
            "wrong method": lambda: self._ask(_request(*self._pick(_METHODS))),
            "no HTTP": lambda: self._ask(self._draw.bytes(self._some(2000)) + b"\r\n\r\n"),
            "other site": lambda: self._ask(_request("POST", body=b"{}", **self._pick(_SITES))),
            "half sent": self._half,
            "left in the middle": lambda: self._leave(self._cut(self._whole())),
            "left before the answer": lambda: self._leave(self._whole()),
        }

    def one(self) -> tuple[str, str]:
        """Sends one of some kind: its name, and the code."""
        kind = self._pick([*self.kinds])
        return kind, self.kinds[kind]()

    def close(self) -> None:
        for one in self._halves:
            one.close()

    def _some(self, count: int) -> int:
        return int(self._draw.integers(count))

    def _pick(self, these):
        return these[self._some(len(these))]

    def _cut(self, content: bytes) -> bytes:
        return content[: self._some(len(content))]

    def _search(self) -> dict:
        return copy.deepcopy(self._good.search())

    def _whole(self) -> bytes:
        return _request("POST", body=json.dumps(self._search()).encode())

    def _wrong_types(self) -> dict:
        asked = self._search()
        asked[self._pick([*asked, "count", "exclude", "filters"])] = self._pick(_TYPES)
        return asked

    def _huge(self) -> bytes:
        return f'{{"text": "red", {self._pick(_PLACES) % self._pick(_NUMBERS)}}}'.encode()

    def _no_photograph(self) -> bytes:
        whole = bytearray(self._pick(self._photographs))
        declaring = bytes(whole)
        at = whole.index(b"\xff\xc0")
        whole[at + 5 : at + 9] = struct.pack(">HH", 60_000, 60_000)
        return self._pick([b"", b"<html>", self._cut(declaring), bytes(whole)])

    def _too_large(self) -> str:
        if self._some(2):
            return self._post(b" " * 300_000)
        return self._post(bytes(_MOST_BYTES + 1), "/v1/photographs")

    def _post(self, body: bytes | dict, path: str = "/v1/search") -> str:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._ask(_request("POST", path, content))

    def _ask(self, content: bytes) -> str:
        with self._connected() as one:
            # What is refused while it is sent may be answered all the same.
            with contextlib.suppress(ConnectionError):
                one.sendall(content)
            return _code(one)

    def _half(self) -> str:
        """The answer to the oldest of the requests of which half was sent."""
        whole, one = self._whole(), self._connected()
        one.sendall(whole[: -1 - self._some(min(20, len(whole) - 1))])
        self._halves.append(one)
        if len(self._halves) < _HALVES:
            return "sent"
        with self._halves.popleft() as oldest:
            return _code(oldest)

    def _leave(self, content: bytes) -> str:
        with self._connected() as one:
            if self._some(2):  # with a reset
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.sendall(content)
        return "left"

    def _connected(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self._port), _TIMEOUT_S)


_METHODS = (
    ("GET", "/v1/search"),
    ("DELETE", "/v1/items"),
    ("PUT", "/v1/compare"),
    ("PATCH", "/v1/predict"),
    ("POST", "/v1/health"),
    ("POST", "/metrics"),
    ("HEAD", "/v1/search"),
    ("NONE", "/"),
)
_ADDRESSES = (
    "/nothing",
    "/static/../server.py",
    "/v1/items?offset=1e9",
    "/v1/items?count=" + "9" * 5000,
    "/v1/items?condition=%ED%A0%80",
    "/v1/items?condition=" + "%28" * 500,
    "/v1/picture?item=%00",
    "/v1/picture?item=../../store/store.db",
    "/v1/picture?item=item-1&size=huge",
    "/%00",
    "/" + "x" * 100_000,
)
_SITES = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Host": "evil.example"},
)


def _request(method: str, path: str = "/v1/search", body: bytes = b"", **headers: str) -> bytes:
    """What goes over the wire."""
    said = {"Host": "127.0.0.1", "Content-Type": "application/json", "Connection": "close"}
    said |= {"Content-Length": str(len(body)), **headers}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {text}" for name, text in said.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _code(one: socket.socket) -> str:
    """The status that comes on a connection."""
    try:
        found = re.match(rb"HTTP/1\.1 (\d+)", one.recv(4096))
    except TimeoutError:
        return _NO_ANSWER
    except ConnectionError:
        return _CLOSED
    return found[1].decode() if found else _CLOSED


class Client:
    """Sends good requests on a connection that is kept."""

    def __init__(self, port: int):
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
        self._used = 0.0

    def ask(self, method: str, path: str, body: dict | bytes | None) -> tuple[str, bytes]:
        """The code of the answer, and its body."""
        if time.monotonic() - self._used > _KEPT_S:
            self.close()  # the next request opens it anew
        content = json.dumps(body).encode() if isinstance(body, dict) else body
        try:
            self._connection.request(method, path, content, {"Content-Type": "application/json"})
            answer = self._connection.getresponse()
            found = str(answer.status), answer.read()
            self._used = time.monotonic()
            return found
        except TimeoutError:
            code = _NO_ANSWER
        except (OSError, http.client.HTTPException):
            code = _CLOSED
        self.close()
        return code, b""

    def close(self) -> None:
        self._connection.close()


def load(server: Server, items: int, seconds: float, warm_up: float) -> dict:
    """Codes of good requests and of each kind of junk, times of good ones, memory."""
    photographs = [jpeg(number) for number in range(_PHOTOGRAPHS)]
    counts, times, lock = Counter(), collections.defaultdict(list), threading.Lock()
    begin = time.monotonic() + warm_up
    end = begin + seconds

    def one(number):
        draw = np.random.default_rng(number)
        good = Good(items, photographs, draw)
        junk = Junk(server.port, good, photographs, draw)
        client = Client(server.port)
        # Searches are a third of what is good.
        routes = [*good.kinds, *["/v1/search"] * (len(good.kinds) // 2)]
        with contextlib.closing(client), contextlib.closing(junk):
            while time.monotonic() < end and server.process.poll() is None:
                began = time.monotonic()
                if draw.random() < _JUNK.value:
                    kind, code = junk.one()
                    key = "junk", kind, code
                else:
                    route = routes[draw.integers(len(routes))]
                    code, body = client.ask(*good.kinds[route]())
                    key = "good", route, code
                    if code[0] == "2":
                        good.answered(route, body)
                now = time.monotonic()
                if now < begin:
                    continue
                with lock:
                    counts[key] += 1
                    if key[0] == "good" and code[0] == "2":
                        times[route].append(now - began)

    memory = []
    with concurrent.futures.ThreadPoolExecutor(_CLIENTS.value) as threads:
        running = [threads.submit(one, number) for number in range(_CLIENTS.value)]
        for at in [*np.arange(begin, end - 1, 60), end]:
            time.sleep(max(0, at - time.monotonic()))
            if server.process.poll() is None:
                memory.append(server.memory_mb())
        for thread in running:
            thread.result()
    requests: dict[str, dict] = {"good": {}, "junk": {}}
    for (sort, kind, code), count in sorted(counts.items()):
        requests[sort].setdefault(kind, {})[code] = count
    every = [one for of_route in times.values() for one in of_route]
    kept = requests["good"].get("/v1/photographs", {}).get("201", 0)
    return {
        "requests": requests,
        "requests_per_sec": counts.total() / seconds,
        "good_ms": {name: _times(its) for name, its in [("all", every), *sorted(times.items())]},
        "memory_mb_start": memory[0] if memory else None,
        "memory_mb_end": memory[-1] if memory else None,
        "memory_mb": memory,
        # The server keeps them, up to 256 MB.
        "photographs_sent_mb": kept * np.mean([len(one) for one in photographs]) / 1e6,
    }


def _times(seconds: list[float]) -> dict[str, float]:
    found = 1000 * np.percentile(seconds, (50, 95, 99)) if seconds else (None,) * 3
    return dict(zip(("p50", "p95", "p99"), found, strict=True))


def wrong(requests: dict[str, dict[str, dict[str, int]]]) -> list[str]:
    """What should not have been answered, a line for each."""
    found = []
    for sort, kinds in requests.items():
        for kind, codes in kinds.items():
            for code, count in codes.items():
                refused = sort == "good" and not re.fullmatch(r"2\d\d|503", code)
                if refused or code == _NO_ANSWER or re.fullmatch(r"5\d[^3]|5[^0]\d", code):
                    found.append(f"{kind}: {code}, {count} times")
    return found


def main(_) -> int:
    fresh = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        # In a process of its own: what is measured here needs no TensorFlow beside it.
        with concurrent.futures.ProcessPoolExecutor(1, mp_context=fresh) as process:
            process.submit(make, folder, _ITEMS.value).result()
        server = Server(folder)
        try:
            measured = load(server, _ITEMS.value, 60 * _MINUTES.value, _WARM_UP.value)
            found = wrong(measured["requests"])
            if server.process.poll() is not None:
                found.append("the server died")
        finally:
            server_exit = server.stop()
        log = server.log()
    setting = {flag.name: flag.value for flag in (_MINUTES, _ITEMS, _JUNK, _CLIENTS)}
    about = {"cpus": os.cpu_count(), "python": platform.python_version()}
    report(
        {
            **setting,
            **measured,
            "wrong": found,
            "start_up_seconds": server.start_up_seconds,
            "server_exit": server_exit,
            **about,
            "date": time.strftime("%Y-%m-%d"),
        },
        _JSON.value,
    )
    if found:
        print(log[-20_000:], file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    app.run(lambda arguments: sys.exit(main(arguments)))
