"""Figures of a run: what is chosen, computed and told to be missing."""

import dataclasses
import json
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from google.protobuf import text_format
from PIL import Image
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

from asen_tf import figures
from asen_tf.core import config as configs
from asen_tf.core.attributes import AttributeSpace
from asen_tf.data.load import load
from asen_tf.embedder import load as load_embedder
from asen_tf.models import registry
from asen_tf.workdir import Workdir

HISTORY = [
    {"stage": "stage1", "step": 1, "seconds": 60.0, "total": 0.2, "images_per_sec": 10.0},
    {"stage": "stage1", "step": 1, "seconds": 60.0, "valid_map": 0.5},
    {"stage": "stage1", "step": 2, "seconds": 120.0, "total": 0.1, "images_per_sec": 30.0},
]


def begun(catalogue, folder, name="asen"):
    """A run whose model has random weights, and its data."""
    config = configs.defaults()
    config.data.root = str(catalogue)
    config.model.name = name
    for branch in ("global_branch", "local_branch"):
        config.model[branch].update({"backbone": "resnet6", "size": 32, "common_dim": 8})
        config.model[branch].embedding_dim = 8
    config.model.attribute_dim = 8
    manifest = load(config.data)
    keras.utils.set_random_seed(0)
    model = registry.build(config, 2, manifest.space.offsets)
    run = Workdir(folder)
    run.begin(config, manifest.space)
    run.save_best(model, "stage1")
    run.write_best({"stage": "stage1", "step": 2, "parts": list(model.parts()), "map": 0.5})
    run.write_history(HISTORY)
    return run, manifest


@pytest.fixture(scope="module")
def opened(catalogue, tmp_path_factory):
    run, manifest = begun(catalogue, tmp_path_factory.mktemp("figures") / "run")
    return run, load_embedder(run.path), manifest


@pytest.fixture(scope="module")
def source(opened):
    return figures.Source(*opened, figures.Choice(photographs=2, results=3))


def drawn(source, name):
    return {picture.name: picture for picture in figures.pictures(source, name)}


def test_vectors_are_the_embedders_and_alike_are_those_with_a_common_value(source):
    rows = source.rows
    assert rows.tolist() == source.manifest.rows("test").tolist()
    expected = source.embedder.embed(source.manifest.paths[rows[3:5]], "side")
    np.testing.assert_allclose(source.vectors[3:5, 1], expected, atol=1e-5)
    others = np.arange(12)
    colors = np.array([source.values(row, "color") for row in rows])
    for position in (0, 5):
        alike = source.alike("color", position, others)
        np.testing.assert_array_equal(alike, colors == colors[position])


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
    source = figures.Source(*opened, figures.Choice(attribute="side", photographs=2))
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


def test_fewer_images_are_evenly_spread_and_said(opened, capsys):
    source = figures.Source(*opened, figures.Choice(images=4))
    assert source.rows.tolist() == [36, 39, 43, 47]
    assert "4 of 12 labelled images" in capsys.readouterr().err


def cells(path):
    """As TensorBoard reads them: lines and tabs, without quotes."""
    return [line.split("\t") for line in path.read_text().removesuffix("\n").split("\n")]


def test_projector_takes_any_names(opened, tmp_path):
    manifest = opened[-1]
    names = ("metadata", "sleeve/length")
    space = AttributeSpace(dict(zip(names, (['12" wide', "a\tb\\c\nd"],) * 2, strict=True)))
    labels = manifest.labels[manifest.labels["value"] < 2]
    manifest = dataclasses.replace(manifest, space=space, labels=labels)
    source = figures.Source(
        Workdir(tmp_path), SimpleNamespace(attributes=space), manifest, figures.Choice()
    )
    source.vectors = np.zeros((len(source.rows), 2, 3), np.float32)
    figures.write_projector(source)
    folder = source.run.tensorboard / "projector"
    assert {path.name for path in folder.iterdir()} == {
        "metadata.tsv",
        "sprite.png",
        "vectors-0.tsv",
        "vectors-1.tsv",
    }
    heading, *rows = cells(folder / "metadata.tsv")
    assert heading == ["image", *names] and len(rows) == len(source.rows)
    assert {row[2] for row in rows} <= {'12" wide', "a b\\c d", "?"}
    assert '12" wide' in {row[1] for row in rows}


