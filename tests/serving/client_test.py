"""Client and AsyncClient against a small server on loopback that can misbehave."""

import asyncio
import concurrent.futures
import inspect
import io
import pickle
import subprocess
import sys
import threading
import time
from pathlib import Path

import grpc
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    predict_pb2,
)

from asen_client.serving.signatures import Metadata
from asen_tf.serving import AsyncClient, Client, InvalidInputError, ServingError
from tests.serving.toy import eventually

ROOT = Path(__file__).parents[2]
ATTRIBUTES = {"collar": ["polo", "mandarin"], "color": ["red", "green", "blue"]}
UNAVAILABLE = (grpc.StatusCode.UNAVAILABLE, "the queue is full")
# Only the server finds out what it is.
BROKEN = b"\x89PNG\r\n\x1a\n<text>"


def vectors_of(pixels):
    """What the server's "model" gives: for each attribute a unit vector of the mean colour."""
    mean = pixels.reshape(-1, 3).mean(0).astype(np.float32) + 1
    vectors = np.stack([mean, mean[::-1] ** 2])
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class Server(grpc.GenericRpcHandler):
    """TensorFlow Serving's methods over real sockets; tests say how it behaves.

    `failures` are (code, message) for the next Predict requests, None for one that is answered;
    `spoil` changes an answer before it leaves.
    """

    def __init__(self):
        self.requests, self.failures, self.delay = [], [], 0.0
        self.version, self.attributes = 1, ATTRIBUTES
        self.spoil = lambda response: None
        self.busy, self.busiest = 0, 0
        self.lock = threading.Lock()

    def service(self, details):
        apis = {
            "Predict": (self.predict, predict_pb2.PredictRequest),
            "GetModelMetadata": (self.describe, get_model_metadata_pb2.GetModelMetadataRequest),
            "GetModelStatus": (self.status, get_model_status_pb2.GetModelStatusRequest),
        }
        service, method = details.method.removeprefix("/").split("/")
        expected = "ModelService" if method == "GetModelStatus" else "PredictionService"
        assert service == f"tensorflow.serving.{expected}"
        handle, request = apis[method]
        return grpc.unary_unary_rpc_method_handler(
            handle, request.FromString, lambda response: response.SerializeToString()
        )

    def predict(self, request, context):
        name = request.model_spec.signature_name
        if name == "metadata":
            return self.answer(
                request, json=np.array(self.metadata(), object), attributes=list(self.attributes)
            )
        with self.lock:
            self.requests.append(request)
            failure = self.failures.pop(0) if self.failures else None
            self.busy += 1
            self.busiest = max(self.busy, self.busiest)
        time.sleep(self.delay)
        with self.lock:
            self.busy -= 1
        if failure:
            context.abort(*failure)
        return self.embedded(request, name, context)

    def embedded(self, request, name, context):
        images = []
        for row, encoded in enumerate(tf.make_ndarray(request.inputs["image_bytes"])):
            try:
                images.append(np.asarray(Image.open(io.BytesIO(encoded)).convert("RGB")))
            except OSError:
                message = f"assertion failed: [photograph {row}: no image]\n\t [[{{node Assert}}]]"
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, message)
        vectors = np.stack([vectors_of(image) for image in images])
        verb, _, attribute = name.partition("_")
        if name == "serving_default":
            return self.answer(request, embeddings=vectors)
        vectors = vectors[:, list(self.attributes).index(attribute)]
        if verb == "embed":
            return self.answer(request, embedding=vectors)
        boxes = np.array([[0, 1, *image.shape[1::-1]] for image in images], np.int32)
        attention = vectors[:, None, :].repeat(2, 1)
        return self.answer(request, embedding=vectors, attention=attention, box=boxes)

    def answer(self, request, **outputs):
        response = predict_pb2.PredictResponse()
        response.model_spec.CopyFrom(request.model_spec)
        response.model_spec.version.value = self.version
        for name, array in outputs.items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(array))
        self.spoil(response)
        return response

    def metadata(self):
        return Metadata(self.attributes, 3, {"name": "test"}, "0", 1000).to_json().encode()

    def describe(self, request, context):
        assert list(request.metadata_field) == ["signature_def"]
        shapes = {"embedding": (-1, 3), "attention": (-1, 2, 3), "box": (-1, 4), "size": (-1, 2)}
        every = {"serving_default": {"embeddings": (-1, 2, 3)}}
        every |= {f"{verb}_{a}": shapes for verb in ("embed", "explain") for a in self.attributes}
        signatures = get_model_metadata_pb2.SignatureDefMap()
        for name, outputs in every.items():
            signatures.signature_def[name].CopyFrom(
                meta_graph_pb2.SignatureDef(
                    outputs={
                        key: {
                            "dtype": "DT_INT32" if key in ("box", "size") else "DT_FLOAT",
                            "tensor_shape": {"dim": [{"size": size} for size in shape]},
                        }
                        for key, shape in outputs.items()
                    }
                )
            )
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.metadata["signature_def"].Pack(signatures)
        return response

    def status(self, request, context):
        if request.model_spec.name != "asen":
            context.abort(grpc.StatusCode.NOT_FOUND, f"Could not find {request.model_spec.name}")
        return get_model_status_pb2.GetModelStatusResponse(
            model_version_status=[
                {"version": 1, "state": "AVAILABLE"},
                {"version": 2, "state": "LOADING"},
            ]
        )


