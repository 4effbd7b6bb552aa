"""ASEN++ on Shopping100k.

    asen-train --config=configs/asen/shopping100k.py --workdir=runs/asen_shopping100k \\
        --config.data.root=/data/Shopping100k

Data: Shopping100k (Ak et al., WACV 2018), given out by its authors on request: `Images/` and
`Attributes/<attribute>.txt` under `data.root`. We have not seen the files; what is read stands in
docs/datasets.md and in asen_tf/data/formats/shopping100k.py.
Settings are those of configs/asen/fashionai.py, which no paper has tried on this data; both
branches need torchvision's ImageNet weights (docs/backbones.md).
Cost: 7 million triplets; meant for a GPU. Not run by us, so there is no score: we have neither the
data set nor these files.
"""

from asen_tf.core import experiments
from asen_tf.data.formats import shopping100k


def get_config():
    config = experiments.published()
    config.data.format = "shopping100k"
    config.data.special = shopping100k.SPECIAL
    return config
