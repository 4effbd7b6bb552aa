"""How often the regions of an image's attributes coincide: passes of the local branch to be saved.

python benchmarks/regions.py --workdir=demo/run --json=benchmarks/results/regions.json
"""

import numpy as np
import tensorflow as tf
from absl import app, flags

from asen_tf.benchmarks import machine
from asen_tf.benchmarks.report import report
from asen_tf.data.image_cache import open_images
from asen_tf.workdir import Workdir

_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the run.", required=True)
_IMAGES = flags.DEFINE_integer("images", 100, "Of the test split, the first ones.")
_JSON = flags.DEFINE_string("json", "", "File to write the result to.")


def main(_) -> None:
    run = Workdir(_WORKDIR.value)
    model, manifest = run.load_best(), run.manifest()
    rows = manifest.examples_of("test")[: _IMAGES.value]
    load_images = open_images(manifest, rows, model.image_size, "none")
    locate = tf.function(
        lambda images: model.compute_outputs(
            {"images": images, "attributes": model.all_attributes(images)}, ()
        )["region"]
    )
    regions = np.concatenate([locate(load_images(part)) for part in np.array_split(rows, 8)])
    pairs = regions.shape[0] * regions.shape[1]
    distinct = sum(len(np.unique(of_one, axis=0)) for of_one in regions)
    result = {
        "images": len(rows),
        "attributes": regions.shape[1],
        "share_that_coincides": 1 - distinct / pairs,
        "share_whole_image": float((regions[..., 2] - regions[..., 0] == 1).mean()),
        **machine.description(),
    }
    report(result, _JSON.value)


if __name__ == "__main__":
    app.run(main)
