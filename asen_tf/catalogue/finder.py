"""The queries that a catalogue answers."""

import functools
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from asen_client.core.attributes import AttributeSpace
from asen_client.core.errors import unknown_name
from asen_tf.catalogue import queries
from asen_tf.catalogue.diverse import diverse
from asen_tf.catalogue.engine import Engine
from asen_tf.catalogue.filters import Condition, any_of, every, parse
from asen_tf.catalogue.items import Cell, Hits, Match, Query, Record, Similarity
from asen_tf.catalogue.nearest import scores_of, similarities
from asen_tf.catalogue.products import checked_group, items_of, others, with_groups
from asen_tf.catalogue.ranking import above, ranked
from asen_tf.catalogue.storage.cells import shown
from asen_tf.catalogue.words import Understood, Words
from asen_tf.core.choices import PRODUCT
from asen_tf.embedders import Embedder, TextEmbedder
from asen_tf.text import Vocabulary

# Items whose mean stands for a value or a product, at most: more would hardly move it.
_EXAMPLES = 4096

# Items that a result stands for, at most: brands have thousands, and all of them are compared.
MOST_OTHERS = 1000

# Random pairs that two items are compared with: the best of 1000 is told from the best of 100.
_PAIRS, _PAIRS_AT_ONCE = 5000, 500


