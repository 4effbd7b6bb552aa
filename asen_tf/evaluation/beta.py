"""How much each of an embedding's two parts counts, chosen on a split for each attribute."""

from collections.abc import Sequence

import numpy as np

from asen_tf.core.progress import Quiet
from asen_tf.data.manifest import Manifest
from asen_tf.evaluation.pairs import EmbedFn, ImageLoader, embed_pairs
from asen_tf.evaluation.rankings import measure
from asen_tf.evaluation.storage import float_arrays
from asen_tf.evaluation.tasks import OFFICIAL, retrieval_tasks
from asen_tf.metrics import retrieval

# From the first slice alone on: equals go to the one that takes less of the second.
GRID = np.linspace(1, 0, 11).round(1)
_MEMORY_BYTES = 2 << 30


def choose_betas(
    embed_fn: EmbedFn,
    slices: Sequence[slice],
    manifest: Manifest,
    split: str,
    load_images: ImageLoader,
    batch_size: int = 32,
    relevance: str = OFFICIAL,
) -> tuple[tuple[float, ...], float]:
    """The weights of the first slice's cosine, of `GRID`, with which a split is ranked best.

    One weight is chosen for all attributes by overall MAP. An attribute gets another one only
    where that one gains more than its standard error over the attribute's queries, so that few
    queries decide nothing.

    Args:
      embed_fn: see `Evaluator`; the two slices of its embeddings are equally long vectors.
      slices: where the two stand.
      manifest, split, load_images, batch_size, relevance: see `Evaluator`.

    Returns:
      A weight for each attribute, the common one where the split does not tell; the overall MAP
      with these weights.

    Raises:
      ValueError: see `Evaluator.evaluate`.
    """
    tasks, _ = retrieval_tasks(manifest, split, relevance)
    images = np.concatenate([task.images for task in tasks])
    attributes = np.concatenate([np.full(len(task.images), task.attribute) for task in tasks])
    with float_arrays(_MEMORY_BYTES) as arrays:
        vectors = embed_pairs(embed_fn, images, attributes, load_images, batch_size, Quiet, arrays)
        own = np.split(vectors, np.cumsum([len(task.images) for task in tasks])[:-1])

        def rank(number, chunk, relevant, excluded):
            task, of_task = tasks[number], own[number]
            queries, candidates = of_task[task.query_positions[chunk]], len(task.candidates)
            first, second = (queries[:, at] @ of_task[:candidates, at].T for at in slices)
            for beta in GRID:
                scores = beta * first + (1 - beta) * second
                yield beta, retrieval.ranked_relevance(scores, relevant, excluded)

        measured = measure(tasks, rank, (), Quiet)
    # Of each attribute the average precision, [weight, query].
    precision = [
        np.stack([measured[beta][number]["map"] for beta in GRID]) for number in range(len(tasks))
    ]
    common = np.concatenate(precision, axis=1).mean(1).argmax()
    chosen = [_own(of_task, common) for of_task in precision]
    betas = np.full(len(manifest.space), GRID[common])
    betas[[task.attribute for task in tasks]] = GRID[chosen]
    best = [of_task[row] for of_task, row in zip(precision, chosen, strict=True)]
    return tuple(betas.tolist()), float(np.concatenate(best).mean())


def _own(precision: np.ndarray, common: int) -> int:
    """The weight that is best for an attribute, if it is so beyond doubt, else the common one."""
    best = precision.mean(1).argmax()
    gain = precision[best] - precision[common]
    doubt = gain.std(ddof=1) / len(gain) ** 0.5 if len(gain) > 1 else np.inf
    return int(best if gain.mean() > doubt else common)
