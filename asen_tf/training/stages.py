"""Stages of training: data that says which variables learn, how fast, for what, how long."""

import dataclasses
import itertools
import math
from collections.abc import Mapping

from ml_collections import config_dict

from asen_client.core.errors import check_names, unknown_name
from asen_tf.core.registries import SCHEDULES
from asen_tf.core.signature import call_with_known

RECOGNITION_TIME = 0.05  # share of train.max_minutes


@dataclasses.dataclass(frozen=True)
class Stage:
    """One stage of a run.

    Attributes:
      name: key of the configuration that describes it.
      rates: (pattern, rate) pairs, see `training.optimizers.optimizer`.
      optimizer: name and keyword arguments of an optimizer.
      copies: (target, source) pairs, see `training.start.copy_weights`.
      closed_form: whether it starts with `training.start.fit_closed_form`.
      losses: what each is called -> its settings, see `asen_tf.losses.build`.
      schedule: name and keyword arguments of how the rates fall, see `training.schedules`.
      patience: validations in a row without a better score that end it; 0: none do.
      frozen_features: whether what parts at rate 0 make of photographs is computed once, see
        `training.frozen`.
      choose_beta: whether the two slices of its best model's embedding are weighed at its end, see
        `asen_tf.evaluation.choose_betas`.
      resolution: side of the images that it trains on / side of those that the model embeds.
      must_improve: whether its model counts only where it scores higher than those before.
      sampling: what it draws, of `core.choices.SAMPLINGS`: its own, or `train.sampling`.
      attributes_per_step: see `asen_tf.data.pipeline.training_examples`.
      epochs: how long it is.
      steps: the same in steps; 0 where its closed form is all.
      end: seconds of the run at which its last stage is over; infinite without `train.max_minutes`.
      part: what it takes of the time from its first step to that end.
    """

    name: str
    rates: tuple[tuple[str, float], ...]
    optimizer: Mapping
    copies: tuple[tuple[str, str], ...]
    closed_form: bool
    losses: Mapping[str, Mapping]
    schedule: Mapping
    sampling: str
    attributes_per_step: int
    frozen_features: bool
    resolution: float
    must_improve: bool
    choose_beta: bool
    patience: int
    epochs: float
    steps: int
    end: float
    part: float

    def factor(self, progress: float) -> float:
        """What the rates are multiplied by at this progress, from 0 to 1."""
        where = f"{self.name}.schedule"
        schedule, arguments = SCHEDULES.named(self.schedule, where)
        return call_with_known(schedule, where, arguments, progress=progress, epochs=self.epochs)

    def progress(self, step: int, began: float, now: float) -> float:
        """How much of it is done, from 0 to 1: of its steps or of its time, whichever is more.

        Args:
          step: how many are done; it gets one, however late it is.
          began, now: seconds of the run.
        """
        by_steps = step / self.steps if self.steps else 1.0
        deadline = self.deadline(began)
        if math.isinf(deadline) or not step:
            return by_steps
        if now >= deadline:
            return 1.0
        return max(by_steps, (now - began) / (deadline - began))

    def deadline(self, began: float) -> float:
        """Seconds of the run at which it is over that took its first step at `began`."""
        return began + self.part * (self.end - began)


def plan(config: config_dict.ConfigDict) -> list[Stage]:
    """The stages of `config.train.stages`, and how the bounds on the run are shared out.

    `train.max_steps` is shared out in proportion to their epochs. Of `train.max_minutes` a stage
    gets its `least_minutes`, and a part of what is left in proportion to its `share` or, where that
    is 0, its epochs. One whose least is more than the stages before it leave is left out, and those
    after it, which go on from it. What passes between two stages, such as computing features, is
    taken from all that are to come. A little remains for what `training.recognition` does when all
    are over.

    Args:
      config: `asen_tf.core.config.defaults()` with its changes.

    Raises:
      ValueError: no stage, one that the configuration does not describe, or one without steps and
        closed form; or an unknown schedule.
    """
    names = list(config.train.stages)
    if not names:
        raise ValueError("config.train.stages names no stage")
    for name in names:
        if name not in config or "rates" not in config[name]:
            known = [key for key in config if "rates" in getattr(config, key)]
            raise ValueError(unknown_name("stage in config.train.stages", name, known))
    minutes = (1 - RECOGNITION_TIME) * config.train.max_minutes or math.inf
    names, least = _within(minutes, {name: config[name].least_minutes for name in names})
    planned = [round(config[name].epochs * config.train.steps_per_epoch) for name in names]
    for name, own in zip(names, planned, strict=True):
        if own < 1 and not config[name].get("closed_form"):
            raise ValueError(
                f"every stage needs a step, or closed_form=true: {name}.epochs="
                f"{config[name].epochs} with train.steps_per_epoch={config.train.steps_per_epoch}"
            )
    steps = _share_out(config.train.max_steps, planned)
    shares = [config[name].share or config[name].epochs for name in names]
    spare = (minutes - sum(least)) / (sum(shares) or 1.0)
    own = [n + (spare * s if s else 0.0) for n, s in zip(least, shares, strict=True)]
    rest = itertools.accumulate(reversed(own))
    parts = [n / of if 0 < of < math.inf else 1.0 for n, of in zip(own, [*rest][::-1], strict=True)]
    known = [field.name for field in dataclasses.fields(Stage)]
    stages = []
    for name, bounded, part in zip(names, steps, parts, strict=True):
        settings = config[name].to_dict()
        del settings["share"], settings["least_minutes"]
        check_names(f"key of {name}", settings, known)
        settings["sampling"] = settings.get("sampling") or config.train.sampling
        settings["epochs"] = bounded / config.train.steps_per_epoch
        stages.append(Stage(name=name, steps=bounded, end=60 * minutes, part=part, **settings))
        stages[-1].factor(0.0)
    return stages


def _within(minutes: float, least: Mapping[str, float]) -> tuple[list[str], list[float]]:
    """The stages that there is time for, the first in any case, and what each needs at least."""
    chosen, left = {}, minutes
    for name, needed in least.items():
        if chosen and needed > left:
            break
        chosen[name] = min(needed, left)
        left -= chosen[name]
    return list(chosen), list(chosen.values())


def _share_out(bound: int, planned: list[int]) -> list[int]:
    """Whole steps that add up to the bound, in proportion to the plan, one where it has any."""
    upto = list(itertools.accumulate(planned))
    if not bound or bound >= upto[-1]:
        return planned
    least = list(itertools.accumulate(min(steps, 1) for steps in planned))
    if bound < least[-1]:
        raise ValueError(f"train.max_steps={bound} leaves no step for some of {least[-1]} stages")
    ends = [
        min(max(round(bound * own / upto[-1]), need), bound - least[-1] + need)
        for own, need in zip(upto, least, strict=True)
    ]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]
