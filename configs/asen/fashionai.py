"""ASEN++ on FashionAI, with the paper's settings, as its released code has them.

    asen-train --config=configs/asen/fashionai.py --workdir=runs/asen_fashionai \\
        --config.data.root=/data/FashionAI

Data: the photographs of the FashionAI Global Challenge (attribute recognition, its two training
archives) under `data.root`, and beside them the index files of the ASEN++ release
(`filenames_*.txt`, `label_train.txt`, `query_*.txt`, `candidate_*.txt`).
docs/datasets.md says how to get them, and what is odd in them.
Both branches start from torchvision's ImageNet weights, whose files have to be there
(docs/backbones.md), or from `--config.model.global_branch.weights=random` and likewise the local.
Cost: 7 million triplets; meant for a GPU. Not run by us: we have neither the photographs nor
these files. The paper reports an overall MAP of 64.31; a random order scores 15.79.
"""

from asen_tf.core import experiments

# Values an attribute, in the order of the index files.
ATTRIBUTES = (
    ("skirt_length", 6),
    ("sleeve_length", 9),
    ("coat_length", 8),
    ("pant_length", 6),
    ("collar_design", 5),
    ("lapel_design", 5),
    ("neckline_design", 10),
    ("neck_design", 5),
)


def get_config():
    return experiments.published(ATTRIBUTES)
