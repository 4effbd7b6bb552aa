"""How a learning rate falls over the steps of a stage: (rate, steps, steps an epoch) -> a rate."""

import keras

_schedules = keras.optimizers.schedules


def constant(rate: float) -> float:
    """It does not."""
    return rate


def step(
    rate: float, steps_per_epoch: int, every_epochs: float, gamma: float
) -> keras.optimizers.schedules.LearningRateSchedule:
    """Times `gamma` every so many epochs."""
    return _schedules.ExponentialDecay(rate, every_epochs * steps_per_epoch, gamma, staircase=True)


def cosine(
    rate: float, steps: int, warmup: float = 0.0
) -> keras.optimizers.schedules.LearningRateSchedule:
    """To 0 along a cosine; in the first `warmup` of the steps it rises from 0."""
    rising = round(warmup * steps)
    return _schedules.CosineDecay(
        0.0 if rising else rate,
        steps - rising,
        warmup_target=rate if rising else None,
        warmup_steps=rising,
    )
