"""What runs the model of a file: a library for each format."""

import abc
import os
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from asen_tf.core.choices import FILE_ENDINGS
from asen_tf.core.registry import Registry

RUNTIMES = Registry(
    "format of a model in one file",
    "asen_tf.runtimes",
    {
        "onnx": "asen_tf.serving.files.onnx:OnnxFile",
        "litert": "asen_tf.serving.files.litert:LiteRTFile",
    },
)

_FORMATS = {ending: name for name, ending in FILE_ENDINGS.items()}


class Runtime(abc.ABC):
    """A model in one file, opened by the library that runs it.

    Args:
      path: of the file.

    Attributes:
      metadata: what the export wrote into the file, see `asen_client.serving.signatures.Metadata`.
      outputs: names of what it gives, see `asen_tf.serving.files`.

    Raises:
      Exception: whatever the library raises for a file that is damaged.
    """

    metadata: str | bytes
    outputs: Collection[str]

    @abc.abstractmethod
    def __init__(self, path: Path):
        """See above."""

    @abc.abstractmethod
    def run(self, squares: np.ndarray, names: Sequence[str]) -> list[np.ndarray]:
        """The outputs of these names for uint8 [N, S, S, 3], N at least 1."""


def runtime_of(path: str | os.PathLike) -> type[Runtime]:
    """What opens a file, by its ending.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: its ending is none of a model, or the package is missing that runs it.
    """
    ending = os.path.splitext(path)[1]
    if ending not in _FORMATS:
        raise ValueError(f"{path}: expected a file that ends in {' or '.join(_FORMATS)}")
    if not os.path.isfile(path):
        raise FileNotFoundError(f"{path}: no such file; expected one that asen-export wrote")
    name = _FORMATS[ending]
    try:
        return RUNTIMES[name]
    except ImportError as error:
        raise ValueError(f'{path}: needs pip install "asen_tf[{name}]" ({error})') from error
