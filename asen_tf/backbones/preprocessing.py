"""How pixels become what a backbone was trained on."""

from collections.abc import Mapping

import keras

from asen_client.core.errors import unknown_name

_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)

# name -> pixels 0 to 255 are multiplied by `scale`, then `offset` is added.
PREPROCESSING = {
    "imagenet": {
        "scale": [1 / (255 * d) for d in _DEVIATION],
        "offset": [-m / d for m, d in zip(_MEAN, _DEVIATION, strict=True)],
    },
    "efficientnet_lite": {"scale": 1 / (255 * 0.502), "offset": -0.498 / 0.502},
    "none": {"scale": 1.0, "offset": 0.0},
    "0..1": {"scale": 1 / 255, "offset": 0.0},
    "-1..1": {"scale": 1 / 127.5, "offset": -1.0},
}


def rescaling(preprocessing: str | Mapping) -> keras.layers.Rescaling:
    """The layer that does it.

    Args:
      preprocessing: a name of `PREPROCESSING`, or a dict of its kind, numbers of which may be
        lists of three, a number a channel.
    """
    if isinstance(preprocessing, str):
        if preprocessing not in PREPROCESSING:
            raise ValueError(unknown_name("preprocessing", preprocessing, PREPROCESSING))
        preprocessing = PREPROCESSING[preprocessing]
    if set(preprocessing) != {"scale", "offset"}:
        raise ValueError(f"preprocessing needs a scale and an offset, got {dict(preprocessing)}")
    return keras.layers.Rescaling(**preprocessing)


def of_preset(preset: str) -> str | dict:
    """What a KerasHub preset says about its input; "imagenet" if it says nothing."""
    import keras_hub

    try:
        converter = keras_hub.layers.ImageConverter.from_preset(preset)
    except (ValueError, FileNotFoundError):
        return "imagenet"
    given = {"scale": converter.scale, "offset": converter.offset}
    return PREPROCESSING["none"] | {
        key: list(value) if isinstance(value, list | tuple) else float(value)
        for key, value in given.items()
        if value is not None
    }
