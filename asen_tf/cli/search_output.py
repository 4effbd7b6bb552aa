"""What `asen-search` writes: lines, JSON, and a page for the browser."""

import json
from collections.abc import Mapping, Sequence

import numpy as np

from asen_tf import images
from asen_tf.catalogue import Match, Similarity, Understood
from asen_tf.core import files
from asen_tf.core.progress import say
from asen_tf.data.root import Root

# Longer side of a photograph on the page.
_ENOUGH_PX = 512


def table(found: Sequence[Match], first: int) -> list[str]:
    """A line a result: rank (`first` that of the first), score, id, how many others, cosines."""
    return [
        f"{rank:4d}  {match.score:7.4f}  {match.id}  "
        + (f"+{len(match.others)}  " if match.others else "")
        + "  ".join(f"{name} {cosine:.2f}" for name, cosine in match.cosines.items())
        for rank, match in enumerate(found, first)
    ]


def understood(words: Understood) -> list[str]:
    """Lines that say what was understood of words, and what was not."""
    lines = [f"understood: {words}"] if words else []
    return [*lines, *(f"not understood: {one.words!r}: {one.why}" for one in words.unknown)]


def facets(found: Mapping[str, Sequence[tuple]]) -> list[str]:
    """A line a name: its values, and how many results each has."""
    return [
        f"{name}: {', '.join(f'{value} {count}' for value, count in counts) or 'none'}"
        for name, counts in found.items()
    ]


def comparison(found: Sequence[Similarity]) -> list[str]:
    """A line an attribute: its name, the cosine, and of how many pairs it is above."""
    width = max(len(one.attribute) for one in found)
    return [
        f"{one.attribute:{width}}  {one.cosine:7.4f}  more alike than {one.percentile:.2f} % of "
        "random pairs"
        for one in found
    ]


def write_json(path: str, found: Sequence[Match | Similarity]) -> None:
    """Writes results as a list of objects."""
    text = json.dumps([one.to_dict() for one in found], ensure_ascii=False, indent=1)
    files.write_text(path, text + "\n")


def write_page(
    path: str,
    found: Sequence[Match],
    *,
    root: Root,
    title: str,
    query: tuple[str, np.ndarray | None],
    facts: Mapping[str, str],
    first: int,
) -> None:
    """Writes the results as a page of small photographs.

    Args:
      query: name and photograph of the query.
      facts: name -> text, shown under the title.
      first: rank of the first result.
    """
    from asen_tf.figures.contact_sheet import Card, contact_sheet  # matplotlib takes a second

    cards = [
        Card(
            match.id,
            photograph(match.id, match.metadata, root),
            match.score,
            match.cosines,
            {name: ", ".join(values) for name, values in match.labels.items()},
        )
        for match in found
    ]
    missing = sum(card.image is None for card in cards)
    if missing:
        say(f"{missing} of {len(cards)} photographs are missing under --root={root.folder}")
    html = contact_sheet(title, cards, Card(*query), facts, first)
    files.write_text(path, html)


def photograph(name: str, metadata: Mapping, root: Root) -> np.ndarray | None:
    """Of an item, where its metadata `image` says, or else its id; None where it is not there."""
    image = str(metadata.get("image") or name)
    return None if root.path_problem(image) else pixels(root.path(image))


def pixels(path: str) -> np.ndarray | None:
    """A photograph for a small picture, uint8 [H, W, 3]; None where there is none."""
    try:
        return images.read(path, longest=_ENOUGH_PX)
    except images.UNREADABLE:
        return None
