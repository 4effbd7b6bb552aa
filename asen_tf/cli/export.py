"""Exports a trained model for TensorFlow Serving: a SavedModel with a signature per attribute.

asen-export --workdir=runs/asen --output=export/models/asen
"""

import shlex

from absl import flags

from asen_tf.cli import program
from asen_tf.core.choices import PRECISIONS
from asen_tf.core.limits import MAX_PIXELS


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
    )
    serve = ["asen-serve", f"--model_base_path={given.output}", "--port=8500"]
    print(
        f"exported {folder}\nnext: {shlex.join(serve)}\nor TensorFlow Serving: see export/README.md"
    )


def run() -> None:
    flags.DEFINE_string("workdir", None, "Folder of the run.")
    flags.DEFINE_string("output", None, "Folder of the versions, in which the next one is written.")
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
