"""The part-guided network on the Clothing Attribute Dataset.

    asen-train --config=configs/part_guided/clothing_attributes.py \\
        --workdir=runs/part_guided_clothing --config.data.root=/data/clothing_attributes

These are street photographs: on few of them the parts are found with confidence, on the
others every branch sees the whole image.
The baselines of its ablation: --config=configs/part_guided/clothing_attributes.py:BASELINE, with
BASELINE one of without_parts, without_parts_and_ranking, classic.
The data and the backbone are those of configs/asen/clothing_attributes.py. The schedule has the
form of configs/part_guided/shopping100k.py, smaller; nothing is pretrained.
"""

from asen_tf.core import experiments

_PARTS = {"sleeve_length": "sleeves", "pattern": "chest", "color": "chest"}


def get_config(baseline="part_guided"):
    config = experiments.clothing_attributes()
    epochs = (30.0, 10.0)
    experiments.part_guided(config, baseline, _PARTS, epochs=epochs, rate=0.01, threshold=0.5)
    config.model.update(embedding_dim=128, hidden_dim=256)
    config.train.update(batch_size=16, steps_per_epoch=81)
    return config
