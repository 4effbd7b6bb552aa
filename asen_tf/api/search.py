"""Searches a catalogue."""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from asen_tf.api.catalogues import opened
from asen_tf.catalogue import Catalogue, Match, Understood
from asen_tf.embedders import Embedder


def search(
    store: str | Catalogue,
    *,
    image: Any = None,
    id: str | Sequence[str] | None = None,
    product: str | None = None,
    model: str | os.PathLike | Embedder | None = None,
    weights: Mapping[str, float] | None = None,
    changes: Mapping[str, str] | None = None,
    liked: Sequence[str] | Sequence[Sequence[str]] = (),
    disliked: Sequence[str] = (),
    measure: str = "cosine",
    several: str = "mean",
    text: str | Understood | None = None,
    vocabulary: str | Sequence[str] = "fashion",
    k: int = 20,
    offset: int = 0,
    where: str | None = None,
    exclude: Iterable[str] = (),
    threshold: float | None = None,
    ceiling: float | None = None,
    group: str | None = None,
    diversity: float = 0.0,
) -> list[Match]:
    """The items of a catalogue that are most like the query, best first.

        asen_tf.search("faiss:/data/vectors", image="q.jpg", model="runs/asen",
                       weights={"neckline": 1}, where="price<50")

    Args:
      store: `faiss:PATH`, `milvus:PATH.db`, `milvus:http://HOST:PORT`, or an open catalogue.
      image: photograph to search with, as an embedder takes it, or a list of those of one garment.
      id, product: item of the catalogue, a list of them, or a product to search with, instead.
      model: what `asen_tf.load` takes; with `image`, unless the open catalogue has a model.
      weights, changes, liked, disliked, measure, several, text, vocabulary: see `Catalogue.query`.
      k, offset, where, exclude, threshold, ceiling, group, diversity: see `Catalogue.search`.

    Raises:
      ValueError: an unknown id, attribute or value; bad weights, a bad condition or
        group; not one item to query with, no words that are understood, or no model for an image.
      FileNotFoundError: no such store or model.
    """
    with opened(store, model, read_only=True) as catalogue:
        return catalogue.search(
            image=image,
            id=id,
            product=product,
            weights=weights,
            changes=changes,
            liked=liked,
            disliked=disliked,
            measure=measure,
            several=several,
            text=text,
            vocabulary=vocabulary,
            k=k,
            offset=offset,
            where=where,
            exclude=exclude,
            threshold=threshold,
            ceiling=ceiling,
            group=group,
            diversity=diversity,
        )
