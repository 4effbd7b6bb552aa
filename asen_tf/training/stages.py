"""Stages of training: data that says which variables learn, how fast, for what, how long."""

import dataclasses
from collections.abc import Callable, Mapping

from ml_collections import config_dict

from asen_tf.core.errors import check_names, unknown_name
from asen_tf.core.signature import call_with_known
from asen_tf.training.optimizers import SCHEDULES, Rate


@dataclasses.dataclass(frozen=True)
class Stage:
    """One stage of a run.

    Attributes:
      name: key of the configuration that describes it.
      rates: (pattern, rate) pairs, see `training.optimizers.optimizer`.
      optimizer: name and keyword arguments of an optimizer.
      copies: (target, source) pairs, see `training.start.copy_weights`.
      means: patterns of variables, see `training.start.start_from_means`.
      losses: what each is called -> its settings, see `asen_tf.losses.build`.
      schedule: name and keyword arguments of how the rates fall.
      attributes_per_step: see `asen_tf.data.pipeline.training_examples`.
      steps: those that the bound on the whole run leaves of epochs * steps an epoch.
      share: of the bound on the whole run.
    """

    name: str
    rates: tuple[tuple[str, float], ...]
    optimizer: Mapping
    copies: tuple[tuple[str, str], ...]
    means: tuple[str, ...]
    losses: Mapping[str, Mapping]
    schedule: Mapping
    attributes_per_step: int
    steps: int
    share: float

    def scheduled(self, steps_per_epoch: int) -> Callable[[float], Rate]:
        """What becomes of a rate over the stage's steps, for an optimizer."""
        where = f"{self.name}.schedule"
        make, arguments = SCHEDULES.named(self.schedule, where)
        return lambda rate: call_with_known(
            make,
            where,
            {**arguments, "rate": rate},
            steps=self.steps,
            steps_per_epoch=steps_per_epoch,
        )


def plan(config: config_dict.ConfigDict) -> list[Stage]:
    """The stages of `config.train.stages`; `train.max_steps` is shared out in proportion.

    Args:
      config: `asen_tf.core.config.defaults()` with its changes.

    Raises:
      ValueError: no stage, one that the configuration does not describe, or one without steps.
    """
    names = list(config.train.stages)
    if not names:
        raise ValueError("config.train.stages names no stage")
    for name in names:
        if name not in config or "rates" not in config[name]:
            known = [key for key in config if "rates" in getattr(config, key)]
            raise ValueError(unknown_name("stage in config.train.stages", name, known))
    planned = [round(config[name].epochs * config.train.steps_per_epoch) for name in names]
    if min(planned) < 1:
        raise ValueError(f"every stage needs a step, got {dict(zip(names, planned, strict=True))}")
    steps = _share_out(config.train.max_steps, planned)
    known = [field.name for field in dataclasses.fields(Stage)]
    stages = []
    for name, planned_steps, bounded in zip(names, planned, steps, strict=True):
        settings = config[name].to_dict()
        del settings["epochs"]
        check_names(f"key of {name}", settings, known)
        share = planned_steps / sum(planned)
        stages.append(Stage(name=name, steps=bounded, share=share, **settings))
    return stages


def _share_out(bound: int, planned: list[int]) -> list[int]:
    """Whole steps that add up to the bound, in proportion to the plan, at least one each."""
    total = sum(planned)
    if not bound or bound >= total:
        return planned
    if bound < len(planned):
        raise ValueError(
            f"train.max_steps={bound} leaves no step for some of the {len(planned)} stages"
        )
    ends = [round(bound * sum(planned[: n + 1]) / total) for n in range(len(planned))]
    for n in range(len(ends)):
        ends[n] = min(max(ends[n], n + 1), bound - (len(ends) - 1 - n))
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]
