"""A signature of one's own and the function that calls it: two files in a package of one's own."""

import asyncio
import importlib
import io
import textwrap

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow_serving.config import model_server_config_pb2

from asen_tf.core import AttributeSpace
from asen_tf.models import TripletNet
from asen_tf.serving import AsyncClient, Client, InvalidInputError, SavedModel, ServingError
from asen_tf.serving.export import VerificationFailed, export_model
from asen_tf.serving.server.limits import Limits
from asen_tf.serving.server.models import Models
from asen_tf.serving.server.server import Server

SIGNATURE = """
import tensorflow as tf
from asen_tf.serving.export import Signature

NAMES = ("red", "green", "blue")


class NearestColor(Signature):
    def answer(self, functions, image_bytes):
        images, _ = functions.prepare(image_bytes)
        mean = tf.reduce_mean(tf.cast(images, tf.float32), axis=(1, 2))
        return {"mean": mean, "color": tf.gather(NAMES, tf.argmax(mean, axis=1))}
"""

VERB = """
def nearest_color(model, images):
    return [name.decode() for name in model.call("nearest_color", images)["color"]]
"""

# What it answers in a graph is not what it answers outside.
UNSTEADY = """
import tensorflow as tf
from asen_tf.serving.export import Signature


class Unsteady(Signature):
    each_attribute = True

    def answer(self, functions, image_bytes):
        return {"graph": tf.fill([tf.size(image_bytes)], float(tf.inside_function()))}
"""


def install(folder, package, entry_point, **modules):
    """What pip leaves in a folder of sys.path."""
    (folder / package).mkdir(parents=True)
    for name, text in modules.items():
        (folder / package / f"{name}.py").write_text(textwrap.dedent(text))
    info = folder / f"{package}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[asen_tf.signatures]\n{entry_point}\n")
    return folder


@pytest.fixture(scope="module")
def network():
    return TripletNet(1, backbone="resnet6", size=32, embedding_dim=8)


@pytest.fixture(scope="module")
def space():
    return AttributeSpace({"collar": ["v", "o"]})


@pytest.fixture(scope="module")
def models(network, space, tmp_path_factory):
    """The folder of versions that an export with the package wrote."""
    site = install(
        tmp_path_factory.mktemp("site"),
        "my_colors",
        "nearest_color = my_colors.signature:NearestColor",
        signature=SIGNATURE,
        verb=VERB,
    )
    output = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(site)
        export_model(network, space, output)
        yield output


@pytest.fixture(scope="module")
def nearest_color(models):
    return importlib.import_module("my_colors.verb").nearest_color


@pytest.fixture(scope="module")
def address(models):
    """Where `asen-serve`'s server answers, in this process."""
    config = model_server_config_pb2.ModelConfig(name="asen", base_path=str(models))
    served = Models(lambda: [config], Limits())
    served.look()
    server = Server(served, Limits(), "127.0.0.1", 0)
    server.start(poll_seconds=1)
    yield f"127.0.0.1:{server.port}"
    server.stop(5)


def pictures():
    return [
        np.full((40, 30 + n, 3), 60, np.uint8) + 90 * np.eye(3, dtype=np.uint8)[n]
        for n in (1, 0, 2)
    ]


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def test_it_answers_in_a_session(models):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        found = tf.compat.v1.saved_model.loader.load(session, ["serve"], str(models / "1"))
        signature = found.signature_def["nearest_color"]
        outputs = {name: info.name for name, info in signature.outputs.items()}
        encoded = [png(pixels) for pixels in pictures()]
        answer = session.run(outputs, {signature.inputs["image_bytes"].name: encoded})
    assert answer["color"].tolist() == [b"green", b"red", b"blue"]
    np.testing.assert_allclose(answer["mean"][1], [150, 60, 60])


def test_its_verb_asks_an_export_and_a_server(models, address, nearest_color):
    expected = ["green", "red", "blue"]
    assert nearest_color(SavedModel(models / "1", batch_size=2), pictures()) == expected
    with Client(address, batch_size=2) as client:
        assert nearest_color(client, pictures()) == expected

    async def ask():
        async with AsyncClient(address, batch_size=2) as client:
            return await client.call("nearest_color", pictures())

    answer = asyncio.run(ask())
    assert [name.decode() for name in answer["color"]] == expected
    assert answer["mean"].shape == (3, 3) and answer["mean"].dtype == np.float32


@pytest.fixture(scope="module", params=["export", "server"])
def embedder(request, models, address):
    if request.param == "export":
        yield SavedModel(models / "1", batch_size=2)
    else:
        with Client(address, batch_size=2) as client:
            yield client


def test_calls_of_any_signature(embedder):
    none = embedder.call("nearest_color", [])
    assert none["color"].shape == (0,) and none["mean"].shape == (0, 3)
    others = [png(pixels) for pixels in pictures()[::-1]]
    found = embedder.call("similarity_collar", pictures(), other_image_bytes=others)
    expected = embedder.similarity(pictures(), others, "collar")
    np.testing.assert_allclose(found["similarity"], expected, atol=1e-5)
    assert embedder.call("metadata")["attributes"].tolist() == [b"collar"]
    tensors = {"images": pictures()[0][None], "attribute": ["collar"]}
    vector = embedder.call("embed_tensor", **tensors)["embedding"]
    np.testing.assert_allclose(vector, embedder.embed(pictures()[0], "collar"), atol=1e-5)


def test_bad_calls_are_named(embedder):
    with pytest.raises(InvalidInputError, match="photograph 1"):
        embedder.call("nearest_color", [pictures()[0], b"<html>"])
    with pytest.raises(
        ValueError, match=r"other_image_bytes'.* of 3 photographs, received .*\[1\]"
    ):
        embedder.call("similarity_collar", pictures(), other_image_bytes=[b""])
    with pytest.raises(ValueError, match="unknown attribute colour"):
        embedder.call("embed_tensor", images=pictures()[0][None], attribute=["colour"])
    with pytest.raises((ValueError, ServingError), match="nearest_colour"):
        embedder.call("nearest_colour", pictures())


def test_it_is_verified_as_ours_are(network, space, tmp_path, monkeypatch):
    site = install(
        tmp_path / "site",
        "my_mistake",
        "unsteady = my_mistake.signature:Unsteady",
        signature=UNSTEADY,
    )
    monkeypatch.syspath_prepend(site)
    with pytest.raises(
        VerificationFailed, match="session loader, unsteady_collar: graph is off by 1"
    ):
        export_model(network, space, tmp_path / "models")
    assert not list((tmp_path / "models").iterdir())
