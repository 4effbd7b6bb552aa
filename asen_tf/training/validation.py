"""The score that chooses the best checkpoint."""

from collections.abc import Sequence

from ml_collections import config_dict

from asen_tf.core.progress import Quiet
from asen_tf.data.canvases import Canvases
from asen_tf.data.manifest import Manifest
from asen_tf.evaluation.embed import canvas_fn, embed_fn
from asen_tf.evaluation.evaluator import Evaluator
from asen_tf.models.base import EmbeddingModel


class Validation:
    """Overall MAP on the validation split; NaN where the data has none."""

    def __init__(
        self,
        config: config_dict.ConfigDict,
        manifest: Manifest,
        canvases: Canvases,
        model: EmbeddingModel,
    ):
        self._manifest = manifest
        self._model = model
        self._batch_size = config.eval.batch_size
        self._canvases = canvas_fn(canvases)
        self._evaluators = {}

    def __call__(self, parts: Sequence[str]) -> float:
        """Scores the embedding of these parts."""
        if not self._manifest.labels_of("valid")["role"].any():
            return float("nan")
        if parts not in self._evaluators:
            self._evaluators[parts] = Evaluator(
                embed_fn(self._model, parts),
                self._batch_size,
                ks=(),
                progress=Quiet,
            )
        evaluator = self._evaluators[parts]
        return evaluator.evaluate(self._manifest, "valid", self._canvases)["map"]
