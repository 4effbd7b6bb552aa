"""The tables: every row is an experiment that can be built."""

import collections

import pytest

from asen_tf import losses
from asen_tf.core import experiment_files
from asen_tf.core.signature import parameters_of
from asen_tf.models import MODELS
from asen_tf.reproduction.tables import TABLES

ROWS = [(name, row) for name, table in TABLES.items() for row in table.rows if row.run]
DATA = ("synthetic", "clothing_attributes")


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize(("table", "row"), ROWS, ids=lambda x: getattr(x, "name", x))
def test_every_row_has_an_experiment_of_its_model(table, row, data):
    config = experiment_files.read(experiment_files.find(row.model, data), row.argument)
    config.update_from_flattened_dict(dict(row.changes))
    assert config.model.name == row.model
    assert set(config.model) - {"name"} <= set(parameters_of(MODELS[row.model]))
    for stage in config.train.stages:
        losses.build(config[stage].losses.to_dict(), offsets=(0, 2))


@pytest.mark.parametrize("name", TABLES)
def test_names_are_told_apart_and_published_rows_are_rows(name):
    table = TABLES[name]
    names = [row.name for row in table.rows]
    assert len(set(names)) == len(names)
    assert not any("," in name for name in names)  # --rows takes a list
    for known in table.published.values():
        assert set(known) <= set(names)


def test_rows_share_a_run_if_only_the_slice_differs():
    rows = {row.name: row for row in TABLES["asen_ablation"].rows}
    full = rows["ASEN++"].run
    assert rows["ASEN++ (local branch)"].run == full
    assert rows["without ASA"].run != full != rows["without ACA"].run


@pytest.mark.parametrize("data", DATA)
def test_rows_of_a_table_with_the_same_start_train_for_as_many_epochs(data):
    for table in TABLES.values():
        epochs = collections.defaultdict(set)
        for row in table.rows:
            if row.run:
                config = experiment_files.read(experiment_files.find(row.model, data), row.argument)
                start = config.model.get("global_branch", config.model).weights
                total = sum(config[stage].epochs for stage in config.train.stages)
                if row.model != "linear":  # solved, in no epoch
                    epochs[start].add(total)
        assert all(len(found) == 1 for found in epochs.values())
