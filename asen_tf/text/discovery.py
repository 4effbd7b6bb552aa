"""Which attributes texts may have that a vocabulary lacks.

- A pair of neighbours is a term where Dunning's log-likelihood ratio says that they stand together
  more often than by chance, p < 0.001 (Dunning, Computational Linguistics 19(1), 1993).
- Terms are alike where the cosine of their contexts is high, the positive pointwise mutual
  information (PPMI) of two neighbours on each side (Bullinaria & Levy, Behavior Research Methods
  39, 2007), and where they exclude each other: texts with both are fewer than by chance.
- Average-linkage clustering makes groups of them: the values that an attribute may have.
"""

import collections
import dataclasses
import itertools
import json
from collections.abc import Collection, Iterable, Iterator, Sequence

import numpy as np
from scipy import sparse
from scipy.special import xlogy

from asen_client.core.terminal import one_line
from asen_tf.core.progress import Progress
from asen_tf.text.matching import Matcher, Text, several
from asen_tf.text.phrases import VALUE
from asen_tf.text.vocabulary import LONGEST_PHRASE, Vocabulary

_SURE = 10.83  # chi-squared with one degree of freedom, p = 0.001
_FAR = 0.75  # of clusters: 1 - similarity
_NEAR = 0.35  # from which the contexts of a group are those of a known attribute
_COMMON = 0.5  # share of texts; what is in more is no value
_BREAK = "."
_SHOWN, _LONGEST = 2, 100


@dataclasses.dataclass(frozen=True)
class Term:
    """A word or a pair of words.

    Attributes:
      text: as it would stand in a vocabulary.
      count: texts that have it.
      examples: some of these.
    """

    text: str
    count: int
    examples: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Group:
    """Terms that take each other's place, the most frequent first.

    Attributes:
      terms: they are at least two.
      like: the attribute of the vocabulary whose values stand in such places, "" for none.
    """

    terms: tuple[Term, ...]
    like: str = ""


def discover(
    texts: Collection[Text], vocabulary: Vocabulary, at_least: int = 10, most: int = 1000
) -> tuple[list[Group], list[Term]]:
    """Finds frequent words and pairs of words that a vocabulary does not know.

    Args:
      texts: as `asen_tf.text.label` takes them.
      vocabulary: what is known.
      at_least: texts that a term has to be in.
      most: terms that are compared, the most frequent ones.

    Returns:
      The groups, and the terms that are in none; the most frequent first.

    Raises:
      ValueError: of `Matcher`.
    """
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    matcher = Matcher(vocabulary)
    shown = []
    rows = []
    with Progress("reading", len(texts), "texts") as progress:
        for text in texts:
            columns = several(text)
            shown.append(" ".join(filter(None, columns))[:_LONGEST])
            row: list[str] = []
            for column in columns:
                row += [*_items(matcher, column, ENGLISH_STOP_WORDS), _BREAK]
            rows.append(row)
            progress.update()
    pairs = _pairs(rows, at_least)
    rows = [list(_with_pairs(row, pairs)) for row in rows]
    counts = collections.Counter(item for row in rows for item in set(row) if _is_term(item))
    frequent = [
        term for term, count in counts.most_common() if at_least <= count <= _COMMON * len(rows)
    ][:most]
    if not frequent:
        return [], []
    examples = _examples(rows, shown, frequent)
    terms = [Term(one, counts[one], tuple(examples[one])) for one in frequent]
    known = [f"={name}" for name in vocabulary.attributes]
    contexts = _contexts(rows, [*frequent, *known])
    similar = (contexts @ contexts.T).toarray() * _excluding(rows, [*frequent, *known])
    inside = len(frequent)
    labels = _clusters(similar[:inside, :inside])
    groups, rest = [], []
    for label in dict.fromkeys(labels):
        at = np.flatnonzero(labels == label)
        if len(at) < 2:
            rest.append(terms[at[0]])
            continue
        near = similar[at, inside:].mean(0)
        best = int(near.argmax()) if len(near) else -1
        like = known[best][1:] if best >= 0 and near[best] > _NEAR else ""
        groups.append(Group(tuple(terms[i] for i in at), like))
    groups.sort(key=lambda group: -sum(term.count for term in group.terms))
    return groups, rest


def written(groups: Sequence[Group], rest: Sequence[Term]) -> str:
    """What was found as a vocabulary to edit: an attribute a group, the rest as comments."""
    lines = [
        "# Words that take each other's place. Name what is an attribute, or move its values to",
        "# one that there is; join what means the same; delete the others.",
        "attributes:" if groups else "attributes: {}",
    ]
    for number, group in enumerate(groups, 1):
        said = f"{sum(term.count for term in group.terms)} texts"
        said += f"; they stand where values of {group.like} do" if group.like else ""
        lines += [f"  attribute_{number}:  # {said}", "    values:"]
        lines += [f"      {_quoted(term.text)}:  # {_told(term)}" for term in group.terms]
    if rest:
        lines.append("\n# Frequent, and in no group:")
        lines += [f"#   {_quoted(term.text)}: {_told(term)}" for term in rest]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _told(term: Term) -> str:
    return f"{term.count}: {' | '.join(map(one_line, term.examples))}"


