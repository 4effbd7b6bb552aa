"""The tables: every row is an experiment that can be built."""

import collections
import csv
import re
from importlib import resources

import pytest

from asen_tf import losses
from asen_tf.core import config as configs
from asen_tf.core import experiment_files, experiments
from asen_tf.core.signature import parameters_of
from asen_tf.models import MODELS
from asen_tf.reproduction.published import figures
from asen_tf.reproduction.tables import TABLES
from asen_tf.training.stages import plan

ROWS = [(name, row) for name, table in TABLES.items() for row in table.rows if row.run]
DATA = ("synthetic", "clothing_attributes")


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize(("table", "row"), ROWS, ids=lambda x: getattr(x, "name", x))
def test_every_row_has_an_experiment_of_its_model(table, row, data):
    config = experiment_files.read(experiment_files.find(row.model, data), row.argument)
    if data == "clothing_attributes" and any(key.startswith("stage2.") for key in row.changes):
        pytest.skip("its stages have one loss each: there is nothing to leave out")
    for key in row.changes:
        assert key in configs.flat(config)
    config.update_from_flattened_dict(dict(row.changes))
    assert config.model.name == row.model
    assert set(config.model) - {"name"} <= set(parameters_of(MODELS[row.model]))
    for stage in config.train.stages:
        losses.build(config[stage].losses.to_dict(), offsets=(0, 2))


@pytest.mark.parametrize("name", TABLES)
def test_names_are_told_apart_and_what_a_row_says_is_printed_is(name):
    table = TABLES[name]
    names = [row.name for row in table.rows]
    assert len(set(names)) == len(names)
    assert not any("," in name for name in names)  # --rows takes a list
    for row in table.rows:
        found = {
            source
            for data in ("fashionai", "darn", "deepfashion", "shopping100k")
            for source, _ in figures(data, row.printed)
        }
        assert found <= set(row.printed) and bool(found) == bool(row.printed)


def printed():
    """(source, data, row) of all that the papers measure; table 1 of Ak et al. counts labels."""
    file = resources.files("asen_tf.reproduction") / "published.csv"
    rows = csv.DictReader(file.read_text(encoding="utf-8").splitlines())
    return sorted({(r["source"], r["data"], r["row"]) for r in rows if r["row"] != "labels"})


@pytest.mark.parametrize(("source", "data", "name"), printed())
def test_what_is_printed_is_of_a_row_with_an_experiment_on_that_data(source, data, name):
    rows = [r for table in TABLES.values() for r in table.rows if r.printed.get(source) == name]
    assert rows
    for row in rows:
        if row.run:
            file = experiment_files.find(row.model, data.lower())
            assert set(row.changes) <= set(configs.flat(experiment_files.read(file, row.argument)))


def test_rows_share_a_run_if_only_the_slice_differs():
    rows = {row.name: row for row in TABLES["asen_ablation"].rows}
    full = rows["ASEN++"].run
    assert rows["ASEN++ (local branch)"].run == full
    runs = {row.run for name, row in rows.items() if row.run}
    shared = {"ASEN++", "ASEN++ (local branch)", "ASEN++ (global branch)"}
    assert len(runs) == len(set(rows) - shared - {"random"}) + 1
    assert all(re.fullmatch(r"[\w-]+", run) for run in runs)


def test_the_global_branch_alone_is_stage_1():
    config = experiment_files.read(experiment_files.find("asen", "fashionai"))
    experiments.global_alone(config)
    assert config.train.stages == ("stage1",) and config.stage1.epochs == 50


@pytest.mark.parametrize("data", ["fashionai", "darn", "deepfashion", "zappos50k"])
@pytest.mark.parametrize("model", ["asen_aaai2020", "csn", "triplet_net"])
def test_networks_of_one_branch_train_as_the_first_asens_code_does(model, data):
    config = experiment_files.read(experiment_files.find(model, data))
    assert config.model.name == model and config.model.backbone == "resnet50"
    assert config.model.weights == "imagenet" and config.model.embedding_dim == 1024
    assert config.model.size == (112 if data == "zappos50k" else 224)
    assert config.train.stages == ("stage1",) and config.augment.flip
    assert config.train.batch_size * config.train.steps_per_epoch == 100_000
    (stage,) = plan(config)
    assert stage.epochs == 200 and stage.rates == ((".*", 1e-4),)
    assert [stage.factor(n / 200) for n in (0, 1, 2)] == pytest.approx([1, 0.985, 0.985**2])


@pytest.mark.parametrize("data", DATA)
def test_rows_of_a_table_with_the_same_start_train_for_as_many_epochs(data):
    for table in TABLES.values():
        epochs = collections.defaultdict(set)
        for row in table.rows:
            if row.run:
                config = experiment_files.read(experiment_files.find(row.model, data), row.argument)
                start = config.model.get("global_branch", config.model).weights
                total = sum(config[stage].epochs for stage in config.train.stages)
                # The part-guided network and its baselines have their own paper's schedule.
                if row.model != "linear":  # solved, in no epoch
                    epochs[start, row.model == "part_guided"].add(total)
        assert all(len(found) == 1 for found in epochs.values())