def test_photographs_are_loaded_small_where_small_is_enough(source):
    row = source.rows[0]
    whole, small = source.pixels(row), source.pixels(row, 20)
    assert max(whole.shape) > 20 == max(small.shape)
    expected = Image.fromarray(whole).resize(small.shape[1::-1], Image.Resampling.LANCZOS)
    assert np.abs(small.astype(int) - np.asarray(expected)).mean() < 8


@pytest.mark.parametrize("name", ["reranking", "tsne"])
def test_figures_of_hundreds_of_photographs_keep_small_ones(source, name, monkeypatch):
    longest = []

    def pixels(self, row, most=None):
        longest.append(most)
        return np.zeros((20, 15, 3), np.uint8)

    monkeypatch.setattr(figures.Source, "pixels", pixels)
    drawn(source, name)
    assert longest and all(most is not None and most <= 320 for most in longest)


def test_projector_files_fit_together(source):
    files = figures.write_projector(source)
    settings = files[0]
    assert settings.parent == source.run.tensorboard
    config = text_format.Parse(settings.read_text(), ProjectorConfig())
    assert [entry.tensor_name for entry in config.embeddings] == ["color", "side"]
    for a, entry in enumerate(config.embeddings):
        vectors = np.loadtxt(settings.parent / entry.tensor_path, delimiter="\t")
        np.testing.assert_allclose(vectors, source.vectors[:, a], atol=1e-5)
        heading, *rows = cells(settings.parent / entry.metadata_path)
        assert heading == ["image", "color", "side"]
        assert [row[0] for row in rows] == source.manifest.images[source.rows].tolist()
        assert {row[2] for row in rows} == {"left", "right"}
        with Image.open(settings.parent / entry.sprite.image_path) as sprite:
            assert sprite.size == (4 * 64, 3 * 64)


def test_report_has_figures_scores_and_what_differs_from_the_defaults(source, tmp_path):
    path = figures.write_report(source, ["channels"], tmp_path / "new" / "report.html")
    text = path.read_text()
    assert "Which channels count" in text and "Where the model looks" not in text
    assert f"asen-evaluate --workdir={source.run.path} --split=test" in text
    assert "model.global_branch.backbone" in text and "resnet6" in text
    assert "data.skip_bad</th>" not in text


def test_report_shows_what_was_measured(source, tmp_path):
    row = {"queries": 1, "candidates": 2, "map": 0.714, "random_map": 0.25}
    macro = {"map_macro": 0.714, "random_map_macro": 0.25}
    result = {**row, **macro, "skipped": [], "attributes": {"side": row}}
    source.run.result("test").write_text(json.dumps(result))
    text = figures.write_report(source, ["curves"], tmp_path / "report.html").read_text()
    assert "<b>71.4</b>" in text and ">25.00<" in text and "asen-evaluate" not in text


def test_unknown_names_are_refused(opened):
    with pytest.raises(ValueError, match="Did you mean 'tsne'"):
        figures.check_names(["attention", "tsn"])
    with pytest.raises(ValueError, match="Did you mean 'color'"):
        figures.Source(*opened, figures.Choice(attribute="colr"))


def test_what_a_run_has_nothing_for_is_left_out_or_refused(catalogue, tmp_path, capsys):
    run, manifest = begun(catalogue, tmp_path / "run", "triplet_net")
    run.write_history([])
    labels = manifest.labels.copy()
    labels["role"] = 0
    manifest = dataclasses.replace(manifest, labels=labels)
    source = figures.Source(run, load_embedder(run.path), manifest, figures.Choice())
    for name in ("attention", "retrieval", "similarity", "channels", "curves", "reranking"):
        assert list(figures.pictures(source, name, wanted=False)) == []
        assert f"no figure {name}: " in capsys.readouterr().err
        with pytest.raises(figures.NothingToDraw):
            list(figures.pictures(source, name))
