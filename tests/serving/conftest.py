"""What the tests of serving share."""

import pytest

import asen_tf


@pytest.fixture(scope="session")
def embedder(workdir):
    """The model of the run in Python."""
    return asen_tf.load(workdir, batch_size=4)


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    """Two SavedModels: one doubles, the other triples."""
    import tensorflow as tf

    from tests.serving.toy import Module

    folder = tmp_path_factory.mktemp("saved")
    for factor in (2, 3):
        module = Module(float(factor))
        names = {"serving_default": "scale"}
        names |= {name: name for name in ("refuse", "echo", "wait", "spin", "kinds")}
        signatures = {name: getattr(module, method) for name, method in names.items()}
        tf.saved_model.save(module, str(folder / str(factor)), signatures=signatures)
    return {factor: folder / str(factor) for factor in (2, 3)}
