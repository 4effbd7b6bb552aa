"""The server over real sockets, asked with the stubs of tensorflow-serving-api."""

import concurrent.futures
import contextlib
import dataclasses
import itertools
import shutil
import socket
import threading
import time

import grpc
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import descriptor_pool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_log_pb2,
    prediction_service_pb2_grpc,
)
from tensorflow_serving.config import model_server_config_pb2

from asen_tf.serving.server import Limits, Models, Server
from asen_tf.serving.server.arrivals import Arrivals
from asen_tf.serving.server.limits import Admission
from asen_tf.serving.server.refused import Refused
from asen_tf.serving.server.server import _CONNECTION_OPTIONS
from asen_tf.serving.server.tls import credentials
from tests.serving.toy import SLOW_SECONDS, eventually, put

Code = grpc.StatusCode
Health = health_pb2.HealthCheckResponse
PREDICTION_SERVICE = "tensorflow.serving.PredictionService"
MODEL_SERVICE = "tensorflow.serving.ModelService"
LIMITS = Limits(message_bytes=1 << 20, batch=16, concurrent=2, waiting=2)


class Started:
    """A running server and stubs for it."""

    def __init__(self, folder, limits=LIMITS, tls=None, labels=(), versions=(), channel=None):
        config = model_server_config_pb2.ModelConfig(name="toy", base_path=str(folder))
        config.version_labels.update(dict(labels))
        config.model_version_policy.specific.versions.extend(versions)
        if not versions:
            config.ClearField("model_version_policy")
        self.models = Models(lambda: [config], limits)
        self.models.look()
        self.server = Server(self.models, limits, "127.0.0.1", 0, tls)
        self.server.start(poll_seconds=0.05)
        self.address = f"localhost:{self.server.port}"
        self.channel = channel(self.address) if channel else grpc.insecure_channel(self.address)
        self.prediction = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)
        self.model = model_service_pb2_grpc.ModelServiceStub(self.channel)
        self.health_stub = health_pb2_grpc.HealthStub(self.channel)

    def predict(self, signature="", timeout=20, wanted=(), **inputs):
        message = request(signature, **inputs)
        message.output_filter.extend(wanted)
        return self.prediction.Predict(message, timeout=timeout)

    def states(self):
        message = get_model_status_pb2.GetModelStatusRequest()
        message.model_spec.name = "toy"
        names = get_model_status_pb2.ModelVersionStatus.State
        answer = self.model.GetModelStatus(message, timeout=20).model_version_status
        return {status.version: (names.Name(status.state), status.status) for status in answer}

    def under_way(self):
        """Requests that versions answer at this moment."""
        return sum(v.requests for v in self.models.get("toy")._versions.values())

    def refuses(self):
        """The code of a refusal, None where there is an answer."""
        try:
            self.predict(x=X)
        except grpc.RpcError as error:
            return error.code()

    def health(self, service=""):
        check = health_pb2.HealthCheckRequest(service=service)
        return self.health_stub.Check(check, timeout=20).status


@pytest.fixture
def start(tmp_path):
    started = []

    def start(folder=tmp_path, **settings):
        started.append(Started(folder, **settings))
        return started[-1]

    yield start
    for one in started:
        one.channel.close()
        one.server.stop(5)


@pytest.fixture(scope="module")
def toy(saved, tmp_path_factory):
    """A server with version 1, which doubles, labelled stable, and 2, which triples."""
    folder = tmp_path_factory.mktemp("toy")
    put(saved[2], folder / "1")
    put(saved[3], folder / "2")
    started = Started(folder, labels={"stable": 1, "gone": 7}, versions=[1, 2])
    yield started
    started.channel.close()
    started.server.stop(5)


def request(signature="", **inputs):
    message = predict_pb2.PredictRequest()
    message.model_spec.name = "toy"
    message.model_spec.signature_name = signature
    for name, value in inputs.items():
        proto = value if isinstance(value, tensor_pb2.TensorProto) else tf.make_tensor_proto(value)
        message.inputs[name].CopyFrom(proto)
    return message


def refusal(call):
    """Code and message with which a call fails."""
    with pytest.raises(grpc.RpcError) as error:
        call()
    return error.value.code(), error.value.details()


X = np.array([[1, 2], [3, 4]], np.float32)


