"""`asen-serve` under load, a tenth of which is junk: codes of the answers, times, and memory.

    python benchmarks/load.py --global_backbone=resnet18 --local_backbone=resnet18 --size=64 \\
        --local_size=32 --attributes=2 --seconds=600 --rest=0.5 --serve=--enable_batching \\
        --json=benchmarks/results/serving_load_resnet18.json

Four clients ask as fast as they are answered. Junk is: no photograph; one of which bytes were
changed; photographs that declare more pixels than any request may have; messages of which bytes
were changed; a signature or a version that is not there; clients that leave at once; and over REST
what `rest_requests.py` has. It ends with status 1 where a good request was not answered, any got
INTERNAL, UNKNOWN or 500, or the server's memory grew.
"""

import concurrent.futures
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable

import grpc
import numpy as np
import serving
from absl import app, flags
from rest_requests import Rest

from asen_client.embedders.images import placed
from asen_client.serving import wire
from asen_client.serving.calls import Calls
from asen_tf.benchmarks.report import report
from asen_tf.serving import Client, InvalidInputError, ServingError

_JUNK = flags.DEFINE_float("junk", 0.1, "Share of the requests that are junk.", 0.0, 1.0)
_CLIENTS = flags.DEFINE_integer("clients", 4, "Clients that ask at the same time.", 1)

_REST = flags.DEFINE_float("rest", 0.0, "Share of the requests that go over REST.", 0.0, 1.0)

_NEVER = ("INTERNAL", "UNKNOWN", "500")
# Of the last quarter beside the second: in the first one caches fill.
_MOST_GROWTH = 1.05


class Junk:
    """Kinds of junk by name: functions that give the code of an answer."""

    def __init__(self, address: str, attribute: str, images: list[bytes], seed: int):
        self._client = Client(address, timeout=60, retries=0)
        self._hasty = Client(address, timeout=0.02, retries=0)
        self._older = Client(address, version=10**6, retries=0)
        self._raw = grpc.insecure_channel(address)
        self._attribute = attribute
        self._images = images
        self._draw = np.random.default_rng(seed)
        self.kinds: dict[str, Callable[[], object]] = {
            "no photograph": lambda: self._embed(b"<html>not found</html>"),
            "empty": lambda: self._embed(b""),
            "changed photograph": lambda: self._embed(self._changed(self._image())),
            "too many pixels": lambda: self._embed(_declaring(self._image(), 9900), times=64),
            "changed message": self._message,
            "no such signature": lambda: self._client.call("hat", [self._image()]),
            "no such version": lambda: self._older.embed(self._image(), attribute),
            "gone": lambda: self._hasty.embed([self._image()] * 16, attribute),
        }

    def close(self) -> None:
        for one in (self._client, self._hasty, self._older, self._raw):
            one.close()

    def _image(self) -> bytes:
        return self._images[self._draw.integers(len(self._images))]

    def _embed(self, image: bytes, times: int = 1) -> None:
        self._send(self._request(image, times).SerializeToString())

    def _message(self) -> None:
        self._send(self._changed(self._request(self._image()).SerializeToString()))

    def _request(self, image: bytes, times: int = 1) -> wire.PredictRequest:
        """A message of one photograph, so many times; the client would divide it."""
        [request] = (
            Calls("asen", None, None, 1, 1 << 30).embed(placed(image), self._attribute).requests
        )
        tensor = request.message.inputs["image_bytes"]
        tensor.string_val.extend([image] * (times - 1))
        tensor.tensor_shape.dim[0].size = times
        return request.message

    def _send(self, content: bytes) -> None:
        self._raw.unary_unary(wire.PREDICT.path)(content, timeout=60)

    def _changed(self, content: bytes) -> bytes:
        changed = bytearray(content)
        for _ in range(self._draw.integers(1, 6)):
            # Where the names are, or anywhere.
            end = len(changed) if self._draw.random() < 0.5 else min(200, len(changed))
            changed[self._draw.integers(end)] = self._draw.integers(256)
        return bytes(changed[: self._draw.integers(len(changed))] if end % 5 == 0 else changed)


