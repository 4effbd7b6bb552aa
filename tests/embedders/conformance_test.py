"""Every kind of embedder answers the same requests in the same way."""

import io
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import asen_tf
from asen_tf.embedders import Embedder, InvalidInputError, VectorEmbedder
from asen_tf.images import Boxed
from asen_tf.keras_embedder import KerasEmbedder
from asen_tf.serving.export import export_file, export_model
from asen_tf.workdir import Workdir

ROOT = Path(__file__).parents[2]
LENGTH = "skirt length (cm)"
KINDS = ("run", "export", "preset", "served", "function", "onnx", "litert")


@pytest.fixture(scope="module")
def run(workdir):
    """The embedder that all others are compared with."""
    return asen_tf.load(workdir, batch_size=4)


@pytest.fixture(scope="module")
def address(served):
    """Where `asen-serve`'s server answers, in this process."""
    from tensorflow_serving.config import model_server_config_pb2

    from asen_tf.serving.server.limits import Limits
    from asen_tf.serving.server.models import Models
    from asen_tf.serving.server.server import Server

    config = model_server_config_pb2.ModelConfig(name="asen", base_path=str(served))
    models = Models(lambda: [config], Limits())
    models.look()
    server = Server(models, Limits(), "127.0.0.1", 0)
    server.start(poll_seconds=1)
    yield f"127.0.0.1:{server.port}"
    server.stop(5)


@pytest.fixture(scope="module")
def sources(run, workdir, served, address, model_files, tmp_path_factory):
    """Kind of embedder -> what `asen_tf.load` takes."""
    preset = tmp_path_factory.mktemp("preset")
    run.save_to_preset(preset)
    return {
        "run": workdir,
        "export": served,
        "preset": preset,
        "served": address,
        "function": VectorEmbedder(run.fingerprint(), run.embed_all),
        **model_files,
    }


@pytest.fixture(scope="module", params=KINDS)
def embedder(request, sources):
    with asen_tf.load(sources[request.param], batch_size=4) as embedder:
        yield embedder


@pytest.fixture(scope="module")
def photographs(jpegs):
    return jpegs[:6]


def test_they_are_embedders(embedder, run):
    assert isinstance(embedder, Embedder)
    assert embedder.attributes == run.attributes
    assert asen_tf.load(embedder) is embedder


def test_they_give_the_same_unit_vectors(embedder, run, photographs):
    found = embedder.embed_all(photographs)
    assert found.shape == (6, 2, run.dimension) and found.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found, axis=-1), 1, rtol=1e-5)
    np.testing.assert_allclose(found, run.embed_all(photographs), atol=1e-4)
    for n, name in enumerate(embedder.attributes):
        np.testing.assert_allclose(embedder.embed(photographs, name), found[:, n], atol=1e-5)


def test_any_number_in_any_form(embedder, photographs, tmp_path):
    path = tmp_path / "one.jpg"
    path.write_bytes(photographs[0])
    image = Image.open(io.BytesIO(photographs[0]))
    forms = [path, str(path), photographs[0], image, np.asarray(image)]
    expected = embedder.embed(photographs[0], "color")
    assert len(expected) == 1
    np.testing.assert_allclose(
        embedder.embed(iter(forms), "color"), np.repeat(expected, 5, 0), atol=1e-2
    )
    assert embedder.embed([], "color").shape == (0, expected.shape[1])
    assert embedder.embed_all([]).shape == (0, 2, expected.shape[1])


def test_similarity_is_the_cosine_of_pairs(embedder, photographs):
    vectors = embedder.embed(photographs, "color")
    pairs = embedder.similarity(photographs[:3], photographs[3:], "color")
    np.testing.assert_allclose(pairs, (vectors[:3] * vectors[3:]).sum(1), atol=1e-5)
    np.testing.assert_allclose(
        embedder.similarity(photographs[0], photographs, "color"), vectors @ vectors[0], atol=1e-5
    )
    with pytest.raises(ValueError, match="got 2 and 3"):
        embedder.similarity(photographs[:2], photographs[:3], "color")


def test_they_look_at_the_same_places(embedder, run, photographs):
    if isinstance(embedder, VectorEmbedder):
        with pytest.raises(NotImplementedError, match="no attention"):
            embedder.explain(photographs, LENGTH)
        return
    attention, boxes = embedder.explain(photographs, LENGTH)
    expected, expected_boxes = run.explain(photographs, LENGTH)
    np.testing.assert_allclose(attention, expected, atol=1e-4)
    np.testing.assert_array_equal(boxes, expected_boxes)
    attention, boxes = embedder.explain([], LENGTH)
    assert attention.shape == (0, *expected.shape[1:]) and boxes.shape == (0, 4)


