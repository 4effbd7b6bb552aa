"""The data set that a run was trained on, opened again."""

from asen_tf.data.load import load
from asen_tf.data.manifest import Manifest
from asen_tf.workdir import Workdir


def load_manifest(run: Workdir, data_root: str = "") -> Manifest:
    """Reads and checks the data of a run.

    Args:
      run: of `asen-train`.
      data_root: where the data lies now; "": where it lay in training.

    Raises:
      ValueError: the data does not have the attributes and values that the model knows.
    """
    data = run.config().data
    if data_root:
        data.root = data_root
    manifest = load(data, training=False)
    if manifest.space != run.space():
        raise ValueError(f"the model knows {run.space()}, the data has {manifest.space}")
    return manifest
