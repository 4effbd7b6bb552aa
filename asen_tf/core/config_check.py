"""What each key of a configuration may hold, before anything of it is built."""

import dataclasses
import fnmatch
import math
import numbers
import os
import re
from collections.abc import Callable, Iterator, Mapping

from ml_collections import config_dict

from asen_client.core.errors import unknown_name
from asen_client.serving.signatures import FITS
from asen_tf.core import choices, presets, registries
from asen_tf.core.config import defaults
from asen_tf.core.registry import Registry

# What is wrong with a value, None where nothing is.
Rule = Callable[[object], str | None]


@dataclasses.dataclass(frozen=True)
class Number:
    """A rule: a finite number within bounds; `above` excludes the lower, `below` the upper."""

    least: float = -math.inf
    most: float = math.inf
    above: bool = False
    below: bool = False
    whole: bool = False

    def __call__(self, value: object) -> str | None:
        kind = numbers.Integral if self.whole else numbers.Real
        if isinstance(value, kind) and not isinstance(value, bool) and math.isfinite(value):
            enough = value > self.least if self.above else value >= self.least
            few = value < self.most if self.below else value <= self.most
            if enough and few:
                return None
        return f"expected {self}"

    def __str__(self) -> str:
        kind = "a whole number" if self.whole else "a finite number"
        if self.least == -math.inf:
            return kind
        if self.above:
            end = "" if self.most == math.inf else f" and up to {self.most:.10g}"
            return f"{kind} above {self.least:g}{end}"
        if self.most == math.inf:
            return f"{kind} of {self.least:g} or more"
        if self.below:
            return f"{kind} of {self.least:g} or more, below {self.most:.10g}"
        return f"{kind} from {self.least:g} to {self.most:.10g}"


def _one_of(names: tuple[str, ...]) -> Rule:
    return lambda value: None if value in names else unknown_name("name", value, names)


def _registered(known: Registry) -> Rule:
    return lambda value: None if value in known else unknown_name(known.kind, value, known.names())


def _preset(kind: str, others: Callable[[], tuple[str, ...]]) -> Rule:
    """A name of KerasHub's or of others; addresses and what lies on the disk are read later."""

    def rule(value: object) -> str | None:
        if not isinstance(value, str) or re.search(r"[/\\.]", value) or os.path.exists(value):
            return None
        if value in others() or value in (known := (*others(), *presets.names())):
            return None
        return unknown_name(kind, value, known)

    return rule


def _rates(value: object) -> str | None:
    """(pattern, rate) pairs."""
    try:
        for pattern, rate in value:
            re.compile(pattern)
            if Number(0)(rate):
                return f"expected {Number(0)} as the rate of {pattern!r}"
    except (TypeError, ValueError, re.error):
        return "expected (pattern, rate) pairs, the patterns regular expressions"
    return None


def _cut_offs(value: object) -> str | None:
    if isinstance(value, tuple | list) and value and not any(map(_COUNT, value)):
        return None
    return f"expected numbers, each {_COUNT}"


def _if_number(rule: Number) -> Rule:
    """A rule for numbers; what a model of another package understands may be of any kind."""
    return lambda value: rule(value) if isinstance(value, numbers.Real) else _finite(value)


