"""REST as TensorFlow Serving's documentation has it, over real sockets."""

import base64
import concurrent.futures
import contextlib
import dataclasses
import functools
import http.client
import json
import socket
import ssl
import threading

import hypothesis
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import strategies
from prometheus_client.parser import text_string_to_metric_families
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.config import model_server_config_pb2

from asen_tf.serving.server import Batching, Limits, Models, Server
from asen_tf.serving.server.refused import Refused
from asen_tf.serving.server.rest import RestServer, json_tensors
from tests.serving.toy import eventually, put

LIMITS = Limits(message_bytes=1 << 20, batch=16, concurrent=2, waiting=2)
PREDICT = "/v1/models/toy:predict"


class Started:
    """A server with REST."""

    def __init__(self, folder, limits=LIMITS, batching=None, **tls):
        config = model_server_config_pb2.ModelConfig(name="toy", base_path=str(folder))
        config.model_version_policy.specific.versions.extend([1, 2])
        config.version_labels.update({"stable": 1})
        self.models = Models(lambda: [config], limits)
        self.models.look()
        rest = functools.partial(RestServer, host="127.0.0.1", port=0, **tls)
        self.server = Server(self.models, limits, "127.0.0.1", 0, None, batching, rest)
        self.server.start(poll_seconds=0.05)

    def ask(self, path, body=None, method=None, tls=None, **headers):
        """Status and JSON, or text, of an answer; `body`: bytes, or what becomes JSON."""
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        port = self.server.beside.port
        if tls is None:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        else:
            connection = http.client.HTTPSConnection("localhost", port, timeout=60, context=tls)
        with contextlib.closing(connection):
            connection.request(method or ("GET" if body is None else "POST"), path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            if "json" in answer.headers["Content-Type"]:
                return answer.status, json.loads(text)
            return answer.status, text

    def predict(self, value, path=PREDICT):
        return self.ask(path, value)


@pytest.fixture(scope="module")
def toy(saved, tmp_path_factory):
    """A server with version 1, which doubles, labelled stable, and 2, which triples."""
    folder = tmp_path_factory.mktemp("toy")
    for version, factor in ((1, 2), (2, 3)):
        put(saved[factor], folder / str(version))
    started = Started(folder)
    yield started
    started.server.stop(5)


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        # One input: its rows as they are, or by its name. Several outputs: an object a row.
        (
            {"instances": [[1, 2], [3, 4.5]]},
            {"predictions": [{"scaled": [3, 6], "sum": 3}, {"scaled": [9, 13.5], "sum": 7.5}]},
        ),
        ({"instances": [{"x": [1, 2]}]}, {"predictions": [{"scaled": [3, 6], "sum": 3}]}),
        # By columns.
        ({"inputs": [[1, 2]]}, {"outputs": {"scaled": [[3, 6]], "sum": [3]}}),
        ({"inputs": {"x": [[1, 2]]}}, {"outputs": {"scaled": [[3, 6]], "sum": [3]}}),
        # One output: without its name. Text, or base64 of bytes.
        (
            {"signature_name": "echo", "instances": ["krág"]},
            {"predictions": ["krág"]},
        ),
        (
            {"signature_name": "echo", "instances": [{"b64": base64.b64encode(b"a").decode()}]},
            {"predictions": ["a"]},
        ),
        (
            {"signature_name": "echo", "instances": [{"names": {"b64": "YQ=="}}]},
            {"predictions": ["a"]},
        ),
        ({"signature_name": "echo", "inputs": {"b64": "YQ=="}}, {"outputs": ["a"]}),
        ({"signature_name": "echo", "inputs": {"names": ["a"]}}, {"outputs": ["a"]}),
        # Decimal numbers as short as they may be.
        ({"inputs": [[0.1, 0]]}, {"outputs": {"scaled": [[0.3, 0]], "sum": [0.1]}}),
        (
            {"signature_name": "kinds", "inputs": {}},
            {
                "outputs": {
                    "half": [1.5],
                    "flags": [True, False],
                    "small": [[250]],
                    "large": 2**40,
                    "bytes": "\0a\0",
                }
            },
        ),
    ],
)
def test_the_documented_forms(toy, asked, answer):
    assert toy.predict(asked) == (200, answer)


