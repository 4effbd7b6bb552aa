"""Answers to what is requested; knows nothing of HTTP."""

import dataclasses
import logging
import threading
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import cachetools
import numpy as np

from asen_client.images.boxes import Box, Boxed
from asen_tf.app import fields, photographs, problems, queries
from asen_tf.app.limits import Limits
from asen_tf.app.model import Model
from asen_tf.app.overview import Overview
from asen_tf.app.photographs import Pictures, Upload, Uploads
from asen_tf.catalogue import Catalogue, Match, Understood
from asen_tf.catalogue.filters import every
from asen_tf.photographs import Source

_LOG = logging.getLogger(__name__)

# Longer side in pixels: in the grid, and where one looks closely.
_SIDES = {"small": 480, "large": 1024}

# Boxes that a small picture has room for.
_MOST_REGIONS = 2


# See `Answers.regions`.
Region = tuple[float, ...] | None


class _Encoded(NamedTuple):
    """A photograph to look at: what names it in the cache, its bytes, perhaps cut, and its size."""

    key: tuple
    encoded: bytes | Boxed
    size: tuple[int, int]


class Answers:
    """A catalogue, its photographs, and its model; threads may share it.

    `vocabulary`: what says which value in the words of a search.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        model: Model,
        source: Source,
        limits: Limits,
        vocabulary: Sequence[str] = ("fashion",),
    ):
        self._catalogue = catalogue
        self._model = model
        self._limits = limits
        self._vocabulary = vocabulary
        self._pictures = Pictures(catalogue, source, limits.pixels, limits.kept_picture_bytes)
        self._uploads = Uploads(limits.kept_upload_bytes)
        self._regions = cachetools.LRUCache(limits.kept_regions)
        self._lock = threading.Lock()
        self.overview = Overview(catalogue, limits.seen_seconds)
        self.attributes = catalogue.attributes

    def health(self) -> dict:
        """Whether the model can be used; Problem: the store does not answer."""
        with problems.store_problems():
            len(self._catalogue)
        try:
            self._model.check(wait=False)
        except problems.Problem as problem:
            return {"status": "limited", "problem": problem.to_dict()}
        return {"status": "ready", "problem": None}

    def has_photographs(self) -> bool:
        """Whether some of the items have their photographs where they should be."""
        ids = self.overview.now().ids
        return not ids or self._pictures.any_there(_spread(ids, 0, queries.MOST_RESULTS))

    def items(self, request: queries.Items) -> dict:
        """Some items, and how many there are; Problem: a bad condition."""
        ids = self.overview.now().ids
        with problems.store_problems():
            if where := fields.condition({}, request.condition):
                ids = self._catalogue.engine.ids(where)
            if request.spread:
                chosen = _spread(ids, request.offset, request.count)
            else:
                chosen = ids[request.offset : request.offset + request.count]
            there = self._catalogue.engine.known(chosen)
            chosen = [name for name in chosen if name in there]
            records = self._catalogue.engine.records(chosen)
        items = [
            {"id": name, "labels": labels, "metadata": dict(fields.shown(metadata))}
            for name, (labels, metadata) in zip(chosen, records, strict=True)
        ]
        return {"total": len(ids), "items": items}

    def receive(self, encoded: bytes) -> dict:
        """Takes a visitor's photograph: gives its name, width and height.

        Raises:
          Problem: it is no photograph, too large, or the model is away.
        """
        photograph = photographs.received(encoded, self._limits.pixels)
        # Broken ones show when they are decoded; the model would not say it so plainly.
        photographs.preview(photograph.encoded, _SIDES["small"], self._limits.pixels)
        vectors = self._model.embed(photograph.encoded)
        name = self._uploads.add(Upload(photograph, vectors))
        return {"photograph": name, "width": photograph.width, "height": photograph.height}

    def cut(self, request: queries.Cut) -> dict:
        """Takes a part of a photograph that was received: gives the name of what is looked for now.

        Raises:
          Problem: the photograph was forgotten, the box is none, or the model is away.
        """
        photograph, box = self._uploads.get(request.photograph).photograph, None
        shown = photograph.encoded
        if request.box:
            sides = (photograph.width, photograph.height) * 2
            box = tuple(share * side for share, side in zip(request.box, sides, strict=True))
            try:
                shown = Boxed(photograph.encoded, box)
            except ValueError as error:
                raise problems.bad_query(f"{error}.") from error
        name = self._uploads.add(Upload(photograph, self._model.embed(shown), box))
        return {"photograph": name}

    def picture(self, request: queries.Picture) -> bytes:
        """A small JPEG of a photograph; raises Problem where there is none."""
        side = _SIDES[request.size]
        if request.item is not None:
            return self._pictures.small(request.item, side)
        encoded = self._uploads.get(request.photograph).photograph.encoded
        return photographs.preview(encoded, side, self._limits.pixels)

    def search(self, request: queries.Search) -> dict:
        """The results, what they were searched by, and which regions say most about them.

        With `facets` also how many results their values have.
        """
        fields.check_shown(request.facets)
        where = fields.condition(request.filters, request.condition)
        start = self._start(request.query) if request.query else {}
        with problems.store_problems():
            said = self._understood(request)
            wanted = self._catalogue.query(
                **start,
                text=said,
                weights=request.weights,
                changes=request.changes,
                liked=request.liked,
                disliked=request.disliked,
                measure=request.measure,
                several=request.several,
            )
            found = self._catalogue.search(
                wanted,
                k=request.count + 1,  # one more tells whether there are more
                offset=request.offset,
                exclude=request.exclude,
                threshold=request.threshold,
                ceiling=request.ceiling,
                diversity=request.diversity,
                where=where,
                group=request.group,
            )
            counts = {}
            if request.facets:
                met = every(where, wanted.where)
                counts = self._catalogue.facets(request.facets, where=met, group=request.group)
        weights = dict(zip(self.attributes, map(float, wanted.weights), strict=True))
        shown = found[: request.count]
        query = queries.Garment(item=wanted.liked) if wanted.liked else request.query
        facets = {
            name: [{"value": value, "count": count} for value, count in of_values]
            for name, of_values in counts.items()
        }
        return {
            "query": query and query.model_dump(exclude_none=True),
            **_told(said),
            "results": [_shown(match) for match in shown],
            "more": len(found) > len(shown),
            "weights": weights,
            "regions": _heaviest(weights, shown),
            "facets": facets,
        }

    def compare(self, request: queries.Comparison) -> dict:
        """In which attributes two photographs are similar, in the attributes' order."""
        left, right = request.left, request.right
        if right.item is None:
            left, right = right, left
        if right.item is None:
            raise problems.bad_query("one of two photographs must be an item's")
        with problems.store_problems():
            found = self._catalogue.compare(right.item, **self._given(left))
        found.sort(key=lambda one: self.attributes.index(one.attribute))
        return {"attributes": [one.to_dict() for one in found]}

    def regions(self, request: queries.Look) -> dict:
        """Where the model looks: a list for each photograph, a box for each attribute.

        A box is [left, top, right, bottom] as shares of the photograph's sides, None where the
        photograph is missing or broken.
        """
        read = self._encoded(request.photographs)
        columns = [self._boxes(read, attribute) for attribute in request.attributes]
        return {"regions": [list(boxes) for boxes in zip(*columns, strict=True)]}

    def predict(self, request: queries.Prediction) -> dict:
        """The most probable value of each attribute in a photograph, and how probable it is.

        None of them where the photograph is missing or broken.
        """
        [read] = self._encoded([request.photograph])
        found = {} if read is None else self._model.predict(read.encoded)
        return {
            "predictions": [
                {"attribute": attribute, "value": value, "probability": round(probability, 4)}
                for attribute, (value, probability) in found.items()
            ]
        }

    def _boxes(self, read: Sequence[_Encoded | None], attribute: str) -> list[Region]:
        with problems.store_problems():
            self.attributes.index(attribute)
        keys = [one and (*one.key, attribute) for one in read]
        with self._lock:
            known = {key: self._regions[key] for key in keys if key in self._regions}
        missing = [one for key, one in zip(keys, read, strict=True) if one and key not in known]
        if missing:
            boxes = self._model.boxes([one.encoded for one in missing], attribute)
            new = {
                (*one.key, attribute): None if box is None else _shares(box, one.size)
                for one, box in zip(missing, boxes, strict=True)
            }
            with self._lock:
                self._regions.update(new)
            known |= new
        return [None if key is None else known[key] for key in keys]

    def _encoded(self, references: Sequence[queries.Reference]) -> list[_Encoded | None]:
        items = [one.item for one in references if one.item is not None]
        read = dict(zip(items, self._pictures.read(items), strict=True)) if items else {}
        return [self._encoded_one(one, read.get(one.item)) for one in references]

    def _encoded_one(
        self, one: queries.Reference, read: tuple[bytes, Box | None] | None
    ) -> _Encoded | None:
        if one.photograph is not None:
            upload = self._uploads.get(one.photograph)
            read = upload.photograph.encoded, upload.box
        if read is None:
            return None
        encoded, box = read
        try:
            photograph = photographs.received(encoded, self._limits.pixels)
        except problems.Problem as problem:
            _LOG.warning("%s: %s", one.item, problem)
            return None
        # A photograph that was replaced has other bytes.
        key = one.item, one.photograph, hash(encoded), box
        shown = Boxed(encoded, box) if box else encoded
        return _Encoded(key, shown, (photograph.width, photograph.height))

    def _understood(self, request: queries.Search) -> Understood | None:
        """What the words ask for, and the values that are given as such; None where there are none.

        Values come before words of the same attribute.
        """
        if not request.has_words():
            return None
        said = Understood()
        if request.text.strip():
            said = self._catalogue.understand(request.text, self._vocabulary)
        return Understood(
            said.wanted | request.wanted,
            said.unwanted | request.unwanted,
            said.unknown,
            request.free.strip() or said.free,
        )

    def _start(self, garment: queries.Garment) -> dict:
        """The garment as `Catalogue.query` takes it."""
        if garment.photograph is None:
            return {"id": garment.item, "product": garment.product}
        names = [garment.photograph] if isinstance(garment.photograph, str) else garment.photograph
        return {"vectors": np.stack([self._uploads.get(name).vectors for name in names])}

    def _given(self, reference: queries.Reference) -> dict:
        """The item or photograph as `Catalogue.query` takes it."""
        if reference.item is not None:
            return {"id": reference.item}
        return {"vectors": self._uploads.get(reference.photograph).vectors}