def test_predict_answers_as_the_graph_does(toy):
    answer = toy.predict(x=X)
    assert answer.model_spec.name == "toy"
    assert answer.model_spec.version.value == 2
    assert answer.model_spec.signature_name == "serving_default"
    assert set(answer.outputs) == {"scaled", "sum"}
    np.testing.assert_array_equal(tf.make_ndarray(answer.outputs["scaled"]), [[3, 6], [9, 12]])
    # TensorFlow Serving answers in these fields, and clients read them.
    assert list(answer.outputs["sum"].float_val) == [3, 7]


def test_predict_takes_values_in_any_form_of_the_message(toy):
    repeated = tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, float_val=[5])
    repeated.tensor_shape.CopyFrom(tf.TensorShape((3, 2)).as_proto())
    assert list(toy.predict(x=repeated).outputs["sum"].float_val) == [10, 10, 10]


def test_no_rows_are_no_error(toy):
    answer = toy.predict(x=np.zeros((0, 2), np.float32))
    assert tf.make_ndarray(answer.outputs["scaled"]).shape == (0, 2)


def test_other_dtypes_and_no_inputs(toy):
    outputs = {name: tf.make_ndarray(proto) for name, proto in toy.predict("kinds").outputs.items()}
    assert outputs["half"].dtype == np.float16
    assert outputs["half"].tolist() == [1.5]
    assert outputs["flags"].tolist() == [True, False]
    assert outputs["small"].dtype == np.uint8
    assert outputs["small"].tolist() == [[250]]
    assert outputs["large"].item() == 2**40
    assert outputs["bytes"].item() == b"\0a\0"


def test_output_filter(toy):
    assert set(toy.predict(x=X, wanted=["sum"]).outputs) == {"sum"}
    code, message = refusal(lambda: toy.predict(x=X, wanted=["product"]))
    assert code is Code.INVALID_ARGUMENT
    assert message == (
        "output tensor alias not found in signature: product "
        "Outputs expected to be in the set {scaled,sum}."
    )
    assert refusal(lambda: toy.predict(x=X, wanted=["sum", "sum"])) == (
        Code.INVALID_ARGUMENT,
        "duplicate output tensor alias: sum",
    )


def test_version_and_label(toy):
    message = request(x=X)
    for choice in ({"version": {"value": 1}}, {"version_label": "stable"}):
        message.model_spec.MergeFrom(type(message.model_spec)(**choice))
        answer = toy.prediction.Predict(message)
        assert answer.model_spec.version.value == 1
        assert answer.outputs["scaled"].float_val[0] == 2


@pytest.mark.parametrize(
    ("spec", "code", "message"),
    [
        ({}, Code.INVALID_ARGUMENT, "ModelSpec has no name specified."),
        ({"name": "hat"}, Code.NOT_FOUND, "Servable not found for request: Latest(hat)"),
        (
            {"name": "hat", "version": {"value": 3}},
            Code.NOT_FOUND,
            "Servable not found for request: Specific(hat, 3)",
        ),
        (
            {"name": "toy", "version": {"value": 3}},
            Code.NOT_FOUND,
            "Servable not found for request: Specific(toy, 3)",
        ),
        (
            {"name": "toy", "version_label": "canary"},
            Code.INVALID_ARGUMENT,
            "Unrecognized servable version label: canary",
        ),
        (
            {"name": "toy", "version_label": "gone"},
            Code.NOT_FOUND,
            "Servable not found for request: Specific(toy, 7)",
        ),
        (
            {"name": "toy", "signature_name": "hat"},
            Code.FAILED_PRECONDITION,
            'Serving signature key "hat" not found.',
        ),
        (
            {"name": "toy", "signature_name": "__saved_model_init_op"},
            Code.FAILED_PRECONDITION,
            'Serving signature key "__saved_model_init_op" not found.',
        ),
    ],
)
def test_unknown_names(toy, spec, code, message):
    wrong = predict_pb2.PredictRequest(model_spec=spec)
    assert refusal(lambda: toy.prediction.Predict(wrong)) == (code, message)


def test_no_model_spec(toy):
    message = "Missing ModelSpec"
    stubs = toy.prediction
    for call, wrong in (
        (stubs.Predict, predict_pb2.PredictRequest()),
        (stubs.GetModelMetadata, get_model_metadata_pb2.GetModelMetadataRequest()),
        (toy.model.GetModelStatus, get_model_status_pb2.GetModelStatusRequest()),
    ):
        assert refusal(lambda call=call, wrong=wrong: call(wrong)) == (
            Code.INVALID_ARGUMENT,
            message,
        )


