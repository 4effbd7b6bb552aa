"""What variables start from, where not from random numbers."""

import re

import keras
import numpy as np


def copy_weights(model: keras.Model, target: str, source: str) -> None:
    """Gives layers the weights of other layers; those of other shapes stay as they are.

    A layer is copied to where `target` stands in the place of `source` in its path.

    Args:
      model: of both.
      target, source: parts of paths, such as "/local_branch/" and "/global_branch/".

    Raises:
      ValueError: no layer has such a counterpart.
    """
    layers = {}
    for variable in model.weights:
        layers.setdefault(variable.path.rpartition("/")[0], []).append(variable)
    copied = 0
    for path, variables in layers.items():
        others = layers.get(path.replace(target, source), []) if target in path + "/" else []
        if [v.shape for v in others] == [v.shape for v in variables]:
            copied += 1
            for variable, other in zip(variables, others, strict=True):
                variable.assign(other)
    if not copied:
        raise ValueError(
            f"no layer below {target!r} has one of its shape below {source!r}: expected two parts "
            f"of {model.name} that are alike"
        )


def start_from_means(model: keras.Model, pattern: str, means: np.ndarray) -> None:
    """Gives a variable the mean embedding of each value's training images, float32 [V, D].

    Raises:
      ValueError: the pattern is found in the path of no variable, or of several, or shapes differ.
    """
    found = [variable for variable in model.weights if re.search(pattern, variable.path)]
    if len(found) != 1 or found[0].shape != means.shape:
        raise ValueError(
            f"{pattern!r} must name one variable of shape {means.shape}, got "
            f"{', '.join(f'{v.path} {v.shape}' for v in found) or 'none'}"
        )
    found[0].assign(means)
