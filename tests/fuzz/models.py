"""Trained models: archives of Keras, presets, SavedModels."""

import functools
import tempfile
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.fuzz.target import Target

_VERSION = "version/"


@functools.cache
def _made() -> dict[str, bytes]:
    """The files of a run, of a preset and of a SavedModel, of small models."""
    import tensorflow as tf

    from asen_tf.core import AttributeSpace
    from asen_tf.keras_embedder import KerasEmbedder
    from asen_tf.models import ASEN
    from asen_tf.models.recognition import ValueClassifiers
    from asen_tf.workdir import Workdir

    branch = {"backbone": "resnet6", "size": 32, "common_dim": 4, "embedding_dim": 4}
    model = ASEN(1, branch, dict(branch), attribute_dim=4)
    arrays = np.array([0, 2]), np.array([0]), np.ones((4, 2), np.float32), np.zeros(2, np.float32)
    model.value_classifiers = ValueClassifiers(*arrays)
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        run = Workdir(root / "run")
        run.path.mkdir()
        run.save_best(model, "stage1")
        run.write_best({"stage": "stage1", "step": 3, "map": 0.5, "slices": ["global"]})
        space = AttributeSpace({"color": ["red", "green"]})
        KerasEmbedder(model, space).save_to_preset(root / "preset")
        module = tf.Module()
        double = tf.function(lambda x: {"y": 2 * x}).get_concrete_function(
            tf.TensorSpec([None], tf.float32, "x")
        )
        module.double = double
        tf.saved_model.save(module, str(root / "version"), signatures=double)
        request = _warmup()
        (root / "version" / "assets.extra").mkdir()
        with tf.io.TFRecordWriter(str(root / _VERSION / _WARMUP)) as writer:
            writer.write(request)
        return {
            path.relative_to(root).as_posix(): path.read_bytes()
            for path in root.rglob("*")
            if path.is_file()
        }


_WARMUP = "assets.extra/tf_serving_warmup_requests"


def _warmup() -> bytes:
    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    log = prediction_log_pb2.PredictionLog()
    log.predict_log.request.model_spec.name = "a"
    log.predict_log.request.inputs["x"].CopyFrom(tf.make_tensor_proto([1.0, 2.0]))
    return log.SerializeToString()


def _load_best(folder: Path) -> None:
    from asen_tf.workdir import Workdir

    Workdir(folder / "run").load_best()


def _load_preset(folder: Path) -> None:
    from asen_tf.keras_embedder import KerasEmbedder

    KerasEmbedder.of_preset(folder / "preset")


def _load_version(folder: Path) -> None:
    from asen_tf.serving.loaded import LoadedModel
    from asen_tf.serving.server.limits import Limits
    from asen_tf.serving.server.models import _warm_up

    version = folder / "version"
    _warm_up(LoadedModel(version), version, Limits())


def _target(
    file: str, modules: Sequence[str], read: Callable[[Path], Any], **options: Any
) -> Target:
    def prepare(folder: Path) -> None:
        for name, raw in _made().items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(raw)
        read(folder)  # TensorFlow takes seconds for the first

    def read_with(folder: Path, raw: bytes) -> Any:
        (folder / file).write_bytes(raw)
        return read(folder)

    return Target(
        f"models: {file}",
        modules,
        read_with,
        seeds=lambda: [_made()[file]],
        prepare=prepare,
        tensorflow=True,
        **options,
    )


@functools.cache
def _files() -> dict[str, bytes]:
    """Ending of a model in one file -> one that gives the mean of its images."""
    import tensorflow as tf

    from asen_client.serving.signatures import Metadata
    from asen_tf.core.choices import FILE_ENDINGS
    from asen_tf.serving.export.one_file import WRITERS

    def answers(count):
        spec = tf.TensorSpec((count, 8, 8, 3), tf.uint8, "images")
        mean = lambda images: tf.reduce_mean(tf.cast(images, tf.float32), (1, 2))  # noqa: E731
        return tf.function(
            lambda images: {"embeddings": mean(images)[:, None]}, input_signature=[spec]
        )

    metadata = Metadata({"color": ["red", "green"]}, 3, {}, "0.2.0", 1000, size=8)
    nothing = types.SimpleNamespace(variables=[])
    found = {}
    with tempfile.TemporaryDirectory() as place:
        for format, ending in FILE_ENDINGS.items():
            file = Path(place, f"model{ending}")
            WRITERS[format](answers, nothing, metadata, file, None)
            found[ending] = file.read_bytes()
    return found


def _of_file(ending: str, module: str) -> Target:
    def read(folder: Path, raw: bytes) -> Any:
        from asen_tf.serving.files import FileModel

        file = folder / f"model{ending}"
        file.write_bytes(raw)
        FileModel(file).embed_all([])

    return Target(
        f"models: one file, {ending}",
        ["asen_tf.serving.files.model", module],
        read,
        seeds=lambda: [_files()[ending]],
        prepare=lambda folder: read(folder, _files()[ending]),
        mentions=[f"model{ending}"],
        tensorflow=True,
        share=5,
    )


_PRESET = ["asen_tf.models.preset", "asen_tf.keras_embedder"]
_SERVED = ["asen_tf.serving.loaded", "asen_tf.serving.server.models"]

TARGETS = [
    _of_file(".onnx", "asen_tf.serving.files.onnx"),
    _of_file(".tflite", "asen_tf.serving.files.litert"),
    _target(
        "run/best/stage1.keras",
        ["asen_tf.workdir"],
        _load_best,
        mentions=["stage1.keras"],
        share=20,
        seconds=10,
    ),
    *(
        _target(f"preset/{name}", _PRESET, _load_preset, mentions=["preset"], share=20, seconds=10)
        for name in ("config.json", "model.weights.h5", "embedder.json")
    ),
    *(
        # TensorFlow's loader raises what it likes, which the server reports as the version's state.
        _target(f"{_VERSION}{name}", _SERVED, _load_version, refusals=(Exception,), share=10)
        for name in ("saved_model.pb", _WARMUP)
    ),
]
