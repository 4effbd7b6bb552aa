"""A network of images and texts as an embedder, compared with KerasHub's own scores."""

import io
import shutil

import keras_hub
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import asen_tf
from asen_tf.core import AttributeSpace
from asen_tf.embedders import (
    Embedder,
    EmbedderWithText,
    Fingerprint,
    InvalidInputError,
    TextEmbedder,
    VectorEmbedder,
)
from tests import image_text

TEXTS = ["flowing red dress", "a boho beach", "Red"]
RANDOM = np.random.default_rng(0)
PHOTOGRAPHS = [
    RANDOM.integers(0, 256, (*size, 3)).astype(np.uint8) for size in ((50, 40), (32, 32), (40, 90))
]


@pytest.fixture(scope="module")
def presets(tmp_path_factory):
    root = tmp_path_factory.mktemp("presets")
    return {kind: image_text.preset(kind, root / kind) for kind in image_text.KINDS}


@pytest.fixture(scope="module")
def clip(presets):
    return asen_tf.load(presets["clip"], batch_size=2)


def own_cosines(kind, preset):
    """Of texts [T] and photographs [N], float32 [T, N]: KerasHub's logits without their scale."""
    network = keras_hub.models.Backbone.from_preset(preset)
    preprocessor = keras_hub.models.CausalLMPreprocessor.from_preset(preset)
    pixels = tf.concat([preprocessor.image_converter(p[None]) for p in PHOTOGRAPHS], 0)
    read = preprocessor({"prompts": TEXTS, "images": PHOTOGRAPHS[1][None].repeat(3, 0)})
    logits = network({"images": pixels, "token_ids": read["token_ids"]})["text_logits"]
    head = network.clip_head if kind == "clip" else network.siglip_head
    bias = getattr(head, "logit_bias", 0.0)
    return (np.asarray(logits) - np.asarray(bias)) / np.exp(np.asarray(head.logit_scale))


@pytest.mark.parametrize("kind", image_text.KINDS)
def test_cosines_are_the_scores_of_keras_hub(kind, presets):
    model = asen_tf.load(presets[kind], batch_size=2)
    assert isinstance(model, Embedder) and isinstance(model, TextEmbedder)
    assert list(model.attributes) == [model.text_attribute] == ["image_text"]
    images, texts = model.embed_all(PHOTOGRAPHS), model.embed_text(TEXTS)
    assert images.dtype == texts.dtype == np.float32
    assert images.shape[1] == 1 and images.shape[2] == texts.shape[1]
    expected = own_cosines(kind, presets[kind])
    assert np.ptp(expected) > 0.1  # else any scores would do
    np.testing.assert_allclose(texts @ images[:, 0].T, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(model.embed(PHOTOGRAPHS, "image_text"), images[:, 0])


def test_what_it_is_asked_for(clip, presets):
    assert clip.embed_all([]).shape == (0, 1, image_text.PROJECTION)
    assert clip.embed_text([]).shape == (0, image_text.PROJECTION)
    box = clip.embed_all(PHOTOGRAPHS[:1], boxes=[(10, 10, 30, 30)])
    assert not np.allclose(box, clip.embed_all(PHOTOGRAPHS[:1]), atol=1e-3)
    # Longer than the network reads: it is cut.
    long = clip.embed_text([" ".join(["red"] * 40)])
    np.testing.assert_allclose(np.linalg.norm(long, axis=-1), 1, rtol=1e-5)
    clip.fingerprint().check(asen_tf.load(presets["clip"]).fingerprint())
    with pytest.raises(InvalidInputError) as raised:
        clip.embed_all([PHOTOGRAPHS[0], "nowhere.jpg"])
    assert raised.value.position == 1
    with pytest.raises(ValueError, match="unknown attribute 'color'"):
        clip.embed(PHOTOGRAPHS, "color")
    with pytest.raises(NotImplementedError):
        clip.predict_all(PHOTOGRAPHS)
    with pytest.raises(NotImplementedError):
        clip.explain(PHOTOGRAPHS, "image_text")


def test_a_preset_without_a_preprocessor_file_will_do(clip, presets, tmp_path):
    """As those on Hugging Face are: their tokenizer and converter are enough."""
    folder = shutil.copytree(presets["clip"], tmp_path / "clip")
    (folder / "preprocessor.json").unlink()
    model = asen_tf.load(folder)
    np.testing.assert_allclose(model.embed_all(PHOTOGRAPHS), clip.embed_all(PHOTOGRAPHS), atol=1e-5)
    np.testing.assert_allclose(model.embed_text(TEXTS[1:]), clip.embed_text(TEXTS[1:]), atol=1e-5)


@pytest.mark.parametrize(
    ("without", "message"),
    [
        (["tokenizer.json", "preprocessor.json"], "cannot be read: .* expected tokenizer.json"),
        (["assets/tokenizer/merges.txt"], "cannot be read: .* expected tokenizer.json"),
        (["image_converter.json", "preprocessor.json"], "image_converter.json beside the network"),
        (["model.weights.h5"], "cannot be read"),
    ],
)
def test_a_preset_that_lacks_something(without, message, presets, tmp_path):
    folder = shutil.copytree(presets["clip"], tmp_path / "clip")
    for name in without:
        (folder / name).unlink()
    with pytest.raises((FileNotFoundError, ValueError), match=message) as raised:
        asen_tf.load(folder)
    assert str(folder) in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("config.json", "config.json"),
        ("model.weights.h5", "cannot be read: .*"),
        ("assets/tokenizer/vocabulary.json", "cannot be read: .* expected tokenizer.json"),
    ],
)
def test_a_damaged_preset(name, message, presets, tmp_path):
    folder = shutil.copytree(presets["clip"], tmp_path / "clip")
    (folder / name).write_bytes((folder / name).read_bytes()[:40])
    with pytest.raises(ValueError, match=message) as raised:
        asen_tf.load(folder)
    assert str(folder) in str(raised.value) and "\n" not in str(raised.value)


