"""Attributes and values of a data set and of a model are the same where their names are."""

import dataclasses
import unicodedata

import numpy as np
from absl import logging

from asen_client.core.attributes import AttributeSpace
from asen_tf.data.manifest import Manifest, sort_labels


def matched(
    manifest: Manifest, space: AttributeSpace, knower: str = "the model", whole: bool = False
) -> Manifest:
    """The manifest in terms of the attributes and values that a model knows, matched by name.

    What the model knows beyond the data is no matter. Attributes that it does not know are left
    out; what it misses in the data while others are there is warned about.

    Args:
      manifest: the data.
      space: what the model knows, in its order.
      knower: whose attributes these are, for messages.
      whole: whether every attribute of the data has to be known.

    Raises:
      ValueError: a value that the model does not know, or no attribute that it knows.
    """
    own = _spelled_as(manifest.space, space)
    if own == space:
        return dataclasses.replace(manifest, space=space)
    kept = [name for name in own if name in space]
    unknown, lacking = _without(own, space), _without(space, own)
    if not kept or (whole and unknown):
        raise ValueError(
            f"{knower} knows the attributes {', '.join(space)}; the data has {', '.join(own)}"
        )
    wrong = [_difference(name, own, space, knower) for name in kept]
    if any(wrong):
        raise ValueError("; ".join(filter(None, wrong)))
    if lacking:
        others = f"; it has {', '.join(unknown)}, passed over" if unknown else ""
        logging.warning("the data lacks %s, which %s knows%s", ", ".join(lacking), knower, others)
    attributes = np.array([space.index(name) if name in space else -1 for name in own])
    values = _value_numbers(own, space)
    labels = _renumbered(manifest.labels, attributes).copy()
    flat = np.array(own.offsets)[manifest.labels["attribute"]] + manifest.labels["value"]
    labels["value"] = values[flat[attributes[manifest.labels["attribute"]] >= 0]]
    boxes = manifest.boxes
    if boxes is not None:
        boxes = np.full((len(manifest), len(space), 4), np.nan, np.float32)
        boxes[:, attributes[attributes >= 0]] = manifest.boxes[:, attributes >= 0]
    triplets = manifest.triplets
    if triplets is not None:
        triplets = _renumbered(triplets, attributes)
    return dataclasses.replace(
        manifest, space=space, labels=sort_labels(labels), boxes=boxes, triplets=triplets
    )


def _spelled_as(own: AttributeSpace, space: AttributeSpace) -> AttributeSpace:
    """The data's names in the model's Unicode form, where they are the same but for that."""
    names, found = {_form(name): name for name in space}, {}
    for name, values in own.to_dict().items():
        known = names.get(_form(name), name)
        spelled = {_form(v): v for v in space[known].values} if known in space else {}
        found[known] = [spelled.get(_form(value), value) for value in values]
    return AttributeSpace(found)


def _form(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _without(space: AttributeSpace, other: AttributeSpace) -> list[str]:
    return [name for name in space if name not in other]


def _difference(name: str, own: AttributeSpace, space: AttributeSpace, knower: str) -> str:
    """What the data has under an attribute that the model does not know; "": nothing."""
    given, known = own[name].values, space[name].values
    new = [value for value in given if value not in known]
    if not new:
        return ""
    gone = [value for value in known if value not in given]
    lacks = f"{', '.join(gone)}, which the data lacks" if gone else "no such value"
    return f"{name}: {knower} knows {lacks}; the data has {', '.join(new)}"


def _value_numbers(own: AttributeSpace, space: AttributeSpace) -> np.ndarray:
    """Flat number of a value in `own` -> its number within its attribute in `space`; -1: none."""
    numbers = [
        space[name].index(value) if name in space else -1
        for name in own
        for value in own[name].values
    ]
    return np.array(numbers)


def _renumbered(records: np.ndarray, attributes: np.ndarray) -> np.ndarray:
    """The records of known attributes, with the numbers that these have now."""
    new = attributes[records["attribute"]]
    records = records[new >= 0].copy()
    records["attribute"] = new[new >= 0]
    return records
