"""Tags: of each photograph the most probable value of each attribute, and how probable it is."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from asen_client.core.attributes import AttributeSpace
from asen_tf.bulk.catalogue import Row

# Attribute -> value, probability.
Tags = dict[str, tuple[str, float]]

_PROBABILITY = "_probability"


def best(probabilities: Mapping[str, np.ndarray], space: AttributeSpace) -> list[Tags]:
    """The tags of N photographs, from float32 [N, V] for each attribute."""
    columns = []
    for name, found in probabilities.items():
        values = [space[name].values[column] for column in found.argmax(1)]
        columns.append([(name, tag) for tag in zip(values, found.max(1).tolist(), strict=True)])
    return [dict(tags) for tags in zip(*columns, strict=True)]


def encode(rows: Iterable[tuple[Row, Tags]]) -> bytes:
    """Tags as text, a JSON object a line."""
    lines = ({"id": row.name, "image": row.image, "tags": tags} for row, tags in rows)
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def table(
    shards: Iterable[bytes], attributes: Sequence[str], min_probability: float
) -> Iterator[bytes]:
    """What `encode` gave, as CSV in UTF-8: id, image, and of each attribute value and probability.

    Where a value is less probable than `min_probability` its cell is empty.
    """
    names = [column for name in attributes for column in (name, f"{name}{_PROBABILITY}")]
    yield _csv([["id", "image", *names]])
    for shard in shards:
        yield _csv(
            _row(json.loads(line), attributes, min_probability) for line in shard.splitlines()
        )


def _row(found, attributes, min_probability):
    tags = (found["tags"][name] for name in attributes)
    cells = ((v if p >= min_probability else "", f"{p:.4f}") for v, p in tags)
    return [found["id"], found["image"], *(cell for pair in cells for cell in pair)]


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
