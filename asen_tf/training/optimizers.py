"""Which variables learn at which rate: patterns over their paths."""

import re
from collections.abc import Callable, Iterable, Mapping

import keras
import tensorflow as tf

from asen_tf.core.registries import OPTIMIZERS
from asen_tf.core.signature import call_with_known

# What Keras's optimizers take as learning rate; a function gives what it is now.
Rate = float | keras.optimizers.schedules.LearningRateSchedule | Callable[[], tf.Tensor]


def optimizer(
    model: keras.Model,
    rates: Mapping[str, float] | Iterable[tuple[str, float]],
    kind: Mapping[str, object] | str = "adam",
    schedule: Callable[[float], Rate] | None = None,
) -> keras.optimizers.Optimizer:
    """An optimizer that moves each variable of a model at its own rate.

    A variable learns at the rate of the first pattern that is found in its path (`re.search`).
    Those of rate 0 are frozen: they are made not trainable, until this is called again.

    Args:
      model: built.
      rates: pattern -> learning rate.
      kind: name of an optimizer, or a dict of `name` and keyword arguments of its class.
      schedule: what becomes of each rate over the steps; None: it stays.

    Returns:
      A built optimizer of Keras; with several rates, a `MultiOptimizer` with one for each; around
      it a `LossScaleOptimizer` where the model computes in float16.

    Raises:
      ValueError: a pattern that decides for no variable, or variables that no pattern matches;
        all rates are 0; or an unknown optimizer or argument.
    """
    patterns = tuple(dict(rates))
    rates = dict(rates)
    chosen = _pattern_of_each(model, patterns)
    model.frozen_paths = tuple(path for path, pattern in chosen.items() if not rates[pattern])
    for variable in model.weights:
        if variable.path in chosen:
            variable.trainable = rates[chosen[variable.path]] > 0
    kind = {"name": kind} if isinstance(kind, str) else kind
    make, arguments = OPTIMIZERS.named(kind, "optimizer")
    made = {
        _exclusive(patterns[:n], pattern): call_with_known(
            make,
            "optimizer",
            {
                **arguments,
                "learning_rate": schedule(rates[pattern]) if schedule else rates[pattern],
                "name": f"{make.__name__.lower()}_{n}",
            },
        )
        for n, pattern in enumerate(patterns)
        if rates[pattern]
    }
    if not made:
        raise ValueError(f"no variable learns: all rates of {', '.join(patterns)} are 0")
    first, *others = made.values()
    if others:
        optimizers = keras.optimizers.OptimizerMap(first, made)
        first = keras.optimizers.MultiOptimizer(optimizers)
    if model.dtype_policy.compute_dtype == "float16":
        first = keras.optimizers.LossScaleOptimizer(first)
    first.build(model.trainable_variables)
    return first


def _pattern_of_each(model: keras.Model, patterns: tuple[str, ...]) -> dict[str, str]:
    """Path of each variable that can learn -> the first pattern that is found in it."""
    frozen = getattr(model, "frozen_paths", ())
    paths = [v.path for v in model.weights if v.trainable or v.path in frozen]
    chosen = {path: next((p for p in patterns if re.search(p, path)), None) for path in paths}
    unused = [pattern for pattern in patterns if pattern not in chosen.values()]
    missed = [path for path, pattern in chosen.items() if pattern is None]
    if not unused and not missed:
        return chosen
    said = []
    if unused:
        said.append(f"no variable takes its rate from the pattern {', '.join(map(repr, unused))}")
    if missed:
        said.append(f"no pattern matches {_some(missed)}")
    raise ValueError(
        f"{'; '.join(said)}. The patterns are {', '.join(map(repr, patterns))}, the variables "
        f"{_some(paths)}. A rate of 0 freezes variables"
    )


def _exclusive(earlier: tuple[str, ...], pattern: str) -> str:
    """Matches whole paths in which the pattern is found and none of the earlier ones."""
    not_before = "".join(f"(?!.*(?:{other}))" for other in earlier)
    return f"{not_before}.*(?:{pattern}).*"


def _some(paths: list[str]) -> str:
    more = f" and {len(paths) - 5} more" if len(paths) > 5 else ""
    return ", ".join(paths[:5]) + more