def start(handler, credentials=None):
    """A server for the handler, and its address."""
    server = grpc.server(
        concurrent.futures.ThreadPoolExecutor(16),
        [handler],
        options=[("grpc.max_receive_message_length", 64 * 1024 * 1024)],
    )
    if credentials:
        port = server.add_secure_port("localhost:0", credentials)
    else:
        port = server.add_insecure_port("localhost:0")
    server.start()
    return server, f"localhost:{port}"


@pytest.fixture
def handler():
    return Server()


@pytest.fixture
def address(handler):
    server, address = start(handler)
    yield address
    server.stop(None).wait()


class Blocking:
    """An AsyncClient driven from outside, so that one test serves both clients."""

    def __init__(self, *args, **settings):
        self.loop = asyncio.new_event_loop()
        self.client = AsyncClient(*args, **settings)

    def __getattr__(self, name):
        method = getattr(self.client, name)
        if name in ("attributes", "metadata"):
            return self.loop.run_until_complete(method())
        return lambda *arguments: self.loop.run_until_complete(method(*arguments))

    def close(self):
        self.loop.run_until_complete(self.client.close())

    def __del__(self):
        self.loop.close()


@pytest.fixture(params=[Client, Blocking], ids=["blocking", "async"])
def connect(request, address):
    """A function: settings -> a client of the server."""
    clients = []

    def connect(**settings):
        clients.append(request.param(address, **settings))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


@pytest.fixture(scope="module")
def images():
    noise = np.random.default_rng(0)
    tints = noise.integers(0, 200, (11, 1, 1, 3))
    sizes = noise.integers(5, 30, (11, 2))
    return [
        (noise.integers(0, 50, (*size, 3)) + tint).astype(np.uint8)
        for size, tint in zip(sizes, tints, strict=True)
    ]