def test_versions_and_labels(toy):
    for place, factor in (("", 3), ("/versions/1", 2), ("/versions/2", 3), ("/labels/stable", 2)):
        found = toy.predict({"instances": [[1, 0]]}, f"/v1/models/toy{place}:predict")
        assert found == (200, {"predictions": [{"scaled": [factor, 0], "sum": 1}]})


JUNK = [
    (b"", 400, "JSON Parse error"),
    (b"{", 400, "JSON Parse error"),
    (b"\xff\xfe", 400, "JSON Parse error"),
    (b"[" * 100_000, 400, "JSON Parse error"),
    (b"9" * 10_000, 400, "JSON Parse error"),
    ([], 400, "expected a JSON object, received an empty list"),
    (7, 400, "expected a JSON object, received a number"),
    ({}, 400, "expected either 'instances' or 'inputs'"),
    ({"instances": [1], "inputs": [1]}, 400, "expected either 'instances' or 'inputs'"),
    ({"instances": []}, 400, "expected 'instances' as a list with something in it"),
    ({"instances": {"x": 1}}, 400, "expected 'instances' as a list with something in it"),
    ({"instances": [[1, 2], {"x": [1, 2]}]}, 400, "the same inputs in each of the 'instances'"),
    ({"instances": [{"x": [1, 2]}, {"y": 1}]}, 400, "the same inputs in each of the 'instances'"),
    ({"instances": [{"y": [1, 2]}]}, 400, "Sent extra: {y}. Missing but required: {x}."),
    ({"instances": [[1, 2], [3]]}, 400, "input x: its lists differ in length or depth"),
    ({"instances": [[1, 2], 3]}, 400, "input x: its lists differ in length or depth"),
    ({"instances": [[1, [2]]]}, 400, "input x: expected numbers, received [2]"),
    ({"instances": [["a", 2]]}, 400, 'input x: expected numbers, received "a"'),
    ({"instances": [[None, 2]]}, 400, "input x: expected numbers, received null"),
    ({"instances": [[True, 2]]}, 400, "input x: expected numbers, received true"),
    ({"instances": [[10**400, 2]]}, 400, "input x: expected numbers"),
    ({"instances": [[1, 2, 3]]}, 400, "expected input x with shape [any, 2], received [1, 3]"),
    ({"instances": [[1, 2]] * 17}, 400, "input x has 17 rows, more than the limit 16"),
    ({"inputs": 7}, 400, "expected input x with shape [any, 2], received []"),
    ({"signature_name": 7, "instances": [1]}, 400, "expected 'signature_name' as a string"),
    ({"signature_name": "hat", "instances": [1]}, 400, 'Serving signature key "hat" not found.'),
    ({"signature_name": "refuse", "instances": ["a", "b"]}, 400, "photograph 1: is no 'b'"),
    ({"signature_name": "refuse", "instances": [{"b64": "?"}]}, 400, "in base64, received"),
    ({"signature_name": "refuse", "instances": [{"b64": 7}]}, 400, "in base64, received"),
    ({"signature_name": "refuse", "inputs": ["\ud800"]}, 400, "in base64, received"),
    ({"signature_name": "kinds", "instances": [1]}, 400, "the inputs of the signature: none"),
    ({"signature_name": "kinds", "instances": [{}]}, 400, "no rows in common; ask with 'inputs'"),
    ({"signature_name": "refuse", "instances": ["x" * (2 << 20)]}, 413, "larger than 1048576"),
]


@pytest.mark.parametrize(("body", "status", "said"), JUNK, ids=lambda value: str(value)[:40])
def test_junk_is_told_what_is_wrong(toy, caplog, body, status, said):
    found, answer = toy.predict(body)
    assert (found, list(answer)) == (status, ["error"]) and said in answer["error"]
    assert not caplog.records


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        ("POST", "/v1/models/hat:predict", 404, "Servable not found for request: Latest(hat)"),
        ("POST", "/v1/models/toy/versions/9:predict", 404, "Specific(toy, 9)"),
        ("POST", "/v1/models/toy/labels/canary:predict", 400, "version label: canary"),
        ("POST", "/v1/models/toy:classify", 501, "TensorFlow Serving answers :classify"),
        ("POST", "/v1/models/toy", 501, "asen-serve answers :predict"),
        ("POST", "/v1/models/toy/versions/x:predict", 400, "Malformed request: POST"),
        ("POST", f"/v1/models/toy/versions/{10**30}:predict", 400, "Malformed request: POST"),
        ("POST", "/v1/models/%00:predict", 404, "Servable not found"),
        ("GET", PREDICT, 405, "expected POST"),
        ("PUT", PREDICT, 405, "Malformed request: PUT"),
        ("GET", "/v1/models/hat", 404, "Could not find any versions of model hat"),
        ("GET", "/v1/models/toy/versions/9", 404, "Could not find version 9 of model toy"),
        ("GET", "/v1/models/hat/metadata", 404, "Servable not found for request: Latest(hat)"),
        ("GET", "/v1/models/", 400, "Malformed request: GET"),
        ("GET", "/v2/models/toy", 404, "Malformed request: GET"),
    ],
)
def test_wrong_places_are_told_what_is_wrong(toy, method, path, status, said):
    body = b'{"instances": [[1, 2]]}' if method != "GET" else None
    found, answer = toy.ask(path, body, method)
    assert (found, list(answer)) == (status, ["error"]) and said in answer["error"]


