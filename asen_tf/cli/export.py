"""Exports a trained model: for TensorFlow Serving, or as one file for other runtimes.

asen-export --workdir=runs/asen --output=export/models/asen
asen-export --workdir=runs/asen --format=onnx --output=asen.onnx
asen-export --workdir=runs/asen --format=litert --quantize=int8 --output=asen.tflite

Of TensorFlow Serving it is a SavedModel with a signature for each attribute, the next version below
the output. A file has all attributes, takes images as the network sees them, and is a --model of
the other programs.
"""

import shlex

from absl import flags

from asen_client.cli import program
from asen_client.core.limits import MAX_PIXELS
from asen_tf.core.choices import EXPORT_FORMATS, PRECISIONS, QUANTIZED, SAVED_MODEL


def main() -> None:
    from asen_tf.serving.export import export

    given = flags.FLAGS
    folder = export(
        given.workdir,
        given.output,
        given.attributes,
        given.max_pixels,
        given.slices,
        given.precision,
        given.format,
        given.quantize,
    )
    if given.format != SAVED_MODEL:
        print(f"exported {folder}\nnext: see docs/formats.md")
        return
    serve = ["asen-serve", f"--model_base_path={given.output}", "--port=8500"]
    print(
        f"exported {folder}\nnext: {shlex.join(serve)}\nor TensorFlow Serving: see export/README.md"
    )


def run() -> None:
    flags.DEFINE_string("workdir", None, "Folder of the run.")
    flags.DEFINE_string(
        "output", None, "Folder of the versions, in which the next one is written; or the file."
    )
    flags.DEFINE_enum("format", SAVED_MODEL, EXPORT_FORMATS, "What to write.")
    flags.DEFINE_enum(
        "quantize", None, QUANTIZED, "What a LiteRT file keeps weights in; default: float32."
    )
    flags.DEFINE_list("attributes", "", "Attributes to serve, in this order; default: all.")
    flags.DEFINE_integer("max_pixels", MAX_PIXELS, "Photographs that declare more are refused.", 1)
    flags.DEFINE_list("slices", "", "Slices of the embedding; default: all that are trained.")
    flags.DEFINE_enum(
        "precision", None, PRECISIONS, "What networks compute in; default: as in training."
    )
    flags.mark_flags_as_required(["workdir", "output"])
    program.run(main)


if __name__ == "__main__":
    run()
