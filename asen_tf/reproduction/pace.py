"""How fast a run is on this machine, and how long it may then be."""

import os

from ml_collections import config_dict

from asen_tf.training.train import train

_STEPS = 24  # of a probe, a stage
_LOG_EVERY = 6  # the first of them are left out: they compile


def seconds_a_step(config: config_dict.ConfigDict, workdir: str | os.PathLike) -> dict[str, float]:
    """Trains a few steps of each stage in an empty folder: stage -> seconds that one takes."""
    probe = config.copy_and_resolve_references()
    with probe.unlocked():
        for stage in config.train.stages:
            probe[stage].epochs = _STEPS / config.train.steps_per_epoch
        probe.eval.every_epochs = 0
        probe.train.log_every_steps = _LOG_EVERY
        probe.train.checkpoint_every_steps = _STEPS
    history = train(probe, workdir).history()
    pace = {}
    for stage in config.train.stages:
        logged = [e for e in history if e["stage"] == stage and "images_per_sec" in e]
        first, last = logged[0], logged[-1]
        pace[stage] = (last["seconds"] - first["seconds"]) / (last["step"] - first["step"])
    return pace


def within(
    config: config_dict.ConfigDict, minutes: float, pace: dict[str, float]
) -> config_dict.ConfigDict:
    """The experiment with all its stages scaled to take so many minutes at a measured pace.

    Steps are counted, not time, so that the run can be repeated; checks on the validation split
    come on top.
    """
    spe = config.train.steps_per_epoch
    planned = sum(config[stage].epochs * spe * seconds for stage, seconds in pace.items())
    bounded = config.copy_and_resolve_references()
    for stage in pace:
        steps = max(1, round(config[stage].epochs * spe * minutes * 60 / planned))
        bounded[stage].epochs = steps / spe
    return bounded
