"""`asen-export --format=`: one file that answers as the model does, in a runtime of its own."""

import sys
import zipfile

import numpy as np
import onnx
import onnxruntime
import pytest
from ai_edge_litert.interpreter import Interpreter

import asen_tf
from asen_client.core.errors import Failed
from asen_client.core.foreign import FormatError
from asen_client.serving.signatures import Metadata
from asen_client.version import __version__
from asen_tf.images import graph
from asen_tf.models import ASEN
from asen_tf.serving.export import VerificationFailed, export, one_file

FORMATS = ("onnx", "litert")
COLOR, LENGTH = "color", "skirt length (cm)"


@pytest.fixture(params=FORMATS)
def file(request, model_files):
    return model_files[request.param]


def text_of(file):
    """The metadata, as one reads them without this library."""
    if file.suffix == ".onnx":
        [said] = onnx.load(file).metadata_props
        assert said.key == "asen_tf"
        return said.value
    with zipfile.ZipFile(file) as archive:
        return archive.read("attributes.json").decode()


def answered(file, squares):
    """What the runtime alone gives, without this library: output -> array."""
    if file.suffix == ".onnx":
        session = onnxruntime.InferenceSession(file)
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, {"images": squares}), strict=True))
    run = Interpreter(str(file)).get_signature_runner()
    found = [run(images=square[None]) for square in squares]
    return {name: np.concatenate([one[name] for one in found]) for name in found[0]}


def test_it_says_what_it_is(file):
    metadata = Metadata.from_json(text_of(file))
    assert metadata.attributes == {COLOR: ["red", "green"], LENGTH: ["35", "90"]}
    assert (metadata.dimension, metadata.size, metadata.box_margin) == (26, 64, 0.25)
    assert (metadata.version, metadata.library_version) == ("stage2, step 3", __version__)
    assert metadata.model["class"] == "ASEN"


def test_any_client_gets_the_vectors_of_the_model(file, embedder, jpegs):
    model, slices = embedder.model, embedder.slices
    squares = np.stack([graph.square_fn(64)(graph.read(one)) for one in jpegs[:5]])
    found, ids = answered(file, squares), np.tile(np.int32([0, 1]), (5, 1))
    attention, boxes = model.explain(squares, ids)
    expected = {
        "embeddings": model.embed_all(squares, slices),
        "attention": attention,
        "box": boxes,
        "probabilities": model.value_probabilities(squares),
    }
    assert set(found) == set(expected)
    for name, right in expected.items():
        np.testing.assert_allclose(found[name], right, rtol=0, atol=1e-4, err_msg=name)


def test_an_onnx_file_computes_the_backbones_once(model_files, embedder):
    """Embeddings, attention and probabilities are traced one by one, each with its own."""
    kinds = [node.op_type for node in onnx.load(model_files["onnx"]).graph.node]
    convolutions = [
        layer
        for layer in embedder.model._flatten_layers()
        if type(layer).__name__ == "Conv2D" and layer.weights
    ]
    assert 0 < kinds.count("Conv") <= len(convolutions)


@pytest.mark.parametrize(
    ("quantize", "share", "most"), [("float16", 0.6, 2e-3), ("int8", 0.4, 0.05)]
)
def test_quantised_weights_are_shorter_and_give_nearly_the_same(
    quantize, share, most, workdir, model_files, embedder, jpegs, tmp_path
):
    file = export(workdir, tmp_path / "a.tflite", format="litert", quantize=quantize)
    assert file.stat().st_size < share * model_files["litert"].stat().st_size
    found, expected = (one.embed_all(jpegs[:4]) for one in (asen_tf.load(file), embedder))
    assert 1e-5 < np.abs(found - expected).max() < most
    # Constants are of the same precision: float16 has three digits.
    np.testing.assert_allclose(np.linalg.norm(found, axis=-1), 1, rtol=1e-3)


