"""`asen_tf.load`: an embedder by the place of its model."""

import os
from pathlib import Path
from typing import Any, TypeVar, cast, overload

from asen_client.core import addresses
from asen_tf.core import files, presets
from asen_tf.core.choices import FILE_ENDINGS
from asen_tf.core.versions import is_version
from asen_tf.embedders import BaseEmbedder, Embedder

_EXPORT_FILE = "saved_model.pb"
_OF_KERAS_HUB = ("kaggle://", "hf://", "modelscope://")
_SHOWN = 5

_Given = TypeVar("_Given", bound=Embedder)


@overload
def load(source: str | os.PathLike, batch_size: int = 32, **served: Any) -> BaseEmbedder: ...
@overload
def load(source: _Given, batch_size: int = 32, **served: Any) -> _Given: ...
def load(source: str | os.PathLike | Embedder, batch_size: int = 32, **served: Any) -> Embedder:
    """A model, ready to use: photographs in, vectors out.

        embedder = asen_tf.load("runs/asen")
        vectors = embedder.embed_all(["a.jpg", "b.jpg"])  # float32 [2, A, D]

    Args:
      source: one of
        - a run's folder (the --workdir of asen-train), or what `asen_tf.train` gave: its best
          model;
        - an export's folder: a version, such as DIR/1, or the folder of versions: the newest; on
          other file systems (`gs://...`) a version;
        - a file that `asen-export --format=onnx` or `litert` wrote; TensorFlow is not loaded then;
        - a preset's folder, that `save_to_preset` wrote;
        - a KerasHub preset of images and texts, such as CLIP: its folder, or its name, then
          KerasHub downloads it; it reads free text, too (docs/search.md);
        - HOST:PORT of TensorFlow Serving or `asen-serve`; TensorFlow is not loaded then;
        - an embedder, which is given back as it is.
      batch_size: photographs that go through the model at once.
      served: with HOST:PORT, the settings of `asen_client.Client`: `model`, `version`, `label`,
        `timeout`, `tls` and more.

    Raises:
      FileNotFoundError: the source is none of these, or a run that has not validated yet.
      ValueError: settings of a served model for one that is not; or an address of REST.
    """
    if hasattr(type(source), "embed_all"):
        return cast(Embedder, source)
    if not isinstance(source, str | os.PathLike):
        raise TypeError(f"expected a folder, HOST:PORT or an embedder, got {source!r}")
    place = os.fspath(source)
    # What needs TensorFlow is imported where it is needed.
    if addresses.names_server(place):
        from asen_client import Client

        return Client(place, batch_size=batch_size, **served)
    if served:
        raise ValueError(f"{', '.join(served)}: for a served model, HOST:PORT, not for {place}")
    if os.path.splitext(place)[1] in FILE_ENDINGS.values() and not os.path.isdir(place):
        from asen_tf.serving.files import FileModel

        return FileModel(place, batch_size)
    folder = Path(place)
    if _is_of_keras_hub(folder, place):
        from asen_tf.image_text_embedder import ImageTextEmbedder

        # An absolute path, as KerasHub takes its own names before those of folders.
        return ImageTextEmbedder(folder.absolute() if folder.exists() else place, batch_size)
    if export := place if "://" in place else _export(folder):
        from asen_tf.serving.saved_model import SavedModel

        return SavedModel(export, batch_size)
    if (folder / "config.json").is_file():
        from asen_tf.keras_embedder import KerasEmbedder

        is_preset = (folder / "model.weights.h5").is_file()
        of = KerasEmbedder.of_preset if is_preset else KerasEmbedder.of_run
        return of(folder, batch_size)
    endings = " or ".join(FILE_ENDINGS.values())
    raise FileNotFoundError(
        f"{place}: expected the folder of a run (with config.json), of an export (with "
        f"{_EXPORT_FILE}, or with versions 1, 2, ...) or of a preset (with model.weights.h5), a "
        f"file that ends in {endings}, HOST:PORT of a served model, or a KerasHub preset of images "
        f"and texts; found {_found(folder)}. "
        "asen-train writes runs, asen-export makes exports of them"
    )


def _is_of_keras_hub(folder: Path, place: str) -> bool:
    """Whether it is a preset that KerasHub wrote, or the name of one."""
    if not folder.exists():
        return place.startswith(_OF_KERAS_HUB) or place in presets.names()
    config = folder / "config.json"
    if not (config.is_file() and (folder / "metadata.json").is_file()):
        return False
    name = files.read_json(config, dict).get("registered_name")
    return isinstance(name, str) and name.startswith("keras_hub>")


def _export(folder: Path) -> Path | None:
    """The version of an export to load."""
    if (folder / _EXPORT_FILE).is_file():
        return folder
    versions = [path.parent for path in folder.glob(f"[0-9]*/{_EXPORT_FILE}")]
    numbered = [path for path in versions if is_version(path.name)]
    return max(numbered, key=lambda path: int(path.name), default=None)


def _found(folder: Path) -> str:
    if not folder.exists():
        return "no such file or folder"
    if not folder.is_dir():
        return "a file"
    names = sorted(path.name for path in folder.iterdir())
    more = ", ..." if len(names) > _SHOWN else ""
    return f"a folder with {', '.join(names[:_SHOWN]) or 'nothing'}{more}"
