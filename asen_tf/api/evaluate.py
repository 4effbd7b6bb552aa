"""Measures a trained model, any embedder, or a random order, by the papers' protocols."""

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from ml_collections import ConfigDict

from asen_client.core.errors import check_names
from asen_tf.core import config as configs
from asen_tf.core import config_check
from asen_tf.core.choices import (
    BASELINE,
    DRAWN,
    EVERY,
    EXCLUDED_SAME,
    IMAGE,
    MANIPULATION,
    PRODUCT,
    PROTOCOLS,
    SIMILARITY,
)
from asen_tf.data.load import load, load_for, naming_bad_images
from asen_tf.data.manifest import Manifest
from asen_tf.embedders import Embedder
from asen_tf.evaluation import (
    Evaluator,
    evaluate_localization,
    evaluate_manipulation,
    evaluate_random,
    evaluate_recognition,
    evaluate_triplets,
    random_manipulation,
)
from asen_tf.evaluation.recognition import predict_fn_of
from asen_tf.loading import load as load_embedder


def evaluate(
    model: str | os.PathLike | Embedder,
    data: ConfigDict | Manifest | str | os.PathLike | None = None,
    *,
    split: str = "test",
    protocol: str = SIMILARITY,
    slices: Sequence[str] = (),
    special: Sequence[str] = (),
    changes: str = DRAWN,
    relevance: str | None = None,
    exclude_same: str | None = None,
    ks: Sequence[int] = (),
    precision: str | None = None,
    baseline: bool = False,
    skip_bad: bool = False,
    follow_links: bool = False,
) -> dict:
    """Scores embeddings on one split of labelled photographs.

    Args:
      model: the folder of a run, or its `Workdir`: the best model; or what `asen_tf.load` takes,
        with `data`.
      data: a configuration, the `data` part of one, or a manifest. For a run also the folder where
        its data lies now; None: its own data, where it lay in training.
      split: "train", "valid" or "test".
      protocol: "similarity": how candidates are ranked for each attribute (Ma et al., AAAI 2020);
        "manipulation": searches for all labels at once, also after changes (Ak et al., WACV 2018).
      slices: of a run's embedding, to score separately, such as "global", "local", "both"; "every":
        all that it has, see `EmbeddingModel.embedding_slices`.
      special: of a manipulation, attributes that make up the labels; (): the configuration's.
      changes: of a manipulation, which are searched for: see `core.choices.CHANGES`.
      relevance: see `core.choices.RELEVANCE`; None: the configuration's.
      exclude_same: see `core.choices.EXCLUDED_SAME`; None: "product" where the data names products.
      ks: cut-offs; (): the configuration's.
      precision: what a run's networks compute in, see `Workdir.load_best`.
      baseline: of a run, score the linear baseline beside it, as the variant "linear"; it is
        trained first where that was not done yet, see `api.baseline.linear_baseline`.
      skip_bad, follow_links: how a run's own data is read, see `Workdir.manifest`.

    Returns:
      What `evaluation.evaluate_manipulation` gives for that protocol; what `evaluate_triplets`
      gives where the data has triplets; else what `Evaluator.evaluate` gives. Then "recognition"
      is what `evaluate_recognition` gives where the model predicts, "localization" what
      `evaluate_localization` gives where the data has boxes of parts and the model of the run has
      attention; "values", where the embedding ends with how probable values are, attribute -> how
      much this counts; "beta", where attributes differ in it, attribute -> how much the first
      slice counts.

    Raises:
      ValueError: an unknown protocol, split, slice or attribute, a configuration that makes no
        sense, data of other attributes, or no products that could be excluded.
      FileNotFoundError: the folder holds no run.
    """
    check_names("protocol", [protocol], PROTOCOLS)
    if protocol == MANIPULATION and (slices or relevance):
        raise ValueError("a manipulation is of the whole embedding: it has no slice or relevance")
    if protocol == MANIPULATION and exclude_same:
        raise ValueError("exclude_same is for protocol=similarity")
    if protocol == MANIPULATION and baseline:
        raise ValueError("the linear baseline is measured by protocol=similarity")
    if data is not None and not _is_run(model):
        model = load_embedder(model)
    if hasattr(model, "embed_all"):
        if baseline:
            raise ValueError(
                "the linear baseline is trained on the data of a run, as its folder describes it: "
                "expected a run, got an embedder or an export"
            )
        if data is None or slices or precision:
            raise ValueError("an embedder takes data, and neither slices nor a precision")
        subject = _subject_of_embedder(model, data)
    else:
        subject = _subject_of_run(model, data, precision, skip_bad, follow_links)
    subject = dataclasses.replace(subject, manifest=_excluding(subject.manifest, exclude_same))
    named, measured = _named(slices, subject.slices), subject
    if baseline:
        subject, named = _beside_baseline(model, data, subject, named, skip_bad, follow_links)
    manifest, settings = subject.manifest, subject.settings
    inputs = (subject.embed, manifest, split, subject.photographs)
    size = settings.batch_size
    if protocol == MANIPULATION:
        special = special or subject.special
        ks = ks or settings.ks
        searched = subject.change, size, subject.predict, changes
        return evaluate_manipulation(*inputs, special, ks, *searched)
    if manifest.triplets is not None:
        return evaluate_triplets(*inputs, size, named)
    relevance = relevance or settings.relevance
    evaluator = Evaluator(subject.embed, size, ks or settings.ks, relevance=relevance)
    result = evaluator.evaluate(manifest, split, subject.photographs, named)
    if measured.predict:
        given = measured.predict, manifest, split, measured.photographs, size
        result["recognition"] = evaluate_recognition(*given)
    if subject.betas is not None:
        result["beta"] = dict(zip(manifest.space, subject.betas, strict=True))
    if subject.value_shares is not None:
        shares = np.broadcast_to(subject.value_shares, len(manifest.space))
        result["values"] = dict(zip(manifest.space, shares.round(6).tolist(), strict=True))
    if manifest.boxes is not None and subject.localize:
        result["localization"] = subject.localize(split)
    return result


