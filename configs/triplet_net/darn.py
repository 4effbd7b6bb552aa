"""The triplet network on DARN.

    asen-train --config=configs/triplet_net/darn.py --workdir=runs/triplet_net_darn \\
        --config.data.root=/data/DARN

Data and network are those of configs/asen/darn.py, without its local branch.
The sources at hand do not say how the papers trained this row: the schedule is that of
configs/asen_aaai2020/darn.py.
Not run by us: we have not got the photographs. The papers print an overall MAP of 40.14.
"""

from asen_tf.core import experiment_files, experiments


def get_config():
    config = experiment_files.read(experiment_files.find("asen", "darn"))
    experiments.one_branch(config, "triplet_net")
    experiments.schedule_2020(config)
    return config