def test_a_body_that_is_compressed_is_refused(toy):
    status, answer = toy.ask(PREDICT, b"x", **{"Content-Encoding": "gzip"})
    assert (status, answer) == (415, {"error": "expected a body that is not compressed"})


ANY_JSON = strategies.recursive(
    strategies.none()
    | strategies.booleans()
    | strategies.integers(-(10**30), 10**30)
    | strategies.floats()
    | strategies.text(),
    lambda inner: (
        strategies.lists(inner, max_size=3)
        | strategies.dictionaries(
            strategies.sampled_from(["instances", "inputs", "x", "b64", "signature_name"]), inner
        )
    ),
)


@hypothesis.settings(max_examples=300, deadline=None)
@hypothesis.given(
    value=strategies.fixed_dictionaries({}, optional={"instances": ANY_JSON, "inputs": ANY_JSON}),
    dtype=strategies.sampled_from([tf.float32, tf.uint8, tf.string, tf.bool, tf.bfloat16]),
)
def test_any_json_becomes_a_tensor_or_is_refused(value, dtype):
    signature = signature_of(dtype)
    try:
        read = json_tensors.read(json.dumps(value).encode())
        json_tensors.fill(request := predict_pb2.PredictRequest(), read, signature)
    except Refused as refused:
        assert refused.code.name == "INVALID_ARGUMENT" and refused.message
    else:
        assert tf.make_ndarray(request.inputs["x"]).dtype == dtype


def signature_of(dtype):
    signature = meta_graph_pb2.SignatureDef()
    signature.inputs["x"].dtype = dtype.as_datatype_enum
    return signature


