"""`asen-export`: a SavedModel that answers as the model does, in both loaders."""

import json
import os
import shutil

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

import asen_tf
from asen_client.serving import signatures as names
from asen_client.version import __version__
from asen_tf.core import AttributeSpace, space_file
from asen_tf.core.choices import NOT_SERVED
from asen_tf.serving.export import SIGNATURES, VerificationFailed, export, export_model, write
from asen_tf.workdir import Workdir
from tests import programs

COLOR, LENGTH = "color", "skirt length (cm)"


def in_session(folder):
    """What a C++ server does: (signature, inputs) -> outputs."""
    graph = tf.Graph()
    with graph.as_default():
        session = tf.compat.v1.Session()
        loaded = tf.compat.v1.saved_model.loader.load(session, ["serve"], str(folder))

    def ask(signature, **inputs):
        definition = loaded.signature_def[signature]
        return session.run(
            {name: tensor.name for name, tensor in definition.outputs.items()},
            {definition.inputs[name].name: value for name, value in inputs.items()},
        )

    return ask


def in_python(folder):
    loaded = tf.saved_model.load(str(folder))

    def ask(signature, **inputs):
        inputs = {name: tf.convert_to_tensor(value) for name, value in inputs.items()}
        outputs = loaded.signatures[signature](**inputs)
        return {name: value.numpy() for name, value in outputs.items()}

    return ask


@pytest.fixture(scope="module", params=[in_session, in_python], ids=["session", "python"])
def ask(request, served):
    return request.param(served / "1")


def test_an_export_of_lower_precision_is_near(workdir, embedder, jpegs, tmp_path, monkeypatch):
    only(names.SERVING_DEFAULT, monkeypatch)
    folder = export(workdir, tmp_path, attributes=[COLOR], precision="mixed_bfloat16")
    found = in_python(folder)("serving_default", image_bytes=strings(jpegs[:4]))["embeddings"]
    expected = embedder.embed(jpegs[:4], COLOR)
    assert found.dtype == np.float32
    assert 0.99 < (found[:, 0] * expected).sum(-1).min() < 1 - 1e-6


def only(signature, monkeypatch):
    """Exports have this signature alone, which takes a fraction of the time."""
    answers = {signature: SIGNATURES[signature]()}
    monkeypatch.setattr(write, "signatures_of", lambda *_: answers)


def strings(values):
    return np.array(values, object)


def refusal(ask, signature, **inputs):
    with pytest.raises(tf.errors.InvalidArgumentError) as raised:
        ask(signature, **inputs)
    return raised.value.message


