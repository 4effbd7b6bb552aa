"""ASEN++ on DeepFashion, with the paper's settings, as its released code has them.

    asen-train --config=configs/asen/deepfashion.py --workdir=runs/asen_deepfashion \\
        --config.data.root=/data/DeepFashion

Data: the photographs of DeepFashion's category and attribute prediction benchmark (Liu et al.,
CVPR 2016) under `data.root/img`, and in `data.root` the index files of the ASEN++ release
(`filenames_*.txt`, `label_*.txt`, `query_*.txt`, `candidate_*.txt`).
docs/datasets.md says how to get them, and what is odd in them.
Both branches start from torchvision's ImageNet weights, whose files have to be there
(docs/backbones.md), or from `--config.model.global_branch.weights=random` and likewise the local.
Cost: 7 million triplets; meant for a GPU. Not run by us: we have neither the photographs nor
these files. The paper reports an overall MAP of 9.64; a random order scores 3.38.
"""

from asen_tf.core import experiments

# Values an attribute type, in the order of the index files.
ATTRIBUTES = (
    ("texture", 156),
    ("fabric", 218),
    ("shape", 180),
    ("part", 216),
    ("style", 230),
)


def get_config():
    return experiments.published(ATTRIBUTES)
