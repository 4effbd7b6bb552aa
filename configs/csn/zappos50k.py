"""Conditional similarity networks on Zappos50k.

    asen-train --config=configs/csn/zappos50k.py --workdir=runs/csn_zappos50k \\
        --config.data.root=/data/zappos50k

Data and network are those of configs/asen/zappos50k.py, without its local branch.
The sources at hand do not say how the papers trained this row: the schedule is that of
configs/asen_aaai2020/zappos50k.py.
Learned masks, cosines, no penalties, as its row in ASEN's tables; those of its own paper:
--config=configs/csn/zappos50k.py:euclidean.
What is measured is the share of triplets that are ordered rightly, not MAP.
Not run by us: we have not got the photographs.
"""

from asen_tf.core import experiment_files, experiments


def get_config(distance="cosine"):
    config = experiment_files.read(experiment_files.find("asen", "zappos50k"))
    experiments.csn(config, distance)
    experiments.schedule_2020(config)
    return config