def png(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def test_every_method_in_the_callers_order(connect, handler, images):
    client = connect(batch_size=3)
    expected = np.stack([vectors_of(image) for image in images])
    assert list(client.attributes) == ["collar", "color"]
    assert client.metadata.dimension == 3
    np.testing.assert_allclose(client.embed(images, "collar"), expected[:, 0], rtol=1e-6)
    sent = [len(request.inputs["image_bytes"].string_val) for request in handler.requests]
    assert sorted(sent) == [2, 3, 3, 3]
    np.testing.assert_allclose(client.embed_all(images), expected, rtol=1e-6)
    attention, boxes = client.explain(images, "color")
    np.testing.assert_allclose(attention[:, 1], expected[:, 1], rtol=1e-6)
    np.testing.assert_array_equal(boxes[:, 2:], [image.shape[1::-1] for image in images])
    assert attention.shape == (11, 2, 3) and boxes.dtype == np.int32
    assert client.status() == {1: "AVAILABLE", 2: "LOADING"}


def test_similarity_compares_pairs_or_one_with_all(connect, handler, images):
    client = connect(batch_size=4)
    vectors = np.stack([vectors_of(image)[1] for image in images])
    found = client.similarity(images[:5], images[5:10], "color")
    np.testing.assert_allclose(found, (vectors[:5] * vectors[5:10]).sum(1), rtol=1e-6)
    handler.requests.clear()
    found = client.similarity(images[0], images, "color")
    np.testing.assert_allclose(found, vectors @ vectors[0], rtol=1e-6)
    sent = sum(len(r.inputs["image_bytes"].string_val) for r in handler.requests)
    assert sent == 12  # the one photograph travels once
    with pytest.raises(ValueError, match="got 2 and 3"):
        client.similarity(images[:2], images[:3], "color")


def test_photographs_in_every_form(connect, handler, images, tmp_path):
    path = tmp_path / "a.jpg"
    Image.fromarray(images[0]).save(path)
    gray = images[1][..., 0]
    forms = [path, str(path), path.read_bytes(), images[0], Image.fromarray(images[0]), gray]
    client = connect()
    found = client.embed(iter(forms), "collar")
    sent = tf.make_ndarray(handler.requests[0].inputs["image_bytes"])
    assert list(sent[:3]) == [path.read_bytes()] * 3
    for encoded in sent[3:5]:
        np.testing.assert_array_equal(Image.open(io.BytesIO(encoded)), images[0])
    np.testing.assert_allclose(found[5], vectors_of(np.stack([gray] * 3, -1))[0], rtol=1e-6)
    assert client.embed(str(path), "collar").shape == (1, 3)


def test_no_photographs_give_empty_arrays_and_send_none(connect, handler):
    client = connect()
    assert client.embed([], "collar").shape == (0, 3)
    assert client.embed_all([]).shape == (0, 2, 3)
    assert client.similarity([], [], "collar").shape == (0,)
    attention, boxes = client.explain([], "collar")
    assert attention.shape == (0, 2, 3) and boxes.shape == (0, 4)
    assert attention.dtype == np.float32 and boxes.dtype == np.int32
    assert handler.requests == []


def test_the_asked_model_version_and_label_are_named(connect, handler, images):
    connect(version=3).embed(images[0], "collar")
    connect(label="canary").embed(images[0], "collar")
    first, second = (request.model_spec for request in handler.requests)
    assert (first.name, first.signature_name, first.version.value) == ("asen", "embed_collar", 3)
    assert second.version_label == "canary" and not second.HasField("version")
    with pytest.raises(ServingError, match="NOT_FOUND: Could not find other") as caught:
        connect(model="other").status()
    assert caught.value.code is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize(
    ("settings", "code", "said", "named"),
    [
        ({"version": 7}, "NOT_FOUND", "Specific(asen, 7)", "version 7 of model 'asen'"),
        ({"model": "other"}, "NOT_FOUND", "Latest(other)", "model 'other'"),
        ({"label": "old"}, "INVALID_ARGUMENT", "old", "version labelled 'old' of model 'asen'"),
    ],
)
def test_what_is_not_served_is_no_fault_of_photographs(
    connect, handler, images, settings, code, said, named
):
    # As TensorFlow Serving says it.
    begins = {"NOT_FOUND": "Servable not found for request: "}
    begins["INVALID_ARGUMENT"] = "Unrecognized servable version label: "
    handler.failures = [(grpc.StatusCode[code], begins[code] + said)]
    with pytest.raises(
        ServingError, match=f"^there is no {named} at localhost:.*not load"
    ) as caught:
        connect(**settings).embed(images[0], "collar")
    assert caught.value.code is grpc.StatusCode.NOT_FOUND


def test_batches_fit_into_messages(connect, handler):
    noise = np.random.default_rng(0)
    images = [png(noise.integers(0, 256, (side, 100, 3), np.uint8)) for side in (60, 70, 50, 90)]
    client = connect(max_message_bytes=50_000)
    assert client.embed(images, "collar").shape == (4, 3)
    assert len(handler.requests) > 1
    assert max(request.ByteSize() for request in handler.requests) <= 50_000
    handler.requests.clear()
    large = png(noise.integers(0, 256, (200, 100, 3), np.uint8))
    with pytest.raises(InvalidInputError, match="photograph 2: 60.* message of 50000") as caught:
        client.embed([*images[:2], large], "collar")
    assert caught.value.position == 2


def test_several_requests_are_under_way_at_once_and_not_more(connect, handler, images):
    handler.delay = 0.1
    connect(batch_size=1, in_flight=3).embed(images, "collar")
    assert handler.busiest == 3


def test_a_server_that_is_busy_is_asked_again(connect, handler, images):
    handler.failures = [UNAVAILABLE, (grpc.StatusCode.RESOURCE_EXHAUSTED, "too many requests")]
    assert connect().embed(images[0], "collar").shape == (1, 3)
    assert len(handler.requests) == 3


def test_large_requests_are_repeated_too(connect, handler):
    handler.failures = [UNAVAILABLE]
    pixels = np.random.default_rng(0).integers(0, 256, (1000, 1000, 3), np.uint8)
    connect().embed(pixels, "collar")
    assert [request.ByteSize() > 2_000_000 for request in handler.requests] == [True, True]


def test_retries_end(connect, handler, images):
    handler.failures = [UNAVAILABLE] * 10
    with pytest.raises(ServingError, match="UNAVAILABLE: the queue is full") as caught:
        connect(retries=1).embed(images[0], "collar")
    assert caught.value.code is grpc.StatusCode.UNAVAILABLE
    assert len(handler.requests) == 2


def test_a_server_that_is_away_is_named():
    expected = r"^no answer from localhost:1 within 60 s \(connection refused\)$"
    with pytest.raises(ServingError, match=expected) as caught:
        Client("localhost:1", retries=0).status()
    assert isinstance(caught.value, OSError)
    assert caught.value.code is grpc.StatusCode.UNAVAILABLE
    expected = "no answer from localhost:1 within 0.3 s .connection refused"
    with pytest.raises(ServingError, match=expected):
        Client("localhost:1", timeout=0.3).status()

    async def status():
        async with AsyncClient("localhost:1", timeout=0.3) as client:
            await client.status()

    with pytest.raises(ServingError, match=expected):
        asyncio.run(status())


def test_a_proxy_does_not_stand_before_this_machine(monkeypatch, address):
    """33-proxy-for-this-machine"""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with Client(address, retries=0) as client:
        assert client.status() == {1: "AVAILABLE", 2: "LOADING"}
    expected = "no answer from server.invalid:1 through the proxy of http_proxy within 3 s"
    with (
        Client("server.invalid:1", retries=0, timeout=3) as client,
        pytest.raises(ServingError, match=expected),
    ):
        client.status()


def test_a_bad_photograph_is_named_by_its_place_and_not_sent_again(connect, handler, images):
    photographs = [png(image) for image in images]
    photographs[7] = BROKEN
    with pytest.raises(InvalidInputError, match="^photograph 7: no image$") as caught:
        connect(batch_size=3, in_flight=1).embed(photographs, "collar")
    assert caught.value.position == 7
    assert len(handler.requests) == 3


def test_all_bad_photographs_of_a_batch_are_named(connect, handler, images, tmp_path):
    message = "photograph 0: it is empty; photograph 1: it is cut off"
    handler.failures = [None, (grpc.StatusCode.INVALID_ARGUMENT, message)]
    path = tmp_path / "b.png"
    path.write_bytes(BROKEN)
    expected = rf"^photograph 2: it is empty; photograph 3 \({path}\): it is cut off$"
    with pytest.raises(InvalidInputError, match=expected) as caught:
        connect(batch_size=2, in_flight=1).embed([*images[:3], path], "collar")
    assert caught.value.position == 2


def test_similarity_says_on_which_side(connect, images):
    with pytest.raises(InvalidInputError, match="^other photograph 1: no image") as caught:
        connect().similarity(images[:3], [images[0], BROKEN, images[2]], "collar")
    assert caught.value.position == 1


def test_what_the_server_refuses_without_naming_a_photograph(connect, handler, images):
    for message in ("no such signature", "photograph 9: no image"):  # it was sent one photograph
        handler.failures = [(grpc.StatusCode.INVALID_ARGUMENT, message)]
        with pytest.raises(InvalidInputError, match=f"INVALID_ARGUMENT: {message}") as caught:
            connect().embed(images[0], "collar")
        assert caught.value.position is None


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("missing.jpg", r"^photograph 1 \(missing.jpg\): No such file or directory$"),
        ("/", r"^photograph 1 \(/\): Is a directory$"),
        (np.zeros((4, 4, 3)), r"photograph 1: expected uint8 .* got float64 \[4, 4, 3\]"),
        (7, "photograph 1: .* got int$"),
        (None, "photograph 1: .* got NoneType$"),
        (bytearray(b"\xff\xd8\xff"), "photograph 1: .* got bytearray$"),
        (memoryview(b"\xff\xd8\xff"), "photograph 1: .* got memoryview$"),
        (
            io.BytesIO(b"\xff\xd8\xff"),
            r"photograph 1: .* got BytesIO: give what its read\(\) gives$",
        ),
        (b"", "^photograph 1: it is empty$"),
        (
            b"hello " * 20_000_000,
            "^photograph 1: no image, or .* expected JPEG, .* GIF, TIFF, AVIF$",
        ),
        (b"\0\0\0\x18ftypheic\0\0", "^photograph 1: HEIC is not read; expected JPEG, .* AVIF$"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_bad_input_is_found_before_it_is_sent(connect, handler, images, bad, message):
    with pytest.raises(ValueError, match=message) as caught:
        connect(batch_size=2).embed([images[0], bad], "collar")
    assert caught.value.position == 1
    with pytest.raises(ValueError, match=message.replace("photograph 1", "photograph 0")):
        connect().embed(bad, "collar")
    assert handler.requests == []


def test_an_unknown_attribute_is_found_before_photographs_are_sent(connect, handler, images):
    with pytest.raises(ValueError, match="unknown attribute 'colour'. Did you mean 'color'"):
        connect().embed(images, "colour")
    assert handler.requests == []


def test_a_new_version_is_noticed(connect, handler, images):
    client = connect(batch_size=2)
    assert list(client.attributes) == ["collar", "color"]
    handler.version, handler.attributes = 2, {"color": ["red"], "side": ["left"]}
    assert client.embed(images[0], "side").shape == (1, 3)  # unknown in version 1
    handler.version, handler.attributes = 3, {"side": ["left"], "color": ["red"]}
    client.embed_all(images[0])
    assert list(client.attributes) == ["side", "color"]


def test_vectors_of_two_versions_are_not_mixed(connect, handler, images):
    client = connect(batch_size=1, in_flight=1)

    def grow(response):
        handler.version += 1

    handler.spoil = grow
    with pytest.raises(ServingError, match="from one version .* call again") as caught:
        client.embed(images[:2], "collar")
    assert caught.value.code is grpc.StatusCode.ABORTED


def drop(response):
    del response.outputs["embedding"]


def shorten(response):
    response.outputs["embedding"].CopyFrom(tf.make_tensor_proto(np.zeros((1, 3), np.float32)))


def retype(response):
    response.outputs["embedding"].CopyFrom(tf.make_tensor_proto(np.zeros((2, 3), np.int32)))


def cut(response):
    response.outputs["embedding"].tensor_content = b"1234"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (drop, "no output 'embedding' among"),
        (shorten, r"expected 'embedding' as float32 \[2, any\], received float32 \[1, 3\]"),
        (retype, "received int32"),
        (cut, r"received 1 values for a tensor of shape \[2, 3\]"),
    ],
)
def test_answers_of_another_form_are_refused(connect, handler, images, spoil, message):
    client = connect()
    list(client.attributes)
    handler.spoil = spoil
    with pytest.raises(ServingError, match=message) as caught:
        client.embed(images[:2], "collar")
    assert caught.value.code is grpc.StatusCode.INTERNAL