def _items(matcher: Matcher, text: str, stop: Iterable[str]) -> Iterator[str]:
    """Unknown words, `=attribute` for known values, breaks for all else."""
    for said, found in matcher.pieces(text):
        if found is not None:
            yield f"={min(found.means)}" if found.kind == VALUE else _BREAK
            continue
        for word in said:
            fits = 2 <= len(word) <= LONGEST_PHRASE // 2 and word.isalpha() and word not in stop
            yield word if fits else _BREAK


def _is_term(item: str) -> bool:
    return item != _BREAK and not item.startswith("=")


def _pairs(rows: Sequence[Sequence[str]], at_least: int) -> set[tuple[str, str]]:
    """Neighbours that stand together more often than by chance."""
    single: collections.Counter[str] = collections.Counter()
    both: collections.Counter[tuple[str, str]] = collections.Counter()
    for row in rows:
        single.update(filter(_is_term, row))
        both.update(pair for pair in itertools.pairwise(row) if all(map(_is_term, pair)))
    total = sum(single.values())
    frequent = [(pair, count) for pair, count in both.items() if count >= at_least]
    if not frequent:
        return set()
    together = np.array([count for _, count in frequent], float)
    first, second = (
        np.array([single[pair[side]] for pair, _ in frequent], float) for side in (0, 1)
    )
    seen = np.stack([together, first - together, second - together])
    seen = np.vstack([seen, total - seen.sum(0)]).clip(0)
    across, down = np.stack([first, total - first]), np.stack([second, total - second])
    expected = np.stack(
        [across[0] * down[0], across[0] * down[1], across[1] * down[0], across[1] * down[1]]
    ) / max(total, 1)
    ratio = 2 * (xlogy(seen, seen) - xlogy(seen, expected.clip(1e-12))).sum(0)
    sure = (ratio > _SURE) & (together > expected[0])
    # Values of two attributes stand beside each other more often than by chance, too, but each
    # also beside others.
    close = together >= 0.5 * np.minimum(first, second)
    return {pair for (pair, _), kept in zip(frequent, sure & close, strict=True) if kept}


def _with_pairs(row: Sequence[str], pairs: set[tuple[str, str]]) -> Iterator[str]:
    at = 0
    while at < len(row):
        pair = tuple(row[at : at + 2])
        yield " ".join(pair) if pair in pairs else row[at]
        at += 2 if pair in pairs else 1


def _examples(
    rows: Sequence[Sequence[str]], shown: Sequence[str], terms: Iterable[str]
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {term: [] for term in terms}
    for row, text in zip(rows, shown, strict=True):
        for item in set(row):
            known = found.get(item)
            if known is not None and len(known) < _SHOWN and text not in known:
                known.append(text)
    return found


def _contexts(rows: Sequence[Sequence[str]], terms: Sequence[str]) -> sparse.csr_array:
    """[T, C] PPMI of each term and the neighbours at each place, rows of length 1 or 0."""
    number = {term: n for n, term in enumerate(terms)}
    counts: collections.Counter[tuple[int, int]] = collections.Counter()
    columns: dict[tuple[int, str], int] = {}
    with Progress("comparing words of", len(rows), "texts") as progress:
        for row in rows:
            around = ["^", "^", *row, "$", "$"]
            for at, item in enumerate(row, 2):
                if item in number:
                    for place in (-2, -1, 1, 2):
                        context = columns.setdefault((place, around[at + place]), len(columns))
                        counts[number[item], context] += 1
            progress.update()
    keys = np.array(list(counts), int).reshape(-1, 2)
    values = np.array(list(counts.values()), float)
    shape = (len(terms), max(1, len(columns)))
    found = sparse.coo_array((values, (keys[:, 0], keys[:, 1])), shape)
    of_term, of_context = found.sum(1), found.sum(0)
    chance = of_term[found.row] * of_context[found.col] / max(found.data.sum(), 1)
    found.data = np.log(found.data / chance).clip(0)
    found = found.tocsr()
    length = np.sqrt((found * found).sum(1))
    return sparse.csr_array(sparse.diags_array(1 / np.where(length > 0, length, 1)) @ found)


def _excluding(rows: Sequence[Sequence[str]], terms: Sequence[str]) -> np.ndarray:
    """[T, T]: 1 where two are never in one text, 0 where as often as by chance, or more often."""
    number = {term: n for n, term in enumerate(terms)}
    inside = [(at, number[item]) for at, row in enumerate(rows) for item in {*row} & number.keys()]
    at = np.array(inside, int).reshape(-1, 2)
    present = sparse.coo_array(
        (np.ones(len(at)), (at[:, 0], at[:, 1])), (len(rows), len(terms))
    ).tocsr()
    both = (present.T @ present).toarray()
    alone = present.sum(0)
    return (1 - both * len(rows) / np.outer(alone, alone).clip(1)).clip(0)


def _clusters(similarity: np.ndarray) -> np.ndarray:
    from sklearn.cluster import AgglomerativeClustering

    if len(similarity) < 2:
        return np.zeros(len(similarity), int)
    distance = 1 - similarity
    np.fill_diagonal(distance, 0)
    model = AgglomerativeClustering(
        None, metric="precomputed", linkage="average", distance_threshold=_FAR
    )
    return model.fit_predict(distance)
