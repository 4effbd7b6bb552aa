"""Models as folders in the layout of KerasHub's presets."""

import datetime
import json
import os
from pathlib import Path
from typing import Self

import keras

from asen_client.core.attributes import AttributeSpace
from asen_client.core.foreign import reading
from asen_tf.core import files, space_file

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.weights.h5"
METADATA_FILE = "metadata.json"
ATTRIBUTES_FILE = "attributes.json"


class Preset:
    """What lets a Keras model be kept as a preset: a folder that says how it is built.

    `config.json` is the serialised model without weights, `model.weights.h5` has these,
    `metadata.json` the versions, and `attributes.json` the names that the model's numbers stand
    for, so that `asen_tf.load` takes the folder.
    """

    def save_to_preset(self, folder: str | os.PathLike, attributes: AttributeSpace) -> None:
        """Writes the folder.

        Args:
          folder: is made if it is not there.
          attributes: what the model's attribute numbers stand for.

        Raises:
          ValueError: they are not as many as the model has.
        """
        if len(attributes) != self.attributes:
            raise ValueError(
                f"the model has {self.attributes} attributes, {len(attributes)} are named: "
                f"{', '.join(attributes)}"
            )
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        described = keras.saving.serialize_keras_object(self)
        described.pop("compile_config", None)
        with files.written_whole(folder / WEIGHTS_FILE) as draft:
            self.save_weights(draft)
        space_file.write(folder / ATTRIBUTES_FILE, attributes)
        metadata = {
            "keras_version": keras.version(),
            "parameter_count": self.count_params(),
            "date_saved": datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S"),
        }
        _write(folder / METADATA_FILE, metadata)
        _write(folder / CONFIG_FILE, described)  # last: what has it is complete

    @classmethod
    def from_preset(cls, folder: str | os.PathLike, load_weights: bool = True) -> Self:
        """The model of a folder that `save_to_preset` wrote.

        Args:
          folder: the preset.
          load_weights: False: its weights start at random.

        Raises:
          FileNotFoundError: there is no preset.
          ValueError: it is one of another class, or a file is damaged.
        """
        folder = Path(folder)
        file = folder / CONFIG_FILE
        if not file.is_file():
            raise FileNotFoundError(f"{file}: no such file; expected what save_to_preset wrote")
        with reading(file, "expected a serialised model, it is damaged"):
            model = keras.saving.deserialize_keras_object(json.loads(file.read_text("utf-8")))
        if not isinstance(model, cls):
            raise ValueError(f"{folder} holds a {type(model).__name__}, expected a {cls.__name__}")
        if load_weights:
            with reading(folder / WEIGHTS_FILE, f"expected weights of {model.name}"):
                model.load_weights(folder / WEIGHTS_FILE)
        return model


def _write(path: Path, content: dict) -> None:
    files.write_text(path, json.dumps(content, indent=1))
