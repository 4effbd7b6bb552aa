"""A network of images and texts is a backbone of ASEN as any other."""

import numpy as np
import tensorflow as tf

import asen_tf
from asen_client.serving import signatures
from asen_tf.serving.export import SIGNATURES, export, write
from asen_tf.workdir import Workdir
from tests import image_text
from tests.training.runs import experiment, run_program, tiny


def test_a_run_trains_on_two_replicas_is_loaded_and_exported(
    catalogue, tmp_path, eagerly, monkeypatch
):
    preset = image_text.preset("clip", tmp_path / "clip")
    config = tiny(catalogue, max_steps=2)
    config.model.global_branch.backbone = config.model.global_branch.weights = preset
    flags = ["--strategy=mirrored", "--logical_cpus=2"]
    run_program(experiment(config, tmp_path / "tiny.py"), tmp_path / "run", *flags)
    run = Workdir(tmp_path / "run")
    losses = [entry["loss"] for entry in run.history() if "loss" in entry]
    assert len(losses) == 2 and np.isfinite(losses).all()
    photographs = [(catalogue / f"images/{n}.png").read_bytes() for n in range(3)]
    vectors = asen_tf.load(run).embed(photographs, "color")
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=-1), 1, rtol=1e-5)
    # Verified as it is written, in the session loader of a server; one signature takes less time.
    name = signatures.SERVING_DEFAULT
    monkeypatch.setattr(write, "signatures_of", lambda *_: {name: SIGNATURES[name]()})
    tf.config.run_functions_eagerly(False)
    folder = export(run.path, tmp_path / "export", attributes=["color"])
    served = tf.saved_model.load(str(folder)).signatures[name]
    found = served(image_bytes=tf.constant(photographs))["embeddings"]
    np.testing.assert_allclose(found[:, 0], vectors, rtol=1e-3, atol=1e-4)
