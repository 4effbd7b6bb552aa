"""The triplet network on FashionAI.

    asen-train --config=configs/triplet_net/fashionai.py --workdir=runs/triplet_net_fashionai \\
        --config.data.root=/data/FashionAI

Data and network are those of configs/asen/fashionai.py, without its local branch.
The sources at hand do not say how the papers trained this row: the schedule is that of
configs/asen_aaai2020/fashionai.py.
Not run by us: we have not got the photographs. The papers print an overall MAP of 38.52.
"""

from asen_tf.core import experiment_files, experiments


def get_config():
    config = experiment_files.read(experiment_files.find("asen", "fashionai"))
    experiments.one_branch(config, "triplet_net")
    experiments.schedule_2020(config)
    return config
