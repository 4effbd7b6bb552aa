"""ASEN++ on DARN, with the paper's settings.

    asen-train --config=configs/asen/darn.py --workdir=runs/asen_darn \\
        --config.data.root=/data/DARN

Data: the photographs of DARN (Huang et al., ICCV 2015) under `data.root/pic`, and in
`data.root` the index files of the ASEN++ release (`filenames_*.txt`, `label_train.txt`,
`query_*.txt`, `candidate_*.txt`).
docs/datasets.md says how to get them, and what is odd in them.
Cost: 7 million triplets; meant for a GPU. Not run by us: we have neither the photographs nor
ImageNet weights. The paper reports an overall MAP of 55.94.
"""

from asen_tf.core import experiments

# Values an attribute, in the order of the index files, whose numbers begin at 0. The papers count
# one less for most attributes: 0 is in use there besides.
ATTRIBUTES = (
    ("clothes_category", 20),
    ("clothes_button", 13),
    ("clothes_color", 56),
    ("clothes_length", 7),
    ("clothes_pattern", 28),
    ("clothes_shape", 11),
    ("collar_shape", 25),
    ("sleeve_length", 8),
    ("sleeve_shape", 17),
)


def get_config():
    return experiments.published(ATTRIBUTES)