def test_presets_of_other_networks_are_refused_before_their_weights_are_read(tmp_path):
    vit = keras_hub.models.ViTBackbone((32, 32, 3), 8, 1, 2, 16, 32)
    vit.save_to_preset(str(tmp_path / "vit"))
    (tmp_path / "vit" / "model.weights.h5").unlink()
    with pytest.raises(ValueError, match="holds a ViTBackbone, expected a network of images and"):
        asen_tf.load(tmp_path / "vit")


@pytest.mark.parametrize(
    ("name", "network"),
    [
        ("resnet_50_imagenet", "ResNetBackbone"),
        ("videoprism_public_v1_base", "VideoPrismBackbone"),
        ("vit_base_patch16_224_imagenet", "ViTBackbone"),
        ("efficientnet_lite0_ra_imagenet", "EfficientNetBackbone"),
        ("clip_vit_base_patch16", None),
        ("siglip_base_patch16_224", None),
    ],
)
def test_names_of_other_networks_are_refused_before_any_download(name, network, monkeypatch):
    asked = []

    def download(handle, *_):
        asked.append(handle)
        raise OSError("no network")

    monkeypatch.setattr("kagglehub.model_download", download)
    expected = f"^preset '{name}' holds a {network}, expected" if network else "no network"
    with pytest.raises(ValueError, match=expected):
        asen_tf.load(name)
    assert bool(asked) == (network is None)


def of_colors(dimension):
    """A model of one attribute, whose vectors tell the mean red, green and blue of arrays."""

    def vectors(images):
        found = np.zeros((len(images), 1, dimension), np.float32)
        for row, image in enumerate(images):
            pixels = Image.open(io.BytesIO(image)) if isinstance(image, bytes) else image
            found[row, 0, :3] = np.asarray(pixels, np.float32).mean((0, 1))
        return found / np.linalg.norm(found, axis=-1, keepdims=True)

    space = AttributeSpace({"color": ["red", "blue"]})
    return VectorEmbedder(Fingerprint(space, dimension, "colors"), vectors)


@pytest.mark.parametrize("dimension", [3, 20])
def test_beside_the_attributes_of_another_model(dimension, clip):
    colors = of_colors(dimension)
    both = EmbedderWithText(colors, clip)
    assert list(both.attributes) == ["color", "image_text"]
    assert isinstance(both, Embedder) and isinstance(both, TextEmbedder)
    found = both.embed_all(iter(PHOTOGRAPHS))
    assert found.shape == (3, 2, max(dimension, image_text.PROJECTION))
    assert both.fingerprint().dimension == found.shape[-1]
    for position, part in enumerate((colors, clip)):
        [name] = part.attributes
        np.testing.assert_allclose(both.embed(PHOTOGRAPHS, name), found[:, position], atol=1e-6)
        np.testing.assert_allclose(
            both.similarity(PHOTOGRAPHS[0], PHOTOGRAPHS[1:], name),
            part.similarity(PHOTOGRAPHS[0], PHOTOGRAPHS[1:], name),
            atol=1e-5,
        )
    expected = clip.embed_text(TEXTS) @ clip.embed(PHOTOGRAPHS, "image_text").T
    np.testing.assert_allclose(both.embed_text(TEXTS) @ found[:, 1].T, expected, atol=1e-5)
    with pytest.raises(InvalidInputError) as raised:
        both.embed_all([PHOTOGRAPHS[0], PHOTOGRAPHS[1].astype(np.float32)])
    assert raised.value.position == 1


def test_models_that_do_not_go_together(clip):
    with pytest.raises(ValueError, match="VectorEmbedder reads no texts"):
        EmbedderWithText(clip, of_colors(3))
    with pytest.raises(ValueError, match="both models have the attribute image_text"):
        EmbedderWithText(clip, clip).fingerprint()