def inconsistent(**fields):
    proto = tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, **fields)
    proto.tensor_shape.CopyFrom(tf.TensorShape((2, 2)).as_proto())
    return proto


def huge():
    proto = tensor_pb2.TensorProto(dtype=types_pb2.DT_STRING, string_val=[b"x" * 200_000])
    proto.tensor_shape.CopyFrom(tf.TensorShape((10,)).as_proto())
    return proto


def negative():
    proto = tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT)
    for size in (-1, 2):
        proto.tensor_shape.dim.add(size=size)
    return proto


@pytest.mark.parametrize(
    ("signature", "inputs", "message"),
    [
        ("", {}, "Sent extra: {}. Missing but required: {x}."),
        ("", {"x": X, "y": X}, "Sent extra: {y}. Missing but required: {}."),
        ("", {"y": X}, "which takes {x}. Sent extra: {y}. Missing but required: {x}."),
        ("kinds", {"x": X}, "which takes {}. Sent extra: {x}."),
        ("", {"x": X.astype(int)}, "expected input x as DT_FLOAT, received DT_INT64"),
        ("", {"x": tensor_pb2.TensorProto(dtype=999)}, "x as DT_FLOAT, received dtype 999"),
        ("", {"x": X[0]}, "expected input x with shape [any, 2], received [2]"),
        ("", {"x": X[:, :1]}, "expected input x with shape [any, 2], received [2, 1]"),
        ("", {"x": negative()}, "expected input x with shape [any, 2], received [-1, 2]"),
        ("", {"x": np.zeros((17, 2), np.float32)}, "x has 17 rows, more than the limit 16"),
        ("", {"x": inconsistent(float_val=[1] * 5)}, "tensor parsing error: x"),
        ("", {"x": inconsistent(tensor_content=b"123")}, "tensor parsing error: x"),
        ("refuse", {"names": huge()}, "input names stands for 2000080 bytes, more than"),
    ],
)
def test_inputs_that_do_not_fit(toy, signature, inputs, message):
    code, details = refusal(lambda: toy.predict(signature, **inputs))
    assert code is Code.INVALID_ARGUMENT
    assert message in details


def test_what_the_graph_refuses_reaches_the_client_in_its_words(toy):
    assert refusal(lambda: toy.predict("refuse", names=["a", "krág"])) == (
        Code.INVALID_ARGUMENT,
        "photograph 1: is no 'krág'",
    )


def test_metadata(toy):
    message = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    message.model_spec.name = "toy"
    answer = toy.prediction.GetModelMetadata(message)
    assert (answer.model_spec.name, answer.model_spec.version.value) == ("toy", 2)
    found = get_model_metadata_pb2.SignatureDefMap()
    assert answer.metadata["signature_def"].Unpack(found)
    inputs = found.signature_def["serving_default"].inputs
    assert inputs["x"].dtype == types_pb2.DT_FLOAT
    assert [dimension.size for dimension in inputs["x"].tensor_shape.dim] == [-1, 2]
    message.metadata_field.append("weights")
    assert refusal(lambda: toy.prediction.GetModelMetadata(message)) == (
        Code.INVALID_ARGUMENT,
        "Metadata field weights is not supported",
    )
    del message.metadata_field[:]
    code, _ = refusal(lambda: toy.prediction.GetModelMetadata(message))
    assert code is Code.INVALID_ARGUMENT
    message.metadata_field.append("signature_def")
    message.model_spec.name = "hat"
    code, _ = refusal(lambda: toy.prediction.GetModelMetadata(message))
    assert code is Code.NOT_FOUND


def test_status(toy):
    assert [(v, state) for v, (state, _) in toy.states().items()] == [
        (2, "AVAILABLE"),
        (1, "AVAILABLE"),
    ]
    message = get_model_status_pb2.GetModelStatusRequest()
    message.model_spec.name = "toy"
    message.model_spec.version.value = 1
    (status,) = toy.model.GetModelStatus(message).model_version_status
    assert status.version == 1
    message.model_spec.version.value = 5
    assert refusal(lambda: toy.model.GetModelStatus(message)) == (
        Code.NOT_FOUND,
        "Could not find version 5 of model toy",
    )
    message.model_spec.name = "hat"
    message.model_spec.ClearField("version")
    assert refusal(lambda: toy.model.GetModelStatus(message)) == (
        Code.NOT_FOUND,
        "Could not find any versions of model hat",
    )


