"""Which models to serve from where, in the messages of TensorFlow Serving."""

from collections.abc import Iterable
from pathlib import Path

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2 as messages

from asen_client.core.foreign import shown


def one(name: str, base_path: str) -> list[messages.ModelConfig]:
    """The latest version of one model."""
    return [messages.ModelConfig(name=name, base_path=base_path, model_platform="tensorflow")]


def read(path: str) -> list[messages.ModelConfig]:
    """The models of a `models.config` of TensorFlow Serving.

    Raises:
      OSError: it cannot be read.
      ValueError: it is no ModelServerConfig in text form, has no models or asks for a platform
        other than tensorflow.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        config = text_format.Parse(text, messages.ModelServerConfig())
    except (UnicodeDecodeError, RecursionError, text_format.ParseError) as error:
        raise ValueError(f"{path} is no ModelServerConfig: {str(error)[:300]}") from error
    models = list(config.model_config_list.config)
    if not models:
        raise ValueError(f"{path}: expected model_config_list with a config for each model")
    names = [model.name for model in models]
    for model in models:
        if not model.name or names.count(model.name) > 1:
            raise ValueError(f"{path}: each model needs a name of its own, got {str(names)[:300]}")
        if model.model_platform != "tensorflow":
            raise ValueError(
                f"{path}: {model.name} needs model_platform: 'tensorflow', "
                f"got {shown(model.model_platform)}"
            )
    return models


def check_folders(models: Iterable[messages.ModelConfig]) -> None:
    """Raises ValueError where a base path is no folder, or is a version itself."""
    for model in models:
        folder = Path(model.base_path)
        if not folder.is_dir():
            raise ValueError(f"the base path of {model.name} is no folder: {folder}")
        if (folder / "saved_model.pb").exists():
            raise ValueError(
                f"the base path of {model.name} is a SavedModel: {folder}. Expected the folder "
                f"above it, which has a folder for each version: {folder.resolve().parent}"
            )
