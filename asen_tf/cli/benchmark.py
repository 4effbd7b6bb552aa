"""Measures speed and memory of one case on this machine, from JPEG files on.

asen-benchmark --case=train_stage1 --global_backbone=resnet50 --local_backbone=resnet34 --size=224 \
    --local_size=112 --batch=4 --attributes=9 --json=train_stage1.json

Training images count three a triplet; embedding images count one for all their attributes. Weights
are random and photographs rendered: only sizes matter here.
"""

import contextlib
import dataclasses
import tempfile

from absl import flags

from asen_client.cli import program
from asen_tf.core.choices import PRECISIONS
from asen_tf.core.files import check_outputs

CASES = (
    "train_stage1",
    "train_stage2",
    "embed_one",
    "embed_all",
    "pipeline",
    "evaluate",
    "export_start",
    "memory",
)


def main() -> None:
    # TensorFlow takes seconds to load, which a wrong flag should not cost.
    import keras

    from asen_tf.benchmarks import cases, machine
    from asen_tf.benchmarks.report import report
    from asen_tf.benchmarks.setting import Setting

    given = flags.FLAGS
    check_outputs(filter(None, [given.json]))
    setting = Setting(**{f.name: getattr(given, f.name) for f in dataclasses.fields(Setting)})
    if setting.batch % setting.replicas:
        raise ValueError(
            f"--batch={setting.batch} must be a multiple of --replicas={setting.replicas}"
        )
    keras.config.set_dtype_policy(setting.precision)
    with contextlib.ExitStack() as stack:
        root = given.data_dir or stack.enter_context(tempfile.TemporaryDirectory())
        stack.enter_context(machine.replicated(setting.replicas, given.gpu_mb).scope())
        measured = cases.CASES[given.case](setting, root, given.seconds)
    result = {
        "case": given.case,
        **dataclasses.asdict(setting),
        **measured,
        **machine.description(),
    }
    report(result, given.json)


def run() -> None:
    flags.DEFINE_enum("case", "train_stage1", CASES, "What to measure.")
    flags.DEFINE_string("global_backbone", "resnet50", "Backbone of the global branch.")
    flags.DEFINE_string("local_backbone", "resnet34", "Backbone of the local branch.")
    flags.DEFINE_integer("size", 224, "Side of the global branch's input in pixels.", 1)
    flags.DEFINE_integer("local_size", 112, "Side of the local branch's input in pixels.", 1)
    flags.DEFINE_integer("batch", 4, "Triplets a training step, or images a call of embedding.", 1)
    flags.DEFINE_integer("attributes", 9, "How many attributes are embedded.", 1)
    flags.DEFINE_enum("precision", "float32", PRECISIONS, "Dtype policy of the networks.")
    flags.DEFINE_bool("recompute", False, "Whether to recompute feature maps, to save memory.")
    flags.DEFINE_bool("jit", False, "Whether XLA compiles the backbones.")
    flags.DEFINE_integer(
        "replicas", 1, "Parts of the GPU, or of the processor, that share a training step.", 1
    )
    flags.DEFINE_integer("gpu_mb", 16384, "Memory of each of several parts of a GPU in MiB.", 1)
    flags.DEFINE_float("seconds", 30.0, "Seconds to measure for, after three warm-up calls.", 0.0)
    flags.DEFINE_string("data_dir", "", "Folder of rendered photographs; default: temporary.")
    flags.DEFINE_string("json", "", "JSON file to write the result to; it is printed in any case.")
    program.run(main)


if __name__ == "__main__":
    run()
