"""AMNet on Shopping100k, beside the part-guided network of Ak et al. (WACV 2018).

    asen-train --config=configs/amnet/shopping100k.py --workdir=runs/amnet_shopping100k \\
        --config.data.root=/data/Shopping100k --config.model.weights=alexnet.pth

Backbone, data and epochs are those of configs/part_guided/shopping100k.py; how AMNet was trained
there is not printed, and the equations of its own paper were not at hand (docs/models.md).
Not run by us, so there is no score: we have neither the data set nor the weights.
"""

from asen_tf.core import experiments
from asen_tf.data.formats import shopping100k


def get_config():
    config = experiments.shopping100k(shopping100k.SPECIAL)
    config.stage1.epochs = config.stage2.epochs = 30.0
    experiments.amnet(config, rate=1e-4)
    config.train.batch_size = 126
    return config