def test_the_deadline_is_for_all_batches_together(connect, handler, images):
    client = connect(timeout=0.7, batch_size=1, in_flight=1)
    list(client.attributes)
    handler.delay = 0.3
    began = time.monotonic()
    with pytest.raises(ServingError, match="DEADLINE_EXCEEDED"):
        client.embed(images, "collar")
    assert time.monotonic() - began < 2
    assert len(handler.requests) <= 3


def test_retries_do_not_outlast_the_deadline(connect, handler, images):
    handler.failures = [UNAVAILABLE] * 10
    began = time.monotonic()
    with pytest.raises(ServingError):
        connect(timeout=0.4).embed(images[0], "collar")
    assert time.monotonic() - began < 1.5


def test_the_event_loop_goes_on_while_a_client_waits(handler, address, images):
    async def both():
        handler.delay = 0.3
        async with AsyncClient(address) as client:
            await client.attributes()
            asked = [client.embed(image, "collar") for image in images[:4]]
            return await asyncio.gather(*asked)

    assert [vectors.shape for vectors in asyncio.run(both())] == [(1, 3)] * 4
    assert handler.busiest == 4


def test_threads_may_share_a_client(address, images):
    with Client(address) as client, concurrent.futures.ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda image: client.embed(image, "color")[0], images))
    np.testing.assert_allclose(found, [vectors_of(image)[1] for image in images], rtol=1e-6)