def _told(said: Understood | None) -> dict[str, Any]:
    if said is None:
        return {}
    return {
        "understood": {"wanted": said.wanted, "unwanted": said.unwanted, "free": said.free},
        "unknown": [dataclasses.asdict(one) for one in said.unknown],
    }


def _spread(ids: Sequence[str], offset: int, count: int) -> list[str]:
    """So many of the ids from all over them; with every offset others."""
    steps = np.linspace(0, len(ids), min(count, len(ids)), endpoint=False).astype(int)
    return [ids[(n + offset) % len(ids)] for n in steps]


def _shown(match: Match) -> dict:
    return {**match.to_dict(), "metadata": dict(fields.shown(match.metadata))}


def _heaviest(weights: Mapping[str, float], found: Sequence[Match]) -> list[str]:
    """The attributes that weigh most; where many do, that in which the results are most similar."""
    most = max(abs(weight) for weight in weights.values())
    names = [name for name, weight in weights.items() if np.isclose(abs(weight), most, 1e-3)]
    if len(names) <= _MOST_REGIONS:
        return names
    similar = {name: np.mean([match.cosines[name] for match in found] or [0.0]) for name in names}
    return [max(names, key=similar.get)]


def _shares(box: np.ndarray, size: tuple[int, int]) -> tuple[float, ...]:
    return tuple((np.asarray(box, float) / np.tile(size, 2)).clip(0, 1).round(4).tolist())
