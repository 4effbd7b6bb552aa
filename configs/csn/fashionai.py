"""Conditional similarity networks on FashionAI.

    asen-train --config=configs/csn/fashionai.py --workdir=runs/csn_fashionai \\
        --config.data.root=/data/FashionAI

Data and network are those of configs/asen/fashionai.py, without its local branch.
The sources at hand do not say how the papers trained this row: the schedule is that of
configs/asen_aaai2020/fashionai.py.
Learned masks, cosines, no penalties, as its row in ASEN's tables; those of its own paper:
--config=configs/csn/fashionai.py:euclidean.
Not run by us: we have not got the photographs. The papers print an overall MAP of 53.52.
"""

from asen_tf.core import experiment_files, experiments


def get_config(distance="cosine"):
    config = experiment_files.read(experiment_files.find("asen", "fashionai"))
    experiments.csn(config, distance)
    experiments.schedule_2020(config)
    return config