class Forgetful:
    """Of a client: what it knows of the model is forgotten by another thread at each look."""

    def __get__(self, client, owner):
        return client.__dict__.pop("_known", None)

    def __set__(self, client, known):
        client.__dict__["_known"] = known


def test_threads_may_forget_the_model_at_any_moment(address, images, monkeypatch):
    monkeypatch.setattr(Client, "_served", Forgetful(), raising=False)
    with Client(address) as client:
        np.testing.assert_allclose(
            client.embed(images[:1], "color"), [vectors_of(images[0])[1]], rtol=1e-6
        )


def test_a_client_that_was_closed_says_so(connect, images):
    for used in (False, True):
        client = connect()
        if used:
            client.embed(images[0], "collar")
        for _ in range(2):
            client.close()
        for ask in (lambda c=client: c.embed(images[0], "collar"), lambda c=client: c.status()):
            with pytest.raises(ServingError, match="^this client of localhost:.* is closed"):
                ask()


def test_what_waits_when_a_client_is_closed(address, handler, images):
    handler.delay = 1.0
    client = Client(address)
    list(client.attributes)
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(client.embed, images[0], "collar")
        eventually(lambda: handler.busy)
        client.close()
        with pytest.raises(ServingError, match="is closed"):
            waiting.result()

    async def closed_and_cancelled():
        client = AsyncClient(address)
        await client.attributes()
        waiting = asyncio.create_task(client.embed(images[0], "collar"))
        await asyncio.sleep(0.2)
        await client.close()
        with pytest.raises(ServingError, match="is closed"):  # and no CancelledError
            await waiting
        async with AsyncClient(address) as client:
            await client.attributes()
            waiting = asyncio.create_task(client.embed(images[0], "collar"))
            await asyncio.sleep(0.2)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting

    asyncio.run(closed_and_cancelled())


