"""ASEN as first published (AAAI 2020), one branch, on FashionAI.

    asen-train --config=configs/asen_aaai2020/fashionai.py --workdir=runs/asen_aaai2020_fashionai \\
        --config.data.root=/data/FashionAI

Data and network are those of configs/asen/fashionai.py, without its local branch.
The schedule is that of the authors' code: at most 200 epochs, rates that fall by 1.5 % an epoch,
flipped photographs; the best on the validation split counts.
`--config.model.spatial_attention=false` and `--config.model.channel_attention=false` are the
paper's ablation.
Not run by us: we have not got the photographs. The papers print an overall MAP of 61.02.
"""

from asen_tf.core import experiment_files, experiments


def get_config():
    config = experiment_files.read(experiment_files.find("asen", "fashionai"))
    experiments.one_branch(config, "asen_aaai2020")
    experiments.schedule_2020(config)
    return config
