"""A new attribute of a trained model, learned from a few photographs: a row, classifiers of values.

What is learned is the row of the new attribute in the model's `attribute_tables`, by the loss that
has trained the others, on frozen features; then, in closed form, which values a photograph shows.
From which rows it starts, how long it learns, and how much each part of an embedding counts is
chosen by cross-validation, where that tells: few photographs tell little, and to learn from them
may do harm. Nothing of the other attributes changes.
"""

import dataclasses
import warnings
from collections.abc import Mapping, Sequence

import keras
import numpy as np
import scipy.special
import tensorflow as tf
from sklearn.model_selection import StratifiedGroupKFold

from asen_tf.core.progress import Progress
from asen_tf.data.feature_cache import FeatureLoader
from asen_tf.data.image_cache import ImageLoader
from asen_tf.evaluation.beta import GRID
from asen_tf.losses.mining import mined_triplet_loss
from asen_tf.metrics import retrieval
from asen_tf.models.base import EmbeddingModel
from asen_tf.models.grown import grown, with_rows
from asen_tf.models.linear.discriminant import linear_discriminant
from asen_tf.tracing import traced
from asen_tf.training.recognition import temperature

STARTS = 2  # existing rows to learn on from, beside the mean of all
STEPS, EVERY = 100, 10  # how long a row learns, and when it is looked at
RATE = 0.1  # of Adam, in standard deviations of a table
_TOGETHER = 96  # photographs of a step
_BATCH = 32  # of embedding
_HALF = 0.5  # what the first of two parts of an embedding counts, where nothing tells otherwise


@dataclasses.dataclass(frozen=True)
class Examples:
    """Photographs that are labelled for the new attribute.

    Attributes:
      rows: int64 [N], those of the manifest.
      labels: bool [N, V], the values that each carries.
      groups: int [N]; photographs of one group, such as a product, are never compared.
      folds: int [N], 0 to K - 1: the part of the cross-validation that each is in.
    """

    rows: np.ndarray
    labels: np.ndarray
    groups: np.ndarray
    folds: np.ndarray

    @classmethod
    def divided(
        cls, rows: np.ndarray, labels: np.ndarray, groups: np.ndarray, folds: int, seed: int = 0
    ) -> "Examples":
        """Divides photographs into folds, fewer where a value has fewer; groups stay together."""
        first = labels.argmax(1)
        fewest = min(len(np.unique(groups[own])) for own in labels.T)
        folds = max(2, min(folds, fewest))
        found = np.zeros(len(rows), np.int64)
        divide = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The least populated class")  # as a first value
            for number, (_, held_out) in enumerate(divide.split(first, first, groups)):
                found[held_out] = number
        return cls(rows, labels, groups, found)

    @property
    def count(self) -> int:
        """K, of the folds."""
        return int(self.folds.max()) + 1

    @property
    def relevant(self) -> np.ndarray:
        """bool [N, N]: which share a value."""
        return (self.labels.astype(np.float32) @ self.labels.T) > 0

    @property
    def excluded(self) -> np.ndarray:
        """bool [N, N]: which are of one group, each of its own among them."""
        return self.groups[:, None] == self.groups

    @property
    def random(self) -> float:
        """The MAP of a random order, expected."""
        others = ~self.excluded
        relevant = (self.relevant & others).sum(1)
        found = retrieval.expected_average_precision(relevant, others.sum(1))
        return float(found[relevant > 0].mean()) if relevant.any() else 0.0

    def precisions(self, similarity: np.ndarray) -> np.ndarray:
        """Average precisions where each photograph is a query among all others, float64 [Q].

        Args:
          similarity: float [N, N].

        Returns:
          Of the queries that can be answered, which are the same for every similarity.
        """
        ranked = retrieval.ranked_relevance(similarity, self.relevant, self.excluded)
        return retrieval.average_precision(ranked[ranked.any(1)])

    def score(self, similarity: np.ndarray) -> float:
        """The mean of `precisions`; 0 where there are none."""
        found = self.precisions(similarity)
        return float(found.mean()) if len(found) else 0.0


