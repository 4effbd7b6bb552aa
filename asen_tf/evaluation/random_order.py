"""What a ranking that knows nothing scores: the tables' random rows."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from asen_tf.core.progress import Progress
from asen_tf.data.manifest import Manifest
from asen_tf.evaluation.rankings import measure, summaries
from asen_tf.evaluation.tasks import OFFICIAL, retrieval_tasks

MEAN = "mean"


def evaluate_random(
    manifest: Manifest,
    split: str,
    seeds: Iterable[int] = range(5),
    ks: Sequence[int] = (1, 5, 10, 20),
    relevance: str = OFFICIAL,
    progress: type[Progress] = Progress,
) -> dict:
    """Measures random rankings as `Evaluator.evaluate` measures a model's; opens no image.

    Every query of a seed ranks its candidates in an order of its own. The numbers of an attribute
    depend on the seed and the attribute alone, not on the other attributes.

    Args:
      manifest, split, ks, relevance, progress: see `Evaluator`.
      seeds: one random ranking each, 0 or more.

    Returns:
      What `Evaluator.evaluate` returns with the variants `mean`, over the seeds, and `seed 0` and
      so on; `mean` is on top. `random_map` is the expected value beside the measured `map`.

    Raises:
      ValueError: no or a negative seed, an unknown split or relevance, or no attribute with
        queries and candidates.
    """
    seeds = list(seeds)
    if not seeds or min(seeds) < 0:
        raise ValueError(f"seeds must be one or more numbers of 0 or more, got {seeds}")
    if any(k < 1 for k in ks):
        raise ValueError(f"ks must be 1 or more, got {ks}")
    tasks, skipped = retrieval_tasks(manifest, split, relevance)
    generators = [
        {f"seed {seed}": np.random.default_rng((seed, task.attribute)) for seed in seeds}
        for task in tasks
    ]

    def rank(
        number: int, chunk: slice, relevant: np.ndarray, excluded: np.ndarray
    ) -> Iterator[tuple[str, np.ndarray]]:
        for name, generator in generators[number].items():
            scores = generator.random(relevant.shape, np.float32)
            scores[excluded] = np.inf
            # Equal scores need no rule here, and NumPy sorts several times faster without one.
            order = np.argsort(scores, axis=-1)
            yield name, np.take_along_axis(relevant & ~excluded, order, axis=-1)

    of_seeds = measure(tasks, rank, ks, progress)
    mean = [
        {name: np.mean([metrics[name] for metrics in each], 0) for name in each[0]}
        for each in zip(*of_seeds.values(), strict=True)
    ]
    per_query = {MEAN: mean, **of_seeds}
    results = summaries(manifest, split, relevance, tasks, skipped, per_query)
    return {"variant": MEAN, **results[MEAN], "variants": results}
