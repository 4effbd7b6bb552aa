"""Attributes that are added to runs of small untrained networks, from a folder of photographs."""

import csv
import json
import shutil

import keras
import numpy as np
import pytest

import asen_tf
from asen_tf import models
from asen_tf.api.add_attribute import RECORD, AddedAttribute
from asen_tf.cli import add_attribute
from asen_tf.core import experiments
from asen_tf.data.load import load
from asen_tf.workdir import Workdir
from tests import programs
from tests.training.runs import tiny

pytestmark = pytest.mark.usefixtures("eagerly", "soon")

# "asen": vectors of its global branch, classifiers of both; "asen, local": vectors of both, too.
KINDS = ("asen", "asen, local", "asen_aaai2020", "csn")


@pytest.fixture(scope="module")
def soon():
    """Rows learn for a few steps only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("asen_tf.training.new_attribute.STEPS", 4)
        patch.setattr("asen_tf.training.new_attribute.EVERY", 2)
        yield


def begin(folder, catalogue, kind, columns=("color",), values=True):
    """A run as if it had been trained on some columns, with classifiers that its vectors end in."""
    name, _, local = kind.partition(", ")
    config = tiny(catalogue, stages=("stage1",))
    config.data.columns = columns
    if name == "csn":
        experiments.csn(config, "cosine")
    elif name != "asen":
        experiments.derive(config, name)
    elif local:
        config.model.beta = (0.6,) * len(columns)
    manifest = load(config.data)
    keras.utils.set_random_seed(0)
    model = models.build(config.model, manifest.space)
    slices = [*(model.slices if local else ["global"])]
    best = {"stage": "stage1", "step": 6, "map": 0.5}
    if values:
        asen_tf.fit_recognition(model, manifest)
        model.set_value_shares(0.5)
        slices.append("values")
        best |= {"recognition": True, "values": dict.fromkeys(columns, 0.5)}
    if local:
        best["beta"] = dict.fromkeys(columns, 0.6)
    run = Workdir(folder)
    run.save_best(model, "stage1")
    run.write_best({**best, "slices": slices, "measure": "test"})
    run.begin(config, manifest.space, manifest)
    return run


@pytest.fixture(scope="module")
def runs(eagerly, catalogue, tmp_path_factory):
    """A function from a kind to a run that knows colours, made once."""
    made = {}

    def run(kind):
        if kind not in made:
            made[kind] = begin(tmp_path_factory.mktemp("run"), catalogue, kind)
        return made[kind]

    return run


@pytest.fixture(scope="module")
def added(soon, eagerly, runs, catalogue, tmp_path_factory):
    """The run that knows colours, and what it is with sides."""
    output = tmp_path_factory.mktemp("added") / "run"
    run = runs("asen, local")
    return run, asen_tf.add_attribute(run, catalogue / "manifest.csv", "side", output)


def contents(run):
    return {
        path.relative_to(run.path): path.read_bytes()
        for path in sorted(run.path.rglob("*"))
        if path.is_file()
    }


def table(catalogue, folder, change):
    """The catalogue's table after `change(rows)`, in a folder of its own with its photographs."""
    shutil.copytree(catalogue / "images", folder / "images", dirs_exist_ok=True)
    with open(catalogue / "manifest.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    rows = change(rows) or rows
    with open(folder / "manifest.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return folder / "manifest.csv"


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_known_already_stays_as_it_is(kind, runs, catalogue, tmp_path):
    run = runs(kind)
    before = contents(run)
    found = asen_tf.add_attribute(run, catalogue / "manifest.csv", "side", tmp_path / "new")
    assert contents(run) == before
    assert list(found.run.space()) == ["color", "side"]
    old, new = asen_tf.load(run), asen_tf.load(found.run)
    photographs = sorted((catalogue / "images").iterdir())[:5]
    np.testing.assert_array_equal(new.embed(photographs, "color"), old.embed(photographs, "color"))
    np.testing.assert_array_equal(
        new.predict(photographs, "color"), old.predict(photographs, "color")
    )
    tables = {id(table) for table in new.model.attribute_tables}
    for own, before in zip(new.model.weights, old.model.weights, strict=True):
        own, is_table = np.asarray(own), id(own) in tables
        np.testing.assert_array_equal(own[:1] if is_table else own, before)
    assert (
        new.model.beta == pytest.approx((0.6, found.run.best()["beta"]["side"]))
        if (kind == "asen, local")
        else new.model.beta == old.model.beta
    )
    assert new.predict(photographs, "side").shape == (5, 2)


def test_what_is_written_of_it(added):
    run, found = added
    best, record = found.run.best(), json.loads((found.run.path / RECORD).read_text())
    assert found.counts == {"left": 12, "right": 12} == record["photographs"]
    assert record["attribute"] == "side" and record["run"] == str(run.path)
    assert record["folds"] == found.folds == 5 and found.measured == best["measure"] == "test"
    assert best["slices"] == ["global", "local", "values"] and best["map"] is None
    assert best["values"]["color"] == 0.5 and 0 <= best["values"]["side"] <= 1
    assert best["beta"]["color"] == 0.6 and best["recognition"]
    assert found.quality == {name: record[name] for name in found.quality}
    assert all(0 <= number <= 1 for number in found.quality.values())
    assert found.quality["most_frequent"] == 0.5
    assert found.run.config().data.columns == ("color", "side")
    assert found.run.config().model.beta == (0.6, best["beta"]["side"])


def test_it_is_evaluated_exported_and_searched_as_any_other(added, tmp_path, catalogue, traced):
    _, found = added
    result = asen_tf.evaluate(found.run)
    assert list(result["attributes"]) == ["color", "side"]
    assert list(result["recognition"]["attributes"]) == ["color", "side"]
    assert set(result["values"]) == set(result["beta"]) == {"color", "side"}

    embedder = asen_tf.load(found.run)
    export = asen_tf.export(found.run.path, tmp_path / "export")
    exported = asen_tf.load(export)
    photographs = sorted((catalogue / "images").iterdir())[:3]
    assert list(exported.attributes) == ["color", "side"]
    for attribute in exported.attributes:
        np.testing.assert_allclose(
            exported.embed(photographs, attribute),
            embedder.embed(photographs, attribute),
            atol=1e-5,
        )
    pytest.importorskip("faiss")
    store = f"faiss:{tmp_path}/store"
    asen_tf.index(exported, catalogue / "manifest.csv", store)
    hits = asen_tf.search(store, id="images/0.png", weights={"side": 1}, k=3)
    assert len(hits) == 3 and all(hit.labels["side"] for hit in hits)
    first = embedder.embed([catalogue / hits[0].id, catalogue / "images/0.png"], "side")
    assert hits[0].score == pytest.approx(float(first[0] @ first[1]), abs=1e-4)


def test_a_second_one_is_added_to_it_and_training_starts_from_it(added, catalogue, tmp_path):
    _, found = added

    def with_thirds(rows):
        for number, row in enumerate(rows):
            row["third"] = "abc"[number % 3] if number < 18 else ""

    path = table(catalogue, tmp_path, with_thirds)
    more = asen_tf.add_attribute(found.run, path, "third", tmp_path / "more", seed=1)
    assert list(more.run.space()) == ["color", "side", "third"]
    assert more.counts == {"a": 6, "b": 6, "c": 6} and more.measured == ""
    photographs = sorted((catalogue / "images").iterdir())[:3]
    old, new = asen_tf.load(found.run), asen_tf.load(more.run)
    # Of three values, embeddings are as long as colours' have been.
    for attribute in ("color", "side"):
        np.testing.assert_array_equal(
            new.embed(photographs, attribute), old.embed(photographs, attribute)
        )
    config = more.run.config()
    config.train.update(init_from=str(more.run.path), max_steps=1)
    again = asen_tf.train(config, tmp_path / "again")
    assert list(again.space()) == ["color", "side", "third"]


def test_a_run_whose_vectors_have_no_values_stays_so(catalogue, tmp_path):
    run = begin(tmp_path / "run", catalogue, "csn", values=False)
    found = asen_tf.add_attribute(run, catalogue / "manifest.csv", "side", tmp_path / "new")
    assert "accuracy" not in found.quality and not found.run.load_best().predicts
    assert "recognition" not in found.run.best()
    asen_tf.fit_recognition(run)
    found = asen_tf.add_attribute(run, catalogue / "manifest.csv", "side", tmp_path / "named")
    assert "accuracy" in found.quality
    new = found.run.load_best()
    assert new.predicts and not new.embeds_values() and not new.value_classifiers.shares.any()


def test_a_kill_leaves_no_run_and_the_same_command_goes_on(runs, catalogue, tmp_path, monkeypatch):
    given = runs("csn"), catalogue / "manifest.csv", "side", tmp_path / "new"
    with monkeypatch.context() as patch:
        patch.setattr(Workdir, "write_best", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            asen_tf.add_attribute(*given)
    with pytest.raises(FileNotFoundError):
        asen_tf.load(tmp_path / "new")
    features = {p: p.stat().st_mtime_ns for p in (tmp_path / "new").glob("features/*/*.npy")}
    found = asen_tf.add_attribute(*given)
    assert features == {path: path.stat().st_mtime_ns for path in features} and features
    other = asen_tf.add_attribute(*given[:3], tmp_path / "other")
    for a, b in zip(
        found.run.load_best().get_weights(), other.run.load_best().get_weights(), strict=True
    ):
        np.testing.assert_array_equal(a, b)
    assert found.quality == other.quality


def drop(number):
    """No side of the photographs from this one on."""

    def change(rows):
        for row in rows[number:]:
            row["side"] = ""

    return change


def one_side(rows):
    for row in rows:
        row["side"] = "left"


def another_color(rows):
    rows[0]["color"] = "violet"


def of_one_product(rows):
    for row in rows:
        row["product"] = row["side"]


def nowhere(rows):
    rows[0]["image"] = "images/nowhere.png"


def not_for_training(rows):
    for row in rows:
        row["side"] = "" if row["split"] == "train" else row["side"]


WRONG = {
    "known already": ({"attribute": "color"}, None, "knows 'color' already"),
    "no such column": ({"attribute": "sid"}, None, "unknown column .*Did you mean 'side'"),
    "no attribute": ({"attribute": "split"}, None, "unknown column .*'split'"),
    "a name of the server's": ({"attribute": "tensor"}, None, "cannot be served"),
    "one fold": ({"folds": 1}, None, "2 folds or more, got 1"),
    "no table": ({"table": "nowhere.csv"}, None, "nowhere.csv: no such file"),
    "no run": ({"run": "nowhere"}, None, "nowhere holds no best.json"),
    "a column that is none": ({"column_names": {"sku": "x"}}, None, "unknown column .*'sku'"),
    "one value": ({}, one_side, "side has one value, left"),
    "one photograph of a value": ({}, drop(4), "right 1: label more"),
    "one product of a value": ({}, of_one_product, "left 1, right 1: label more"),
    "labels beside split train": ({}, not_for_training, "no photograph of split train is label"),
    "another value of a known one": ({}, another_color, "the data has violet"),
    "no photograph": ({}, nowhere, "nowhere.png"),
}


@pytest.mark.parametrize("case", WRONG)
def test_bad_input_is_refused_before_anything_is_computed(
    case, runs, catalogue, tmp_path, monkeypatch
):
    changes, change, message = WRONG[case]
    monkeypatch.setattr("asen_tf.training.frozen.FrozenFeatures", None)
    path = table(catalogue, tmp_path, change) if change else catalogue / "manifest.csv"
    given = {"run": runs("csn").path, "table": path, "attribute": "side"} | changes
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        asen_tf.add_attribute(**given, output=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_no_run_is_written_over(runs, catalogue):
    run = runs("csn")
    before = contents(run)
    with pytest.raises(ValueError, match="holds a run: name another folder"):
        asen_tf.add_attribute(run, catalogue / "manifest.csv", "side", run.path)
    assert contents(run) == before


def test_a_model_without_a_table_is_refused(catalogue, tmp_path):
    run = begin(tmp_path / "run", catalogue, "triplet_net", values=False)
    with pytest.raises(NotImplementedError, match="TripletNet has no table with a row for each"):
        asen_tf.add_attribute(run, catalogue / "manifest.csv", "side", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_the_report_says_where_the_backbone_alone_is_better(tmp_path):
    quality = {"map": 0.3, "frozen_map": 0.4, "random_map": 0.1}
    found = AddedAttribute(Workdir(tmp_path), {"left": 5, "right": 5}, 5, quality, "")
    lines = add_attribute.report(found, "side").splitlines()
    assert lines[2].endswith("by the backbone's features alone 40.0")
    assert lines[3] == "  which is better: label more photographs of each value, and add it again"
    found.quality["map"] = 0.5
    assert "better" not in add_attribute.report(found, "side")


def test_the_program(runs, catalogue, tmp_path):
    flags = [f"--workdir={runs('csn').path}", f"--manifest={catalogue / 'manifest.csv'}"]
    flags += ["--attribute=side", f"--output={tmp_path / 'new'}", "--folds=3"]
    done = programs.run("add_attribute", *flags, eagerly=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:2] == [
        "side is learned from: left 12, right 12",
        "by cross-validation in 3 parts:",
    ]
    assert lines[2].startswith("  MAP ") and "by the backbone's features alone" in lines[2]
    assert lines[-2:] == [
        f"next: asen-evaluate --workdir={tmp_path / 'new'} --split=test",
        f"next: asen-export --workdir={tmp_path / 'new'} --output=FOLDER",
    ]
    again = programs.run("add_attribute", *flags, eagerly=True)
    assert again.returncode == 1
    assert again.stderr.strip().splitlines()[-1].startswith("error: ")
    assert "holds a run" in again.stderr
