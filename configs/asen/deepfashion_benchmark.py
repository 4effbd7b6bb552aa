"""ASEN++ on DeepFashion's own label files: every value of an image, the benchmark's partition.

    asen-train --config=configs/asen/deepfashion_benchmark.py --workdir=runs/asen_deepfashion \\
        --config.data.root=/data/DeepFashion

Data: the Category and Attribute Prediction Benchmark (Liu et al., CVPR 2016): `Anno_coarse/`,
`Eval/` and `Img/img/` under `data.root`. See docs/datasets.md.
The papers' protocol is another one: other splits, and one value of an image for each query and
candidate (configs/asen/deepfashion.py).
Settings are those of configs/asen/fashionai.py; both branches need torchvision's ImageNet weights
(docs/backbones.md).
Cost: 7 million triplets; meant for a GPU. Not run by us, so there is no score: we have neither the
photographs nor these files.
"""

from asen_tf.core import experiments


def get_config():
    config = experiments.published()
    config.data.format = "deepfashion"
    return config
