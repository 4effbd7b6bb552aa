"""Runs a function over (image, attribute) pairs, all attributes of an image in one go."""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np

from asen_tf.core.progress import Progress
from asen_tf.core.read_ahead import read_ahead
from asen_tf.evaluation.storage import FloatArrays

ImageLoader = Callable[[np.ndarray], np.ndarray]

EmbedFn = Callable[[np.ndarray, np.ndarray], np.ndarray]

HELD_BYTES = 256 << 20  # of a file of embeddings in memory


@dataclasses.dataclass(frozen=True)
class PairBatch:
    """Some images, each with the attributes it is embedded for.

    Every batch of a run has the same B and M, so that a traced function is traced once: attribute
    lists are filled up with the image's first attribute, the last batch with its last image.

    Attributes:
      images: [B] int64 manifest rows.
      attributes: [B, M] int32.
      pairs: [P] int64, which of the caller's pairs are answered here.
      image_of_pair: [P] position on the first axis.
      slot_of_pair: [P] position on the second axis.
      count: images that are no filling.
    """

    images: np.ndarray
    attributes: np.ndarray
    pairs: np.ndarray
    image_of_pair: np.ndarray
    slot_of_pair: np.ndarray
    count: int


def pair_batches(images: np.ndarray, attributes: np.ndarray, batch_size: int) -> list[PairBatch]:
    """Groups distinct (image, attribute) pairs by image.

    Args:
      images: [P] manifest row of each pair, in any order.
      attributes: [P] attribute of each pair.
      batch_size: images a batch; fewer where there are not as many.

    Raises:
      ValueError: batch_size is below 1.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    order = np.lexsort((attributes, images))
    distinct, first, counts = np.unique(images[order], return_index=True, return_counts=True)
    image_index = np.repeat(np.arange(len(distinct)), counts)
    slot = np.arange(len(order)) - first[image_index]
    table = np.repeat(attributes[order][first, None], counts.max(initial=1), axis=1)
    table[image_index, slot] = attributes[order]

    size = min(batch_size, len(distinct))
    batches = []
    for start in range(0, len(distinct), batch_size):
        stop = min(start + size, len(distinct))
        chosen = np.minimum(np.arange(start, start + size), stop - 1)
        answered = slice(first[start], first[stop - 1] + counts[stop - 1])
        batches.append(
            PairBatch(
                images=distinct[chosen].astype(np.int64),
                attributes=table[chosen].astype(np.int32),
                pairs=order[answered],
                image_of_pair=image_index[answered] - start,
                slot_of_pair=slot[answered],
                count=stop - start,
            )
        )
    return batches


def with_images(
    batches: list[PairBatch], load_images: ImageLoader, progress: type[Progress]
) -> Iterator[tuple[PairBatch, np.ndarray]]:
    """Each batch with its images; those of the next load while the caller computes."""
    total = sum(batch.count for batch in batches)
    each = ([batch] for batch in batches)
    with progress("evaluating", total, "images") as meter:
        for (batch,), (loaded,) in read_ahead(each, lambda batch: load_images(batch.images), 1):
            yield batch, loaded
            meter.update(batch.count)


def embed_pairs(
    embed_fn: EmbedFn,
    images: np.ndarray,
    attributes: np.ndarray,
    load_images: ImageLoader,
    batch_size: int,
    progress: type[Progress],
    arrays: FloatArrays,
) -> np.ndarray:
    """The embeddings [P, D] of distinct (image, attribute) pairs, in an array of `arrays`."""
    embeddings, held = None, 0
    for pairs, found in embedded_pairs(
        embed_fn, images, attributes, load_images, batch_size, progress
    ):
        if embeddings is None:
            embeddings = arrays(len(images), found.shape[-1])
        embeddings[pairs] = found
        held += found.nbytes
        if held > HELD_BYTES:
            arrays.release()
            held = 0
    return embeddings


def embedded_pairs(
    embed_fn: EmbedFn,
    images: np.ndarray,
    attributes: np.ndarray,
    load_images: ImageLoader,
    batch_size: int,
    progress: type[Progress],
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Embeds distinct (image, attribute) pairs, each image once.

    Args:
      embed_fn: see `Evaluator`.
      images: [P] manifest row of each pair, in any order.
      attributes: [P] attribute of each pair.
      load_images, batch_size, progress: see `Evaluator`.

    Yields:
      Which pairs, int64 [p], in the order of their images, then attributes; and their embeddings,
      float32 [p, D].

    Raises:
      ValueError: embeddings of another shape or with numbers that are not finite.
    """
    dimension = None
    batches = pair_batches(images, attributes, batch_size)
    for batch, loaded in with_images(batches, load_images, progress):
        shape = (*batch.attributes.shape, dimension)
        found = checked(embed_fn(loaded, batch.attributes), shape, "embed_fn's result")
        dimension = found.shape[-1]
        yield batch.pairs, found[batch.image_of_pair, batch.slot_of_pair]


def checked(values: object, shape: tuple[int | None, ...], what: str) -> np.ndarray:
    """What a caller's function returned, as float32.

    Args:
      values: anything NumPy takes.
      shape: the expected one, None where any length will do.
      what: a name for messages.

    Raises:
      ValueError: the shape is another, or a number is not finite.
    """
    values = np.asarray(values, np.float32)
    fits = len(values.shape) == len(shape) and all(
        wanted in (None, got) for wanted, got in zip(shape, values.shape, strict=True)
    )
    if not fits:
        wanted = ", ".join("any" if n is None else str(n) for n in shape)
        raise ValueError(f"{what} must have the shape [{wanted}], got {list(values.shape)}")
    if not np.isfinite(values).all():
        raise ValueError(
            f"{what} must be finite, got {np.count_nonzero(~np.isfinite(values))} numbers that are "
            "NaN or infinite: has the training diverged?"
        )
    return values
