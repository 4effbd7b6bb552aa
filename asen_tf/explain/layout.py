"""Neighbourhoods of many dimensions in two."""

import numpy as np

FEWEST = 4
_PERPLEXITY = 30.0


def layout(vectors: np.ndarray, seed: int = 0) -> np.ndarray:
    """t-SNE of unit vectors by cosine: who is near whom stays, distances do not.

    van der Maaten and Hinton, "Visualizing Data using t-SNE", JMLR 2008; it starts from the two
    main components, so that far groups are apart for a reason. Perplexity is 30, or what fewer
    points allow.

    Args:
      vectors: float [N, D], N >= 4.
      seed: of what is random in it.

    Returns:
      float32 [N, 2].

    Raises:
      ValueError: fewer than four vectors, or another shape.
    """
    from sklearn.manifold import TSNE  # takes a second
    from threadpoolctl import threadpool_limits

    vectors = np.asarray(vectors)
    if vectors.ndim != 2 or len(vectors) < FEWEST:
        raise ValueError(
            f"expected at least {FEWEST} vectors as [N, D], received {list(vectors.shape)}"
        )
    perplexity = min(_PERPLEXITY, (len(vectors) - 1) / 3)
    # Of unit vectors, squared distances are 2 - 2 cosines: the same order, and faster to search.
    plane = TSNE(perplexity=perplexity, init="pca", random_state=seed)
    # So few points are laid out faster by one thread than by several that wait for one another.
    with threadpool_limits(1):
        return plane.fit_transform(vectors)