@pytest.mark.parametrize("count", [0, 1, 33])
def test_vectors_are_those_of_the_embedder(ask, embedder, jpegs, count):
    photographs = jpegs[:count]
    expected = embedder.embed_all(photographs)
    found = ask("serving_default", image_bytes=strings(photographs))
    assert list(found) == ["embeddings"] and found["embeddings"].dtype == np.float32
    assert found["embeddings"].shape == (count, 2, 26)
    np.testing.assert_allclose(found["embeddings"], expected, atol=1e-5)
    for place, name in enumerate(embedder.attributes):
        found = ask(f"embed_{name}", image_bytes=strings(photographs))
        assert list(found) == ["embedding"]
        np.testing.assert_allclose(found["embedding"], expected[:, place], atol=1e-5)
        np.testing.assert_allclose(np.linalg.norm(found["embedding"], axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_explanations_are_those_of_the_embedder(ask, embedder, jpegs, count):
    photographs = jpegs[:count]
    attention, boxes = embedder.explain(photographs, LENGTH)
    found = ask(f"explain_{LENGTH}", image_bytes=strings(photographs))
    np.testing.assert_allclose(found["embedding"], embedder.embed(photographs, LENGTH), atol=1e-5)
    np.testing.assert_allclose(found["attention"], attention, atol=1e-5)
    np.testing.assert_array_equal(found["box"], boxes)
    np.testing.assert_array_equal(
        found["size"], np.reshape([(90 - n, 40 + n) for n in range(count)], (count, 2))
    )


def test_similarity_of_pairs_and_of_one_with_many(ask, embedder, jpegs):
    ours, others = jpegs[:4], jpegs[4:8]
    for left, right in [(ours, others), (ours[:1], others), (ours, others[:1]), ([], [])]:
        found = ask(
            f"similarity_{COLOR}", image_bytes=strings(left), other_image_bytes=strings(right)
        )
        expected = embedder.similarity(left, right, COLOR)
        np.testing.assert_allclose(found["similarity"], expected, atol=1e-5)
    message = refusal(
        ask,
        f"similarity_{COLOR}",
        image_bytes=strings(ours[:2]),
        other_image_bytes=strings(others[:3]),
    )
    assert "one photograph with all others; the numbers given are] [2] [3]" in message


def test_tensors_with_an_attribute_each(ask, embedder):
    images = np.random.default_rng(0).integers(0, 256, (3, 70, 50, 3), np.uint8)
    wanted = [LENGTH, COLOR, LENGTH]
    found = ask("embed_tensor", images=images, attribute=strings(wanted))["embedding"]
    every = embedder.embed_all(images)
    expected = [
        every[row, list(embedder.attributes).index(name)] for row, name in enumerate(wanted)
    ]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert ask("embed_tensor", images=images[:0], attribute=strings([]))["embedding"].shape == (
        0,
        26,
    )


def test_bad_tensors_are_refused(ask):
    images = np.zeros((2, 8, 8, 3), np.uint8)
    message = refusal(ask, "embed_tensor", images=images, attribute=strings([COLOR, "colour"]))
    assert f"image 1: unknown attribute colour. Known: {COLOR}, {LENGTH}" in message
    message = refusal(ask, "embed_tensor", images=images, attribute=strings([COLOR] * 3))
    assert "an attribute for each image, or one for all; the numbers given are] [2] [3]" in message
    message = refusal(ask, "embed_tensor", images=images[:, :0], attribute=strings(2 * [COLOR]))
    assert "the images have no pixels; their shape is] [2 0 8 3]" in message


@pytest.mark.parametrize("count", [0, 1, 5])
def test_attributes_that_a_request_names_answer_as_their_own_signatures_do(ask, jpegs, count):
    """Those of one attribute are compared with the embedder above."""
    photographs, others = strings(jpegs[:count]), strings(jpegs[5 : 5 + count])
    for wanted in ([COLOR], [LENGTH], ([LENGTH, COLOR] * 3)[:count]):
        rows = [wanted[row % len(wanted)] for row in range(count)] if wanted else []
        for signature, inputs in (
            ("embed", {"image_bytes": photographs}),
            ("explain", {"image_bytes": photographs}),
            ("similarity", {"image_bytes": photographs, "other_image_bytes": others}),
            ("similarity", {"image_bytes": photographs, "other_image_bytes": strings(jpegs[9:10])}),
        ):
            found = ask(signature, **inputs, attribute=strings(wanted))
            of = {name: ask(f"{signature}_{name}", **inputs) for name in (COLOR, LENGTH)}
            assert found.keys() == of[COLOR].keys()
            for name, array in found.items():
                assert array.shape == of[COLOR][name].shape
                for row, attribute in enumerate(rows):
                    np.testing.assert_allclose(array[row], of[attribute][name][row], atol=1e-5)


def test_one_photograph_beside_others_in_an_attribute_each(ask, jpegs):
    inputs = {"image_bytes": strings(jpegs[:1]), "other_image_bytes": strings(jpegs[1:4])}
    found = ask("similarity", **inputs, attribute=strings([LENGTH, COLOR, LENGTH]))["similarity"]
    color, length = (ask(f"similarity_{name}", **inputs)["similarity"] for name in (COLOR, LENGTH))
    np.testing.assert_allclose(found, [length[0], color[1], length[2]], atol=1e-5)


@pytest.mark.parametrize("signature", ["embed", "explain", "similarity"])
def test_attributes_that_are_not_there_are_refused_with_those_that_are(ask, jpegs, signature):
    photographs = strings(jpegs[:2])
    inputs = {"image_bytes": photographs}
    if signature == "similarity":
        inputs["other_image_bytes"] = photographs
    message = refusal(ask, signature, **inputs, attribute=strings([COLOR, "krág"]))
    known = f". Known: {COLOR}, {LENGTH}"
    assert "image 1: unknown attribute " in message and known in message
    message = refusal(ask, signature, **inputs, attribute=strings([COLOR] * 3))
    assert "an attribute for each image, or one for all; the numbers given are] [2] [3]" in message


@pytest.mark.parametrize("bad", [b"", b"<html>not found</html>", "truncated"])
def test_bad_photographs_are_named_by_their_row(ask, jpegs, bad):
    bad = jpegs[0][:-40] if bad == "truncated" else bad
    photographs = strings([*jpegs[:3], bad])
    for signature in ("serving_default", f"embed_{COLOR}", f"explain_{LENGTH}"):
        assert "[photograph 3: it is " in refusal(ask, signature, image_bytes=photographs)
    good = strings(jpegs[:4])
    signature = f"similarity_{COLOR}"
    message = refusal(ask, signature, image_bytes=photographs, other_image_bytes=good)
    assert "[photograph 3: it is " in message
    message = refusal(ask, signature, image_bytes=good, other_image_bytes=photographs)
    assert "[other photograph 3: it is " in message


def test_metadata_says_what_is_served(ask, served, embedder):
    found = ask("metadata")
    assert [name.decode() for name in found["attributes"]] == [COLOR, LENGTH]
    text = np.asarray(found["json"]).item().decode()
    assert text == (served / "1" / "assets" / "attributes.json").read_text(encoding="utf-8")
    metadata = names.Metadata.from_json(text)
    assert metadata.attributes == {COLOR: ["red", "green"], LENGTH: ["35", "90"]}
    assert (metadata.dimension, metadata.max_pixels) == (26, 100_000_000)
    assert metadata.library_version == __version__
    assert metadata.model["global_branch"]["backbone"]["name"] == "resnet6"
    assert metadata.model["slices"] == ["global", "local", "values"]
    assert metadata.box_margin == 0.25
    # Those of exports that know nothing of boxes.
    older = json.dumps({k: v for k, v in json.loads(text).items() if k != "box_margin"})
    assert names.Metadata.from_json(older).box_margin == 0.1


def test_signatures_have_the_promised_types(served):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        loaded = tf.compat.v1.saved_model.loader.load(session, ["serve"], str(served / "1"))
    found = {
        name: (describe(signature.inputs), describe(signature.outputs))
        for name, signature in loaded.signature_def.items()
        if not name.startswith("__")
    }
    image, other = {"image_bytes": ("string", [-1])}, {"other_image_bytes": ("string", [-1])}
    vector = {"embedding": ("float32", [-1, 26])}
    places = {
        "attention": ("float32", [-1, 4, 4]),
        "box": ("int32", [-1, 4]),
        "size": ("int32", [-1, 2]),
    }
    tensors = {"images": ("uint8", [-1, -1, -1, 3]), "attribute": ("string", [-1])}
    said = {"attributes": ("string", [2]), "json": ("string", [])}
    expected = {
        "serving_default": (image, {"embeddings": ("float32", [-1, 2, 26])}),
        "embed_tensor": (tensors, vector),
        "metadata": ({}, said),
        "predict": (image, {name: ("float32", [-1, 2]) for name in (COLOR, LENGTH)}),
    }
    named = {"attribute": ("string", [-1])}
    expected["embed"] = (image | named, vector)
    expected["explain"] = (image | named, vector | places)
    expected["similarity"] = (image | other | named, {"similarity": ("float32", [-1])})
    for name in (COLOR, LENGTH):
        expected[f"predict_{name}"] = (image, {"probabilities": ("float32", [-1, 2])})
        expected[f"embed_{name}"] = (image, vector)
        expected[f"explain_{name}"] = (image, vector | places)
        expected[f"similarity_{name}"] = (image | other, {"similarity": ("float32", [-1])})
    assert found == expected


def describe(tensors):
    return {
        name: (tf.as_dtype(info.dtype).name, [axis.size for axis in info.tensor_shape.dim])
        for name, info in tensors.items()
    }


def test_warmup_requests_run_and_name_every_signature(served):
    path = served / "1" / "assets.extra" / "tf_serving_warmup_requests"
    logs = [
        prediction_log_pb2.PredictionLog.FromString(record.numpy())
        for record in tf.data.TFRecordDataset(str(path))
    ]
    requests = [log.predict_log.request for log in logs]
    loaded = tf.saved_model.load(str(served / "1"))
    assert sorted(r.model_spec.signature_name for r in requests) == sorted(loaded.signatures)
    for request in requests:
        inputs = {name: tf.constant(tf.make_ndarray(t)) for name, t in request.inputs.items()}
        signature = loaded.signatures[request.model_spec.signature_name]
        outputs = signature(**inputs)
        assert set(request.output_filter) <= set(outputs)
        assert all(tensor.shape[0] == 1 for tensor in inputs.values())


def test_some_attributes_of_one_branch_as_the_next_version(
    workdir, served, embedder, jpegs, tmp_path, monkeypatch
):
    output = tmp_path / "asen"
    (output / "7").mkdir(parents=True)
    (output / "notes").mkdir()
    seen = []
    checked = write.verify
    monkeypatch.setattr(
        write, "verify", lambda *given: (seen.extend(os.listdir(output)), checked(*given))
    )
    folder = export(workdir, output, [LENGTH], max_pixels=40 * 90, slices=["global"])
    assert folder == output / "8"
    # While it was verified, a watching server saw nothing that it would take for a version.
    assert sorted(name for name in seen if name.isdecimal()) == ["7"]
    assert sorted(os.listdir(output)) == ["7", "8", "notes"]

    ask = in_session(folder)
    global_vector = embedder.embed_all(jpegs[:1])[:, 1:, :12]
    expected = global_vector / np.linalg.norm(global_vector, axis=-1, keepdims=True)
    found = ask("serving_default", image_bytes=strings(jpegs[:1]))["embeddings"]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert "photograph 1: it declares 41 x 89 pixels, more than the limit 3600" in refusal(
        ask, "serving_default", image_bytes=strings(jpegs[:2])
    )
    signatures = tf.saved_model.load(str(folder)).signatures
    assert {f"embed_{LENGTH}", f"explain_{LENGTH}"} < set(signatures)
    assert not [name for name in signatures if COLOR in name]
    metadata = json.loads((folder / "assets" / "attributes.json").read_text())
    assert list(metadata["attributes"]) == [LENGTH] and metadata["dimension"] == 12


def test_what_answers_otherwise_is_not_kept(workdir, tmp_path, monkeypatch):
    only(names.SERVING_DEFAULT, monkeypatch)
    right = write.expected_answers

    def wrong(*given):
        answers = right(*given)
        answers["serving_default"]["embeddings"] = answers["serving_default"]["embeddings"] + 1e-3
        return answers

    monkeypatch.setattr(write, "expected_answers", wrong)
    with pytest.raises(
        VerificationFailed, match=r"session loader, serving_default: embeddings is off by 0.001"
    ):
        export(workdir, tmp_path, [COLOR])
    assert os.listdir(tmp_path) == []


def test_bad_requests_are_named(workdir, tmp_path):
    with pytest.raises(ValueError, match="unknown attribute 'colour'. Did you mean 'color'"):
        export(workdir, tmp_path, ["colour"])
    with pytest.raises(ValueError, match="unknown slice 'locl'. Did you mean 'local'"):
        export(workdir, tmp_path, slices=["locl"])
    with pytest.raises(ValueError, match="'color' is named more than once"):
        export(workdir, tmp_path, [COLOR, LENGTH, COLOR])
    with pytest.raises(ValueError, match="max_pixels must be 1 or more, got 0"):
        export(workdir, tmp_path, max_pixels=0)
    with pytest.raises(FileNotFoundError, match="expected the --workdir of an asen-train run"):
        export(tmp_path, tmp_path / "output")
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="expected a folder for the versions"):
        export(workdir, tmp_path / "file")
    assert os.listdir(tmp_path) == ["file"]


def test_no_room_is_said_before_anything_is_written(embedder, tmp_path, monkeypatch):
    monkeypatch.setattr(
        shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 10**6)
    )
    with pytest.raises(OSError, match=r"needs \d+ MB, free are 1"):
        export_model(embedder.model, embedder.attributes, tmp_path)
    assert os.listdir(tmp_path) == []