def test_status_and_metadata(toy):
    state = {"state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    found = toy.ask("/v1/models/toy")
    assert found == (200, {"model_version_status": [{"version": v, **state} for v in ("2", "1")]})
    found = toy.ask("/v1/models/toy/versions/1")
    assert found == (200, {"model_version_status": [{"version": "1", **state}]})
    status, found = toy.ask("/v1/models/toy/metadata")
    assert status == 200 and found["model_spec"]["version"] == "2"
    signatures = found["metadata"]["signature_def"]["signature_def"]
    assert signatures["serving_default"]["inputs"]["x"]["dtype"] == "DT_FLOAT"


def test_health_is_that_of_the_models(toy, monkeypatch):
    assert toy.ask("/v1/health") == (200, {"status": "SERVING"})
    monkeypatch.setattr(toy.models, "serve", lambda: False)
    assert toy.ask("/v1/health") == (503, {"status": "NOT_SERVING"})


def counted(toy, name):
    """Labels, by their names, -> value of the samples of this name."""
    _, text = toy.ask("/metrics")
    return {
        tuple(value for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    }


def test_metrics_count_what_was_answered(toy):
    def answers():
        found = counted(toy, "asen_serve_requests_total")
        keys = [("OK", "toy"), ("INVALID_ARGUMENT", "toy"), ("NOT_FOUND", "unknown")]
        return np.array([found.get((*key, "rest"), 0) for key in keys])

    before = answers()
    for _ in range(3):
        toy.predict({"instances": [[1, 2]]})
    for _ in range(2):
        toy.predict({"instances": [[1]]})
    toy.predict({"instances": [[1]]}, "/v1/models/any-name-at-all:predict")
    assert (answers() - before).tolist() == [3, 2, 1]
    assert counted(toy, "asen_serve_version_available") == {("toy", "1"): 1, ("toy", "2"): 1}
    assert counted(toy, "asen_serve_requests_under_way") == {(): 0}
    seconds = counted(toy, "asen_serve_request_seconds_count")
    assert seconds["toy", "rest"] >= 5
    assert toy.ask("/monitoring/prometheus/metrics")[1].count("asen_serve_requests_total") >= 3


def test_too_many_requests_are_refused_at_once(toy, held):
    with concurrent.futures.ThreadPoolExecutor(7) as pool:
        calls = [pool.submit(toy.predict, {"instances": [[1, 2]]}) for _ in range(7)]
        eventually(lambda: sum(call.done() for call in calls) == 3)
        assert toy.ask("/v1/health")[0] == 200
        held.free.set()
    assert sorted(call.result()[0] for call in calls) == [200] * 4 + [429] * 3


@pytest.fixture
def start(saved, tmp_path):
    started = []

    def start(**settings):
        folder = tmp_path / str(len(started))
        put(saved[2], folder / "1")
        started.append(Started(folder, **settings))
        return started[-1]

    yield start
    for one in started:
        one.server.stop(5)


def test_a_request_has_an_end(start):
    toy = start(limits=dataclasses.replace(LIMITS, rest_seconds=0.3))
    servable = toy.models.get("toy")._versions[1].servable
    run, free = servable.run, threading.Event()
    servable.run = lambda *given: (free.wait(60), run(*given))[1]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        slow = [pool.submit(toy.predict, {"instances": [[1, 2]]}) for _ in range(2)]
        eventually(lambda: counted(toy, "asen_serve_requests_under_way") == {(): 2})
        assert toy.predict({"instances": [[1, 2]]})[0] == 504
        free.set()
        assert [call.result()[0] for call in slow] == [200, 200]


def test_a_client_that_leaves_costs_nothing(toy):
    body = json.dumps({"signature_name": "spin", "instances": [1]}).encode()
    under_way = lambda: sum(v.requests for v in toy.models.get("toy")._versions.values())  # noqa: E731
    with socket.create_connection(("127.0.0.1", toy.server.beside.port)) as connection:
        head = f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)
        eventually(lambda: under_way() == 1)
    eventually(lambda: under_way() == 0)


def test_a_body_that_does_not_come_is_given_up(start):
    toy = start(limits=dataclasses.replace(LIMITS, message_seconds=0.5))
    with socket.create_connection(("127.0.0.1", toy.server.beside.port), 30) as connection:
        connection.sendall(
            f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{{".encode()
        )
        assert b" 408 " in connection.recv(4096).partition(b"\r\n")[0]


def test_stopping_lets_requests_end(start):
    toy = start()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        slow = pool.submit(toy.predict, {"signature_name": "wait", "instances": [1]})
        eventually(lambda: counted(toy, "asen_serve_requests_under_way") == {(): 1})
        stopped = pool.submit(toy.server.stop, 30)
        assert slow.result() == (200, {"predictions": [1]})
        assert stopped.result()
    with pytest.raises(OSError):
        toy.predict({"instances": [[1, 2]]})


def test_requests_are_batched(start):
    toy = start(batching=Batching(4, 60_000_000))
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(toy.predict, {"instances": [[n, 0]]}) for n in range(4)]
    found = [call.result() for call in calls]
    assert found == [(200, {"predictions": [{"scaled": [2 * n, 0], "sum": n}]}) for n in range(4)]
    assert counted(toy, "asen_serve_batch_rows_sum") == {(): 4}
    assert counted(toy, "asen_serve_batch_rows_count") == {(): 1}


def test_tls(start, certificates):
    certificate, key = certificates
    asked, answer = {"inputs": [[1, 2]]}, (200, {"outputs": {"scaled": [[2, 4]], "sum": [3]}})
    stranger, known = (ssl.create_default_context(cafile=certificate) for _ in range(2))
    known.load_cert_chain(certificate, key)

    toy = start(certificate=certificate, key=key)
    assert toy.ask(PREDICT, asked, tls=stranger) == answer
    with pytest.raises((http.client.HTTPException, OSError)):
        toy.ask(PREDICT, asked)

    # With the certificate as its own authority, clients have to show it.
    toy = start(certificate=certificate, key=key, client_ca=certificate)
    assert toy.ask(PREDICT, asked, tls=known) == answer
    for other in (stranger, None):
        with pytest.raises((http.client.HTTPException, OSError)):
            toy.ask(PREDICT, asked, tls=other)