@dataclasses.dataclass(frozen=True)
class Learned:
    """What was learned of a new attribute.

    Attributes:
      rows: of each of the model's `attribute_tables`, float32 [...].
      beta: weight of the first of two slices; None: the model has one for all attributes.
      kernel, bias, share: of the value classifiers, see `ValueClassifiers`.
      quality: by cross-validation, from 0 to 1: `map`; `frozen_map`, that of the cosine of the
        backbone's features; `random_map`, of a random order; `accuracy` of the values that are
        named, and `most_frequent`, that of always naming the most frequent one.
    """

    rows: list[np.ndarray]
    beta: float | None
    kernel: np.ndarray
    bias: np.ndarray
    share: float
    quality: dict[str, float]


def learn(
    model: EmbeddingModel,
    examples: Examples,
    features: FeatureLoader,
    load_images: ImageLoader,
    slices: Sequence[str],
    loss: Mapping[str, object],
    with_values: bool,
    seed: int = 0,
) -> Learned:
    """Learns a new attribute of a model, which stays as it is.

    Args:
      model: one with `attribute_tables`.
      examples: of the new attribute.
      features: the model's `frozen_inputs` for its first slice.
      load_images: of the examples, where other slices are used.
      slices: of the embedding, see `EmbeddingModel.used_slices`.
      loss: `distance` and `margin` of the triplet loss.
      with_values: whether values' probabilities may become part of the embedding.
      seed: of the order of the photographs.
    """
    learner = _Rows(model, examples, features, loss, seed)
    rows, ids = learner.learn()
    known = model.value_classifiers
    classified = model.value_inputs_of(slices) if known is None else model.used_value_inputs
    outputs = learner.outputs(ids, slices, classified, load_images)
    beta, similarity = learner.weighed({name: outputs[name] for name in slices}, ids)
    vectors = np.concatenate([_unit(outputs[name]) for name in classified], -1)
    probabilities, flat = _values(examples, vectors)
    kernel, bias = linear_discriminant(vectors[:, -1], examples.labels)
    share = 0.0
    if with_values:
        weight, similarity = _best(examples, similarity, _cosines(probabilities))
        share = round(1 - weight, 1)
    frozen = learner.frozen_vectors()
    right = examples.labels[np.arange(len(examples.rows)), probabilities.argmax(1)]
    quality = {
        "map": examples.score(similarity),
        "frozen_map": examples.score(_cosines(frozen)),
        "random_map": examples.random,
        "accuracy": float(right.mean()),
        "most_frequent": float(examples.labels.mean(0).max()),
    }
    return Learned(rows, beta, kernel / flat, bias / flat, share, quality)


def with_attribute(model: EmbeddingModel, learned: Learned) -> EmbeddingModel:
    """A model of the same weights with the new attribute behind its own."""
    made = grown(model)
    tables = zip(made.attribute_tables, model.attribute_tables, learned.rows, strict=True)
    for table, before, row in tables:
        table.assign(with_rows(before, row[None]))
    if learned.beta is not None:
        made.beta = (*model.beta, learned.beta)
    if model.value_classifiers is not None:
        values = learned.kernel, learned.bias, learned.share
        made.value_classifiers = model.value_classifiers.with_attribute(*values)
    return made


