"""The attributes' spaces, laid out in a plane by t-SNE."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import matplotlib.figure
import numpy as np
from matplotlib.axes import Axes

from asen_tf.core.progress import Progress
from asen_tf.figures import style
from asen_tf.figures.picture import Picture
from asen_tf.figures.registry import figure
from asen_tf.figures.source import NothingToDraw, Source

FEWEST, PERPLEXITY = 4, 30.0
# Longer side of the photographs: more than a tile of the picture shows.
SMALL_PX = 160
# Inches.
MARGIN, TITLE = 0.16, 0.26
SIDE, FRAME = 7.6, 0.028
CELL, CELL_GAP, MOST_COLUMNS, MOST_WORDS = 2.3, 0.24, 4, 10
# Tiles along either side of the large plot, and how many of them a photograph may be moved.
TILES, TILE_PX, FARTHEST = 17, 140, 3.0


class EmbeddingMap(NamedTuple):
    """Points of one attribute's space.

    Attributes:
      points: float [N, 2], in any unit.
      values: int [N], the value of each, a position in `names`.
      names: the attribute's values.
    """

    points: np.ndarray
    values: np.ndarray
    names: Sequence[str]


@figure(
    "tsne",
    title="The attributes' spaces",
    text="Each dot is a photograph; those that are alike in the attribute lie near one another "
    "(t-SNE). Distances between groups mean nothing, and neither do the axes.",
    slow=True,
)
def draw(source: Source) -> Iterator[Picture]:
    """All attributes side by side, and one of them large, with photographs."""
    names = dict.fromkeys((*source.attributes, source.attribute))
    enough = [name for name in names if len(source.labelled(name)[0]) >= FEWEST]
    if not enough:
        raise NothingToDraw(f"no attribute has {FEWEST} labelled images to lay out")
    maps = {}
    with Progress("laying out", len(enough), "attributes") as progress:
        for name in enough:
            maps[name] = _map(source, name)
            progress.update(1)
    yield Picture(
        "tsne",
        embedding_maps({name: maps[name] for name in source.attributes if name in maps}),
        "The space of each attribute as dots, coloured by value",
        ".png",
    )
    large = source.attribute if source.attribute in maps else enough[0]
    rows = source.rows[source.labelled(large)[0]]
    images = [source.pixels(row, SMALL_PX) for row in rows]
    yield Picture(
        f"tsne_{large}",
        embedding_map(large, maps[large], images),
        f"The space of {style.words(large)} as photographs, framed in the colour of the value",
    )


def _map(source: Source, name: str) -> EmbeddingMap:
    positions, values = source.labelled(name)
    vectors = source.vectors[positions, source.index(name)]
    names = source.embedder.attributes[name].values
    return EmbeddingMap(layout(vectors).astype(np.float64), values, names)


def layout(vectors: np.ndarray, seed: int = 0) -> np.ndarray:
    """t-SNE of unit vectors by cosine: who is near whom stays, distances do not.

    van der Maaten and Hinton, "Visualizing Data using t-SNE", JMLR 2008; it starts from the two
    main components, so that far groups are apart for a reason. Perplexity is 30, or what fewer
    points allow.

    Args:
      vectors: float [N, D], N >= 4; otherwise ValueError.

    Returns:
      float32 [N, 2].
    """
    from sklearn.manifold import TSNE  # takes a second
    from threadpoolctl import threadpool_limits

    vectors = np.asarray(vectors)
    if vectors.ndim != 2 or len(vectors) < FEWEST:
        raise ValueError(
            f"expected at least {FEWEST} vectors as [N, D], received {list(vectors.shape)}"
        )
    perplexity = min(PERPLEXITY, (len(vectors) - 1) / 3)
    # Of unit vectors, squared distances are 2 - 2 cosines: the same order, and faster to search.
    plane = TSNE(perplexity=perplexity, init="pca", random_state=seed)
    # So few points are laid out faster by one thread than by several that wait for one another.
    with threadpool_limits(1):
        return plane.fit_transform(vectors)


def embedding_map(
    attribute: str, shown: EmbeddingMap, images: Sequence[np.ndarray]
) -> matplotlib.figure.Figure:
    """One attribute's space, large: photographs framed in the colours of their values.

    Photographs lie on a grid, each in the free cell that is nearest to its point. Where none is
    near, because the crowd is too dense, it is left out. `images`: [N], uint8 [H, W, 3].
    """
    colors = style.value_colors(shown.names)
    entries = _entries(shown)
    box = style.Area(MARGIN, MARGIN + TITLE, SIDE, SIDE)
    height = box.bottom + MARGIN + style.KEY_LINE * _lines(entries, SIDE)
    axes = style.page(box.right + MARGIN, height)
    style.text(axes, box.left, box.top - 0.1, style.words(attribute), size=11, weight="bold")
    style.fill(axes, box, style.MAT)
    tile = SIDE / TILES
    for n, (column, row) in _tiled(shown.points).items():
        cell = style.Area(box.left + column * tile, box.top + row * tile, tile, tile)
        style.fill(axes, cell.shrink(0.015), colors[shown.values[n]])
        small = style.thumbnail(style.check_image(images[n]), TILE_PX)
        style.picture(axes, small, cell.shrink(0.015 + FRAME))
    style.key(axes, box.left, box.bottom + 0.16, entries, SIDE)
    return axes.figure


def embedding_maps(maps: Mapping[str, EmbeddingMap]) -> matplotlib.figure.Figure:
    """The spaces of several attributes side by side, as dots coloured by value.

    Args:
      maps: attribute -> its points.
    """
    keys = {name: _entries(shown, MOST_WORDS) for name, shown in maps.items()}
    columns = min(len(maps), MOST_COLUMNS)
    below = 0.14 + style.KEY_LINE * max(_lines(key, CELL) for key in keys.values())
    row = TITLE + CELL + below + 0.1
    rows = -(-len(maps) // columns)
    width = 2 * MARGIN + columns * (CELL + CELL_GAP) - CELL_GAP
    axes = style.page(width, MARGIN + rows * row + 0.02)
    for n, (name, shown) in enumerate(maps.items()):
        left = MARGIN + n % columns * (CELL + CELL_GAP)
        box = style.Area(left, MARGIN + TITLE + n // columns * row, CELL, CELL)
        style.text(axes, left, box.top - 0.09, style.words(name), width=CELL, weight="bold")
        style.fill(axes, box, style.MAT)
        _draw_dots(axes, shown, box.shrink(0.1))
        style.key(axes, left, box.bottom + 0.13, keys[name], CELL)
    return axes.figure


def _placed(points: np.ndarray, area: style.Area) -> np.ndarray:
    """The points in inches, so that they fill the area; each axis has its own scale."""
    low, high = points.min(0), points.max(0)
    span = np.where(high > low, high - low, 1)
    scaled = (points - (low + high) / 2) / span
    centre = (area.left + area.width / 2, area.top + area.height / 2)
    return scaled * (area.width, -area.height) + centre


def _tiled(points: np.ndarray) -> dict[int, tuple[int, int]]:
    """Point -> column and row of its cell, for those that find one."""
    at = _placed(points, style.Area(0.5, 0.5, TILES - 1, TILES - 1))
    cells = np.stack(np.meshgrid(*[np.arange(TILES)] * 2), -1).reshape(-1, 2)
    taken = np.zeros(len(cells), bool)
    found = {}
    for n, point in enumerate(at):
        distances = np.where(taken, np.inf, np.linalg.norm(cells + 0.5 - point, axis=1))
        nearest = distances.argmin()
        if distances[nearest] <= FARTHEST:
            taken[nearest] = True
            found[n] = tuple(cells[nearest])
    return found


def _draw_dots(axes: Axes, shown: EmbeddingMap, area: style.Area) -> None:
    colors = style.value_colors(shown.names)
    axes.scatter(
        *_placed(shown.points, area).T,
        s=9 if len(shown.points) < 500 else 4,
        c=[colors[value] for value in shown.values],
        edgecolors=style.SHADE,
        linewidths=0.25,
        zorder=2,
    )


def _entries(shown: EmbeddingMap, most: int | None = None) -> list[tuple[str, str]]:
    """Colour and name of the values that occur, the most frequent where there are too many."""
    found, counts = np.unique(shown.values, return_counts=True)
    named = np.sort(found[np.argsort(-counts, kind="stable")[:most]])
    colors = style.value_colors(shown.names)
    entries = [(colors[value], style.words(shown.names[value])) for value in named]
    hidden = len(found) - len(named)
    return [*entries, ("none", f"and {hidden} more")] if hidden else entries


def _lines(entries: Sequence[tuple[str, str]], width: float) -> int:
    """How many lines of a key they need."""
    blank = style.page(1, 1)
    return round(style.key(blank, 0, 0, entries, width) / style.KEY_LINE)
