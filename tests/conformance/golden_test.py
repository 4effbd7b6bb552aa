"""What the authors' PyTorch code computed with a checkpoint, computed here from the same one.

The checkpoint's weights are random, which makes this harder than a trained one: attention is nearly
flat, so that a grey level more or less in the input moves regions.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import asen_tf
from asen_tf.evaluation.published import authors_boxes, global_input, local_input
from asen_tf.images.graph import decode
from asen_tf.layers import WeaklySupervisedLocalization
from asen_tf.workdir import Workdir
from tests import programs

REPOSITORY = Path(__file__).parents[2]
SHARED = REPOSITORY.parent / "shared"
GOLDEN = SHARED / "golden" / "asenpp_resnet18"
PHOTOGRAPHS = SHARED / "data" / "clothing_attributes"
MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])

pytestmark = pytest.mark.skipif(
    not (GOLDEN.exists() and PHOTOGRAPHS.exists()),
    reason=f"needs {GOLDEN} and {PHOTOGRAPHS}, which are not part of the project",
)


def program(name, *flags):
    done = programs.run(name, *flags)
    assert done.returncode == 0, done.stderr[-5000:]


def convert(output, preprocessing):
    settings = json.loads((GOLDEN / "golden.json").read_text(encoding="utf-8"))
    program(
        "convert",
        f"--checkpoint={GOLDEN / 'checkpoint.pth.tar'}",
        f"--output={output}",
        f"--attributes={PHOTOGRAPHS / 'splits' / 'attributes.csv'}",
        *[f"--{key}={settings[key]}" for key in ("global_size", "local_size", "threshold", "beta")],
        f"--data_root={PHOTOGRAPHS}",
        "--index_dir=splits",
        f"--preprocessing={preprocessing}",
    )
    return output


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    return convert(tmp_path_factory.mktemp("golden") / "run", "published")


@pytest.fixture(scope="module")
def model(workdir):
    return Workdir(workdir).load_best()


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN / "expected.npz") as file:
        return dict(file)


@pytest.fixture(scope="module")
def photographs(golden):
    return [Image.open(PHOTOGRAPHS / name).convert("RGB") for name in golden["image"]]


def pixels(normalised):
    """What the branches take: values 0 to 255."""
    return ((normalised * DEVIATION + MEAN) * 255).astype(np.float32)


def relative_error(found, expected):
    """Largest distance of two vectors, in parts of the expected one's length."""
    distance = np.linalg.norm(found - expected, axis=1)
    return (distance / np.linalg.norm(expected, axis=1)).max()


def test_sizes_are_read_off_the_tensors(workdir):
    settings = json.loads((GOLDEN / "golden.json").read_text(encoding="utf-8"))
    model = Workdir(workdir).config().model
    assert model.attribute_dim == settings["attribute_dim"]
    assert model.channel_reduction == settings["channel_reduction"]
    for name in ("global", "local"):
        branch = model[f"{name}_branch"]
        assert branch.backbone == settings[f"{name}_backbone"]
        assert branch.common_dim == settings["common_dim"]
        assert branch.embedding_dim == settings["embedding_dim_per_branch"]


def test_global_branch_from_its_input(model, golden):
    _, of_image = np.unique(golden["image"], return_index=True)
    order = {golden["image"][at]: n for n, at in enumerate(np.sort(of_image))}
    inputs = pixels(golden["global_input"])[[order[name] for name in golden["image"]]]
    vectors = model.attribute_embedding(golden["attribute"])
    embedding, attention, _ = model.global_branch(inputs, vectors)
    np.testing.assert_allclose(attention, golden["attention"], atol=1e-5)
    assert relative_error(embedding, golden["global_embedding"]) < 1e-4


def test_local_branch_from_its_input(model, golden):
    vectors = model.attribute_embedding(golden["attribute"])
    embedding, attention, _ = model.local_branch(pixels(golden["local_input"]), vectors)
    np.testing.assert_allclose(attention, golden["local_attention"], atol=1e-5)
    assert relative_error(embedding, golden["local_embedding"]) < 1e-4


def test_regions_in_pixels_of_the_original(golden, photographs):
    """All 72 are equal: none is an odd square that passes the border, where ours stays inside."""
    settings = json.loads((GOLDEN / "golden.json").read_text(encoding="utf-8"))
    size = settings["global_size"]
    regions = WeaklySupervisedLocalization(size, settings["threshold"])(golden["attention"])
    sizes = np.array([photograph.size[::-1] for photograph in photographs])
    boxes = authors_boxes(regions[:, None], size, sizes)[:, 0]

    left, top, side = golden["roi"].T
    np.testing.assert_array_equal(boxes, np.stack([left, top, left + side, top + side], axis=1))


def test_inputs_from_the_photographs(golden, photographs):
    """Published preprocessing is the authors' own to the last grey level."""
    names = golden["image"].tolist()
    firsts = [names.index(name) for name in dict.fromkeys(names)]
    for at, expected in zip(firsts, pixels(golden["global_input"]), strict=True):
        found = global_input(photographs[at], len(expected))
        np.testing.assert_allclose(found, expected, atol=1e-3)
    for photograph, roi, expected in zip(
        photographs, golden["roi"], pixels(golden["local_input"]), strict=True
    ):
        left, top, side = roi
        box = (left, top, left + side, top + side)
        np.testing.assert_allclose(local_input(photograph, box, len(expected)), expected, atol=1e-3)


def test_embeddings_and_boxes_from_the_files(workdir, golden):
    embedder = asen_tf.load(workdir)
    paths = [PHOTOGRAPHS / name for name in golden["image"]]
    vectors = embedder.embed_all(paths)[np.arange(len(paths)), golden["attribute"]]
    expected = golden["embedding"]
    assert ((vectors * expected).sum(1) / np.linalg.norm(expected, axis=1)).min() > 0.999
    for attribute, name in enumerate(embedder.attributes):
        of_attribute = np.flatnonzero(golden["attribute"] == attribute)
        _, boxes = embedder.explain([paths[n] for n in of_attribute], name)
        left, top, side = golden["roi"][of_attribute].T
        np.testing.assert_array_equal(boxes, np.stack([left, top, left + side, top + side], 1))


def test_decoding_as_pillow_does(photographs, golden):
    encoded = (PHOTOGRAPHS / golden["image"][0]).read_bytes()
    np.testing.assert_array_equal(decode(tf.constant(encoded)), np.asarray(photographs[0]))


@pytest.mark.parametrize("preprocessing", ["published", "default"])
def test_map_of_the_test_split(preprocessing, workdir, tmp_path):
    """The programs, from the checkpoint and the index files to the table."""
    if preprocessing != "published":
        workdir = convert(tmp_path / "run", preprocessing)
    program(
        "evaluate",
        f"--workdir={workdir}",
        "--slices=both,global",
        f"--output={tmp_path / 'test.json'}",
    )
    found = json.loads((tmp_path / "test.json").read_text())["variants"]
    expected = json.loads((GOLDEN / "golden.json").read_text(encoding="utf-8"))
    for variant, key in (("both", "map_global_and_local"), ("global", "map_global_only")):
        assert found[variant]["map"] == pytest.approx(expected[key]["overall"], abs=0.005)
        if preprocessing == "published":
            for name, value in expected[key]["per_attribute"].items():
                its_map = found[variant]["attributes"][name]["map"]
                assert its_map == pytest.approx(value, abs=0.005), name
