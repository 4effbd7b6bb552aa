"""What AMNet is trained for besides classification (Zhao et al., CVPR 2017)."""

from collections.abc import Sequence

import keras

from asen_tf.losses import ClassificationLoss, Loss, attribute_cross_entropy, triplet_loss

SAMPLING = "manipulation"


@keras.saving.register_keras_serializable(package="asen_tf")
class ChangedTripletLoss(Loss):
    """The query's embedding after the change is nearer to the target than to the negative.

    Args:
      output: names of the changed embeddings, float [E, D], and of the embeddings of query, target
        and negative, float [3 E, 1, D].
      margin: by how much, in cosines.
      name: what it is called in logs.
    """

    def __init__(
        self,
        output: Sequence[str] = ("changed", "global"),
        margin: float = 0.2,
        name: str = "changed_triplet",
    ):
        super().__init__(output, name)
        self.margin = margin

    def call(self, y_true, y_pred):
        changed, embeddings = self.select(y_pred)
        _, target, negative = (embeddings[role::3, 0] for role in range(3))
        return triplet_loss(changed, target, negative, self.margin)

    def get_config(self) -> dict:
        return {**super().get_config(), "margin": self.margin}


@keras.saving.register_keras_serializable(package="asen_tf")
class ChangedClassificationLoss(ClassificationLoss):
    """Cross entropy of the query's embedding after the change.

    Its labels are the query's, but the target's in the attribute that changes: `changed_labels`
    bool [3 E, V] of the targets, which count where the query stands.

    Args:
      output: name of the logits, float [E, V].
      offsets, total, name: see `ClassificationLoss`.
    """

    def __init__(
        self,
        output: str = "changed_logits",
        offsets: Sequence[int] = (),
        total: bool = False,
        name: str = "changed_classification",
    ):
        super().__init__(output, offsets, total, name)

    def call(self, y_true, y_pred):
        (logits,) = self.select(y_pred)
        labels = y_true["changed_labels"][::3]
        return attribute_cross_entropy(logits, labels, self.offsets, self.total)
