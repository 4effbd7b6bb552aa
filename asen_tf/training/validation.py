"""The score that chooses the best checkpoint."""

from collections.abc import Sequence

import numpy as np
from ml_collections import config_dict

from asen_tf.core.choices import VALUES
from asen_tf.core.progress import Quiet
from asen_tf.data.feature_cache import FeatureLoader
from asen_tf.data.image_cache import ImageLoader
from asen_tf.data.manifest import Manifest
from asen_tf.evaluation.beta import choose_betas
from asen_tf.evaluation.embed import embed_fn, embed_rows_fn, image_fn
from asen_tf.evaluation.evaluator import Evaluator
from asen_tf.evaluation.tasks import NothingToMeasure, checked_relevance, retrieval_tasks
from asen_tf.evaluation.triplets import evaluate_triplets
from asen_tf.models.base import EmbeddingModel


def sampled(manifest: Manifest, most: int) -> Manifest:
    """The manifest with at most so many of its validation photographs, drawn at random; 0: all."""
    dropped = np.random.default_rng(0).permutation(manifest.examples_of("valid"))[most:]
    if not most or not len(dropped):
        return manifest
    return manifest.take(np.setdiff1d(np.arange(len(manifest)), dropped))


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
        model: EmbeddingModel,
    ):
        self._manifest = manifest
        self._model = model
        self._batch_size = config.eval.batch_size
        self._relevance = checked_relevance(config.eval.relevance)
        self._functions, self._measures = {}, {}
        self.metric = "map" if manifest.triplets is None else "triplet_accuracy"

    def __call__(
        self,
        slices: Sequence[str] | None,
        load_images: ImageLoader | None,
        features: FeatureLoader | None = None,
    ) -> float:
        """Scores the embedding of these slices; NaN where the data has nothing to validate with.

        Args:
          slices: see `EmbeddingModel.embed`.
          load_images: of the split.
          features: what the model gets in place of images.
        """
        if not self.measures("valid"):
            return float("nan")
        key = slices, load_images, features
        if key not in self._functions:
            self._functions[key] = self._functions_for(*key)
        load, embed = self._functions[key]
        if self._manifest.triplets is not None:
            result = evaluate_triplets(
                embed, self._manifest, "valid", load, self._batch_size, progress=Quiet
            )
        else:
            result = Evaluator(
                embed, self._batch_size, ks=(), relevance=self._relevance, progress=Quiet
            ).evaluate(self._manifest, "valid", load)
        return result[self.metric]

    def choose_beta(
        self, load_images: ImageLoader | None, features: FeatureLoader | None = None
    ) -> float:
        """Gives the model the `beta` that scores best for each attribute, and says how it scores.

        NaN, and the model as it is, where there is nothing to validate with.

        Args:
          load_images, features: as in a call.
        """
        if not self.measures("valid"):
            return float("nan")
        self._model.beta = 0.5
        self._model.beta, score = self._weighed(self._model.slices, None, load_images, features)
        return score

    def choose_value_shares(
        self,
        slices: Sequence[str] | None,
        load_images: ImageLoader | None,
        features: FeatureLoader | None = None,
    ) -> dict:
        """Gives the model's `value_classifiers` the `shares` that score best for each attribute.

        Args:
          slices, load_images, features: as in a call.

        Returns:
          Of what `Workdir.write_best` takes, `slices`, `map`, and the shares by attribute as
          `values`. Where there is nothing to validate with, or the model changes its embeddings
          itself, nothing, and the model stays as it is.
        """
        triplets = self._manifest.triplets is not None
        if not self.measures("valid") or triplets or self._model.manipulates:
            return {}
        slices = (*self._model.used_slices(slices), VALUES)
        self._model.set_value_shares(0.5)
        whole = list(self._model.embedding_slices(slices))[1]
        weights, score = self._weighed((whole, VALUES), slices, load_images, features)
        # Of an attribute whose values are not told apart, all are equally probable.
        known = self._model.value_classifiers
        told = np.add.reduceat(np.abs(known.kernel).sum(0), known.offsets[:-1]) > 0
        shares = np.where(told, 1 - np.array(weights), 0.0)
        self._model.set_value_shares(shares)
        values = dict(zip(self._manifest.space, shares.round(1).tolist(), strict=True))
        return {"slices": slices, "map": score, "values": values}

    def _weighed(self, names, slices, load_images, features):
        """The weight of the first of two parts of an embedding, an attribute, and the MAP."""
        at = self._model.embedding_slices(slices)
        load, embed = self._functions_for(slices, load_images, features)
        return choose_betas(
            embed,
            [at[name] for name in names],
            self._manifest,
            "valid",
            load,
            self._batch_size,
            self._relevance,
        )

    def measures(self, split: str) -> bool:
        """Whether the data has anything to measure on the split."""
        if split not in self._measures:
            self._measures[split] = self._finds_tasks(split)
        return self._measures[split]

    def _finds_tasks(self, split):
        if self._manifest.triplets is not None:
            return len(self._manifest.triplets_of(split)) > 0
        try:
            retrieval_tasks(self._manifest, split, self._relevance)
        except NothingToMeasure:
            return False
        return True

    def _functions_for(self, slices, load_images, features):
        """Those that load and embed."""
        if features is None:
            return image_fn(load_images), embed_fn(self._model, slices)
        return lambda rows: rows, embed_rows_fn(self._model, features, slices)
