"""AMNet (Zhao et al., CVPR 2017): an image's embedding, changed with prototypes from a memory."""

from asen_tf.models.amnet.losses import ChangedClassificationLoss, ChangedTripletLoss
from asen_tf.models.amnet.model import AMNet

__all__ = ["AMNet", "ChangedClassificationLoss", "ChangedTripletLoss"]
