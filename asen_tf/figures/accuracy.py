"""How often a search after a change succeeds, over k (Ak et al., WACV 2018, figure 6)."""

import shlex
from collections.abc import Iterator

import numpy as np

from asen_tf.core.files import read_json
from asen_tf.figures import lines, style
from asen_tf.figures.picture import Picture
from asen_tf.figures.registry import figure
from asen_tf.figures.source import NothingToDraw, Source

KINDS = {"direct": "as it is", "one_change": "one change", "two_changes": "two changes"}
TITLE = "top-k accuracy in percent"


@figure(
    "accuracy",
    title="Searches for all attributes at once",
    text="The share of queries of which one of the first k results has exactly the wanted values, "
    "with the query as it is, and after one or two of its attributes were changed; then by the "
    "attribute that changed. Dotted: a random order.",
)
def draw(source: Source) -> Iterator[Picture]:
    """A line a kind of search; and a line an attribute that changes."""
    file = source.run.result(source.split, "manipulation")
    if not file.exists():
        flags = f"--workdir={source.run.path}", f"--split={source.split}"
        command = shlex.join(["asen-evaluate", *flags, "--protocol=manipulation"])
        raise NothingToDraw(f"its searches after changes are not measured: {command} does it")
    result = read_json(file)
    kinds = {name: result[kind] for kind, name in KINDS.items() if _curve(result.get(kind))}
    if not kinds:
        raise NothingToDraw(f"{file} has no curve over k: measure it anew")
    random = np.mean([found["random_curve"] for found in kinds.values()], axis=0)
    curves = {name: found["curve"] for name, found in kinds.items()}
    yield Picture(
        "accuracy",
        _chart({**curves, "random": random}, TITLE),
        f"{TITLE.capitalize()} for k to {len(random)}: a line a kind of search",
        ".png",
    )
    changed = {
        style.words(name): found["curve"]
        for name, found in result.get("one_change", {}).get("attributes", {}).items()
        if _curve(found)
    }
    if len(changed) > 1:
        yield Picture(
            "accuracy_by_attribute",
            _chart(changed, f"{TITLE} after one change"),
            f"{TITLE.capitalize()} after one change for k to {len(random)}: a line an attribute",
            ".png",
        )


def _curve(found: dict | None) -> list[float]:
    return (found or {}).get("curve", [])


def _chart(curves, title):
    points = {
        name: (np.arange(1, len(shares) + 1), 100 * np.array(shares))
        for name, shares in curves.items()
    }
    return lines.chart(points, title, "k", quiet=("random",), least=0)
