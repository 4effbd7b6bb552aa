"""Runs of a tiny network, in this process or by the program in another one."""

import os

import keras

from asen_tf.core import config as configs
from asen_tf.core import experiments
from tests import programs
from tests.networks import shrink


def tiny(catalogue, **train_keys):
    """Two stages of a tiny network on the catalogue."""
    config = configs.defaults()
    config.data.root = str(catalogue)
    experiments.small(config, "resnet6")
    shrink(config.model)
    config.train.batch_size = 4
    config.train.steps_per_epoch = 3
    config.train.log_every_steps = 1
    config.train.checkpoint_every_steps = 2
    config.eval.every_epochs = 1
    config.stage1.epochs = config.stage2.epochs = 2
    config.stage2.attributes_per_step = 0
    config.train.update(train_keys)
    return config


def model_of(run, stage):
    """The best model of a stage."""
    return keras.saving.load_model(run.best_model(stage))


def weights(run, stage="stage2"):
    return model_of(run, stage).get_weights()


def experiment(config, path):
    """An experiment file, as --config takes it."""
    configs.save(config, path.with_suffix(".json"))
    path.write_text(
        "from asen_tf.core import config as configs\n\n\n"
        f"def get_config():\n    return configs.load({str(path.with_suffix('.json'))!r}).lock()\n"
    )
    return path


def flags_of(config_file, workdir, *flags):
    return [f"--config={config_file}", f"--workdir={workdir}", *flags]


def run_program(config_file, workdir, *flags):
    result = programs.run("train", *flags_of(config_file, workdir, *flags), eagerly=True)
    assert result.returncode == 0, result.stderr[-5000:]
    assert not [noise for noise in programs.NOISE if noise in result.stderr], result.stderr[-5000:]


def environment(**extra):
    return {**os.environ, "PYTHONPATH": programs.PATH, **extra}