def test_they_say_the_same_values(embedder, run, photographs):
    if isinstance(embedder, VectorEmbedder):
        for predict in (embedder.predict_all, lambda images: embedder.predict(images, "color")):
            with pytest.raises(NotImplementedError, match="does not say which values"):
                predict(photographs)
        return
    found = embedder.predict_all(photographs)
    for name, own in run.predict_all(photographs).items():
        assert own.shape == (6, 2) and own.dtype == found[name].dtype == np.float32
        np.testing.assert_allclose(own.sum(1), 1, rtol=1e-5)
        np.testing.assert_allclose(found[name], own, atol=1e-4)
        np.testing.assert_allclose(embedder.predict(photographs, name), found[name], atol=1e-5)
        assert embedder.predict([], name).shape == embedder.predict_all([])[name].shape == (0, 2)
    assert list(found) == list(embedder.attributes) and np.ptp(found["color"]) > 0.01
    box = (4, 4, 30, 60)
    np.testing.assert_allclose(
        embedder.predict(photographs[0], "color", [box]),
        run.predict_all([Boxed(photographs[0], box)])["color"],
        atol=1e-4,
    )


def test_a_bad_image_is_named_by_its_position(embedder, photographs):
    images = [*photographs[:5], b"<html>"]
    calls = [
        lambda: embedder.embed(images, "color"),
        lambda: embedder.embed_all(images),
        lambda: embedder.embed_all([*photographs[:5], "gone.jpg"]),
    ]
    if not isinstance(embedder, VectorEmbedder):
        calls.append(lambda: embedder.explain(images, "color"))
        calls.append(lambda: embedder.predict(images, "color"))
    for call in calls:
        with pytest.raises(InvalidInputError, match="^photograph 5") as caught:
            call()
        assert caught.value.position == 5
        assert "photograph" not in caught.value.reason
    with pytest.raises(InvalidInputError, match="^other photograph 5") as caught:
        embedder.similarity(photographs[0], images, "color")
    assert caught.value.position == 5


def test_boxes_are_cut_out_with_the_margin_of_the_model(embedder, run, photographs, tmp_path):
    """In every form of photograph it is the same as to cut its pixels by hand."""
    (tmp_path / "one.jpg").write_bytes(photographs[0])
    pixels = [np.asarray(Image.open(io.BytesIO(one))) for one in photographs]
    images = [tmp_path / "one.jpg", photographs[1], Image.fromarray(pixels[2]), *pixels[3:]]
    boxes = [(8, 20, 28, 60), (2, 0, 39, 89), (12, 8, 32, 48), None, [np.nan] * 4, (0, 0, 44, 85)]
    # A quarter of the sides is added: 5 and 10 pixels.
    cut = [pixels[0][10:70, 3:33], pixels[1], pixels[2][0:58, 7:37], *pixels[3:]]
    corners = np.array([(3, 10), (0, 0), (7, 0), (0, 0), (0, 0), (0, 0)])
    expected = run.embed_all(cut)
    assert np.abs(expected - run.embed_all(pixels)).max(axis=(1, 2))[[0, 2]].min() > 1e-2
    close = {"rtol": 0, "atol": 1e-4}
    np.testing.assert_allclose(embedder.embed_all(images, boxes=boxes), expected, **close)
    np.testing.assert_allclose(embedder.embed(images, "color", boxes), expected[:, 0], **close)
    found = embedder.similarity(images[:3], pixels[0], "color", boxes[:3], boxes[0])
    np.testing.assert_allclose(found, expected[:3, 0] @ expected[0, 0], **close)
    forms = [*map(Boxed, images[:3], boxes[:3]), *images[3:]]
    np.testing.assert_allclose(embedder.embed_all(forms), expected, **close)
    if isinstance(embedder, VectorEmbedder):
        return
    attention, regions = embedder.explain(images, LENGTH, boxes=boxes)
    expected_attention, inside = run.explain(cut, LENGTH)
    np.testing.assert_allclose(attention, expected_attention, atol=1e-4)
    np.testing.assert_array_equal(regions, inside + np.tile(corners, 2))


