"""ASEN++ on the FashionAI challenge's own label files.

    asen-train --config=configs/asen/fashionai_challenge.py --workdir=runs/asen_fashionai \\
        --config.data.root=/data/FashionAI

Data: the training archives of the FashionAI Global Challenge (attribute recognition), unpacked
under `data.root`: `fashionAI_attributes_train1/Annotations/label.csv`, `.../Images/...` and so on.
Use this where the index files of the ASEN++ release (configs/asen/fashionai.py) are not at hand:
the split is ours, by a hash of the file names, so that scores do not compare with the papers'.
`--config.data.maybe=true` counts values that may be as labels. See docs/datasets.md.
Settings are those of configs/asen/fashionai.py; both branches need torchvision's ImageNet weights
(docs/backbones.md).
Cost: 7 million triplets; meant for a GPU. Not run by us, so there is no score: we have neither the
photographs nor these files.
"""

from asen_tf.core import experiments


def get_config():
    config = experiments.published()
    config.data.format = "fashionai"
    return config