class _Rows:
    """Rows that learn: of each start one for each fold, which it does not see, and one of all.

    They are attributes of one model, which all learn in one pass; none gets what another learns.
    """

    def __init__(self, model, examples, features, loss, seed):
        self._examples, self._features, self._loss = examples, features, loss
        self._draw = np.random.default_rng(seed)
        self._first = next(iter(model.slices))
        self._each = examples.count + 1
        starts = self._starts(model)
        self._model = grown(model, len(starts) * self._each)
        self._ids = model.attributes + np.arange(len(starts) * self._each)
        self._tables = self._model.attribute_tables
        for number, table in enumerate(self._tables):
            rows = [start[number] for start in starts for _ in range(self._each)]
            table.assign(with_rows(np.asarray(table)[: model.attributes], rows))
        self._embed = self._embedding(self._model, self._ids)

    def _starts(self, model) -> list[list[np.ndarray]]:
        """Rows, a table each: those that rank the photographs best, and the mean of all."""
        tables = [np.asarray(table) for table in model.attribute_tables]
        vectors = self._in_batches(self._embedding(model, np.arange(model.attributes)))
        scores = [self._examples.score(own @ own.T) for own in vectors.swapaxes(0, 1)]
        best = np.argsort(scores, kind="stable")[::-1][:STARTS]
        return [*([table[at] for table in tables] for at in best), [t.mean(0) for t in tables]]

    def learn(self) -> tuple[list[np.ndarray], np.ndarray]:
        """The row of each table, and which attributes of the model the folds' and it are."""
        step, best = self._step(), None
        with Progress("learning", STEPS, "steps") as progress:
            for number in range(STEPS + 1):
                if number % EVERY == 0:
                    best = self._looked_at(best)
                if number < STEPS:
                    step(tf.constant(self._drawn()))
                    progress.update(1)
        _, _, start, kept = best
        at = slice(start * self._each, (start + 1) * self._each)
        ids = self._ids[at]
        for table, rows in zip(self._tables, kept, strict=True):
            values = np.array(table)
            values[ids] = rows
            table.assign(values)
        return [rows[-1] for rows in kept], ids

    def _looked_at(self, best):
        """What ranks best: its gain over the first, precisions of the first, its start, its rows.

        The first is the existing row that ranks best, before it has learned.
        """
        vectors = self._in_batches(self._embed)
        for start, own in enumerate(np.split(vectors, vectors.shape[1] // self._each, axis=1)):
            held_out = own[np.arange(len(own)), self._examples.folds]
            found = self._examples.precisions(held_out @ held_out.T)
            first = best[1] if best else found
            gain = sure_gain(found - first)
            if best is None or gain > best[0]:
                at = self._ids[start * self._each : (start + 1) * self._each]
                best = gain, first, start, [np.array(table)[at] for table in self._tables]
        return best

    def _drawn(self) -> np.ndarray:
        return self._draw.permutation(len(self._examples.rows))[:_TOGETHER]

    def _step(self):
        """A function that lets all rows learn from photographs, int64 [B], by their places."""
        examples, model, tables = self._examples, self._model, self._tables
        rate = RATE * float(np.mean([np.std(table) for table in tables]))
        adam = keras.optimizers.Adam(rate)
        adam.build(list(tables))
        fold = np.tile(np.arange(self._each), len(self._ids) // self._each)
        learns = fold[:, None] != examples.folds  # the last is of no fold
        relevant, same = examples.relevant, examples.excluded

        @traced
        def step(places):
            def among(pairs):
                return tf.gather(tf.gather(pairs, places), places, axis=1)

            own = tf.gather(tf.constant(learns), places, axis=1)
            both = own[:, :, None] & own[:, None, :]
            positive = both & among(relevant & ~same)
            negative = both & among(~relevant & ~same)
            inputs = self._inputs(tf.gather(examples.rows, places), self._ids)
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                for table in tables:
                    tape.watch(table.value)
                found = model.compute_outputs(inputs, [self._first])[self._first]
                losses, valid = mined_triplet_loss(
                    found, positive, negative, mining="all", **self._loss
                )
                counts = tf.reduce_sum(tf.cast(valid, losses.dtype), 0)
                loss = tf.reduce_sum(tf.math.divide_no_nan(tf.reduce_sum(losses, 0), counts))
            gradients = tape.gradient(loss, [table.value for table in tables])
            adam.apply([tf.convert_to_tensor(g) for g in gradients], list(tables))

        return step

    def _inputs(self, rows, ids) -> dict[str, tf.Tensor]:
        pairs = tf.tile(tf.constant(ids, tf.int32)[None], (tf.shape(rows)[0], 1))
        return {**self._features(rows, pairs), "attributes": pairs}

    def _embedding(self, model, ids):
        """A function from rows to unit vectors by the first slice, float32 [B, M, D]."""

        def embed(rows):
            inputs = self._inputs(rows, ids)
            outputs = model.compute_outputs(inputs, [self._first])
            return model.join(outputs, (self._first,), inputs["attributes"])

        return traced(embed, reduce_retracing=True)

    def outputs(self, ids, slices, classified, load_images) -> dict[str, np.ndarray]:
        """What the model gives of the examples for these attributes: by name, [N, M, D]."""
        names = [*dict.fromkeys([*slices, *classified])]
        needed = [*dict.fromkeys([*slices, *self._model.slices_of(classified)])]

        def compute(rows):
            inputs = self._inputs(rows, ids)
            if needed != [self._first]:
                inputs = {"images": load_images(rows), "attributes": inputs["attributes"]}
            outputs = self._model.compute_outputs(inputs, needed)
            return tf.concat([outputs[name] for name in names], -1)

        widths = [self._model.value_inputs[name] for name in names]
        found = self._in_batches(traced(compute, reduce_retracing=True), "embedding")
        return dict(zip(names, np.split(found, np.cumsum(widths)[:-1], axis=-1), strict=True))

    def weighed(self, outputs, ids) -> tuple[float | None, np.ndarray]:
        """The weight of the first of two slices, and similarities by rows that saw neither, [N, N].

        The weight is None where it is not the attribute's own.
        """
        own = np.arange(len(self._examples.rows)), self._examples.folds
        if len(outputs) == 1:
            pairs = np.tile(ids, (len(own[0]), 1))
            vectors = self._model.join(outputs, tuple(outputs), pairs).numpy()[own]
            return None, vectors @ vectors.T
        first, second = (_cosines(vectors[own]) for vectors in outputs.values())
        beta = self._model.beta
        if np.ndim(beta):
            return _best(self._examples, first, second)
        return None, beta * first + (1 - beta) * second

    def frozen_vectors(self) -> np.ndarray:
        """The backbone's features, means over the positions, float32 [N, C]."""

        def means(rows):
            maps = self._features(rows, tf.zeros((tf.shape(rows)[0], 1), tf.int32)).values()
            return tf.concat([tf.reduce_mean(tf.cast(m, tf.float32), (1, 2)) for m in maps], -1)

        return self._in_batches(traced(means, reduce_retracing=True))

    def _in_batches(self, run, doing="") -> np.ndarray:
        rows = self._examples.rows
        with Progress(doing, len(rows), "images", disable=not doing) as progress:
            found = []
            for at in range(0, len(rows), _BATCH):
                found.append(run(tf.constant(rows[at : at + _BATCH])).numpy())
                progress.update(len(found[-1]))
        return np.concatenate(found)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def _cosines(vectors: np.ndarray) -> np.ndarray:
    unit = _unit(vectors)
    return unit @ unit.T


def sure_gain(gains: np.ndarray) -> float:
    """The mean of what queries gain, float [Q]; 0 where it is no more than its standard error."""
    if len(gains) < 2:
        return 0.0
    mean = float(gains.mean())
    return mean if mean > gains.std(ddof=1) / np.sqrt(len(gains)) else 0.0


def _best(examples, first, second) -> tuple[float, np.ndarray]:
    """The weight of the first of two similarities with which both rank best, and both together.

    Half, unless another surely gains.
    """
    every = {float(weight): weight * first + (1 - weight) * second for weight in GRID}
    found = {weight: examples.precisions(both) for weight, both in every.items()}
    gains = {weight: sure_gain(own - found[_HALF]) for weight, own in found.items()}
    gains = {_HALF: 0.0, **gains}  # first, as of equal gains
    weight = max(gains, key=gains.get)
    return weight, every[weight]


def _values(examples, vectors) -> tuple[np.ndarray, np.float32]:
    """Held-out probabilities of values, [N, V], and the temperature by which they are flattened.

    Args:
      vectors: float32 [N, K + 1, C], by the rows of the folds and by that of all photographs.
    """
    logits = np.zeros(examples.labels.shape)
    told = np.zeros(len(logits), bool)
    for fold in range(examples.count):
        out = examples.folds == fold
        kernel, bias = linear_discriminant(vectors[~out, fold], examples.labels[~out])
        logits[out] = vectors[out, fold] @ kernel + bias
        told[out] = examples.labels[out][:, examples.labels[~out].any(0)].any(1)
    flat = np.float32(temperature(logits[told], examples.labels[told]))
    return scipy.special.softmax(logits / flat, axis=1), flat