def test_with_pad_whole_photographs_are_seen_in_every_kind(run, photographs, tmp_path):
    """As by the same model of photographs that were padded by hand, cut to a box before or not."""
    padded = KerasEmbedder(run.model, run.attributes, run.slices, fit="pad", box_margin=0.5)
    padded.save_to_preset(tmp_path / "preset")
    shown = {"fit": "pad", "box_margin": 0.5}
    given = run.model, run.attributes, tmp_path / "export"
    export_model(*given, slices=run.slices, verified=False, **shown)
    photograph, box = photographs[0], (10, 30, 20, 70)  # of 40 x 90
    pixels = np.asarray(Image.open(io.BytesIO(photograph)))
    whole = np.pad(pixels, ((0, 0), (25, 25), (0, 0)), constant_values=255)
    cut = np.pad(pixels[10:90, 5:25], ((0, 0), (30, 30), (0, 0)), constant_values=255)
    expected = run.embed_all([whole, cut])
    regions = run.explain([whole, cut], LENGTH)[1] - [(25, 0, 25, 0), (25, -10, 25, -10)]
    regions = np.clip(regions, [(0, 0) * 2, (5, 10) * 2], [(40, 90) * 2, (25, 90) * 2])
    export_file(run.model, run.attributes, tmp_path / "a.onnx", "onnx", slices=run.slices, **shown)
    places = (tmp_path / name for name in ("preset", "export", "a.onnx"))
    for embedder in (padded, *map(asen_tf.load, places)):
        assert (embedder.fit, embedder.box_margin) == ("pad", 0.5)
        found = embedder.embed_all([photograph] * 2, [None, box])
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
        _, found = embedder.explain([photograph] * 2, LENGTH, [None, box])
        np.testing.assert_array_equal(found, regions)


def test_bad_boxes_are_named_by_their_position(embedder, photographs):
    for box, message in (
        ((5, 5, 3, 9), "x2 at least a pixel above x1"),
        ((), "expected a box as four numbers"),
        ((0, 0, 300, 9), "x2 300 lies 258 pixels outside of the photograph of 42 x 88"),
    ):
        with pytest.raises(InvalidInputError, match=f"^photograph 2: .*{message}") as caught:
            embedder.embed(photographs[:3], "color", [None, None, box])
        assert caught.value.position == 2
    with pytest.raises(ValueError, match="a box, or None, for each of 3 photographs, got 2"):
        embedder.embed(photographs[:3], "color", [None, None])


def test_an_unknown_attribute_is_refused(embedder, photographs):
    for call in (embedder.embed, embedder.explain, embedder.predict):
        with pytest.raises(ValueError, match="Did you mean 'color'"):
            call(photographs, "colour")


def test_they_have_the_same_fingerprint(embedder, run):
    run.fingerprint().check(embedder.fingerprint())
    assert embedder.fingerprint().dimension == run.dimension


def test_a_run_that_was_just_trained_is_loaded(workdir):
    assert asen_tf.load(Workdir(workdir)).version == str(workdir)


def test_the_newest_version_of_an_export_is_loaded(served, tmp_path):
    for version in ("2", "10"):
        shutil.copytree(served / "1", tmp_path / version)
    assert asen_tf.load(tmp_path).version == str(tmp_path / "10")
    assert asen_tf.load(tmp_path / "2").version == str(tmp_path / "2")


def test_what_is_no_model_is_explained(tmp_path):
    (tmp_path / "notes.txt").write_text("")
    for place, found in (
        (tmp_path, r"found a folder with notes.txt\. asen-train writes runs"),
        (tmp_path / "notes.txt", "found a file"),
        (tmp_path / "gone", "found no such file or folder"),
    ):
        with pytest.raises(FileNotFoundError, match=found):
            asen_tf.load(place)
    with pytest.raises(ValueError, match="expected HOST:PORT alone"):
        asen_tf.load("http://localhost:8501")
    with pytest.raises(TypeError, match="expected a folder, HOST:PORT or an embedder, got None"):
        asen_tf.load(None)
    with pytest.raises(ValueError, match="timeout: for a served model"):
        asen_tf.load(tmp_path, timeout=3)


def test_a_served_model_files_and_vectors_need_no_tensorflow(model_files):
    program = """
import sys, asen_tf
for file in sys.argv[1:]:
    asen_tf.load(file).fingerprint()
from asen_tf.core import AttributeSpace
from asen_tf.embedders import Fingerprint, VectorEmbedder
asen_tf.load("localhost:1", timeout=1)
asen_tf.load(VectorEmbedder(Fingerprint(AttributeSpace({"color": ["red"]}), 2)))
sys.exit("tensorflow" in sys.modules)
"""
    command = [sys.executable, "-c", program, *map(str, model_files.values())]
    assert subprocess.run(command, cwd=ROOT).returncode == 0