def code(call: Callable[[], object]) -> str:
    """The code with which a call ends."""
    try:
        call()
    except InvalidInputError:
        return "INVALID_ARGUMENT"
    except ServingError as error:
        return error.code.name
    except grpc.RpcError as error:
        return error.code().name
    return "OK"


def load(server: serving.Server, seconds: float) -> dict:
    """Codes of good requests and of each kind of junk, latency of good ones, memory."""
    images, end = serving.photographs(), time.monotonic() + seconds
    counts, lock = Counter(), threading.Lock()
    times: dict[str, list[float]] = {"good": [], "REST: good": []}
    with Client(server.address) as client:
        names = list(client.attributes)
        client.embed_all(images[0])

    def one(number):
        draw = np.random.default_rng(number)
        junk = Junk(server.address, names[0], images, number)
        rest = Rest(server.rest_address, names[0], images, number)
        with Client(server.address) as client:
            while time.monotonic() < end:
                image, began = images[draw.integers(len(images))], time.monotonic()
                over_rest = draw.random() < _REST.value
                if draw.random() < _JUNK.value:
                    kinds = rest.kinds if over_rest else junk.kinds
                    kind = list(kinds)[draw.integers(len(kinds))]
                    found = kinds[kind]() if over_rest else code(kinds[kind])
                elif over_rest:
                    kind, found = "REST: good", rest.good()
                elif draw.random() < 0.5:
                    kind, found = "good", code(lambda image=image: client.embed_all(image))
                else:
                    name = names[draw.integers(len(names))]
                    kind, found = "good", code(lambda i=image, n=name: client.embed(i, n))
                with lock:
                    counts[kind, found] += 1
                    if kind in times:
                        times[kind].append(time.monotonic() - began)
        junk.close()

    memory = [round(server.memory_mb(), 1)]
    with concurrent.futures.ThreadPoolExecutor(_CLIENTS.value) as threads:
        running = [threads.submit(one, number) for number in range(_CLIENTS.value)]
        while time.monotonic() < end:
            time.sleep(seconds / 20)
            memory.append(round(server.memory_mb(), 1))
        for thread in running:
            thread.result()
    requests = {kind: {} for kind, _ in sorted(counts)}
    for (kind, found), count in sorted(counts.items()):
        requests[kind][found] = count
    quarter = len(memory) // 4
    growth = np.mean(memory[-quarter:]) / np.mean(memory[quarter : 2 * quarter])
    ends = {"memory_mb_start": memory[0], "memory_mb_end": memory[-1], "memory_growth": growth}
    speed = {kind: percentiles(taken) for kind, taken in times.items() if taken}
    return {
        "seconds": seconds,
        "junk": _JUNK.value,
        "rest": _REST.value,
        "requests": requests,
        "ms": speed,
        **ends,
        "memory_mb": memory,
    }


def percentiles(seconds: list[float]) -> dict[str, float]:
    """Of times, in milliseconds."""
    found = 1000 * np.percentile(seconds, (50, 95, 99))
    return dict(zip(("p50", "p95", "p99"), found, strict=True))


def is_good(result: dict) -> bool:
    """Whether all good requests were answered, junk with codes that say what is wrong, and memory
    is flat."""
    requests = result["requests"]
    answered = {**requests.get("good", {}), **requests.get("REST: good", {})}
    return (
        answered.keys() <= {"OK", "200"}
        and not any(name in codes for codes in requests.values() for name in _NEVER)
        and result["memory_growth"] <= _MOST_GROWTH
    )


def _declaring(jpeg: bytes, side: int) -> bytes:
    """A JPEG whose header declares a square of this side."""
    changed = bytearray(jpeg)
    at = changed.index(b"\xff\xc0")
    changed[at + 5 : at + 9] = struct.pack(">HH", side, side)
    return bytes(changed)


def main(_) -> int:
    result = serving.with_server(lambda server: load(server, flags.FLAGS.seconds))
    report(result, flags.FLAGS.json)
    return 0 if is_good(result) else 1


if __name__ == "__main__":
    flags.FLAGS.set_default("seconds", 600.0)
    app.run(lambda arguments: sys.exit(main(arguments)))
