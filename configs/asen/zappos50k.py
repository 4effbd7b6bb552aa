"""ASEN++ on Zappos50k with the triplets of Conditional Similarity Networks.

    asen-train --config=configs/asen/zappos50k.py --workdir=runs/asen_zappos50k \\
        --config.data.root=/data/zappos50k

Data: `ut-zap50k-images/` (Yu and Grauman), and `filenames.json` and `tripletlists/` (Veit et al.,
CVPR 2017) under `data.root`. See docs/datasets.md. What is measured is the share of triplets that
are ordered rightly, not MAP.
The photographs are 136 x 102 pixels: inputs are 112 pixels as in Veit et al., and an image is no
larger. The other settings are those of
configs/asen/fashionai.py; both branches need torchvision's ImageNet weights (docs/backbones.md).
Cost: 7 million triplets; meant for a GPU. Not run by us, so there is no score: we have neither the
photographs nor these files.
"""

from asen_tf.core import experiments


def get_config():
    config = experiments.published()
    config.data.format = "zappos50k"
    config.model.image_scale = 1
    config.model.global_branch.size = 112
    config.model.local_branch.size = 56
    return config
