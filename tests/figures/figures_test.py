"""The figures of a run: what each shows, and what it says is missing."""

import dataclasses
import json

import numpy as np
import pytest
from matplotlib.colors import to_hex

from asen_tf.figures import FIGURES, NothingToDraw, Source, style
from asen_tf.loading import load as load_embedder


def drawn(source, name):
    return {picture.name: picture for picture in FIGURES[name](source)}


def test_retrieval_ranks_all_candidates_by_cosine(source):
    pictures = drawn(source, "retrieval")
    assert set(pictures) == {"retrieval_color", "retrieval_side"}
    queries, candidates = source.searched("color")
    scores = source.vectors[queries, 0] @ source.vectors[candidates, 0].T
    best = np.sort(scores, axis=1)[:, ::-1][:, :3]
    texts = [text.get_text() for text in pictures["retrieval_color"].figure.axes[0].texts]
    found = [float(text) for text in texts if text.lstrip("-").startswith(("0.", "1."))]
    np.testing.assert_allclose(found, best.ravel(), atol=0.0051)


def test_reranking_keeps_what_was_found_and_orders_it_by_the_attribute(opened):
    source = Source(*opened, attribute="side", photographs=2)
    queries, candidates = source.searched("side")
    texts = [
        t.get_text() for t in drawn(source, "reranking")["reranking_side"].figure.axes[0].texts
    ]
    query = queries[0]
    cosines = source.vectors[candidates, 1] @ source.vectors[query, 1]
    after = candidates[np.argsort(-cosines, kind="stable")]
    values = [source.values(row, "side") for row in source.rows[after]]
    captions = [text for text in texts if text in ("left", "right")]
    shown = min(8, len(candidates))
    assert captions[1 + shown : 1 + 2 * shown] == values[:shown]


def test_large_attribute_has_a_map_with_photographs(source):
    pictures = drawn(source, "tsne")
    assert set(pictures) == {"tsne", "tsne_color"}
    assert len(pictures["tsne_color"].figure.axes[0].images) == 12


@pytest.mark.parametrize("name", ["attention", "similarity", "channels", "curves"])
def test_others_are_drawn_and_described(source, name):
    pictures = drawn(source, name)
    assert pictures and all(picture.alt for picture in pictures.values())


def test_curves_hold_the_history(source):
    pictures = drawn(source, "curves")
    assert set(pictures) == {"learning_curve", "loss_curve"}
    (line,) = pictures["loss_curve"].figure.axes[0].lines
    np.testing.assert_array_equal(line.get_xydata(), [[1, 0.2], [2, 0.1]])


def test_a_changed_query_finds_what_is_nearest_to_what_is_wanted(source):
    """In two colors; a result is right where it has the wanted color and the query's side."""
    (page,) = drawn(source, "manipulation").values()
    texts = [text.get_text() for text in page.figure.axes[0].texts if text.get_text()]
    arrows = [n for n, text in enumerate(texts) if text in ("color", "side")]
    assert len(arrows) == 2
    for n in arrows:
        before, after = texts[n + 1 : n + 3]
        space = source.embedder.attributes[texts[n]].values
        assert {before, after} <= set(space) and before != after
    assert len(page.figure.axes[0].images) == 2 * (1 + 3)


def test_one_vector_is_changed_by_the_values_that_the_model_recognises(
    begun, tmp_path, monkeypatch
):
    """As the searches that are measured: "Classic" of Ak et al."""
    run, manifest = begun(tmp_path / "run", "triplet_net")
    source = Source(run, load_embedder(run.path), manifest, photographs=1, results=2)
    asked = set()

    def says(images, boxes=None):
        asked.update(images)
        space = manifest.space
        return {name: np.eye(len(space[name].values))[[0] * len(images)] for name in space}

    monkeypatch.setattr(source.embedder, "predict_all", says)
    assert drawn(source, "manipulation")
    assert asked == {manifest.photograph(row) for row in manifest.rows("test")}


def test_results_that_share_a_value_are_chosen_and_give_the_weights(source):
    (page,) = drawn(source, "feedback").values()
    axes = page.figure.axes[0]
    chosen = [p for p in axes.patches if to_hex(p.get_edgecolor()) == style.BLUE.lower()]
    frames = [p for p in chosen if not p.get_fill()]
    texts = [text.get_text() for text in axes.texts]
    rows = texts.count("color")
    assert rows == texts.count("side") == 2 and 2 * rows <= len(frames) <= 3 * rows
    assert len(axes.images) == rows * (1 + 5 + 3)


def test_accuracy_is_drawn_from_the_evaluation(source):
    found = {"curve": [0.25, 0.5], "random_curve": [0.1, 0.2]}
    one = {**found, "attributes": {"color": found, "side": {"curve": [0.1, 0.9]}}}
    file = source.run.result("test", "manipulation")
    file.write_text(json.dumps({"direct": found, "one_change": one, "two_changes": {"curve": []}}))
    pictures = drawn(source, "accuracy")
    file.unlink()
    assert set(pictures) == {"accuracy", "accuracy_by_attribute"}
    kinds, attributes = (
        {text.get_text().split("  ")[0]: line for text, line in zip(*of, strict=True)}
        for of in ((p.figure.axes[0].texts, p.figure.axes[0].lines) for p in pictures.values())
    )
    assert set(kinds) == {"as it is", "one change", "random"}
    np.testing.assert_allclose(kinds["random"].get_xydata(), [[1, 10], [2, 20]])
    np.testing.assert_allclose(attributes["side"].get_xydata(), [[1, 10], [2, 90]])


@pytest.mark.parametrize("name", ["reranking", "tsne"])
def test_figures_of_hundreds_of_photographs_keep_small_ones(source, name, monkeypatch):
    longest = []

    def pixels(self, row, most=None):
        longest.append(most)
        return np.zeros((20, 15, 3), np.uint8)

    monkeypatch.setattr(Source, "pixels", pixels)
    drawn(source, name)
    assert longest and all(most is not None and most <= 320 for most in longest)


@pytest.mark.parametrize(
    "name",
    ["attention", "retrieval", "similarity", "channels", "curves", "reranking", "accuracy"],
)
def test_what_a_run_has_nothing_for_is_said(name, bare):
    with pytest.raises(NothingToDraw):
        list(FIGURES[name](bare))


@pytest.fixture(scope="module")
def bare(begun, tmp_path_factory):
    """A model without attention, data without queries, and no history."""
    run, manifest = begun(tmp_path_factory.mktemp("bare") / "run", "triplet_net")
    run.write_history([])
    labels = manifest.labels.copy()
    labels["role"] = 0
    return Source(run, load_embedder(run.path), dataclasses.replace(manifest, labels=labels))
