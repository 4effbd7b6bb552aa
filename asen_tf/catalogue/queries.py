"""The arithmetic of queries: plain NumPy, from vectors to scores.

An item is [v_1; ...; v_A], a unit vector in the space of each attribute; a query is the same with
weights, [w_1 q_1; ...; w_A q_A]. Their inner product is the weighted sum of cosines, for weights of
any size and sign, so that what is stored does not depend on what will be searched.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from asen_client.core.errors import check_names

# Measure -> two chosen items that are closer than this in one space count as so far apart. Without
# it a space in which all are the same would divide by zero. With cosines it also keeps such a space
# from drowning all others; by distances equation 5 of Ak et al. (WACV 2018) stays as it is.
LEAST_DISTANCES = {"cosine": 0.01, "euclidean": 1e-6}
MEASURES = tuple(LEAST_DISTANCES)

# What several photographs of one garment are: their mean, or what each of them finds.
SEVERAL = ("mean", "best")
# Each is searched with.
MOST_OF_BEST = 64

# Below 1, so that of a query something is left.
DISLIKED_SHARE = 0.5


def weight_vector(
    attributes: Sequence[str],
    weights: Mapping[str, float] | None = None,
    changed: Iterable[str] = (),
) -> np.ndarray:
    """The weights of a query as float64 [A].

    Args:
      attributes: A names.
      weights: attribute -> weight, which may be negative; those that are not named count 0.
        None or empty: all count 1.
      changed: attributes that are wanted by value; unless they are named they count 1.

    Raises:
      ValueError: an unknown attribute, a weight that is not finite, or nothing but zeros.
    """
    given = {name: 1.0 for name in (changed if weights else attributes)} | dict(weights or {})
    check_names("attribute", given, attributes)
    for name, weight in given.items():
        if not np.isfinite(weight):
            raise ValueError(f"expected a finite weight of {name}, got {weight}")
    if not any(given.values()):
        raise ValueError("expected a weight other than 0, got only zeros")
    return np.array([given.get(name, 0.0) for name in attributes], np.float64)


def weighted(vectors: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """[w_1 q_1; ...; w_A q_A] as float32 [A, D], from vectors [A, D] and weights [A]."""
    return (vectors * weights[:, None]).astype(np.float32)


def cosines(query: np.ndarray, items: np.ndarray) -> np.ndarray:
    """Cosines [N, A] of a query [A, D] and items [N, A, D], all vectors being of length 1."""
    return np.einsum("ad,nad->na", query, items)


def closeness(query: np.ndarray, items: np.ndarray) -> np.ndarray:
    """1 minus the distances of a query [A, D] and items [N, A, D]: float64 [N, A], -1 to 1.

    Distances are Euclidean: the weighted mean falls as their weighted sum rises (Ak et al., WACV
    2018, equations 4 and 6). `sqrt(2 - 2 cos)` would lose digits where vectors are close.
    """
    exact = np.asarray(query, np.float64)  # a space at a time, for items may be thousands
    apart = [np.linalg.norm(items[:, a] - one, axis=-1) for a, one in enumerate(exact)]
    return 1 - np.stack(apart, axis=1)


def mean_score(similarities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted mean of similarities [N, A]: [N] from -1 to 1, by the sum of the weights' sizes.

    Of cosines it ranks as the inner product of query and item does, but reads as a cosine: 1 is the
    same in every attribute wanted (and the opposite in those of negative weight).
    """
    # Not by `@`, whose last digits depend on the row: the same items score the same.
    return (similarities * weights).sum(1) / np.abs(weights).sum()


def prototype(vectors: np.ndarray) -> np.ndarray:
    """The vector that stands for a value: the mean of its items' vectors [N, D], at length 1.

    Ak et al., WACV 2018, section 4.6. At length 1 a changed attribute counts as much as another.
    ValueError: no vectors, or their mean is 0.
    """
    if not len(vectors):
        raise ValueError("expected the vectors of at least one item, got none")
    mean = np.asarray(vectors, np.float64).mean(0)
    length = np.linalg.norm(mean)
    if not length > 0:
        raise ValueError("expected vectors with a direction in common, got a mean of 0")
    return (mean / length).astype(np.float32)


def mean(vectors: np.ndarray) -> np.ndarray:
    """One query [A, D] of several photographs [Q, A, D]: their mean in each space, at length 1."""
    if len(vectors) == 1:
        return vectors[0].copy()
    return np.stack([prototype(of_space) for of_space in vectors.swapaxes(0, 1)])