def random_order(
    data: ConfigDict,
    *,
    split: str = "test",
    seeds: int = 5,
    protocol: str = SIMILARITY,
    special: Sequence[str] = (),
    changes: str = DRAWN,
    relevance: str | None = None,
    exclude_same: str | None = None,
    ks: Sequence[int] = (),
) -> dict:
    """Scores random orders on one split; no image has to be there.

    Args:
      data: a configuration.
      split: "train", "valid" or "test".
      seeds: how many random orders; a manipulation has their expected value alone.
      protocol, special, changes, exclude_same: see `evaluate`.
      relevance: see `core.choices.RELEVANCE`; None: the configuration's.
      ks: cut-offs; (): the configuration's.

    Returns:
      What `evaluation.evaluate_random` gives, of a manipulation `random_manipulation`.

    Raises:
      ValueError: the configuration or the data makes no sense.
    """
    check_names("protocol", [protocol], PROTOCOLS)
    config_check.check(data)
    options = data.data.copy_and_resolve_references()
    options.check = "none"
    manifest = load(options, training=False)
    ks, relevance = ks or data.eval.ks, relevance or data.eval.relevance
    if protocol == MANIPULATION:
        return random_manipulation(manifest, split, special or data.data.special, ks, changes)
    manifest = _excluding(manifest, exclude_same)
    return evaluate_random(manifest, split, range(seeds), ks, relevance)


def _excluding(manifest: Manifest, same: str | None) -> Manifest:
    check_names("exclude_same", [same or IMAGE], EXCLUDED_SAME)
    if same == IMAGE:
        return dataclasses.replace(manifest, products=None)
    if same == PRODUCT and manifest.products is None:
        raise ValueError(
            f"exclude_same=product: {manifest.source} has no column product; add it, or name the "
            "one that says which product a photograph shows, in training or with --model=random: "
            "--config.data.column_names.product=sku"
        )
    return manifest


def _is_run(model) -> bool:
    if isinstance(model, str | os.PathLike):
        return Path(model, "best.json").exists()
    return not hasattr(model, "embed_all")


