"""What every model offers to training, evaluation, export and search."""

import abc
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from asen_client.core.errors import unknown_name
from asen_tf.backbones import FeatureExtractor
from asen_tf.core.choices import VALUES, WITH_VALUES
from asen_tf.losses import Loss
from asen_tf.models.compiled import CompiledLosses
from asen_tf.models.preset import Preset
from asen_tf.models.recognition import Recognition


class EmbeddingModel(Recognition, Preset, keras.Model, abc.ABC):
    """Embeds (image, attribute) pairs; a dot product of two embeddings is their similarity.

    Images are uint8 [B, S, S, 3] with S = `image_size`. Attributes are ids in [0, `attributes`),
    int [B] (one an image) or [B, M] (M an image). Whatever works an image rather than a pair runs
    once an image.

    An embedding is made of slices, such as ASEN's "global" and "local", which are also names of
    outputs; those that no loss has trained yet can be left out. Behind them may stand how probable
    each value is (`with_values`), which no loss trains: a call gives the slices alone.

    Call arguments:
      inputs: {"images": uint8 [B, S, S, 3], "attributes": int32 [B, M]}.
      training: for batch normalisation.

    Returns:
      "embedding" float32 [B, M, D], unit vectors, and the outputs that the compiled losses need.
    """

    attributes: int

    # How much the first of two slices counts beside the other: one number, or one an attribute.
    beta: float | tuple[float, ...] | None = None

    @property
    @abc.abstractmethod
    def image_size(self) -> int:
        """Side of the square images that it takes, in pixels."""

    @property
    def attribute_tables(self) -> tuple[keras.Variable, ...]:
        """Variables with a row for each attribute, [A, ...], where these are all it has of one.

        An attribute is then added by a row, see `models.grown`. None: a model that has more of an
        attribute, or nothing.
        """
        return ()

    @property
    def input_size(self) -> int:
        """Side of the image that attention lies over, in pixels."""
        return self.image_size

    @property
    @abc.abstractmethod
    def slices(self) -> dict[str, int]:
        """Names and widths of the slices of which an embedding can be made, in their order."""

    @property
    def pooled_dims(self) -> dict[str, int]:
        """Of slices that are projections of features which attention has pooled, their channels C.

        Whoever asks for such a slice gets these features, too, before any channel attention: the
        output SLICE_pooled, float32 [B, M, C].
        """
        return {}

    @abc.abstractmethod
    def compute_outputs(
        self, inputs: Mapping[str, tf.Tensor], names: Iterable[str], training: bool = False
    ) -> dict[str, tf.Tensor]:
        """The outputs of these names, and perhaps others.

        Args:
          inputs: "images" uint8 [B, S, S, 3], or what `frozen_inputs` makes of them; "attributes"
            int32 [B, M]; and what else a model takes.
          names: of slices, float32 [B, M, D], not normalised; of what else losses need.
          training: for batch normalisation.
        """

    def frozen_inputs(self, images, names: Iterable[str]) -> dict[str, tf.Tensor]:
        """What `compute_outputs` takes in place of images while what makes it is frozen.

        Args:
          images: uint8 [B, S, S, 3].
          names: of the outputs that will be computed.

        Returns:
          Feature maps by name: float [B, h, w, C], or [B, A, h, w, C], one for each attribute, of
          which `compute_outputs` takes those of its "attributes", [B, M, h, w, C].

        Raises:
          ValueError: the model needs the images themselves.
        """
        raise ValueError(f"{type(self).__name__} needs the images: it has no frozen features")

    def join(
        self, outputs: Mapping[str, tf.Tensor], slices: Sequence[str], attributes: tf.Tensor
    ) -> tf.Tensor:
        """The embedding, unit vectors float32 [B, M, D], from the outputs of its slices.

        Args:
          outputs: of `compute_outputs`.
          slices: of `used_slices`.
          attributes: int [B, M], what each vector is for.
        """
        (name,) = slices
        return tf.math.l2_normalize(outputs[name], axis=-1)

    def used_slices(self, slices: Sequence[str] | None = None) -> tuple[str, ...]:
        """The slices that make the embedding, of those named, in the order they stand in it.

        "values" may be named, too, and is none of them: no loss trains it, see `embeds_values`.

        Raises:
          ValueError: an unknown slice; names the nearest. Or "values" alone.
        """
        self._check_names("slice", slices or (), (*self.slices, VALUES))
        if slices is not None and {*slices} == {VALUES}:
            raise ValueError(
                f"{VALUES} stand behind other slices: name them, too, of {', '.join(self.slices)}"
            )
        return tuple(name for name in self.slices if slices is None or name in slices)

    def _check_names(self, kind, names, known):
        for name in names:
            if name not in known:
                raise ValueError(unknown_name(f"{kind} of {type(self).__name__}", name, known))

    def embedding_slices(self, slices: Sequence[str] | None = None) -> dict[str, slice]:
        """Where each of the slices stands in the embedding, the whole of it first.

        "both" is two slices side by side; "all" is the whole with "values", where these are part of
        it (`embeds_values`).
        """
        used = self.used_slices(slices)
        ends = list(itertools.accumulate(self.slices[name] for name in used))
        found = dict(zip(used, map(slice, [0, *ends[:-1]], ends), strict=True))
        if len(used) > 1:
            found = {"both": slice(0, ends[-1]), **found}
        if self.embeds_values(slices):
            end = ends[-1] + int(np.diff(self.value_classifiers.offsets).max())
            found = {WITH_VALUES: slice(0, end), **found, VALUES: slice(ends[-1], end)}
        return found

    def trained_slices(self, outputs: Iterable[str]) -> tuple[str, ...] | None:
        """Those of the slices that are among these outputs; None, all, where none is."""
        return tuple(name for name in self.slices if name in outputs) or None

    def embed(self, images, attributes, slices=None, training=False, **options) -> tf.Tensor:
        """Embeddings of (image, attribute) pairs.

        Args:
          images: uint8 [B, S, S, 3], or a dict of what `frozen_inputs` makes of them.
          attributes: int [B] or [B, M].
          slices: that make the embedding; None: all that the model uses, and "values" where it
            has classifiers that say so.
          training: for batch normalisation.
          **options: of the model's `compute_outputs`.

        Returns:
          float32 [B, D] or [B, M, D], unit vectors.
        """
        attributes = tf.convert_to_tensor(attributes)
        if attributes.shape.rank == 1:
            return self.embed(images, attributes[:, None], slices, training, **options)[:, 0]
        used = self.used_slices(slices)
        given = images if isinstance(images, Mapping) else {"images": images}
        inputs = {**given, "attributes": attributes}
        outputs = self.compute_outputs(inputs, used, training, **options)
        vectors = self.join(outputs, used, attributes)
        if self.embeds_values(slices):
            vectors = self.with_values(vectors, outputs, attributes)
        return vectors

    def portable_options(self, images) -> dict[str, Any]:
        """Options of `compute_outputs` with which it needs nothing that other runtimes lack.

        `images`: uint8 [B, S, S, 3], of which it computes then.
        """
        return {}

    def embed_all(self, images, slices=None, training=False) -> tf.Tensor:
        """Unit vectors for every attribute, float32 [B, A, D]."""
        return self.embed(images, self.all_attributes(images), slices, training)

    def all_attributes(self, images) -> tf.Tensor:
        """int32 [B, A]: every attribute for every image."""
        return tf.tile(tf.range(self.attributes)[None], (tf.shape(images)[0], 1))

    # Training, by `fit` or by `asen_tf.train`.

    def compile(
        self,
        optimizer="rmsprop",
        loss: Loss | Mapping[str, Loss] | None = None,
        loss_weights: Mapping[str, float] | None = None,
        **kwargs,
    ) -> None:
        """`keras.Model.compile` with losses that add up by name.

        Args:
          optimizer: of Keras; `asen_tf.training.optimizer` makes one with rates by variable name.
          loss: what a log calls it -> a loss on named outputs; or one loss.
          loss_weights: of the losses, 1 where none is given.
          **kwargs: other arguments of `keras.Model.compile`; `metrics` get a batch's attributes,
            int32 [N, M], and its embeddings, float32 [N, M, D].

        Raises:
          ValueError: a weight of a loss that is not there.
        """
        super().compile(optimizer=optimizer, loss=None, **kwargs)
        self.compiled_losses = CompiledLosses.of(loss, loss_weights)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The weighted sum of the losses of a batch, float32 [].

        Each is the mean over the batch's examples. On several replicas this is the replica's share:
        the shares add up to the mean over the whole batch.

        Args:
          x: inputs, not used.
          y: targets, see `asen_tf.losses.Loss`.
          y_pred: what the model gave for x.
          sample_weight: must be None.
          training: not used.

        Raises:
          ValueError: the model was compiled without a loss, or weights of samples were given.
        """
        if sample_weight is not None:
            raise ValueError("examples are not weighted: expected batches (x, y) without weights")
        if self.compiled_losses is None:
            raise ValueError("no loss to compute: give compile(loss=...) at least one")
        return self.compiled_losses(y, y_pred)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        return super().compute_metrics(x, x["attributes"], y_pred["embedding"], sample_weight)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """Keras's own, and the running mean of each compiled loss."""
        return [
            *super().metrics,
            *(self.compiled_losses.means.values() if self.compiled_losses else ()),
        ]

    compiled_losses: CompiledLosses | None = None

    def call(self, inputs, training=False):
        needed = self.compiled_losses.outputs if self.compiled_losses else ()
        used = self.used_slices(self.trained_slices(needed))
        outputs = self.compute_outputs(inputs, dict.fromkeys([*used, *needed]), training)
        self._check_names("output", needed, outputs)
        found = {name: outputs[name] for name in needed}
        return {"embedding": self.join(outputs, used, inputs["attributes"]), **found}

    def get_compile_config(self):
        config = super().get_compile_config()
        if config and self.compiled_losses:
            config |= self.compiled_losses.get_config()
        return config

    def compile_from_config(self, config):
        config = keras.saving.deserialize_keras_object(config)
        self.compile(**config)
        if getattr(self, "optimizer", None) and self.built:
            self.optimizer.build(self.trainable_variables)

    # What some models can do besides.

    def explain(self, images, attributes) -> tuple[tf.Tensor, tf.Tensor]:
        """Where the model looked for an attribute.

        Args:
          images: uint8 [B, S, S, 3].
          attributes: int [B] or [B, M].

        Returns:
          attention float32 [B, h, w] or [B, M, h, w], over the image, summing to 1;
          boxes float32 [B, 4] or [B, M, 4], `rel_xyxy` of the image: the regions of interest.

        Raises:
          NotImplementedError: the model has no attention.
        """
        attributes = tf.convert_to_tensor(attributes)
        if attributes.shape.rank == 1:
            attention, boxes = self.explain(images, attributes[:, None])
            return attention[:, 0], boxes[:, 0]
        return self.attend(images, attributes)

    def attend(self, images, attributes) -> tuple[tf.Tensor, tf.Tensor]:
        """What `explain` gives, for attributes [B, M]."""
        raise NotImplementedError(f"{type(self).__name__} has no attention to explain")

    @property
    def explains(self) -> bool:
        """Whether it has attention to show."""
        return type(self).attend is not EmbeddingModel.attend

    @property
    def feature_extractor(self) -> FeatureExtractor:
        """What makes the feature maps that `embed_features` takes."""
        raise NotImplementedError(f"{type(self).__name__} has no embedding of feature maps alone")

    def embed_features(self, features, attributes) -> tf.Tensor:
        """What `embed` makes of images, from the feature maps of `feature_extractor`.

        A model of several branches takes those of the first, and gives its embedding alone.

        Args:
          features: float [B, h, w, C].
          attributes: int [B, M].

        Returns:
          float32 [B, M, D], unit vectors.
        """
        raise NotImplementedError(f"{type(self).__name__} has no embedding of feature maps alone")

    @property
    def embeds_features(self) -> bool:
        """Whether it has `feature_extractor` and `embed_features`."""
        return type(self).embed_features is not EmbeddingModel.embed_features

    def channel_weights(self, images, attributes) -> tf.Tensor:
        """How much each channel of the feature maps counts for attributes.

        Args:
          images: uint8 [B, S, S, 3].
          attributes: int [B, M].

        Returns:
          float32 [B, M, C], not negative.
        """
        raise NotImplementedError(f"{type(self).__name__} does not weigh channels by attribute")

    @property
    def weighs_channels(self) -> bool:
        """Whether it has `channel_weights`."""
        return type(self).channel_weights is not EmbeddingModel.channel_weights

    @property
    def manipulates(self) -> bool:
        """Whether it changes embeddings itself."""
        return type(self).change is not EmbeddingModel.change

    def change(self, vectors, attributes, values) -> tf.Tensor:
        """What embeddings become when attributes change; few models do this themselves.

        Those have one embedding of an image, the same for every attribute.

        Args:
          vectors: float32 [R, D], from `embed`.
          attributes, values: int [R, C], C wanted values, each counted within its attribute.

        Returns:
          float32 [R, D], unit vectors, to be compared with what `embed` gives for other images.
        """
        raise NotImplementedError(f"{type(self).__name__} does not change embeddings")

    def closed_form_vectors(self, inputs) -> tf.Tensor:
        """What `fit_closed_form` needs of images, float32 [B, C].

        Args:
          inputs: as of `compute_outputs`, without attributes.
        """
        raise NotImplementedError(f"{type(self).__name__} solves nothing in closed form")

    def fit_closed_form(self, vectors: np.ndarray, labels: np.ndarray) -> None:
        """Gives weights their best values for the training images, where these can be computed.

        Args:
          vectors: float32 [N, C], the `closed_form_vectors` of all images.
          labels: bool [N, V], which values they carry, in the flat numbering.
        """
        raise NotImplementedError(f"{type(self).__name__} solves nothing in closed form")

    @property
    def fits_closed_form(self) -> bool:
        """Whether it has `closed_form_vectors` and `fit_closed_form`."""
        return type(self).fit_closed_form is not EmbeddingModel.fit_closed_form

    def configure_backbones(self, jit_compile: bool = False, recompute: bool = False) -> None:
        """How all its backbones run, see `FeatureExtractor.configure`."""
        for layer in self.layers:
            if isinstance(layer, FeatureExtractor):
                layer.configure(jit_compile, recompute)


def numbered(branch: str, maps: Iterable[tf.Tensor]) -> dict[str, tf.Tensor]:
    """The feature maps of a branch's levels by name, as `frozen_inputs` gives them."""
    return {f"{branch}_{level}": features for level, features in enumerate(maps)}


def maps_of(branch: str, inputs: Mapping[str, tf.Tensor]) -> list[tf.Tensor]:
    """Those of the feature maps, by level; none where there are images instead."""
    names = (f"{branch}_{level}" for level in itertools.count())
    return [inputs[name] for name in itertools.takewhile(inputs.__contains__, names)]