def away_from(query: np.ndarray, disliked: np.ndarray) -> np.ndarray:
    """Queries [Q, A, D] away from items [N, A, D] that are not wanted, at length 1 in each space.

    The negative part of Rocchio's formula (1971; Manning et al., Introduction to Information
    Retrieval, section 9.1.1): q - gamma mean(disliked), with gamma = `DISLIKED_SHARE`.
    """
    found = query - DISLIKED_SHARE * np.asarray(disliked, np.float64).mean(0)
    return (found / np.linalg.norm(found, axis=-1, keepdims=True)).astype(np.float32)


def start(rounds: Sequence[Sequence[str]], measure: str) -> str | None:
    """The liked item that takes the place of the query; None: the query is kept.

    With `cosine` the first of the last round. `euclidean` is Ak et al., section 5: "when only a
    single image is chosen, the query image is replaced with the chosen image".
    """
    able = [chosen for chosen in rounds if measure == "cosine" or len(chosen) == 1]
    return able[-1][0] if able else None


def feedback_weights(chosen: np.ndarray, measure: str = "cosine") -> np.ndarray:
    """What a user who chose these items cares about: the spaces in which they lie close together.

    Ak et al., WACV 2018, equation 5: w_v = 1 / (sum of the pairwise distances in space v), here
    divided by the sum of all w_v, which changes no order. Distances are Euclidean, of unit vectors,
    and at least `LEAST_DISTANCES[measure]`.

    Args:
      chosen: [L, A, D], unit vectors of at least two items.
      measure: one of `MEASURES`.

    Returns:
      float64 [A], positive, summing to 1.

    Raises:
      ValueError: fewer than two items.
    """
    if len(chosen) < 2:
        raise ValueError(f"expected at least two chosen items to compare, got {len(chosen)}")
    exact = np.asarray(chosen, np.float64)
    # An item at a time: the pairs of hundreds would fill the memory.
    apart = sum(np.linalg.norm(exact[n + 1 :] - one, axis=-1).sum(0) for n, one in enumerate(exact))
    pairs = len(chosen) * (len(chosen) - 1) // 2
    weights = 1 / np.maximum(apart, LEAST_DISTANCES[measure] * pairs)
    return weights / weights.sum()


def blended(scores: np.ndarray, similarities: np.ndarray, blend: float) -> np.ndarray:
    """Scores of another engine mixed with similarities, both stretched to 0..1 over the list.

    Args:
      scores: [N], higher is better, on any scale; equal scores all become 0.
      similarities: [N], likewise.
      blend: share of the similarities: 0 keeps the order of the scores, 1 takes that of the
        similarities.

    Returns:
      float64 [N] in 0..1; ValueError: lengths differ, numbers not finite, blend not in 0..1.
    """
    scores, similarities = np.asarray(scores, np.float64), np.asarray(similarities, np.float64)
    if scores.ndim != 1 or scores.shape != similarities.shape:
        raise ValueError(
            "expected scores and similarities as [N] each, "
            f"got {list(scores.shape)} and {list(similarities.shape)}"
        )
    if not 0 <= blend <= 1:
        raise ValueError(f"expected a blend of 0 to 1, got {blend}")
    if not np.isfinite([scores, similarities]).all():
        raise ValueError("expected finite scores and similarities, got NaN or infinity")
    return (1 - blend) * _stretched(scores) + blend * _stretched(similarities)


def best_first(scores: np.ndarray) -> np.ndarray:
    """Positions by falling score, int64 [N]; equal scores keep their order."""
    return np.argsort(-scores, kind="stable")


def random_pairs(count: int, pairs: int, seed: int) -> np.ndarray:
    """Pairs of different numbers below `count` >= 2, int64 [pairs, 2]; the same for one seed."""
    if count < 2:
        raise ValueError(f"expected at least two items to pair, got {count}")
    draw = np.random.default_rng(seed)
    first = draw.integers(count, size=pairs)
    # One of the other count - 1 numbers.
    return np.stack([first, (first + draw.integers(1, count, size=pairs)) % count], axis=1)


def percentiles(values: np.ndarray, population: np.ndarray) -> np.ndarray:
    """Percentage of the population [P, A] below each value [A], equal ones counting half: [A]."""
    return 100 * ((population < values).mean(0) + (population == values).mean(0) / 2)


def _stretched(values: np.ndarray) -> np.ndarray:
    span = np.ptp(values) if values.size else 0.0
    return (values - values.min()) / span if span else np.zeros_like(values)
