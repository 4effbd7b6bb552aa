"""ONNX files, by ONNX Runtime."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime

from asen_client.serving import signatures
from asen_tf.serving.files.runtime import Runtime

# Among the metadata properties of the file.
METADATA_KEY = "asen_tf"


class OnnxFile(Runtime):
    """See `Runtime`."""

    def __init__(self, path: Path):
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # what matters is raised
        # As bytes: a model that was read from a path may name other files with its numbers.
        self._session = onnxruntime.InferenceSession(
            path.read_bytes(), options, providers=["CPUExecutionProvider"]
        )
        self._needed_alone = onnxruntime.RunOptions()
        self._needed_alone.only_execute_path_to_fetches = True
        self._needed_alone.log_severity_level = 4
        self.metadata = self._session.get_modelmeta().custom_metadata_map.get(METADATA_KEY, "")
        self.outputs = [output.name for output in self._session.get_outputs()]

    def run(self, squares: np.ndarray, names: Sequence[str]) -> list[np.ndarray]:
        """See `Runtime.run`."""
        return self._session.run(names, {signatures.IMAGES: squares}, self._needed_alone)
