"""A trained model as one file, for a runtime that is not TensorFlow."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from asen_client.core.attributes import AttributeSpace
from asen_client.core.errors import check_names
from asen_client.core.foreign import FormatError
from asen_client.core.limits import BOX_MARGIN, MAX_PIXELS
from asen_client.serving import signatures as names
from asen_client.serving.signatures import Metadata
from asen_tf.core import files
from asen_tf.core.choices import FILE_ENDINGS, QUANTIZED
from asen_tf.core.progress import say
from asen_tf.core.registry import Registry
from asen_tf.images import graph
from asen_tf.models.base import EmbeddingModel
from asen_tf.serving.export.describe import describe
from asen_tf.serving.export.samples import photographs
from asen_tf.serving.export.verify import VerificationFailed
from asen_tf.serving.files import FileModel
from asen_tf.tracing import traced

# How far numbers may be off: each runtime adds in an order of its own. None for quantised weights,
# whose vectors are somewhere else.
TOLERANCE = 1e-4

# Of a number of images, None for any: a function of so many, uint8 [N, S, S, 3], to the outputs.
Answers = Callable[[int | None], Callable[[tf.Tensor], dict[str, tf.Tensor]]]
# (answers, the model whose variables they read, metadata, where to write, one of QUANTIZED or None)
Writer = Callable[[Answers, EmbeddingModel, Metadata, Path, str | None], None]

WRITERS = Registry(
    "format of an export",
    "asen_tf.export_formats",
    {
        "onnx": "asen_tf.serving.export.onnx:write",
        "litert": "asen_tf.serving.export.litert:write",
    },
)


def check_output(output: str | os.PathLike, format: str, quantize: str | None = None) -> None:
    """Before work begins: that a file of this format can be written, and with these weights.

    Raises:
      FileNotFoundError: its folder is missing.
      ValueError: another ending, weights that the format has not, or a package is missing.
    """
    ending = FILE_ENDINGS[format]
    if Path(output).suffix != ending:
        raise ValueError(f"{output}: expected a file that ends in {ending} for format={format}")
    if quantize and format != "litert":
        raise ValueError(f"quantize={quantize} is for format=litert")
    check_names("kind of weights", [quantize] if quantize else [], QUANTIZED)
    files.check_outputs([output])
    try:
        WRITERS[format]
    except ImportError as error:
        message = f'format={format} needs pip install "asen_tf[{format}]" ({error})'
        raise ValueError(message) from error


def export_file(
    model: EmbeddingModel,
    space: AttributeSpace,
    output: str | os.PathLike,
    format: str,
    attributes: Sequence[str] = (),
    max_pixels: int = MAX_PIXELS,
    slices: Sequence[str] | None = None,
    quantize: str | None = None,
    fit: str = "crop",
    box_margin: float = BOX_MARGIN,
    version: str = "",
) -> Path:
    """Writes a model that computes in float32 as one file, see `asen_tf.serving.files`.

    It takes the place of an older one once it is written and verified.

    Args:
      model: what embeds.
      space: the attributes it knows.
      output: the file, with the ending of its format.
      format: one of FILE_ENDINGS.
      attributes: those to have in it, in this order; none: all.
      max_pixels: a photograph that declares more is refused.
      slices: see `EmbeddingModel.embed`.
      quantize: of LiteRT, what weights are kept in: "float16", half as long, or "int8", a quarter,
        with activations in float32; None: float32.
      fit: how photographs become square images, see `asen_tf.images.graph.to_square`.
      box_margin: that is added around the box of an image.
      version: of the model, in words.

    Raises:
      ValueError, FileNotFoundError: see `check_output`; or the format lacks what the model does.
      VerificationFailed: the file does not answer as the model does.
    """
    check_output(output, format, quantize)
    chosen = {name: space.index(name) for name in attributes or space}
    seen = {"fit": fit, "box_margin": box_margin, "max_pixels": max_pixels, "version": version}
    metadata = describe(model, space, list(chosen), slices, **seen)

    def answers(count):
        shape = (count, model.image_size, model.image_size, 3)
        spec = tf.TensorSpec(shape, tf.uint8, names.IMAGES)
        given = model, chosen, slices, metadata
        return traced(lambda images: _answer(images, *given), input_signature=[spec])

    say(f"writing {len(chosen)} attributes")
    with files.written_whole(output) as draft:
        WRITERS[format](answers, model, metadata, draft, quantize)
        say("verifying")
        _verify(draft, answers(None), metadata, None if quantize else TOLERANCE)
    return Path(output)


def _answer(
    images: tf.Tensor,
    model: EmbeddingModel,
    chosen: Mapping[str, int],
    slices: Sequence[str] | None,
    metadata: Metadata,
) -> dict[str, tf.Tensor]:
    """All that a file gives, of uint8 [N, S, S, 3]."""
    ids = list(chosen.values())
    pairs = tf.tile(tf.constant([ids], tf.int32), (tf.shape(images)[0], 1))
    options = model.portable_options(images)
    found = {names.EMBEDDINGS: model.embed(images, pairs, slices, **options)}
    if model.explains:
        found[names.ATTENTION], found[names.BOX] = model.explain(images, pairs)
    if model.predicts:
        values = model.value_probabilities(images, tf.constant(ids, tf.int32), **options)
        most = max(map(len, metadata.attributes.values()))
        found[names.PROBABILITIES] = values[..., :most]
    return found


def _verify(file: Path, answer: Callable, metadata: Metadata, tolerance: float | None) -> None:
    """Compares what a file gives for photographs with what the model gives."""
    encoded = photographs(metadata.max_pixels)
    square = graph.square_fn(metadata.size, metadata.fit)
    expected = answer(tf.stack([square(graph.read(one)) for one in encoded]))
    try:
        with FileModel(file) as embedder:
            found = embedder.outputs(encoded)
    except FormatError as error:
        raise VerificationFailed(str(error)) from error
    if set(found) != set(expected):
        raise VerificationFailed(f"gives {sorted(found)}, expected {sorted(expected)}")
    off = {name: float(np.abs(found[name] - expected[name]).max()) for name in found}
    name, most = max(off.items(), key=lambda one: one[1])
    if tolerance is not None and not most <= tolerance:
        raise VerificationFailed(f"{name} is off by {most:.2g}, more than {tolerance:g}")
    cosines = (found[names.EMBEDDINGS] * expected[names.EMBEDDINGS].numpy()).sum(-1)
    say(
        f"{len(encoded)} photographs: off by {most:.2g} at most ({name}); cosines with the model's "
        f"vectors {cosines.min():.6f} at least; {file.stat().st_size / 1e6:.1f} MB"
    )