@pytest.mark.parametrize("harm", ["empty", "half", "page", "byte", "text"])
def test_a_damaged_file_is_named(file, harm, tmp_path):
    content = file.read_bytes()
    middle = len(content) // 2
    place = tmp_path / f"harmed{file.suffix}"
    place.write_bytes(
        {
            "empty": b"",
            "half": content[:middle],
            "page": b"<!DOCTYPE html><title>404</title>",
            "byte": b"\x00" + content[1:],
            "text": content.replace(b'"dimension": 26', b'"dimension": -6'),
        }[harm]
    )
    with pytest.raises(FormatError, match=f"harmed{file.suffix}: ") as caught:
        asen_tf.load(place)
    assert ("web page" in str(caught.value)) == (harm == "page")


def test_a_file_that_does_not_do_what_it_says_is_named(model_files, jpegs, tmp_path):
    made = onnx.load(model_files["onnx"])
    [said] = made.metadata_props
    for text, message in (
        (said.value.replace('"dimension": 26', '"dimension": 27'), r"\[1, 2, 27\], got float32"),
        (said.value.replace('"size": 64', '"size": 65'), "invalid dimensions"),
        (said.value.replace('"size": 64', '"size": null'), "lack the size"),
        ("[]", "no object but list"),
    ):
        said.value = text
        onnx.save(made, tmp_path / "a.onnx")
        with pytest.raises(FormatError, match=f"a.onnx: .*{message}"):
            asen_tf.load(tmp_path / "a.onnx").embed_all(jpegs[:1])
    del made.metadata_props[:]
    onnx.save(made, tmp_path / "a.onnx")
    with pytest.raises(FormatError, match="a.onnx: expected a model that asen-export"):
        asen_tf.load(tmp_path / "a.onnx")


@pytest.mark.parametrize(
    ("format", "package"),
    [("onnx", "onnxruntime"), ("onnx", "tf2onnx"), ("litert", "ai_edge_litert")],
)
def test_a_missing_package_is_named(format, package, workdir, model_files, tmp_path, monkeypatch):
    for name in list(sys.modules):
        ours = name.startswith("asen_tf.serving.") and name.endswith(f".{format}")
        if ours or name.split(".")[0] == package:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    needs = rf'needs pip install "asen_tf\[{format}\]"'
    output = tmp_path / model_files[format].name
    with pytest.raises(ValueError, match=needs):
        export(workdir, output, format=format)
    if package != "tf2onnx":
        with pytest.raises(ValueError, match=needs):
            asen_tf.load(model_files[format])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("a.tflite", {"format": "onnx"}, "expected a file that ends in .onnx"),
        ("a", {"format": "litert"}, "expected a file that ends in .tflite"),
        ("no/a.onnx", {"format": "onnx"}, "no: no such folder"),
        ("a.onnx", {"format": "onnx", "quantize": "int8"}, "quantize=int8 is for format=litert"),
        ("a", {"quantize": "int8"}, "quantize=int8 is for format=litert"),
        ("a.tflite", {"format": "litert", "quantize": "int4"}, "unknown kind of weights 'int4'"),
        ("a.onnx", {"format": "onix"}, "unknown format 'onix'. Did you mean 'onnx'"),
        ("a.onnx", {"format": "onnx", "precision": "mixed_bfloat16"}, "expected float32"),
    ],
)
def test_what_cannot_be_written_is_said_first(workdir, name, given, message, tmp_path):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        export(workdir, tmp_path / name, **given)
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_wrong_is_not_kept(workdir, tmp_path, monkeypatch):
    monkeypatch.setattr(one_file, "TOLERANCE", 0.0)
    with pytest.raises(VerificationFailed, match="is wrong and was not kept: .* is off by"):
        export(workdir, tmp_path / "a.onnx", format="onnx", attributes=[COLOR])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("format", FORMATS)
def test_what_a_format_has_no_way_to_do_is_said(format, workdir, tmp_path, monkeypatch):
    """As it is in training, the local branch needs an operation that is TensorFlow's own."""
    monkeypatch.setattr(ASEN, "portable_options", lambda *_: {})
    output = tmp_path / ("a.onnx" if format == "onnx" else "a.tflite")
    with pytest.raises(Failed, match=f"format={format} has no way to do what this model does: "):
        export(workdir, output, format=format, attributes=[COLOR])
    assert not list(tmp_path.iterdir())
