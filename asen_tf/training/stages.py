"""Stages of training: data that says which parts train, how fast, for what, how long."""

import dataclasses
from collections.abc import Iterable

import keras
from ml_collections import config_dict

from asen_tf.core.errors import unknown_name

SCHEDULES = ("constant", "step", "cosine")
OPTIMIZERS = ("adam", "sgd")
_MOMENTUM = 0.9  # of sgd


@dataclasses.dataclass(frozen=True)
class Stage:
    """One stage of a run.

    Attributes:
      name: key of the configuration that describes it.
      rates: part of the model -> learning rate; parts without one stand still.
      optimizer: of `OPTIMIZERS`, for each of them.
      copies: part -> the part whose weights it starts from.
      means: parts that start from the mean embedding of each value's training images.
      losses: name -> weight.
      schedule: how the rates fall, see `learning_rate`.
      attributes_per_step: see `asen_tf.data.pipeline.training_examples`.
      planned_steps: epochs * steps an epoch.
      steps: those that the bound on the whole run leaves.
      share: of the bound on the whole run.
      trained: parts that this stage or one before it trains; the others say nothing yet.
    """

    name: str
    rates: dict[str, float]
    optimizer: str
    copies: dict[str, str]
    means: tuple[str, ...]
    losses: dict[str, float]
    schedule: dict
    attributes_per_step: int
    planned_steps: int
    steps: int
    share: float
    trained: tuple[str, ...]

    def learning_rate(self, part: str, steps_per_epoch: int):
        """The part's rate over the stage's steps, for an optimizer."""
        rate, schedule = self.rates[part], self.schedule
        schedules = keras.optimizers.schedules
        if schedule["name"] == "constant":
            return rate
        if schedule["name"] == "step":
            return schedules.ExponentialDecay(
                rate, schedule["every_epochs"] * steps_per_epoch, schedule["gamma"], staircase=True
            )
        if schedule["name"] == "cosine":
            warmup = round(schedule.get("warmup", 0) * self.steps)
            return schedules.CosineDecay(
                0.0 if warmup else rate,
                self.steps - warmup,
                warmup_target=rate if warmup else None,
                warmup_steps=warmup,
            )
        raise ValueError(unknown_name("schedule", schedule["name"], SCHEDULES))

    def optimizer_of(self, part: str, steps_per_epoch: int) -> keras.optimizers.Optimizer:
        """A new optimizer for the part's variables, at the part's rate."""
        rate = self.learning_rate(part, steps_per_epoch)
        if self.optimizer == "adam":
            return keras.optimizers.Adam(rate, epsilon=1e-8, name=f"adam_{part}")
        if self.optimizer == "sgd":
            return keras.optimizers.SGD(rate, momentum=_MOMENTUM, name=f"sgd_{part}")
        raise ValueError(unknown_name("optimizer", self.optimizer, OPTIMIZERS))


def plan(config: config_dict.ConfigDict, trained: Iterable[str] = ()) -> list[Stage]:
    """The stages of `config.train.stages`; `train.max_steps` is shared out in proportion.

    Args:
      config: `asen_tf.core.config.defaults()` with its changes.
      trained: parts that the weights from which the run starts already train.

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
    stages = []
    for name, planned_steps, bounded in zip(names, planned, steps, strict=True):
        settings = config[name].to_dict()
        trained = tuple(dict.fromkeys([*trained, *settings["rates"]]))
        stages.append(
            Stage(
                name=name,
                rates=settings["rates"],
                optimizer=settings["optimizer"],
                copies=settings["copies"],
                means=tuple(settings["means"]),
                losses=settings["losses"],
                schedule=settings["schedule"],
                attributes_per_step=settings["attributes_per_step"],
                planned_steps=planned_steps,
                steps=bounded,
                share=planned_steps / sum(planned),
                trained=trained,
            )
        )
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
