"""The attributes' spaces in TensorBoard's projector."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from asen_tf.core import files
from asen_tf.core.progress import Progress
from asen_tf.figures import style
from asen_tf.figures.registry import figure
from asen_tf.figures.source import Source

SPRITE_PX = 64
FOLDER = "projector"
# TensorBoard splits at these, and knows no quotes.
_ONE_CELL = str.maketrans(dict.fromkeys("\t\n\r", " "))


@figure("projector", slow=True)
def draw(source: Source) -> Iterator[Path]:
    """Writes vectors, labels and small photographs beside the run's TensorBoard log.

    `tensorboard --logdir=WORKDIR` then shows a space for each attribute. The files are
    WORKDIR/tensorboard/projector_config.pbtxt, and under projector/ beside it `metadata.tsv`,
    `sprite.png`, and `vectors-0.tsv` and so on, one an attribute.
    """
    from google.protobuf import text_format
    from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

    board = source.run.tensorboard
    folder = board / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    images = (source.pixels(row) for row in source.rows)
    with files.written_whole(folder / "sprite.png") as draft:
        Image.fromarray(sprite(images, SPRITE_PX)).save(draft)
    _write_metadata(source, folder / "metadata.tsv")
    config, names = ProjectorConfig(), ["sprite.png", "metadata.tsv"]
    with Progress("writing vectors", len(source.attributes), "attributes") as progress:
        for n, name in enumerate(source.attributes):
            names.append(f"vectors-{n}.tsv")
            vectors = source.vectors[:, source.index(name)]
            with files.written_whole(folder / names[-1]) as draft:
                np.savetxt(draft, vectors, fmt="%.5f", delimiter="\t")
            entry = config.embeddings.add()
            entry.tensor_name = name
            entry.tensor_path = f"{FOLDER}/{names[-1]}"
            entry.metadata_path = f"{FOLDER}/metadata.tsv"
            entry.sprite.image_path = f"{FOLDER}/sprite.png"
            entry.sprite.single_image_dim.extend([SPRITE_PX, SPRITE_PX])
            progress.update(1)
    settings = board / "projector_config.pbtxt"
    files.write_text(settings, text_format.MessageToString(config))
    yield settings
    yield from (folder / name for name in names)


def sprite(images: Iterable[np.ndarray], side: int = SPRITE_PX) -> np.ndarray:
    """The centred squares of photographs, as TensorBoard's projector wants them.

    Returns:
      uint8 [R * side, C * side, 3], row by row, C the root of their number rounded up; white where
      none is.

    Raises:
      ValueError: no photograph, or something that is none.
    """
    squares = [style.square(image, side) for image in images]
    if not squares:
        raise ValueError("expected photographs, received none")
    columns = int(np.ceil(np.sqrt(len(squares))))
    rows = -(-len(squares) // columns)
    tiles = np.full((rows * columns, side, side, 3), 255, np.uint8)
    tiles[: len(squares)] = squares
    grid = tiles.reshape(rows, columns, side, side, 3).swapaxes(1, 2)
    return grid.reshape(rows * side, columns * side, 3)


def _write_metadata(source: Source, path: Path) -> None:
    """A line an image: its path and its value of each attribute."""
    names = list(source.embedder.attributes)
    lines = [["image", *names]]
    for row in source.rows:
        values = [source.values(row, name) or "?" for name in names]
        lines.append([source.manifest.images[row], *values])
    text = "".join("\t".join(cell.translate(_ONE_CELL) for cell in line) + "\n" for line in lines)
    files.write_text(path, text)