def test_an_async_client_in_another_event_loop(address):
    client = AsyncClient(address)
    asyncio.run(client.status())
    with pytest.raises(RuntimeError, match="belongs to one event loop: make another one"):
        asyncio.run(client.status())


def test_both_clients_offer_the_same(address):
    for name, method in inspect.getmembers(Client, inspect.isfunction):
        if not name.startswith("_"):
            theirs = inspect.signature(getattr(AsyncClient, name))
            assert theirs == inspect.signature(method), name


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"version": 1, "label": "stable"}, "a version or a label"),
        ({"retries": 5}, "retries must be 0 to 4, got 5"),
        ({"batch_size": 0}, "must be positive, got 0 and 4"),
        ({"timeout": 0}, "timeout must be seconds above 0, or None for no end, got 0"),
        ({"timeout": float("nan")}, "timeout must be seconds above 0, .* got nan"),
        ({"max_message_bytes": -1}, "max_message_bytes must be 16384 or more, got -1"),
        ({"client_key": "key.pem"}, "go together"),
        ({"address": "localhost:99999"}, "'localhost:99999': expected HOST:PORT, port 1 to 65535"),
    ],
)
def test_settings_out_of_range(settings, message):
    with pytest.raises(ValueError, match=message):
        Client(**{"address": "localhost:1", **settings})


def test_errors_travel_between_processes():
    error = pickle.loads(pickle.dumps(InvalidInputError("photograph 3: no image", 3)))
    assert error.position == 3 and str(error) == "photograph 3: no image"


def test_tls_with_certificates_on_both_sides(handler, certificates):
    certificate, key = certificates
    pem = Path(certificate).read_bytes()
    credentials = grpc.ssl_server_credentials([(Path(key).read_bytes(), pem)], pem, True)
    server, address = start(handler, credentials)
    own = {"root_certificates": certificate, "client_key": key, "client_certificate": certificate}
    with Client(address, **own) as client:
        assert client.status() == {1: "AVAILABLE", 2: "LOADING"}
    for settings in ({"tls": True}, {"root_certificates": certificate}, {}):
        with Client(address, retries=0, **settings) as stranger, pytest.raises(ServingError):
            stranger.status()
    server.stop(None).wait()


def test_a_client_needs_no_tensorflow():
    program = (
        "import sys, asen_tf.serving\n"
        "asen_tf.serving.Client('localhost:1').close()\n"
        "import asen_client.cli.query\n"
        "heavy = {'tensorflow', 'keras', 'keras_hub', 'scipy', 'matplotlib', 'ml_collections'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
