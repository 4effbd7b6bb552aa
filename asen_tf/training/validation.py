"""The score that chooses the best checkpoint."""

from collections.abc import Sequence

from ml_collections import config_dict

from asen_tf.core.progress import Quiet
from asen_tf.data.image_cache import ImageLoader
from asen_tf.data.manifest import Manifest
from asen_tf.evaluation.embed import embed_fn, image_fn
from asen_tf.evaluation.evaluator import Evaluator
from asen_tf.evaluation.tasks import checked_relevance
from asen_tf.evaluation.triplets import evaluate_triplets
from asen_tf.models.base import EmbeddingModel


class Validation:
    """The score on the validation split: overall MAP, or the accuracy on the data's triplets.

    Attributes:
      metric: "map" or "triplet_accuracy".

    Raises:
      ValueError: the configuration names an unknown relevance.
    """

    def __init__(
        self,
        config: config_dict.ConfigDict,
        manifest: Manifest,
        load_images: ImageLoader,
        model: EmbeddingModel,
    ):
        self._manifest = manifest
        self._model = model
        self._batch_size = config.eval.batch_size
        self._relevance = checked_relevance(config.eval.relevance)
        self._load_images = image_fn(load_images)
        self._embed_fns = {}
        self.metric = "map" if manifest.triplets is None else "triplet_accuracy"

    def __call__(self, slices: Sequence[str] | None) -> float:
        """Scores the embedding of these slices; NaN where the data has nothing to validate with."""
        has_roles = self._manifest.labels_of("valid")["role"].any()
        if not has_roles and not len(self._manifest.triplets_of("valid")):
            return float("nan")
        if slices not in self._embed_fns:
            self._embed_fns[slices] = embed_fn(self._model, slices)
        embed = self._embed_fns[slices]
        if self._manifest.triplets is not None:
            result = evaluate_triplets(
                embed, self._manifest, "valid", self._load_images, self._batch_size, progress=Quiet
            )
        else:
            result = Evaluator(
                embed, self._batch_size, ks=(), relevance=self._relevance, progress=Quiet
            ).evaluate(self._manifest, "valid", self._load_images)
        return result[self.metric]
