"""The attributes' spaces in TensorBoard's projector."""

from pathlib import Path

import numpy as np
from PIL import Image

from asen_tf import viz
from asen_tf.core.progress import Progress
from asen_tf.figures.source import Source

SPRITE_PX = 64
FOLDER = "projector"
# TensorBoard splits at these, and knows no quotes.
_ONE_CELL = str.maketrans(dict.fromkeys("\t\n\r", " "))


def write(source: Source) -> list[Path]:
    """Writes vectors, labels and small photographs beside the run's TensorBoard log.

    `tensorboard --logdir=WORKDIR` then shows a space for each attribute.

    Returns:
      The files: WORKDIR/tensorboard/projector_config.pbtxt, and under projector/ beside it
      `metadata.tsv`, `sprite.png`, and `vectors-0.tsv` and so on, one an attribute.
    """
    from google.protobuf import text_format
    from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

    board = source.run.tensorboard
    folder = board / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    files = [_write_sprite(source, folder), _write_metadata(source, folder)]
    config = ProjectorConfig()
    with Progress("writing vectors", len(source.choice.attributes), "attributes") as progress:
        for n, name in enumerate(source.choice.attributes):
            vectors = source.vectors[:, source.embedder.attributes.index(name)]
            files.append(folder / f"vectors-{n}.tsv")
            np.savetxt(files[-1], vectors, fmt="%.5f", delimiter="\t")
            _declare(config, name, files[-1].name)
            progress.update(1)
    settings = board / "projector_config.pbtxt"
    settings.write_text(text_format.MessageToString(config), encoding="utf-8")
    return [settings, *files]


def _declare(config, name, file):
    entry = config.embeddings.add()
    entry.tensor_name = name
    entry.tensor_path = f"{FOLDER}/{file}"
    entry.metadata_path = f"{FOLDER}/metadata.tsv"
    entry.sprite.image_path = f"{FOLDER}/sprite.png"
    entry.sprite.single_image_dim.extend([SPRITE_PX, SPRITE_PX])


def _write_sprite(source, folder):
    images = (source.pixels(row) for row in source.rows)
    path = folder / "sprite.png"
    Image.fromarray(viz.sprite(images, SPRITE_PX)).save(path)
    return path


def _write_metadata(source, folder):
    """A line an image: its path and its value of each attribute."""
    names = list(source.embedder.attributes)
    path = folder / "metadata.tsv"
    lines = [["image", *names]]
    for row in source.rows:
        values = [source.values(row, name) or "?" for name in names]
        lines.append([source.manifest.images[row], *values])
    text = "".join("\t".join(cell.translate(_ONE_CELL) for cell in line) + "\n" for line in lines)
    path.write_text(text, encoding="utf-8", newline="\n")
    return path