class Finder:
    """Searches a store.

    A query is one of `id` (an item of the store), `image` (a photograph, which the embedder gets)
    and `vectors` (float32 [A, D], a unit vector for each attribute). Each may be several of one
    garment, in a list or as [Q, A, D]: their mean is the query, unless `several` says otherwise.

    Args:
      engine: the store.
      embedder: the model that filled it; None: no search by `image`.

    Attributes:
      text_model: what reads free text, in the space of one of the attributes: the embedder where it
        does. None: words are values alone.
    """

    def __init__(self, engine: Engine, embedder: Embedder | None = None):
        self.engine = engine
        self._embedder = embedder
        self.text_model = embedder if isinstance(embedder, TextEmbedder) else None
        self._words: dict[tuple[str, ...], Words] = {}

    @property
    def attributes(self) -> AttributeSpace:
        """The attributes, in the order of the vectors."""
        return self.engine.fingerprint.attributes

    def embed(self, images: Iterable) -> np.ndarray:
        """Unit vectors of photographs, float32 [N, A, D]; ValueError where there is no model."""
        if self._embedder is None:
            raise ValueError("no model to embed with: give Catalogue an embedder, or give vectors")
        return self._embedder.embed_all(images)

    def understand(self, text: str, vocabulary: str | Sequence[str] = "fashion") -> Understood:
        """What words ask for: values that items are labelled with, see docs/search.md.

        Where there is a `text_model`, it reads the words that are no value.

        Args:
          text: such as `navy, v-neck, not striped`.
          vocabulary: names or files, as `asen_tf.text.Vocabulary.load` takes them.

        Raises:
          ValueError: a bad vocabulary, or `pip install "asen_tf[text]"` is needed.
          FileNotFoundError: there is no such file.
        """
        names = (vocabulary,) if isinstance(vocabulary, str) else tuple(vocabulary)
        if names not in self._words:
            self._words[names] = Words(self.attributes, Vocabulary.load(*names))
        free = self.text_model is not None
        return self._words[names].read(text, self.engine.has_label, free)

    def query(
        self,
        *,
        id: str | Sequence[str] | None = None,
        image: Any = None,
        vectors: np.ndarray | None = None,
        product: Cell = None,
        weights: Mapping[str, float] | None = None,
        changes: Mapping[str, str] | None = None,
        liked: Sequence[str] | Sequence[Sequence[str]] = (),
        disliked: Sequence[str] = (),
        measure: str = "cosine",
        several: str = "mean",
        text: str | Understood | None = None,
        vocabulary: str | Sequence[str] = "fashion",
    ) -> Query:
        """What `search` and `rerank` look for.

        Args:
          id, image, vectors: one of them, see the class; with `liked` it may be left out.
          product: all items of a product, in the place of these; of more than 4096, the mean is
            of 4096 that are evenly spread over their ids.
          weights: attribute -> weight, which may be negative; the others count 0. None: all count
            1. Of words alone, not negative where they say what is not wanted.
          changes: attribute -> the value that is wanted there instead of the item's own; counts 1
            where it has no weight.
          liked: ids of results that the user chose. Two or more say by what they have in common
            which attributes matter, see `queries.feedback_weights`.
            Rounds, an extension of this library: a list of them for each round, the oldest first.
            Each multiplies the weights, so that what is liked again and again comes to the fore.
          disliked: ids of results to lead away from, see `queries.away_from`; of changed attributes
            they say nothing.
          measure: `euclidean` is the search of Ak et al., WACV 2018, equations 4 to 6: the weighted
            sum of Euclidean distances (see `nearest` for what is exact); a single liked item takes
            the place of the item queried with, which is kept where several are liked.
            `cosine` is this library's: the weighted mean of cosines; the first item liked always
            takes that place, and of changed attributes the liked items say nothing.
          several: what several items, photographs or vectors are. `mean`: one query, their mean in
            each space at length 1. `best`: each is a query (`queries.MOST_OF_BEST` at most); an
            item's score is the best of those that they give it.

        Raises:
          ValueError: an unknown id, attribute, value, measure or `several`, bad weights, too many
            for `best`, or not one item to query with.
        """
        if measure not in queries.MEASURES:
            raise ValueError(unknown_name("measure", measure, queries.MEASURES))
        if several not in queries.SEVERAL:
            raise ValueError(unknown_name("several", several, queries.SEVERAL))
        changes, rounds = dict(changes or {}), _rounds(liked)
        said = self.understand(text, vocabulary) if isinstance(text, str) else text
        if said is not None:
            if not (rounds or _given(id=id, image=image, vectors=vectors, product=product)):
                return self._worded(said, changes, weights, disliked, measure)
            changes = {**said.wanted, **changes}
        worded = self._free_vectors(said)
        used = queries.weight_vector(self.attributes.names, weights, [*changes, *worded])
        changed = [self.attributes.index(name) for name in (*changes, *worded)]
        for chosen in rounds:
            if len(chosen) > 1:
                found = queries.feedback_weights(self.engine.vectors(chosen), measure)
                learned = len(found) * found  # on average 1
                if measure == "cosine":
                    learned[changed] = 1
                used *= learned
        items = items_of(self.engine, product) if product is not None else _listed(id)
        if start := queries.start(rounds, measure):
            items.append(start)
            found = self.engine.vectors(items[-1:])
        elif rounds and not items and image is None and vectors is None:
            raise ValueError(
                f"measure {measure} keeps the query where several items are liked: give one, or "
                "like a single item"
            )
        else:
            _check_one(id=id, image=image, vectors=vectors, product=product)
            found = self._vectors(items, image, vectors)
        if several == "mean":
            found = queries.mean(found)[None]
        elif len(found) > queries.MOST_OF_BEST:
            raise ValueError(
                f"several=best is of {queries.MOST_OF_BEST} photographs at most, got {len(found)}; "
                "several=mean takes any number"
            )
        if disliked := list(dict.fromkeys(disliked)):
            found = queries.away_from(found, self.engine.vectors(disliked))
        wanted = {name: self.prototype(name, value) for name, value in changes.items()} | worded
        for name, vector in wanted.items():
            found[:, self.attributes.index(name)] = vector
        used /= np.abs(used).sum()
        where = None if said is None else said.condition(garment=True)
        return Query(found, used, tuple(items), measure, tuple(disliked), start, where)

    def search(
        self,
        wanted: Query | None = None,
        *,
        k: int = 20,
        offset: int = 0,
        where: str | Condition | None = None,
        exclude: Iterable[str] = (),
        threshold: float | None = None,
        ceiling: float | None = None,
        group: str | None = None,
        diversity: float = 0.0,
        **query: Any,
    ) -> list[Match]:
        """The items most like the query, best first, without those it comes from.

        Of the items of a product, which are those with the same metadata `product`, the best is the
        result and names the others (of very many the first `MOST_OTHERS` by id); the query's own
        products are left out.

        Args:
          wanted: what `query` gave, in the place of its arguments.
          k: how many at most.
          offset: so many better ones are passed over, for pages after the first.
          where: condition on labels and metadata, see `asen_tf.catalogue.filters`.
          exclude: ids to leave out, with their products.
          threshold: lowest score of a result, -1 to 1.
          ceiling: highest score of a result, -1 to 1, such as 0.999 to leave out what is the same;
            of a product the score of its best item counts.
          group: metadata in the place of `product`, such as `brand`; "": each item is a result.
          diversity: how much results shall differ from each other, 0 to 1, see `diverse`.
          query: as in `query`.

        Raises:
          ValueError: as `query`, or a bad condition, threshold, ceiling, group, diversity, k or
            offset.
        """
        if not 0 <= diversity <= 1:
            raise ValueError(f"expected a diversity of 0 to 1, got {diversity}")
        for name, score in (("threshold", threshold), ("ceiling", ceiling)):
            if score is not None and not -1 <= score <= 1:
                raise ValueError(f"expected a {name} of -1 to 1, got {score}")
        if None not in (threshold, ceiling) and threshold > ceiling:
            raise ValueError(
                f"nothing scores {threshold} or more and {ceiling} or less; "
                "expected a threshold below the ceiling"
            )
        if wanted is None:
            wanted = self.query(**query)
        elif query:
            raise ValueError(f"expected a query or its arguments, got {', '.join(query)} beside it")
        self.engine.check_query(wanted.vectors[0], k, None, offset)
        group = checked_group(self.engine, group)
        where = every(_parsed(where), wanted.where)
        limits = {
            "where": where,
            "exclude": with_groups(self.engine, group, {*exclude, *wanted.items, *wanted.disliked}),
            "group": group,
        }

        rank = functools.partial(ranked, self.engine, wanted, **limits)
        passed = 0 if ceiling is None else above(rank, ceiling, wanted.measure)

        def find(k: int, offset: int) -> Hits:
            hits = rank(k, offset=passed + offset)
            kept = np.flatnonzero(hits.scores >= (-np.inf if threshold is None else threshold))
            return Hits([hits.ids[n] for n in kept], hits.scores[kept])

        if diversity:
            hits = diverse(self.engine, wanted, find, k, offset, diversity)
        else:
            hits = find(k, offset)
        ids = hits.ids
        records = self.engine.records(ids) if ids else []
        of_groups = others(self.engine, group, ids, records, where) if group else {}
        of_groups = {id: its[:MOST_OTHERS] for id, its in of_groups.items()}
        names = list(itertools.chain.from_iterable(of_groups.values()))
        alike = dict(zip(names, similarities(self.engine, wanted, names), strict=True))
        found = {id: sorted(its, key=alike.get, reverse=True) for id, its in of_groups.items()}
        return self._matches(ids, records, hits.scores, wanted, found)

    def rerank(
        self, results: Iterable[tuple[str, float]], *, blend: float = 1.0, **query: Any
    ) -> list[Match]:
        """The results of another engine in a new order: by how similar they are to the query.

        Args:
          results: (id, score) pairs, a higher score being better; all ids must be in the store.
          blend: share of the similarity in the new score, the rest being the engine's: 1 sorts by
            similarity alone, 0 keeps the engine's order. Both are stretched to 0..1 before.
          query: as in `query`.

        Raises:
          ValueError: as `query`; an unknown id, or one that comes twice; a blend not in 0..1.
        """
        results = list(results)
        ids = [id for id, _ in results]
        if twice := sorted({id for id in ids if ids.count(id) > 1}):
            raise ValueError(f"expected each id once in the results, got {', '.join(twice)} twice")
        scores = [score for _, score in results]
        wanted = self.query(**query)
        if wanted.where is not None:
            raise ValueError(
                "rerank leaves nothing out: give words of what is wanted, and an item or photograph"
            )
        blended = queries.blended(scores, similarities(self.engine, wanted, ids), blend)
        order = queries.best_first(blended)
        ids = [ids[n] for n in order]
        records = self.engine.records(ids) if ids else []
        return self._matches(ids, records, blended[order], wanted, {})

    def compare(
        self,
        other: str,
        *,
        id: str | None = None,
        image: Any = None,
        vectors: np.ndarray | None = None,
        pairs: int = _PAIRS,
        seed: int = 0,
    ) -> list[Similarity]:
        """In which attributes two items are similar, beside random pairs of the catalogue.

        Detects a copied detail: a collar that is more similar than 99.9 % of all pairs' collars, on
        garments that are otherwise as different as any.

        Args:
          other: id of one item.
          id, image, vectors: the other item, see the class.
          pairs: how many random pairs to compare with.
          seed: which ones.

        Returns:
          One for each attribute, the most unusual similarity first.

        Raises:
          ValueError: an unknown id, not one item to compare, or a catalogue of fewer than two.
        """
        _check_one(id=id, image=image, vectors=vectors)
        first = queries.mean(self._vectors(_listed(id), image, vectors))
        cosines = queries.cosines(first, self.engine.vectors([other]))[0]
        percentiles = queries.percentiles(cosines, self._random_cosines(pairs, seed))
        order = np.lexsort([-cosines, -percentiles])
        names = self.attributes.names
        return [Similarity(names[a], float(cosines[a]), float(percentiles[a])) for a in order]

    def facets(
        self,
        names: Iterable[str],
        *,
        where: str | Condition | None = None,
        group: str | None = None,
        most: int = 20,
    ) -> dict[str, list[tuple[Cell, int]]]:
        """How many results each value of labels and metadata has under a condition.

        Args:
          names: of attributes and metadata.
          where, group: as in `search`; of products, one counts where a photograph has the value.
          most: how many values of each.

        Returns:
          Name -> (value, count) pairs, the most frequent values first.

        Raises:
          ValueError: a name that no item has, or a bad condition, group or `most`.
        """
        names, group = list(names), checked_group(self.engine, group)
        for name in names if len(self.engine) else ():
            if not self.engine.has_field(name):
                raise ValueError(f"no item has {name!r}, neither as label nor as metadata")
        if most < 1:
            raise ValueError(f"expected 1 or more values of each facet, got {most}")
        where = _parsed(where)
        found = self.engine.counts(names, where, group)
        return {
            name: sorted(
                ((shown(value), count) for value, count in found[name].items()),
                key=lambda one: (-one[1], str(one[0])),
            )[:most]
            for name in names
        }

    def prototype(self, attribute: str, value: str | Sequence[str]) -> np.ndarray:
        """The vector that stands for a value: the mean of those of the items labelled with it.

        Of several values, with any of them. Of more than 4096 items, 4096 that are evenly spread
        over their ids.

        Returns:
          float32 [D], of length 1.

        Raises:
          ValueError: an unknown attribute or value, or no item is labelled with it.
        """
        position = self.attributes.index(attribute)
        values = [value] if isinstance(value, str) else list(value)
        there = [one for one in values if self.engine.has_label(attribute, one)]
        ids = self.engine.ids(any_of(attribute, there)) if there else []
        if not ids:
            for one in values:
                self.attributes[attribute].index(one)  # names the nearest where it is misspelt
            raise ValueError(
                f"no item of the catalogue is labelled {attribute}={'|'.join(values)}; label some, "
                "so that it is known what that looks like"
            )
        examples = self.engine.vectors(_examples(ids), [position])
        return queries.prototype(examples[:, 0])

    def _worded(
        self,
        said: Understood,
        changes: Mapping[str, str],
        weights: Mapping[str, float] | None,
        disliked: Sequence[str],
        measure: str,
    ) -> Query:
        """A query of words alone."""
        if not said:
            told = "; ".join(f"{one.words!r}: {one.why}" for one in said.unknown)
            raise ValueError(f"nothing was understood of the words. {told}".rstrip())
        asked = {**said.unwanted, **said.wanted, **changes}
        worded = self._free_vectors(said)
        given = dict(weights or {})
        used = dict.fromkeys(given, 0.0)  # of what is not asked for nothing is known
        for name in asked:
            away = name not in said.wanted and name not in changes
            if away and given.get(name, 0.0) < 0:
                raise ValueError(
                    f"expected a weight of 0 or more of {name}, of which the words say what is "
                    f"not wanted, got {given[name]:g}: leave out its sign"
                )
            used[name] = given.get(name, 1.0) * (-1 if away else 1)
        used |= {name: given.get(name, 1.0) for name in worded}
        used = queries.weight_vector(self.attributes.names, used)
        found = np.zeros((1, len(self.attributes), self.engine.fingerprint.dimension), np.float32)
        found[..., 0] = 1
        vectors = {name: self.prototype(name, values) for name, values in asked.items()} | worded
        for name, vector in vectors.items():
            found[:, self.attributes.index(name)] = vector
        if disliked := list(dict.fromkeys(disliked)):
            found = queries.away_from(found, self.engine.vectors(disliked))
        used /= np.abs(used).sum()
        where = said.condition(changed=changes)
        return Query(found, used, (), measure, tuple(disliked), None, where)

    def _free_vectors(self, said: Understood | None) -> dict[str, np.ndarray]:
        """Attribute -> float32 [D] of the free text in its space; none where there is no text."""
        if said is None or not said.free:
            return {}
        if self.text_model is None:
            raise ValueError(
                f"no model reads the free text {said.free!r}: give the one of images and texts "
                "that filled the store, see docs/search.md"
            )
        [vector] = self.text_model.embed_text([said.free])
        return {self.text_model.text_attribute: vector}

    def _vectors(self, ids: Sequence[str], image: Any, vectors: np.ndarray | None) -> np.ndarray:
        """float32 [Q, A, D] of what is given, which is the caller's to change."""
        if ids:
            return self.engine.vectors(_examples(ids))
        if vectors is None:
            vectors = self.embed(image if isinstance(image, list | tuple) else [image])
        vectors = np.array(vectors, np.float32)
        expected = (len(self.attributes), self.engine.fingerprint.dimension)
        if vectors.shape[-2:] != expected or vectors.ndim > 3 or not vectors.size:
            raise ValueError(f"expected vectors {list(expected)}, got {list(vectors.shape)}")
        lengths = np.linalg.norm(vectors, axis=-1)
        if not (np.abs(lengths - 1) < 1e-2).all():
            raise ValueError(f"expected vectors of length 1, got lengths {lengths.round(3)}")
        return vectors.reshape(-1, *expected)

    def _cosines(self, wanted: Query, ids: Sequence[str]) -> np.ndarray:
        """float32 [N, attributes that count]: items beside what is most like them in the query."""
        counting = np.flatnonzero(wanted.weights)
        if not ids:
            return np.zeros((0, len(counting)), np.float32)
        found = self.engine.vectors(ids, counting.tolist())
        cosines = np.stack([queries.cosines(one, found) for one in wanted.vectors[:, counting]])
        return cosines[scores_of(wanted, found).argmax(0), np.arange(len(ids))]

    def _matches(
        self,
        ids: Sequence[str],
        records: Sequence[Record],
        scores: np.ndarray,
        wanted: Query,
        others: Mapping[str, list[str]],
    ) -> list[Match]:
        names = [self.attributes.names[a] for a in np.flatnonzero(wanted.weights)]
        cosines = self._cosines(wanted, ids)
        found = []
        for id, score, row, record in zip(ids, scores, cosines, records, strict=True):
            of_names = dict(zip(names, map(float, row), strict=True))
            product, its = record.metadata.get(PRODUCT), others.get(id, [])
            found.append(Match(id, product, its, float(score), of_names, *map(dict, record)))
        return found

    def _random_cosines(self, pairs: int, seed: int) -> np.ndarray:
        """float32 [pairs, A]: cosines of random pairs of items in each space."""
        ids = np.array(self.engine.ids(), object)
        chosen = ids[queries.random_pairs(len(ids), pairs, seed)]
        cosines = []
        for start in range(0, pairs, _PAIRS_AT_ONCE):
            sides = chosen[start : start + _PAIRS_AT_ONCE].T
            first, second = (self.engine.vectors(side.tolist()) for side in sides)
            cosines.append((first * second).sum(-1))
        return np.concatenate(cosines)