def test_methods_that_are_not_there_say_so(toy):
    wrong = classification_pb2.ClassificationRequest()
    code, message = refusal(lambda: toy.prediction.Classify(wrong))
    assert code is Code.UNIMPLEMENTED
    assert "TensorFlow Serving answers this too" in message


def test_reflection_lists_and_describes_the_services(toy):
    database = ProtoReflectionDescriptorDatabase(toy.channel)
    services = set(database.get_services())
    assert {PREDICTION_SERVICE, MODEL_SERVICE, "grpc.health.v1.Health"} <= services
    pool = descriptor_pool.DescriptorPool(database)
    predict = pool.FindServiceByName(PREDICTION_SERVICE).FindMethodByName("Predict")
    assert "output_filter" in predict.input_type.fields_by_name


@pytest.mark.parametrize("service", ["", PREDICTION_SERVICE, MODEL_SERVICE])
def test_health(toy, service):
    assert toy.health(service) == Health.SERVING


def test_health_of_an_unknown_service(toy):
    assert refusal(lambda: toy.health("hat"))[0] is Code.NOT_FOUND


def test_a_message_that_is_too_large(toy):
    code, _ = refusal(lambda: toy.predict("refuse", names=[b"x" * (2 << 20)]))
    assert code is Code.RESOURCE_EXHAUSTED
    assert toy.predict(x=X).outputs


def test_too_many_requests(toy, held):
    """Two run, two wait, the rest is refused at once; nobody else notices."""
    calls = [toy.prediction.Predict.future(request(x=X), timeout=60) for _ in range(7)]
    eventually(lambda: sum(call.done() for call in calls) == 3)
    assert toy.health() == Health.SERVING
    held.free.set()
    codes = sorted(str(call.code()) for call in calls)
    assert codes == [str(Code.OK)] * 4 + [str(Code.RESOURCE_EXHAUSTED)] * 3
    assert toy.predict(x=X).outputs


def test_an_expired_request_is_not_run(toy, held):
    slow = [
        toy.prediction.Predict.future(request("kinds"), timeout=60)
        for _ in range(LIMITS.concurrent)
    ]
    eventually(lambda: len(held) == LIMITS.concurrent)
    assert refusal(lambda: toy.predict(x=X, timeout=0.2))[0] is Code.DEADLINE_EXCEEDED
    cancelled = toy.prediction.Predict.future(request(x=X))
    time.sleep(0.5)  # for it to arrive, and for the server's clock to end the other
    cancelled.cancel()
    toy.health()  # arrives behind the cancellation
    held.free.set()
    assert [call.code() for call in slow] == [Code.OK] * len(slow)
    assert toy.predict("kinds").outputs
    assert "serving_default" not in held


def test_a_client_that_left_costs_nothing(toy):
    one = np.ones(1, np.float32)
    calls = [toy.prediction.Predict.future(request("spin", x=one), timeout=20) for _ in range(2)]
    eventually(lambda: toy.under_way() == 2)
    calls[0].cancel()
    eventually(lambda: toy.under_way() == 1)
    # The other client's request goes on.
    assert toy.predict(x=X).outputs and not calls[1].done()
    calls[1].cancel()
    late = refusal(lambda: toy.predict("spin", x=one, timeout=0.2))
    assert late[0] is Code.DEADLINE_EXCEEDED
    eventually(lambda: toy.under_way() == 0)


def messages():
    predict = request(x=X)
    predict.model_spec.version.value = 2
    predict.output_filter.append("sum")
    strings = request("refuse", names=["a", "b"])
    metadata = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    status = get_model_status_pb2.GetModelStatusRequest()
    for message in (metadata, status):
        message.model_spec.name = "toy"
    return {
        f"/{PREDICTION_SERVICE}/Predict": [predict, strings],
        f"/{PREDICTION_SERVICE}/GetModelMetadata": [metadata],
        f"/{MODEL_SERVICE}/GetModelStatus": [status],
        f"/{PREDICTION_SERVICE}/Classify": [predict],
        "/grpc.health.v1.Health/Check": [health_pb2.HealthCheckRequest(service=MODEL_SERVICE)],
    }


