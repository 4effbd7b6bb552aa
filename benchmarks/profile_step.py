"""What a training step spends its time on: milliseconds by kind of operation.

    python benchmarks/profile_step.py --json=benchmarks/results/profile_step.json

Of both branches, as `asen-benchmark --case=train_stage2`, by TensorFlow's profiler. Operations run
one after the other here, each on all cores, so that their times add up.
"""

import collections
import tempfile
from pathlib import Path

import tensorflow as tf
from absl import app, flags
from tensorflow.tsl.profiler.protobuf import xplane_pb2

from asen_tf.benchmarks.cases import training
from asen_tf.benchmarks.machine import description
from asen_tf.benchmarks.report import report
from asen_tf.benchmarks.setting import Setting

_STAGE = flags.DEFINE_enum("stage", "stage2", ("stage1", "stage2"), "Of the training.")
_STEPS = flags.DEFINE_integer("steps", 5, "To average over, after three that do not count.")
_JSON = flags.DEFINE_string("json", "", "File to write the result to.")


def by_kind(trace: Path) -> dict[str, float]:
    """Milliseconds of all operations of a trace, the longest kind first."""
    space = xplane_pb2.XSpace.FromString(trace.read_bytes())
    plane = next(plane for plane in space.planes if plane.name == "/host:CPU")
    total = collections.Counter()
    for line in plane.lines:
        for event in line.events:
            name = plane.event_metadata[event.metadata_id].name
            operation, _, kind = name.rpartition(":")
            if "/" in operation and "::" not in name:
                total[kind.removeprefix("_MklNative").removeprefix("_Mkl")] += (
                    event.duration_ps / 1e9
                )
    return dict(total.most_common())


def main(_) -> None:
    tf.config.threading.set_inter_op_parallelism_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        step, _, batches = training(Setting(), f"{folder}/data", _STAGE.value)
        batch = next(batches)
        for _ in range(3):
            step(batch)["loss"].numpy()
        with tf.profiler.experimental.Profile(folder):
            for _ in range(_STEPS.value):
                step(batch)["loss"].numpy()
        [trace] = Path(folder).rglob("*.xplane.pb")
        spent = {kind: spent / _STEPS.value for kind, spent in by_kind(trace).items()}
    kinds = {kind: round(spent, 1) for kind, spent in spent.items() if spent >= 1}
    result = {"stage": _STAGE.value, "ms": sum(spent.values()), "ms_by_kind": kinds}
    report(result | description(), _JSON.value)


if __name__ == "__main__":
    app.run(main)