def _rounds(liked: Sequence[str] | Sequence[Sequence[str]]) -> list[list[str]]:
    """The ids of each round, each once; rounds in which nothing was chosen are left out."""
    rounds = [liked] if liked and isinstance(liked[0], str) else liked
    return [list(dict.fromkeys(chosen)) for chosen in rounds if chosen]


def _examples(ids: Sequence[str]) -> list[str]:
    """`_EXAMPLES` of them at most, evenly spread."""
    spread = np.linspace(0, len(ids) - 1, min(len(ids), _EXAMPLES)).astype(int)
    return [ids[n] for n in spread]


def _parsed(where: str | Condition | None) -> Condition | None:
    return parse(where) if isinstance(where, str) else where


def _listed(id: str | Sequence[str] | None) -> list[str]:
    return [] if id is None else [id] if isinstance(id, str) else list(dict.fromkeys(id))


def _given(**ways: Any) -> list[str]:
    return [
        name
        for name, one in ways.items()
        if one is not None and not (isinstance(one, list | tuple) and not one)
    ]


def _check_one(**ways: Any) -> None:
    given = _given(**ways)
    if len(given) != 1:
        raise ValueError(
            f"expected one of id, image and vectors, or a product, got "
            f"{' and '.join(given) or 'none'}"
        )
