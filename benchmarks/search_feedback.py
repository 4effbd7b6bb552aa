"""What changing an attribute and relevance feedback are worth, on drawn garments.

    python benchmarks/search_feedback.py --workdir=demo/run \\
        --json=benchmarks/results/search_feedback.json

Garments are rendered that the model of the run (`make demo`) has never seen.

Change: a query has one attribute changed and one, two, three or all others kept. An
item is wanted that has the new value and the query's of those kept. Top-20 accuracy is the share of
queries that find one among the first 20 (of the queries that have one in the catalogue), with the
change and without; beside it stands how many of the 20 have the new value, and a kept one.

Feedback: a user cares for one attribute of the query and tells nobody. Of the 20 results shown they
choose the first few that have the query's value of it, and the next search comes from these
(`Catalogue.query(liked=...)`): from all rounds, or from the last alone. Reported after each round:
the share of wanted items among the 20, the mean rank of all wanted items, and the weight that the
attribute has by then.
"""

import platform
import tempfile
import time

import numpy as np
from absl import app, flags

import asen_tf
from asen_tf.benchmarks.report import report
from asen_tf.catalogue import Catalogue, Query, Record
from asen_tf.catalogue.queries import weighted
from asen_tf.core.progress import Progress
from asen_tf.data.synthetic import SPACE, render
from asen_tf.workdir import Workdir

_WORKDIR = flags.DEFINE_string("workdir", "demo/run", "A run on drawn garments, plain look.")
_ITEMS = flags.DEFINE_integer("items", 1000, "Garments of the catalogue.")
_QUERIES = flags.DEFINE_integer("queries", 200, "Garments to search with.")
_ROUNDS = flags.DEFINE_integer("rounds", 4, "Of feedback.")
_CHOSEN = flags.DEFINE_integer("chosen", 5, "Results that the user chooses in a round, at most.")
_SEED = flags.DEFINE_integer("seed", 1000, "Of the series; that of the training is 0.")
_JSON = flags.DEFINE_string("json", "", "File to write the result to.")

_SHOWN = 20


def photographs(name: str, series: int, count: int) -> tuple[list, list[dict]]:
    """Images of a series and their labels."""
    drawn = []
    with Progress(f"rendering {name}", count, "images") as progress:
        for index in range(count):
            drawn.append(render(_SEED.value + series, index, "plain"))
            progress.update(1)
    return [one.image for one in drawn], [one.labels for one in drawn]


def ranking(catalogue: Catalogue, query: Query) -> list[str]:
    """All ids but the query's own, best first."""
    vectors = weighted(query.vectors[0], query.weights)
    return catalogue.engine.search(vectors, len(catalogue), exclude=query.items).ids


def has(catalogue: Catalogue, values: dict[str, str]) -> np.ndarray:
    """bool [N, len(values)]: which items have which of the values."""
    records = catalogue.engine.records(catalogue.ids())
    return np.array([[v in one.labels[name] for name, v in values.items()] for one in records])


def manipulation(
    catalogue: Catalogue, vectors: np.ndarray, labels: list[dict], kept: int
) -> dict[str, dict | int]:
    """Means over queries, each with another attribute changed, `kept` others kept."""
    generator = np.random.default_rng(0)
    row_of = {id: row for row, id in enumerate(catalogue.ids())}
    found = {"unchanged": [], "changed": []}
    for n in range(len(vectors)):
        name, *others = np.roll(list(SPACE), -n).tolist()
        others = generator.choice(others, kept, replace=False).tolist()
        value = generator.choice([v for v in SPACE[name].values if v != labels[n][name]])
        wanted = {name: str(value)} | {other: labels[n][other] for other in others}
        right = has(catalogue, wanted)
        for case, changes in (("unchanged", {}), ("changed", {name: str(value)})):
            weights = dict.fromkeys(wanted, 1.0)
            query = catalogue.query(vectors=vectors[n], weights=weights, changes=changes)
            shown = right[[row_of[id] for id in ranking(catalogue, query)[:_SHOWN]]]
            hit = shown.all(1).any() if right.all(1).any() else np.nan
            found[case].append((hit, shown[:, 0].mean(), shown[:, 1:].mean()))
    names = ("top_20_accuracy", "with_the_new_value", "with_a_kept_value")
    means = {
        case: dict(zip(names, np.nanmean(rows, axis=0).tolist(), strict=True))
        for case, rows in found.items()
    }
    return {"kept": kept, "queries": int(np.isfinite(found["changed"]).all(1).sum()), **means}


def feedback(
    catalogue: Catalogue, vectors: np.ndarray, labels: list[dict], remembered: int
) -> list[dict]:
    """A row a round, the first without feedback; means over queries, each with an attribute.

    Args:
      catalogue: where every item is labelled.
      vectors: [Q, A, D] of the queries.
      labels: [Q] of the queries.
      remembered: how many of the last rounds count.
    """
    ids = catalogue.ids()
    values = dict(
        zip(ids, (record.labels for record in catalogue.engine.records(ids)), strict=True)
    )
    rows = [[] for _ in range(_ROUNDS.value + 1)]
    for n in range(len(vectors)):
        name = list(SPACE)[n % len(SPACE)]
        wanted = {id for id in ids if labels[n][name] in values[id][name]}
        rounds = []
        for row in rows:
            query = catalogue.query(vectors=vectors[n], liked=rounds[-remembered:])
            found = ranking(catalogue, query)
            right = np.array([id in wanted for id in found])
            weights = query.weights / query.weights.sum()
            ranks = 1 + np.flatnonzero(right)
            row.append((right[:_SHOWN].mean(), ranks.mean(), weights[SPACE.index(name)]))
            if chosen := [id for id in found[:_SHOWN] if id in wanted][: _CHOSEN.value]:
                rounds.append(chosen)
    names = ("wanted_among_20", "mean_rank_of_wanted", "weight")
    return [dict(zip(names, np.mean(row, axis=0).tolist(), strict=True)) for row in rows]


def main(_) -> None:
    images, labels = photographs("items", 0, _ITEMS.value)
    queries, query_labels = photographs("queries", 1, _QUERIES.value)
    embedder = asen_tf.load(_WORKDIR.value)
    vectors = embedder.embed_all(queries)
    with (
        tempfile.TemporaryDirectory() as folder,
        Catalogue(f"faiss:{folder}/store", embedder) as catalogue,
    ):
        catalogue.insert(
            [f"item-{n}" for n in range(len(images))],
            embedder.embed_all(images),
            [Record({name: (v,) for name, v in had.items()}, {}) for had in labels],
        )
        changed = [
            manipulation(catalogue, vectors, query_labels, kept)
            for kept in (1, 2, 3, len(SPACE) - 1)
        ]
        learned = {
            "all_rounds": feedback(catalogue, vectors, query_labels, _ROUNDS.value),
            "last_round": feedback(catalogue, vectors, query_labels, 1),
        }
    result = {
        "validation_map": Workdir(_WORKDIR.value).best()["map"],
        "items": _ITEMS.value,
        "queries": _QUERIES.value,
        "chosen": _CHOSEN.value,
        "change": changed,
        "feedback": learned,
        "python": platform.python_version(),
        "date": time.strftime("%Y-%m-%d"),
    }
    report(result, _JSON.value)


if __name__ == "__main__":
    app.run(main)