def test_an_attribute_must_not_take_another_signature(embedder, tmp_path):
    space = AttributeSpace({"color": ["red"], "tensor": ["yes"]})
    with pytest.raises(ValueError, match="attribute 'tensor' cannot be served"):
        export_model(embedder.model, space, tmp_path)


def test_what_no_attribute_can_be_called_is_said_before_training():
    each = {names.embed(""), names.explain(""), names.similarity("")}
    whole = (names.SERVING_DEFAULT, names.EMBED_TENSOR, names.METADATA)
    taken = [w.removeprefix(e) for w in whole for e in each if w.startswith(e)]
    assert tuple(taken) == NOT_SERVED


def test_a_run_that_has_not_validated_is_named(workdir, tmp_path):
    run = Workdir(tmp_path / "run")
    run.path.mkdir()
    space_file.write(run.attributes_file, Workdir(workdir).space())
    with pytest.raises(FileNotFoundError, match="that has validated at least once"):
        export(run, tmp_path / "output")


def test_the_program_exports(workdir, tmp_path):
    """Into a folder whose name is a pattern to TensorFlow, where a killed export left a draft.

    30-folder-names-as-patterns and 40-small-surprises.
    """
    output = tmp_path / "served [2] *?{b}"
    (output / ".export-12345678" / "variables").mkdir(parents=True)
    good = asen_export(f"--workdir={workdir}", f"--output={output}", f"--attributes={COLOR}")
    assert good.returncode == 0, good.stderr
    assert f"exported {output}/1" in good.stdout and "verifying" in good.stderr
    assert f"next: asen-serve '--model_base_path={output}' --port=8500" in good.stdout
    assert set(asen_tf.load(output / "1").attributes) == {COLOR}
    assert os.listdir(output) == ["1"]


def asen_export(*arguments):
    return programs.run("export", *arguments)
