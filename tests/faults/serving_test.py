"""The server under faults, in a process of its own whose disk is full."""

import random
import resource
import shutil
import signal
import socket
import time

import grpc
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from tests.faults import processes


def serve(folder, port):
    from asen_tf.serving.server import Limits, Models, Server, config

    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    models = Models(lambda: config.one("toy", folder), Limits())
    models.look()
    server = Server(models, Limits(), "127.0.0.1", port)
    server.start(poll_seconds=0.05)
    signal.pause()


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A SavedModel that doubles."""
    module = tf.Module()
    module.factor = tf.Variable(2.0)
    signature = tf.TensorSpec((None,), tf.float32, "x")
    double = tf.function(lambda x: {"x": x * module.factor}, input_signature=[signature])
    place = tmp_path_factory.mktemp("saved") / "1"
    tf.saved_model.save(module, str(place), double)
    return place


@pytest.fixture
def folder(saved, tmp_path):
    """The folder of a model's versions; it has the first."""
    shutil.copytree(saved, tmp_path / "toy" / "1")
    return tmp_path / "toy"


@pytest.fixture
def start(folder):
    """A function that starts a server, always at the same port, and gives its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = []

    def start():
        started.append(processes.started(serve, str(folder), port))
        return started[-1]

    start.address = f"127.0.0.1:{port}"
    yield start
    for one in started:
        one.kill()
        one.join()


@pytest.fixture
def ask(start):
    """A function that gives the version that answers, or the code of a refusal."""
    message = predict_pb2.PredictRequest()
    message.model_spec.name = "toy"
    message.inputs["x"].CopyFrom(tf.make_tensor_proto([3.0]))
    options = [("grpc.max_reconnect_backoff_ms", 500)]
    with grpc.insecure_channel(start.address, options) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)

        def ask():
            try:
                answer = stub.Predict(message, timeout=60)
            except grpc.RpcError as error:
                return error.code()
            assert list(answer.outputs["x"].float_val) == [6.0]
            return answer.model_spec.version.value

        yield ask


def until(ask, wanted, allowed):
    """Asks until it is answered so; other answers have to be allowed."""
    end = time.monotonic() + 120
    while (found := ask()) != wanted:
        assert found in allowed and time.monotonic() < end, found
        time.sleep(0.02)


def test_clients_of_a_killed_server_get_a_code_and_go_on_with_the_next(start, ask):
    away, chance = grpc.StatusCode.UNAVAILABLE, random.Random(0)
    for _ in range(2):
        server = start()
        until(ask, 1, {away})
        end = time.monotonic() + chance.uniform(0, 0.2)
        while time.monotonic() < end:
            assert ask() == 1
        server.kill()
        until(ask, away, {1})


def put(folder, number):
    shutil.copytree(folder / "1", folder / ".new")
    (folder / ".new").rename(folder / str(number))


def new_version(folder):
    put(folder, 2)


def new_version_that_is_cut(folder):
    shutil.copytree(folder / "1", folder / ".new")
    graph = folder / ".new" / "saved_model.pb"
    graph.write_bytes(graph.read_bytes()[:100])
    (folder / ".new").rename(folder / "2")


def files_of_the_served_version_overwritten(folder):
    for file in (folder / "1").rglob("*.*"):
        file.write_bytes(b"something else")


def files_of_the_served_version_removed(folder):
    for file in list((folder / "1").rglob("*.*")):
        file.unlink()


def folder_moved(folder):
    folder.rename(folder.with_name("moved"))


TABLE = [  # the fault, the version that answers in the end
    (new_version, 2),
    (new_version_that_is_cut, 1),
    (files_of_the_served_version_overwritten, 1),
    (files_of_the_served_version_removed, 1),
    (folder_moved, 1),
]


def test_what_happens_in_the_folder_leaves_no_client_without_an_answer(start, ask, folder, saved):
    start()
    until(ask, 1, {grpc.StatusCode.UNAVAILABLE})
    for fault, version in TABLE:
        fault(folder)
        end = time.monotonic() + 0.5
        until(ask, version, {1, 2})
        while time.monotonic() < end:
            assert ask() in {1, 2}, fault.__name__
        # As it was.
        for place in (folder, folder.with_name("moved")):
            shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(saved, folder.with_name("again") / "1")
        folder.with_name("again").rename(folder)
        until(ask, 1, {1, 2, grpc.StatusCode.NOT_FOUND})


def test_a_second_server_at_the_port_is_refused(start, ask):
    start()
    until(ask, 1, {grpc.StatusCode.UNAVAILABLE})
    second = start()
    second.join(60)
    assert second.exitcode == 1 and ask() == 1