_COUNT, _WHOLE, _SHARE = Number(1, whole=True), Number(0, whole=True), Number(0, 1)
_RULES: Mapping[str, Rule] = {
    "data.box_margin": Number(0),
    "data.images": _COUNT,
    "data.seed": _WHOLE,
    "data.max_pixels": _COUNT,
    "data.cache_gb": Number(0),
    "train.batch_size": _COUNT,
    "train.seed": Number(0, 2**32 - 1, whole=True),
    "train.steps_per_epoch": _COUNT,
    "train.max_steps": _WHOLE,
    "train.max_minutes": Number(0),
    "train.checkpoint_every_steps": _COUNT,
    "train.log_every_steps": _COUNT,
    "augment.shift": _SHARE,
    "augment.crop": Number(0, 1, above=True),
    "augment.color": _SHARE,
    "eval.batch_size": _COUNT,
    "eval.every_epochs": Number(0),
    "eval.max_images": _WHOLE,
    "eval.pictures": _WHOLE,
    "eval.ks": _cut_offs,
    "data.format": _registered(registries.FORMATS),
    "model.name": _registered(registries.MODELS),
    "model.*backbone": _preset("backbone or preset", registries.BACKBONES.names),
    "model.*weights": _preset("weights", lambda: ("", "imagenet", "random")),
    "model.*size": _if_number(_COUNT),
    "model.image_scale": _if_number(_COUNT),
    "model.*reduction": _if_number(_COUNT),
    "model.*_dim": _if_number(_COUNT),
    "model.*dropout": _if_number(Number(0, 1, below=True)),
    "*.losses.*.name": _registered(registries.LOSSES),
    "*.optimizer": _registered(registries.OPTIMIZERS),
    "*.optimizer.name": _registered(registries.OPTIMIZERS),
    "*.schedule.name": _registered(registries.SCHEDULES),
    "*.epochs": Number(0),
    "*.rates": _rates,
    "*.attributes_per_step": _WHOLE,
    "*.resolution": Number(0, above=True),
    "*.patience": _WHOLE,
    "*.least_minutes": Number(0),
    "*.share": Number(0),
    "*.losses.*.weight": Number(0),
    "*.losses.*.margin": Number(0),
    "*.schedule.every_epochs": Number(0, above=True),
    "*.schedule.gamma": Number(0, above=True),
    "*.schedule.warmup": _SHARE,
    **{
        key: _one_of(names)
        for key, names in {
            "data.check": choices.CHECKS,
            "data.cache": choices.CACHES,
            "data.fit": FITS,
            "data.look": choices.LOOKS,
            "train.sampling": choices.SAMPLINGS,
            "train.precision": choices.PRECISIONS,
            "*.sampling": ("", *choices.SAMPLINGS),
            "eval.preprocessing": choices.PREPROCESSING,
            "eval.relevance": choices.RELEVANCE,
        }.items()
    },
}
# Of what is ours: what others call by such a key is theirs.
_CHOSEN: Mapping[str, Mapping[str, Rule]] = {
    "triplet": {"distance": _one_of(choices.DISTANCES), "mining": _one_of(choices.MINING)},
    "norm": {"norm": _one_of(choices.NORMS)},
    "asen": {"localization": _one_of(choices.LOCALIZATIONS)},
    "csn": {"distance": _one_of(choices.MASKED_DISTANCES), "masks": _one_of(choices.MASKS)},
}
_KINDS = {bool: "true or false", str: "a text", tuple: "a list"}


def check(config: config_dict.ConfigDict) -> None:
    """Checks the type and range of every value, and that batches can hold a triplet.

    Args:
      config: `asen_tf.core.config.defaults()` with its changes, or its `data` part.

    Raises:
      ValueError: values that make no sense; names the keys, and what is expected of each.
    """
    if "data" not in config:
        config = config_dict.ConfigDict({"data": config})
    if wrong := list(_wrong(config)):
        raise ValueError("; ".join(wrong))


def _wrong(config: config_dict.ConfigDict) -> Iterator[str]:
    # What stands in the place of a name of a model may be of any kind.
    usual = {key: value for key, value in _leaves(defaults()) if not key.startswith("model.")}
    leaves = dict(_leaves(config))
    for key, value in leaves.items():
        place, _, last = key.rpartition(".")
        rule = _CHOSEN.get(leaves.get(f"{place}.name"), {}).get(last) or next(
            (rule for at, rule in _RULES.items() if fnmatch.fnmatchcase(key, at)), None
        )
        message = rule(value) if rule else _kind(value, usual.get(key)) or _finite(value)
        if message:
            yield f"{key}={value}: {message}"
    train = config.get("train", {})
    if train.get("sampling") == "multi_attribute" and train.get("batch_size") == 1:
        yield (
            "train.batch_size=1: expected 2 or more with train.sampling=multi_attribute, since one "
            "image has no triplet"
        )
    parts, special = config.get("model", {}).get("parts"), config.get("data", {}).get("special", ())
    if isinstance(parts, config_dict.ConfigDict) and parts and set(parts) != set(special):
        yield (
            f"model.parts are of {', '.join(parts)} and data.special is "
            f"{', '.join(special) or 'empty'}: expected the same attributes, since triplets and "
            "searches take those of data.special to have a vector of their own"
        )


def _leaves(config: Mapping, prefix: str = "") -> Iterator[tuple[str, object]]:
    """Every key by its whole name, such as train.batch_size, with its value."""
    for key, value in config.items():
        if isinstance(value, Mapping | config_dict.ConfigDict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _kind(value: object, usual: object) -> str | None:
    """Whether a switch, a text or a list stands where another kind is expected."""
    expected = _KINDS.get(type(usual))
    given = tuple if isinstance(value, list) else type(value)
    return f"expected {expected}" if expected and given is not type(usual) else None


def _finite(value: object) -> str | None:
    if isinstance(value, tuple | list):
        return next(filter(None, map(_finite, value)), None)
    if isinstance(value, float) and not math.isfinite(value):
        return f"expected {Number()}"
    return None
