"""The part-guided network on synthetic garments.

    asen-train --config=configs/part_guided/synthetic.py --workdir=runs/part_guided_garments \\
        --config.data.root=data/garments

The baselines of its ablation: --config=configs/part_guided/synthetic.py:BASELINE, with
BASELINE one of without_parts, without_parts_and_ranking, classic.
The data and the backbone are those of configs/asen/synthetic.py. The schedule has the form of
configs/part_guided/shopping100k.py, smaller; nothing is pretrained.
"""

from asen_tf.core import experiments

_PARTS = {"sleeve_length": "sleeves", "collar": "collar", "fastening": "fastening"}


def get_config(baseline="part_guided"):
    config = experiments.garments()
    experiments.part_guided(config, baseline, _PARTS, epochs=(30.0, 10.0), rate=0.01)
    config.model.update(embedding_dim=128, hidden_dim=256)
    # Four vectors: so many triplets of each, as many images as the whole batch of stage 1.
    config.train.update(batch_size=16, steps_per_epoch=65)
    return config
