"""The data set that a run was trained on, opened again."""

import os

from ml_collections import ConfigDict

from asen_tf.data.load import load_for
from asen_tf.data.manifest import Manifest
from asen_tf.workdir import Workdir


def load_manifest(
    run: Workdir, data: ConfigDict | Manifest | str | os.PathLike | None = None
) -> Manifest:
    """Reads and checks the data of a run.

    Args:
      run: of `asen_tf.train`.
      data: a configuration, the `data` part of one, a manifest, or the folder where the run's own
        data lies now; None or "": where it lay in training.

    Raises:
      ValueError: the data does not have the attributes and values that the model knows.
    """
    if data is None or isinstance(data, str | os.PathLike):
        options = run.config().data
        options.root = os.fspath(data or options.root)
        data = options
    return load_for(run.space(), data)
