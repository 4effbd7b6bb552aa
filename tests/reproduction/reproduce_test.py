"""`asen-reproduce`: a table of a tiny experiment, once and again."""

import json

import pytest

from asen_tf.data.load import load
from asen_tf.reproduction.reproduce import _Reproduction, reproduce
from asen_tf.workdir import Workdir

TINY = {
    "data.images": 60,
    "model.image_scale": 1,
    "model.global_branch.size": 32,
    "model.global_branch.embedding_dim": 8,
    "train.batch_size": 8,
    "eval.every_epochs": 0,
    "stage1.losses.global_triplet.margin": 0.2,
}


def test_a_table_is_trained_once_and_written_again(tmp_path, capfd):
    def run(**changes):
        arguments = {"seeds": [3], "changes": TINY, "rows": ["random", "triplet network"]}
        arguments["budget_minutes"] = 0.01
        return reproduce("asen_baselines", "synthetic", tmp_path, **arguments | changes)

    record = run()
    rows = record["rows"]
    assert [row["name"] for row in rows] == ["random", "triplet network"]
    assert all(0 < row["mean"]["all queries"] < 1 for row in rows)
    written = json.loads((tmp_path / "asen_baselines_synthetic.json").read_text())
    assert written == record and written["seeds"] == [3]
    assert (
        written["changes"] == [f"{k}={v}" for k, v in TINY.items()]
        and rows[1]["steps"]["stage1"] >= 1
    )
    assert "triplet network |" in (tmp_path / "asen_baselines_synthetic.md").read_text()
    run_folder = tmp_path / "runs" / "synthetic_triplet_net_seed3"
    assert json.loads((run_folder / "config.json").read_text())["train"]["seed"] == 3
    # The overall value is what asen-evaluate wrote for that run.
    scored = json.loads(run_folder.with_name(f"{run_folder.name}_similarity.json").read_text())
    assert rows[1]["mean"]["all queries"] == scored["map"]

    history = (run_folder / "history.jsonl").read_bytes()
    capfd.readouterr()
    assert run() == record
    assert (run_folder / "history.jsonl").read_bytes() == history
    assert "done" not in capfd.readouterr().err

    pace = tmp_path / "pace.json"
    measured = pace.read_text()
    pace.write_text(measured.replace("margin=0.2", "margin=0.3"))
    with pytest.raises(ValueError, match="another configuration.*margin"):
        run(changes={**TINY, "stage1.losses.global_triplet.margin": 0.3})
    pace.write_text(measured)

    # A run that fails is told, and what has come out stays.
    broken = tmp_path / "runs" / "synthetic_triplet_net_seed4"
    broken.mkdir()
    (broken / "best").write_text("in the way")
    with pytest.raises(RuntimeError, match="(?s)1 runs failed.*seed4: .*best"):
        run(seeds=[3, 4])
    assert (
        json.loads((tmp_path / "asen_baselines_synthetic.json").read_text())["rows"][1]["seeds"]
        == 1
    )


def test_what_was_trained_on_another_table_is_not_taken_over(tmp_path, monkeypatch):
    """32-table-changed-under-a-run."""

    def begin(self, runs, base):
        for run, config in runs.items():
            begun = Workdir(self._folder(*run))
            manifest = load(config.data)
            begun.begin(config, manifest.space, manifest)
            begun.write_best({"stage": "stage1", "step": 1, "slices": None, "map": None})

    def run():
        given = {"seeds": [3], "changes": TINY, "rows": ["triplet network"]}
        reproduce("asen_baselines", "synthetic", tmp_path, **given)

    monkeypatch.setattr(_Reproduction, "_train", begin)
    run()
    run()
    table = tmp_path / "data" / "manifest.csv"
    table.write_text(table.read_text().replace(",long,", ",short,"))
    with pytest.raises(ValueError, match=r"data has changed .*triplet_net_seed3 began"):
        run()


def test_without_a_budget_a_row_trains_for_the_epochs_of_its_experiment(tmp_path):
    short = {**TINY, "train.steps_per_epoch": 1, "stage1.epochs": 2.0}
    record = reproduce(
        "asen_baselines",
        "synthetic",
        tmp_path,
        seeds=[3],
        changes=short,
        rows=["triplet network"],
    )
    *_, row = record["rows"]
    assert row["name"] == "triplet network" and row["steps"] == {"stage1": 2}
    assert record["budget_minutes"] is None and not (tmp_path / "pace.json").exists()


def test_the_random_row_of_searches_after_a_change_trains_nothing(tmp_path):
    small = {"data.images": 200}
    record = reproduce(
        "ak2018_manipulation",
        "synthetic",
        tmp_path,
        changes=small,
        rows=["random"],
        searched="every",
    )
    (row,) = record["rows"]
    assert 0 < row["mean"]["one change, top-1"] < row["mean"]["one change, top-20"] < 1
    text = (tmp_path / "ak2018_manipulation_synthetic.md").read_text()
    assert "every change of every photograph" in text
    assert (tmp_path / "ak2018_manipulation_synthetic_one_change.png").exists()
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"table": "asen_baseline"}, "asen_baselines"),
        ({"rows": ["CNS"]}, "CSN"),
        ({"data": "synthetics"}, "synthetic"),
        ({"seeds": [1, 1]}, "different whole numbers"),
        ({"budget_minutes": 0}, "above 0, got 0"),
        ({"budget_minutes": float("nan")}, "above 0, got nan"),
        # 28-values-of-keys-unchecked
        ({"changes": {"train.batch_size": 0}}, "train.batch_size=0: expected a whole number"),
        ({"changes": {"data.image": 3}}, "Did you mean 'data.images'"),
        ({"changes": {"data.images": "many"}}, "data.images=many"),
        # CSN reads no attention: the row would be another one than its name says.
        ({"rows": ["CSN"], "changes": {"model.spatial_attention": False}}, "unknown key"),
        (
            {"table": "asen_ablation", "data": "clothing_attributes", "rows": ["without L_a"]},
            "the experiment on clothing_attributes has no stage2.losses.alignment.weight",
        ),
    ],
)
def test_what_cannot_be_trained_is_refused_at_once(tmp_path, changes, message):
    arguments = {"table": "asen_baselines", "data": "synthetic", "budget_minutes": 1.0}
    with pytest.raises(ValueError, match=message):
        reproduce(**arguments | {"output": tmp_path / "out"} | changes)
    assert not (tmp_path / "out").exists()
