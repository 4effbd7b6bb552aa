"""ASEN++ on DARN, with the paper's settings, as its released code has them.

    asen-train --config=configs/asen/darn.py --workdir=runs/asen_darn \\
        --config.data.root=/data/DARN

Data: the photographs of DARN (Huang et al., ICCV 2015) under `data.root/pic`, and in
`data.root` the index files of the ASEN++ release (`filenames_*.txt`, `label_train.txt`,
`query_*.txt`, `candidate_*.txt`).
docs/datasets.md says how to get them, and what is odd in them.
Both branches start from torchvision's ImageNet weights, whose files have to be there
(docs/backbones.md), or from `--config.model.global_branch.weights=random` and likewise the local.
Cost: 7 million triplets; meant for a GPU. Not run by us: we have neither the photographs nor
these files. The paper reports an overall MAP of 55.94.
"""

from asen_tf.core import experiments

# Values an attribute, in the order of the index files, as the ASEN++ release counts them.
ATTRIBUTES = (
    ("clothes_category", 20),
    ("clothes_button", 13),
    ("clothes_color", 55),
    ("clothes_length", 7),
    ("clothes_pattern", 28),
    ("clothes_shape", 11),
    ("collar_shape", 26),
    ("sleeve_length", 8),
    ("sleeve_shape", 17),
)


def get_config():
    return experiments.published(ATTRIBUTES)