def mutated(content, draw):
    """Bytes replaced, taken out, put in, or repeated."""
    content = bytearray(content)
    for _ in range(draw.integers(1, 4)):
        at = int(draw.integers(len(content) + 1))
        new = draw.integers(256, size=draw.integers(3), dtype=np.uint8).tobytes()
        content[at : at + int(draw.integers(4))] = new + content[:at][: draw.integers(3)]
    return bytes(content)


@pytest.mark.parametrize("method", messages())
def test_any_bytes_get_a_code(toy, caplog, method):
    draw, codes = np.random.default_rng(0), set()
    call = toy.channel.unary_unary(method)  # bytes as they are
    for message in messages()[method]:
        for _ in range(150):
            try:
                call(mutated(message.SerializeToString(), draw), timeout=20)
            except grpc.RpcError as error:
                codes.add(error.code())
    assert codes and not codes & {Code.INTERNAL, Code.UNKNOWN, Code.DEADLINE_EXCEEDED}
    assert not caplog.records


def test_a_stream_of_any_bytes_gets_a_code(toy, caplog):
    for method in ("grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",):
        call = toy.channel.stream_stream(f"/{method}")
        with pytest.raises(grpc.RpcError) as caught:
            list(call(iter([b"\xff\xff"]), timeout=20))
        assert caught.value.code() is Code.INVALID_ARGUMENT
    assert not caplog.records


def test_a_call_without_a_message_is_told_so(toy):
    call = toy.channel.stream_unary(f"/{PREDICTION_SERVICE}/Predict")
    expected = Code.INVALID_ARGUMENT, "expected a message, received none"
    assert refusal(lambda: call(iter([]), timeout=20)) == expected


def test_messages_that_do_not_come_hold_nothing(start, saved, tmp_path, caplog):
    """More calls than the server has threads, of which only the headers arrive."""
    put(saved[2], tmp_path / "1")
    started = start(limits=dataclasses.replace(LIMITS, message_seconds=1.0))
    never = threading.Event()

    def nothing():
        never.wait(60)
        yield from ()

    unary = started.channel.stream_unary(f"/{PREDICTION_SERVICE}/Predict")
    stream = started.channel.stream_stream(
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
    )
    calls = [unary.future(nothing()) for _ in range(90)] + [stream(nothing()) for _ in range(5)]
    try:
        eventually(lambda: all(call.done() for call in calls), 30)
        codes = {call.code() for call in calls}
    finally:
        never.set()
    assert Code.CANCELLED in codes and codes <= {Code.CANCELLED, Code.RESOURCE_EXHAUSTED}
    assert started.predict(x=X).outputs
    assert not caplog.records


def test_late_messages_make_way(monkeypatch):
    monkeypatch.setattr("asen_tf.serving.server.arrivals._LATE_S", 0.2)
    waiting, given_up = Arrivals(seconds=60, places=2), []
    waiting.watch()
    with contextlib.ExitStack() as stack:
        for number in range(5):
            stack.enter_context(waiting.expected(lambda number=number: given_up.append(number)))
        eventually(lambda: len(given_up) == 3)
        stack.enter_context(waiting.expected(lambda: given_up.append("new")))
        eventually(lambda: len(given_up) == 4)
    waiting.stop()
    assert given_up == [0, 1, 2, 3]


def frame(kind, flags=0, stream=0, content=b""):
    head = len(content).to_bytes(3, "big") + bytes([kind, flags])
    return head + stream.to_bytes(4, "big") + content


# What an HTTP/2 client sends first: the preface, and settings that are empty.
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4)


def headers():
    """A call of Predict, in the numbers of HPACK's table of names."""
    path = f"/{PREDICTION_SERVICE}/Predict".encode()
    fields = [(b"\x04", path), (b"\x01", b"x"), (b"\x0f\x10", b"application/grpc")]
    fields.append((b"\x00\x02te", b"trailers"))
    content = b"".join(name + bytes([len(value)]) + value for name, value in fields)
    return frame(1, 4, 1, b"\x83\x86" + content)


