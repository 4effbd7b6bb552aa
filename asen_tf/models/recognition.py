"""Which values an image shows: by class logits, or by classifiers of a model's embedding."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

_KEY = "recognition_"


@dataclasses.dataclass(frozen=True, eq=False)
class ValueClassifiers:
    """Linear classifiers of the values of every attribute, computed from embeddings.

    Attributes:
      offsets: `AttributeSpace.offsets`, A + 1 numbers.
      slices: numbers of the model's slices, whose unit vectors side by side are classified.
      kernel: float32 [C, V].
      bias: float32 [V].
    """

    offsets: np.ndarray
    slices: np.ndarray
    kernel: np.ndarray
    bias: np.ndarray

    def check(self, attributes: int, widths: Sequence[int]) -> None:
        """Raises ValueError unless they are of so many attributes and of slices so wide."""
        numbers = self.offsets, self.slices
        if not all(np.ndim(n) == 1 and np.issubdtype(n.dtype, np.integer) for n in numbers):
            raise ValueError("classifiers of values need lists of whole numbers as offsets, slices")
        begins = len(self.offsets) == attributes + 1 and self.offsets[0] == 0
        if not begins or (np.diff(self.offsets) < 1).any():
            raise ValueError(f"expected where the values of {attributes} attributes begin and end")
        if not set(self.slices.tolist()) <= set(range(len(widths))):
            raise ValueError(f"the model has {len(widths)} slices, got {self.slices.tolist()}")
        values, width = self.offsets[-1], sum(widths[number] for number in self.slices)
        if self.kernel.shape != (width, values) or self.bias.shape != (values,):
            raise ValueError(
                f"classifiers of {values} values need a kernel [{width}, {values}] and a bias "
                f"[{values}], got {list(self.kernel.shape)} and {list(self.bias.shape)}"
            )


class Recognition:
    """What lets an `EmbeddingModel` say how probable each value of an attribute is.

    Classifiers of values are kept with the weights, in every file that these are written to. They
    are constants in what is traced: what was traced before they are set keeps those it had.
    """

    # The outputs whose training makes the output "logits", float32 [B, V] in the flat numbering,
    # say which values an image shows; none: the model has no such output.
    class_outputs: tuple[str, ...] = ()

    value_classifiers: ValueClassifiers | None = None

    @property
    def predicts(self) -> bool:
        """Whether it has `value_probabilities`."""
        return self.value_classifiers is not None or bool(self.class_outputs)

    def value_probabilities(self, images, attributes=None, **options) -> tf.Tensor:
        """How probable each value of attributes is: a softmax over the values of each.

        Classifiers that were computed come before the class logits of a model.

        Args:
          images: uint8 [B, S, S, 3], or a dict of what `frozen_inputs` makes of them.
          attributes: int [M], those wanted; None: all.
          **options: of the model's `compute_outputs`.

        Returns:
          float32 [B, M, W] with W values of the attribute that has most; 0 beyond those of others.

        Raises:
          NotImplementedError: the model has neither.
        """
        chosen = tf.range(self.attributes) if attributes is None else attributes
        chosen = tf.cast(chosen, tf.int32)
        given = images if isinstance(images, Mapping) else {"images": images}
        count = tf.shape(next(iter(given.values())))[0]
        inputs = {**given, "attributes": tf.tile(chosen[None], (count, 1))}
        if self.value_classifiers is not None:
            logits = self._classified(inputs, chosen, options)
        elif self.class_outputs:
            flat = self.compute_outputs(inputs, ["logits"], **options)["logits"]
            logits = tf.gather(self.by_attribute(flat, self.offsets), chosen, axis=1)
        else:
            raise NotImplementedError(
                f"{type(self).__name__} has no classifiers of values: asen_tf.fit_recognition "
                "computes them from labelled photographs"
            )
        return tf.nn.softmax(logits)

    def slice_vectors(self, inputs: Mapping[str, tf.Tensor], slices: Sequence[str], **options):
        """What value classifiers see: the slices' unit vectors side by side, float32 [B, M, C].

        Args:
          inputs, **options: of `compute_outputs`.
          slices: of `used_slices`.
        """
        outputs = self.compute_outputs(inputs, slices, **options)
        return tf.concat([tf.math.l2_normalize(outputs[name], axis=-1) for name in slices], -1)

    def _classified(self, inputs, chosen, options):
        known = self.value_classifiers
        slices = [list(self.slices)[number] for number in known.slices]
        vectors = self.slice_vectors(inputs, slices, **options)
        # [C, A, W] and [A, W], those of the chosen attributes.
        kernel = tf.gather(
            self.by_attribute(np.float32(known.kernel), known.offsets, 0.0), chosen, axis=1
        )
        bias = tf.gather(self.by_attribute(np.float32(known.bias)[None], known.offsets)[0], chosen)
        return tf.einsum("bmc,cmw->bmw", vectors, kernel) + bias

    @staticmethod
    def by_attribute(
        flat: tf.Tensor, offsets: Sequence[int], filling: float = -np.inf
    ) -> tf.Tensor:
        """[R, V] in the flat numbering -> [R, A, W], filled up behind an attribute's values."""
        starts, ends = np.array([offsets[:-1], offsets[1:]])[..., None]
        places = starts + np.arange((ends - starts).max())
        return tf.where(
            places < ends, tf.gather(flat, np.minimum(places, ends - 1), axis=1), filling
        )

    def save_own_variables(self, store) -> None:
        super().save_own_variables(store)
        for name, array in _arrays(self.value_classifiers).items():
            store[f"{_KEY}{name}"] = array

    def load_own_variables(self, store) -> None:
        given = {name: store[name] for name in store.keys()}  # noqa: SIM118  it is no mapping
        found = {
            field.name: given.pop(f"{_KEY}{field.name}")
            for field in dataclasses.fields(ValueClassifiers)
            if f"{_KEY}{field.name}" in given
        }
        super().load_own_variables(given)
        classifiers = ValueClassifiers(**found) if found else None
        if classifiers:
            classifiers.check(self.attributes, list(self.slices.values()))
        self.value_classifiers = classifiers


def _arrays(classifiers: ValueClassifiers | None) -> dict[str, np.ndarray]:
    return {} if classifiers is None else dict(vars(classifiers))
