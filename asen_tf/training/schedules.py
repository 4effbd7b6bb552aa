"""How learning rates fall in a stage: its progress, from 0 to 1, to what they are multiplied by."""

import math


def constant(progress: float) -> float:
    """They do not."""
    return 1.0


def step(progress: float, epochs: float, every_epochs: float, gamma: float) -> float:
    """Times `gamma` every so many of the stage's epochs."""
    # A step that begins an epoch may come out a rounding error below it.
    return gamma ** math.floor(progress * epochs / every_epochs + 1e-6)


def cosine(progress: float, warmup: float = 0.0) -> float:
    """To 0 along a cosine; in the first `warmup` of the stage they rise from 0."""
    if progress < warmup:
        return progress / warmup
    return (1 + math.cos(math.pi * (progress - warmup) / max(1 - warmup, 1e-6))) / 2
