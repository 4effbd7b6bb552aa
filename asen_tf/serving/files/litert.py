"""LiteRT files (TensorFlow Lite), by LiteRT's interpreter."""

import hashlib
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from asen_client.core.startup import without_log_lines
from asen_client.serving import signatures
from asen_tf.serving.files.runtime import Runtime

# In the ZIP archive behind the model, where TensorFlow Lite's metadata have their files.
METADATA_FILE = signatures.METADATA_FILE
DIGEST_FILE = "sha256"
# In bytes; attributes and their values are a few thousand.
_MOST = 1 << 24


class LiteRTFile(Runtime):
    """See `Runtime`. It takes one image at a time."""

    def __init__(self, path: Path):
        model, self.metadata = _parts(path.read_bytes())
        with without_log_lines():
            self._runner = Interpreter(model_content=model).get_signature_runner()
        self.outputs = list(self._runner.get_output_details())

    def run(self, squares: np.ndarray, names: Sequence[str]) -> list[np.ndarray]:
        """See `Runtime.run`."""
        found = [self._runner(**{signatures.IMAGES: one[None]}) for one in squares]
        return [np.concatenate([one[name] for one in found]) for name in names]


def _parts(content: bytes) -> tuple[bytes, bytes]:
    """The model and its metadata; ValueError where they are not as they were written.

    The interpreter takes offsets within the model as they stand, which would end the process where
    they are damaged.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {member.filename: member for member in archive.infolist()}
        if sum(member.file_size for member in members.values()) > _MOST:
            raise ValueError("its metadata are too long")
        model = content[: min(member.header_offset for member in members.values())]
        if archive.read(members[DIGEST_FILE]).decode() != hashlib.sha256(model).hexdigest():
            raise ValueError("its content is not what was written")
        return model, archive.read(members[METADATA_FILE])