def ends(server, sent):
    """Waits until a server closes a connection on which so much was sent."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(sent)
        with contextlib.suppress(ConnectionResetError):
            while connection.recv(4096):
                pass


@pytest.mark.parametrize(
    "sent", [b"", PREFACE[:20], PREFACE], ids=["nothing", "half a preface", "a preface"]
)
def test_idle_connections_end(start, saved, tmp_path, sent):
    put(saved[2], tmp_path / "1")
    started = start(limits=dataclasses.replace(LIMITS, idle_seconds=1.0))
    assert started.predict(x=X).outputs
    ends(started.server, sent)
    # A client whose connection ended meanwhile opens another one.
    assert started.predict(x=X).outputs


def test_connections_of_clients_that_are_gone_end(start, saved, tmp_path, monkeypatch):
    put(saved[2], tmp_path / "1")
    for name in ("grpc.keepalive_time_ms", "grpc.http2.ping_timeout_ms"):
        monkeypatch.setitem(_CONNECTION_OPTIONS, name, 500)
    ends(start().server, PREFACE + headers())


def test_connections_of_streams_that_stay_open_end(start, saved, tmp_path, monkeypatch):
    put(saved[2], tmp_path / "1")
    for name in ("grpc.max_connection_age_ms", "grpc.max_connection_age_grace_ms"):
        monkeypatch.setitem(_CONNECTION_OPTIONS, name, 500)
    started = start()
    watch = started.health_stub.Watch(health_pb2.HealthCheckRequest(), timeout=30)
    assert refusal(lambda: list(watch))[0] is Code.UNAVAILABLE
    assert started.predict(x=X).outputs


def test_requests_give_way_while_a_version_is_loaded():
    admission, spans = Admission(4, 4, lambda: True), []

    def run():
        with admission.turn(20):
            began = time.monotonic()
            time.sleep(0.1)
            spans.append((began, time.monotonic()))

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        for running in [pool.submit(run) for _ in range(3)]:
            running.result()
    pauses = [after[0] - before[1] for before, after in itertools.pairwise(sorted(spans))]
    assert min(pauses) > 0.08
    with admission.turn(20):
        time.sleep(0.1)
    with pytest.raises(Refused) as caught, admission.turn(20), admission.turn(0.05):
        pass
    assert caught.value.code is Code.DEADLINE_EXCEEDED


def test_a_new_version_is_picked_up_without_dropping_a_request(start, saved, tmp_path):
    put(saved[2], tmp_path / "1")
    started = start()
    stop = threading.Event()
    first = np.ones((1, 2), np.float32)
    answers = [[], [], []]

    def ask(of_client):
        while not stop.is_set():
            answer = started.predict(x=first, timeout=60)
            scaled = answer.outputs["scaled"].float_val[0]
            of_client.append((answer.model_spec.version.value, scaled))

    def all_have(answer):
        return all(answer in of_client for of_client in answers)

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        clients = [pool.submit(ask, of_client) for of_client in answers]
        try:
            eventually(lambda: all_have((1, 2.0)), 60)
            put(saved[3], tmp_path / "2")
            eventually(lambda: all_have((2, 3.0)) and started.states()[1][0] == "END", 60)
        finally:
            stop.set()
        for client, of_client in zip(clients, answers, strict=True):
            client.result()
            assert set(of_client) == {(1, 2.0), (2, 3.0)}
            versions = [version for version, _ in of_client]
            assert versions == sorted(versions)
    # Back to the first.
    shutil.rmtree(tmp_path / "2")
    eventually(lambda: started.states()[2][0] == "END")
    assert started.predict(x=first).model_spec.version.value == 1


def test_a_broken_version_is_reported_and_served_when_mended(start, saved, tmp_path):
    put(saved[2], tmp_path / "1")
    put(saved[3], tmp_path / "2")
    variables = next((tmp_path / "2" / "variables").glob("*.data-*"))
    whole = variables.read_bytes()
    variables.write_bytes(whole[: len(whole) // 2])
    started = start()
    state, status = started.states()[2]
    assert state == "END"
    assert status.error_code != 0
    assert status.error_message
    # Version 1 is not the latest: it is not loaded for a broken one, as in TensorFlow Serving.
    assert started.health() == Health.NOT_SERVING
    variables.write_bytes(whole)
    eventually(lambda: started.health() == Health.SERVING)
    assert started.predict(x=X).model_spec.version.value == 2


def write_warmup(folder, *requests):
    (folder / "assets.extra").mkdir()
    path = folder / "assets.extra" / "tf_serving_warmup_requests"
    with tf.io.TFRecordWriter(str(path)) as file:
        for one in requests:
            log = prediction_log_pb2.PredictionLog()
            log.predict_log.request.CopyFrom(one)
            file.write(log.SerializeToString())


def test_warmup_requests_run_before_a_version_answers(start, saved, tmp_path):
    put(saved[2], tmp_path / "1")
    put(saved[3], tmp_path / "2")
    large = np.zeros((LIMITS.batch + 1, 2), np.float32)
    write_warmup(tmp_path / "1", request(x=X), request(x=large), request("wait", x=X[0]))
    write_warmup(tmp_path / "2", request(x=X), request("refuse", names=["a", "b"]))
    began = time.monotonic()
    started = start(versions=[1, 2])
    assert time.monotonic() - began > SLOW_SECONDS
    assert started.states()[1][0] == "AVAILABLE"
    state, status = started.states()[2]
    assert (state, status.error_message) == ("END", "photograph 1: is no 'b'")
    assert status.error_code == Code.INVALID_ARGUMENT.value[0]


def test_stopping_lets_requests_end_and_refuses_new_ones(start, saved, tmp_path):
    put(saved[2], tmp_path / "1")
    started = start()
    health = started.health_stub.Watch(health_pb2.HealthCheckRequest(), timeout=60)
    assert next(health).status == Health.SERVING
    call = started.prediction.Predict.future(request("wait", x=X[0]), timeout=60)
    eventually(lambda: started.under_way() == 1)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        stopped = pool.submit(started.server.stop, 30)
        assert next(health).status == Health.NOT_SERVING
        # What comes between this word and the closing is still answered.
        eventually(lambda: started.refuses() is Code.UNAVAILABLE)
        assert list(call.result().outputs["x"].float_val) == [1, 2]
        health.cancel()
        assert stopped.result()


def test_stopping_does_not_wait_longer_than_the_grace(start, saved, tmp_path):
    put(saved[2], tmp_path / "1")
    started = start()
    call = started.prediction.Predict.future(request("spin", x=X[0]), timeout=20)
    eventually(lambda: started.under_way() == 1)
    assert not started.server.stop(0)
    assert call.code() in (Code.CANCELLED, Code.UNAVAILABLE)


def test_a_port_in_use_is_one_message(start, saved, tmp_path):
    put(saved[2], tmp_path / "1")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(OSError, match="cannot listen at 127.0.0.1:"):
            Server(Models(list, LIMITS), LIMITS, "127.0.0.1", other.getsockname()[1])


def test_tls(start, saved, tmp_path, certificates):
    certificate, key = certificates
    put(saved[2], tmp_path / "1")
    with open(certificate, "rb") as file:
        root = file.read()
    with open(key, "rb") as file:
        private = file.read()

    def secure(address):
        return grpc.secure_channel(address, grpc.ssl_channel_credentials(root))

    started = start(tls=credentials(certificate, key), channel=secure)
    assert started.predict(x=X).outputs
    with grpc.insecure_channel(started.address) as plain:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(plain)
        assert refusal(lambda: stub.Predict(request(x=X), timeout=5))[0] is Code.UNAVAILABLE

    # With the certificate as its own authority, clients have to show it.
    started = start(tls=credentials(certificate, key, certificate), channel=secure)
    assert refusal(lambda: started.predict(x=X, timeout=5))[0] is Code.UNAVAILABLE
    both = grpc.ssl_channel_credentials(root, private, root)
    with grpc.secure_channel(started.address, both) as known:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(known)
        assert stub.Predict(request(x=X), timeout=5).outputs


def test_wrong_certificates_say_so(tmp_path, certificates):
    certificate, key = certificates
    assert credentials("", "") is None
    with pytest.raises(ValueError, match="both a certificate and its key"):
        credentials(certificate, "")
    with pytest.raises(ValueError, match="both a certificate and its key"):
        credentials("", "", certificate)
    (tmp_path / "rubbish").write_text("rubbish")
    with pytest.raises(ValueError, match="is not in PEM form"):
        credentials(str(tmp_path / "rubbish"), key)
    with pytest.raises(FileNotFoundError):
        credentials(certificate, str(tmp_path / "none"))
