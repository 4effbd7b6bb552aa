"""A KerasHub network of images and texts, such as CLIP: photographs and free text in one space."""

import functools
import inspect
import os
from collections.abc import Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf

from asen_client.core.attributes import AttributeSpace
from asen_client.embedders.base import BaseEmbedder
from asen_client.embedders.images import Place
from asen_tf.core.read_ahead import batched, read_ahead
from asen_tf.images import MAX_PIXELS, graph
from asen_tf.tracing import traced

IMAGE_TEXT = "image_text"
# An attribute needs a value: this one labels nothing, and without letters it is no word.
_VALUES = ("-",)


class ImageTextEmbedder(BaseEmbedder):
    """The `Embedder` of a preset of CLIP, SigLIP or the like: one attribute, `image_text`.

    Photographs are prepared as the preset says, and texts are read by its tokenizer. Cosines of
    texts and photographs are the network's own scores, without its scale and bias.

    Args:
      preset: a KerasHub preset: its folder, or its name, then KerasHub downloads it.
      batch_size: photographs that go through the network at once.
      max_pixels: a photograph that declares more is refused before it is decoded.

    Raises:
      FileNotFoundError: there is no such folder or preset.
      ValueError: it is of another kind of network, or lacks its tokenizer or what prepares
        photographs.
    """

    def __init__(
        self, preset: str | os.PathLike, batch_size: int = 32, max_pixels: int = MAX_PIXELS
    ):
        self.version = os.fspath(preset)
        self.batch_size = batch_size
        self.max_pixels = max_pixels
        self.network = network = _network(self.version)
        self._preprocessor = _preprocessor(self.version)
        self._side = network.vision_encoder.image_shape[0]
        self._preprocessor.image_size = (self._side, self._side)
        # Where the preset does not say how long texts are, KerasHub takes what is usual.
        self._preprocessor.sequence_length = min(
            self._preprocessor.sequence_length, network.text_encoder.max_sequence_length
        )
        images = tf.TensorSpec((None, self._side, self._side, 3), tf.float32)
        tokens = tf.TensorSpec((None, None), tf.int32)
        self._of_images = traced(
            lambda images: _unit(network.get_vision_embeddings(images)), input_signature=[images]
        )
        self._of_tokens = traced(
            lambda tokens: _unit(network.get_text_embeddings(tokens)), input_signature=[tokens]
        )

    @functools.cached_property
    def _dimension(self) -> int:
        return self._of_images.get_concrete_function().structured_outputs.shape[-1]

    @property
    def attributes(self) -> AttributeSpace:
        """One, `image_text`, whose value labels nothing."""
        return AttributeSpace({IMAGE_TEXT: _VALUES})

    @property
    def text_attribute(self) -> str:
        """The attribute in whose space `embed_text` gives vectors."""
        return IMAGE_TEXT

    def embed_text(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors of texts, float32 [N, D]; longer ones than the network reads are cut."""
        if not len(texts):
            return np.zeros((0, self._dimension), np.float32)
        nothing = np.zeros((len(texts), self._side, self._side, 3), np.uint8)
        read = self._preprocessor({"prompts": list(texts), "images": nothing})
        return self._of_tokens(tf.cast(read["token_ids"], tf.int32)).numpy()

    def _embed_all(self, images: Sequence[Place]) -> np.ndarray:
        vectors = [np.zeros((0, self._dimension), np.float32)]
        vectors += [self._of_images(batch).numpy() for batch in self._batches(images)]
        return np.concatenate(vectors)[:, None]

    def _embed(self, images: Sequence[Place], attribute: str) -> np.ndarray:
        self.attributes.index(attribute)
        return self._embed_all(images)[:, 0]

    def _batches(self, images: Sequence[Place]) -> Iterator[tf.Tensor]:
        for _, batch in read_ahead(batched(images, self.batch_size), self._prepare):
            yield tf.stack(batch)

    def _prepare(self, image: Place) -> tf.Tensor:
        try:
            pixels = graph.read(image.photograph, self.max_pixels)
        except ValueError as error:
            raise image.refused(error) from error
        return tf.cast(self._preprocessor.image_converter(pixels), tf.float32)


def _unit(vectors):
    return tf.math.l2_normalize(tf.cast(vectors, tf.float32), axis=-1)


class _OfAnotherKindError(ValueError):
    """A preset of a network that does not read both images and texts."""


class _AsksForBoth(type):
    def __subclasscheck__(cls, other: type) -> bool:
        texts = getattr(other, "get_text_embeddings", None)
        # Of tokens alone, and of images: VideoPrism's take a mask, and videos.
        if texts and list(inspect.signature(texts).parameters) == ["self", "token_ids"]:
            return True
        raise _OfAnotherKindError(
            f"holds a {other.__name__}, expected a network of images and texts, such as "
            "CLIPBackbone or SigLIPBackbone"
        )


class _OfImagesAndTexts(metaclass=_AsksForBoth):
    """The class that a preset is asked to be of, which KerasHub looks at before its weights."""


def _network(preset: str) -> keras.Model:
    import keras_hub  # takes seconds to import

    base = keras_hub.models.Backbone
    try:
        # Its own names need no look at what lies elsewhere; a class has those of its heirs, too.
        kinds = [one for one in vars(keras_hub.models).values() if isinstance(one, type)]
        kinds = [one for one in kinds if issubclass(one, base) and preset in one.presets]
        if kinds:
            issubclass(max(kinds, key=lambda kind: len(kind.__mro__)), _OfImagesAndTexts)
        return base.from_preset.__func__(_OfImagesAndTexts, preset)
    except _OfAnotherKindError as error:
        raise ValueError(f"preset {preset!r} {error}") from error
    except FileNotFoundError as error:
        raise FileNotFoundError(_unread(preset, error)) from error
    except Exception as error:  # KerasHub, h5py and what downloads raise of many kinds
        raise ValueError(_unread(preset, error)) from error


def _preprocessor(preset: str) -> keras.Layer:
    import keras_hub

    try:
        preprocessor = keras_hub.models.CausalLMPreprocessor.from_preset(preset)
    except Exception as error:
        raise ValueError(
            f"{_unread(preset, error)}; expected tokenizer.json, the files of its vocabulary in "
            "assets, and image_converter.json beside the network"
        ) from error
    if preprocessor.image_converter is None:
        raise ValueError(
            f"preset {preset!r} does not say how photographs are prepared: expected "
            "image_converter.json beside the network"
        )
    return preprocessor


def _unread(preset: str, error: Exception) -> str:
    reason = str(error).partition("\n")[0]
    return f"preset {preset!r} cannot be read: {reason}"