@dataclasses.dataclass(frozen=True)
class _Subject:
    """What is measured, and on which photographs: all that the protocols need."""

    manifest: Manifest
    settings: ConfigDict  # the `eval` part of a configuration
    special: Sequence[str]
    embed: Callable
    photographs: Callable
    slices: Mapping[str, slice] = dataclasses.field(default_factory=dict)
    betas: Sequence[float] | None = None  # where the attributes weigh two slices differently
    value_shares: Sequence[float] | None = None  # where the embedding holds values' probabilities
    change: Callable | None = None
    localize: Callable[[str], dict] | None = None  # split -> result
    predict: Callable | None = None


def _subject_of_run(run, data, precision, skip_bad=False, follow_links=False) -> _Subject:
    # A random order needs no TensorFlow, which takes seconds to load.
    from asen_tf.data.image_cache import open_images
    from asen_tf.evaluation.embed import (
        change_fn,
        embed_fn,
        explain_fn,
        image_fn,
        predict_fn,
    )
    from asen_tf.evaluation.published import PublishedInputs, is_published, open_fn
    from asen_tf.workdir import Workdir

    run = Workdir(run)
    model, slices, config = run.load_best(precision), run.best()["slices"], run.config()
    used = model.used_slices(slices)
    manifest = run.manifest(data, skip_bad, follow_links)
    fit, margin = config.data.fit, config.data.box_margin
    seen = {"fit": fit, "box_margin": margin}

    def load_images():
        rows = np.arange(len(manifest))
        load_rows = image_fn(open_images(manifest, rows, model.image_size, "none", **seen))
        return naming_bad_images(manifest, config.data.max_pixels)(load_rows)

    def localize(split):
        size = config.eval.batch_size
        given = explain_fn(model), manifest, split, load_images(), size
        return evaluate_localization(*given, **seen)

    published = is_published(config.eval.preprocessing, fit)
    inputs = PublishedInputs(model, slices) if published else None
    return _Subject(
        manifest,
        config.eval,
        config.data.special,
        inputs.embed if inputs else embed_fn(model, slices),
        open_fn(manifest, margin) if inputs else load_images(),
        model.embedding_slices(slices),
        model.beta if np.ndim(model.beta) and len(used) > 1 else None,
        model.value_classifiers.shares if model.embeds_values(slices) else None,
        change_fn(model),
        localize if model.explains else None,
        inputs.predict if inputs and model.predicts else predict_fn(model),
    )


def _beside_baseline(
    run, data, subject, named, skip_bad, follow_links
) -> tuple[_Subject, dict[str, slice]]:
    """The run's subject with the baseline's embedding before its own, and where each stands."""
    from asen_tf.api.baseline import linear_baseline
    from asen_tf.workdir import Workdir

    run = Workdir(run)
    root = data if isinstance(data, str | os.PathLike) else None
    manifest = subject.manifest
    other = _subject_of_run(linear_baseline(run, root, skip_bad, follow_links), manifest, None)
    width = max(manifest.space.value_counts)  # of its embedding

    def photographs(rows):
        return other.photographs(rows), subject.photographs(rows)

    def embed(photographs, attributes):
        both = zip((other, subject), photographs, strict=True)
        return np.concatenate([one.embed(own, attributes) for one, own in both], -1)

    first = next(iter(subject.slices))
    slices = {
        name: slice(its.start + width, its.stop + width)
        for name, its in (named or {first: subject.slices[first]}).items()
    }
    joined = dataclasses.replace(subject, embed=embed, photographs=photographs)
    return joined, {**slices, BASELINE: slice(width)}


def _subject_of_embedder(embedder, data) -> _Subject:
    if isinstance(data, ConfigDict):
        config_check.check(data)
    manifest = load_for(embedder.attributes, data)
    whole = isinstance(data, ConfigDict) and "eval" in data
    config = data if whole else configs.defaults()

    def embed(photographs, attributes):
        vectors = np.asarray(embedder.embed_all(photographs))
        return np.take_along_axis(vectors, attributes[..., None], axis=1)

    def photographs(rows):
        return [manifest.photograph(row) for row in rows]

    predict = predict_fn_of(embedder, manifest.space)
    return _Subject(manifest, config.eval, config.data.special, embed, photographs, predict=predict)


def _named(names: Sequence[str], known: Mapping[str, slice]) -> dict[str, slice] | None:
    if EVERY in names:
        return dict(known)
    check_names("slice", names, known)
    return {name: known[name] for name in names} or None
