"""Which values an image shows: by class logits, or by classifiers of what attention has pooled."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from asen_tf.core.choices import VALUES
from asen_tf.models.weighed import weighed

_KEY = "recognition_"
_POOLED = "_pooled"  # of an output's name, behind that of the slice


@dataclasses.dataclass(frozen=True, eq=False)
class ValueClassifiers:
    """Linear classifiers of the values of every attribute, computed from labelled images.

    Attributes:
      offsets: `AttributeSpace.offsets`, A + 1 numbers.
      inputs: numbers of the model's `value_inputs`, whose unit vectors side by side are classified.
      kernel: float32 [C, V].
      bias: float32 [V].
      shares: float32 [A] or [], what the values' probabilities count for in an embedding of the
        inputs' slices, in [0, 1]: the weight of their cosine in the similarity. Where all are 0
        they are no part of it.
    """

    offsets: np.ndarray
    inputs: np.ndarray
    kernel: np.ndarray
    bias: np.ndarray
    shares: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros((), np.float32))

    def with_attribute(
        self, kernel: np.ndarray, bias: np.ndarray, share: float
    ) -> "ValueClassifiers":
        """These and, behind them, those of one attribute more.

        Args:
          kernel, bias: float32 [C, W] and [W], of its W values.
          share: of its values' probabilities, in [0, 1]; 0 where they are no part of embeddings.
        """
        shares = np.broadcast_to(self.shares, len(self.offsets) - 1)
        return dataclasses.replace(
            self,
            offsets=np.append(self.offsets, self.offsets[-1] + len(bias)),
            kernel=np.concatenate([self.kernel, kernel], axis=1, dtype=np.float32),
            bias=np.concatenate([self.bias, bias], dtype=np.float32),
            shares=np.append(shares, share).astype(np.float32),
        )

    def check(self, attributes: int, widths: Sequence[int]) -> None:
        """Raises ValueError unless they are of so many attributes and of inputs so wide."""
        numbers = self.offsets, self.inputs
        if not all(np.ndim(n) == 1 and np.issubdtype(n.dtype, np.integer) for n in numbers):
            raise ValueError("classifiers of values need lists of whole numbers as offsets, inputs")
        begins = len(self.offsets) == attributes + 1 and self.offsets[0] == 0
        if not begins or (np.diff(self.offsets) < 1).any():
            raise ValueError(f"expected where the values of {attributes} attributes begin and end")
        if not set(self.inputs.tolist()) <= set(range(len(widths))):
            raise ValueError(f"the model has {len(widths)} inputs, got {self.inputs.tolist()}")
        values, width = self.offsets[-1], sum(widths[number] for number in self.inputs)
        if self.kernel.shape != (width, values) or self.bias.shape != (values,):
            raise ValueError(
                f"classifiers of {values} values need a kernel [{width}, {values}] and a bias "
                f"[{values}], got {list(self.kernel.shape)} and {list(self.bias.shape)}"
            )
        shares = self.shares
        if shares.shape not in ((), (attributes,)) or not ((shares >= 0) & (shares <= 1)).all():
            raise ValueError(
                f"expected the share of the values' probabilities in an embedding, in [0, 1], once "
                f"or for each of {attributes} attributes, got {shares.tolist()}"
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
    def value_inputs(self) -> dict[str, int]:
        """Names and widths of the outputs that classifiers of values can see.

        These are the slices, and behind them what slices are projected from, see
        `EmbeddingModel.pooled_dims`.
        """
        return {
            **self.slices,
            **{name + _POOLED: width for name, width in self.pooled_dims.items()},
        }

    def value_inputs_of(self, slices: Iterable[str]) -> list[str]:
        """What new classifiers see of slices: what they are projected from, where it is given.

        A projection that other losses train leaves out what only the values need.
        """
        return [name + _POOLED if name in self.pooled_dims else name for name in slices]

    def slices_of(self, names: Iterable[str]) -> list[str]:
        """The slices that `value_inputs` of these names belong to."""
        return [name if name in self.slices else name.removesuffix(_POOLED) for name in names]

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
            outputs = self.compute_outputs(
                inputs, self.slices_of(self.used_value_inputs), **options
            )
            logits = self._classify(outputs, inputs["attributes"])
        elif self.class_outputs:
            flat = self.compute_outputs(inputs, ["logits"], **options)["logits"]
            logits = tf.gather(self.by_attribute(flat, self.offsets), chosen, axis=1)
        else:
            raise NotImplementedError(
                f"{type(self).__name__} has no classifiers of values: asen_tf.fit_recognition "
                "computes them from labelled photographs"
            )
        return tf.nn.softmax(logits)

    def value_input_vectors(self, inputs: Mapping[str, tf.Tensor], names: Sequence[str], **options):
        """What value classifiers see: unit vectors side by side, float32 [B, M, C].

        Args:
          inputs, **options: of `compute_outputs`.
          names: of `value_inputs`.
        """
        return _side_by_side(self.compute_outputs(inputs, self.slices_of(names), **options), names)

    def set_value_shares(self, shares: float | Sequence[float]) -> None:
        """Sets the `shares` of its classifiers, for what is traced from now on."""
        given = dataclasses.replace(self.value_classifiers, shares=np.float32(shares))
        given.check(self.attributes, list(self.value_inputs.values()))
        self.value_classifiers = given

    def embeds_values(self, slices: Sequence[str] | None = None) -> bool:
        """Whether an embedding ends with the probabilities of values.

        Args:
          slices: that make the embedding, see `EmbeddingModel.embed`; "values" has to be one of
            them, and the others are those whose inputs are classified. A model that changes its
            embeddings itself takes them without.
        """
        known = self.value_classifiers
        if known is None or self.manipulates or VALUES not in (slices or (VALUES,)):
            return False
        if not known.shares.any():
            return False
        return set(self.slices_of(self.used_value_inputs)) == set(self.used_slices(slices))

    def with_values(
        self,
        vectors: tf.Tensor,
        outputs: Mapping[str, tf.Tensor],
        attributes: tf.Tensor,
    ) -> tf.Tensor:
        """concat(sqrt(1 - s) v, sqrt(s) unit(p)), with an attribute's share s of `shares`.

        A dot product of two such vectors is (1 - s) times the embedding's similarity plus s times
        the cosine of the values' probabilities p.

        Args:
          vectors: v, unit vectors of the slices whose inputs are classified, float32 [B, M, D].
          outputs: of `compute_outputs`, those slices.
          attributes: int [B, M].

        Returns:
          float32 [B, M, D + W], W as of `value_probabilities`.
        """
        logits = self._classify(outputs, attributes)
        probabilities = tf.math.l2_normalize(tf.nn.softmax(logits), axis=-1)
        return weighed(vectors, probabilities, 1 - self.value_classifiers.shares, attributes)

    @property
    def used_value_inputs(self) -> list[str]:
        """Names of the `value_inputs` that its classifiers see."""
        names = list(self.value_inputs)
        return [names[number] for number in self.value_classifiers.inputs]

    def _classify(self, outputs, attributes):
        """Logits float32 [B, M, W] of the values of attributes [B, M]."""
        known = self.value_classifiers
        vectors = _side_by_side(outputs, self.used_value_inputs)
        flat = tf.einsum("bmc,cv->bmv", vectors, np.float32(known.kernel)) + np.float32(known.bias)
        places, inside = _places(known.offsets)
        own = tf.gather(flat, tf.gather(places, attributes), batch_dims=2)
        return tf.where(tf.gather(inside, attributes), own, -np.inf)

    @staticmethod
    def by_attribute(flat: tf.Tensor, offsets: Sequence[int]) -> tf.Tensor:
        """[R, V] in the flat numbering -> [R, A, W], -inf behind an attribute's values."""
        places, inside = _places(offsets)
        return tf.where(inside, tf.gather(flat, places, axis=1), -np.inf)

    def save_own_variables(self, store) -> None:
        super().save_own_variables(store)
        for name, array in _arrays(self.value_classifiers).items():
            store[f"{_KEY}{name}"] = array

    def load_own_variables(self, store) -> None:
        given = {name: store[name] for name in store.keys()}  # noqa: SIM118  it is no mapping
        if f"{_KEY}slices" in given:  # of a file whose classifiers see slices alone
            given[f"{_KEY}inputs"] = given.pop(f"{_KEY}slices")
        found = {
            field.name: given.pop(f"{_KEY}{field.name}")
            for field in dataclasses.fields(ValueClassifiers)
            if f"{_KEY}{field.name}" in given
        }
        super().load_own_variables(given)
        classifiers = ValueClassifiers(**found) if found else None
        if classifiers:
            classifiers.check(self.attributes, list(self.value_inputs.values()))
        self.value_classifiers = classifiers


def _side_by_side(outputs, names):
    return tf.concat([tf.math.l2_normalize(outputs[name], axis=-1) for name in names], -1)


def _places(offsets: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Where the values of each attribute stand, int [A, W], and whether there is one, bool."""
    starts, ends = np.array([offsets[:-1], offsets[1:]])[..., None]
    places = starts + np.arange((ends - starts).max())
    return np.minimum(places, ends - 1), places < ends


def _arrays(classifiers: ValueClassifiers | None) -> dict[str, np.ndarray]:
    return {} if classifiers is None else dict(vars(classifiers))
