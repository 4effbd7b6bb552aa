"""The part-guided network on Shopping100k, as Ak et al. (WACV 2018) print it.

    asen-train --config=configs/part_guided/shopping100k.py --workdir=runs/part_guided \\
        --config.data.root=/data/Shopping100k --config.model.weights=alexnet.pth

The baselines of its ablation: --config=configs/part_guided/shopping100k.py:BASELINE, with
BASELINE one of without_parts, without_parts_and_ranking, classic.
Data: given out by the paper's authors on request (docs/datasets.md).
Printed: AlexNet, pretrained up to conv5; plain SGD at 0.01, 30 epochs for classification, then for
ranking as well; 80 % of the images for training; pattern and color on the chest. Not printed, and
ours: the length of the second stage, the size of a batch, the margin, the sizes of the fully
connected layers, the size of the images (AlexNet's own, 227).
A file with AlexNet's weights has to be named (docs/backbones.md), or `random`.
Cost: 2.4 million images and 2.3 million triplets; meant for a GPU. Not run by us, so there is no
score: we have neither the data set nor these weights.
"""

from asen_tf.core import experiments
from asen_tf.data.formats import shopping100k

_PARTS = {
    "pattern": "chest",
    "collar": "collar",
    "fastening": "fastening",
    "sleeve_length": "sleeves",
    "color": "chest",
}


def get_config(baseline="part_guided"):
    config = experiments.shopping100k(shopping100k.SPECIAL)
    experiments.part_guided(config, baseline, _PARTS)
    return config
