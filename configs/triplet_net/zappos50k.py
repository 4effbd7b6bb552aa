"""The triplet network on Zappos50k.

    asen-train --config=configs/triplet_net/zappos50k.py --workdir=runs/triplet_net_zappos50k \\
        --config.data.root=/data/zappos50k

Data and network are those of configs/asen/zappos50k.py, without its local branch.
The sources at hand do not say how the papers trained this row: the schedule is that of
configs/asen_aaai2020/zappos50k.py.
What is measured is the share of triplets that are ordered rightly, not MAP.
Not run by us: we have not got the photographs.
"""

from asen_tf.core import experiment_files, experiments


def get_config():
    config = experiment_files.read(experiment_files.find("asen", "zappos50k"))
    experiments.one_branch(config, "triplet_net")
    experiments.schedule_2020(config)
    return config
