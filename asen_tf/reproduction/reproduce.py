"""Trains every row of a paper's table, as long as its paper does or for so long, and writes it."""

import contextlib
import dataclasses
import json
import math
import os
import platform
import shutil
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
from ml_collections import config_dict

from asen_client.core.errors import Failed, check_names, unknown_name
from asen_client.version import __version__
from asen_tf.api.evaluate import evaluate, random_order
from asen_tf.backbones.imagenet import check_imagenet
from asen_tf.core import config as configs
from asen_tf.core import config_check, experiment_files, experiments, files
from asen_tf.core.choices import CHANGES, DRAWN, EVERY, MANIPULATION, TRIPLETS, WITH_VALUES
from asen_tf.core.lock import hold
from asen_tf.core.progress import duration, say
from asen_tf.data.load import BadData, load
from asen_tf.data.manifest import Manifest
from asen_tf.evaluation import save
from asen_tf.figures import lines
from asen_tf.figures import save as save_picture
from asen_tf.reproduction import pace, summary
from asen_tf.reproduction.processes import Task, run_all
from asen_tf.reproduction.tables import ASEN, PART_GUIDED, TABLES, Row, Table
from asen_tf.workdir import Workdir

KS = (1, 5, 10, 20, 30, 40, 50)  # of the curves of Ak et al.


def reproduce(
    table: str,
    data: str,
    output: str | os.PathLike,
    *,
    budget_minutes: float | None = None,
    seeds: Sequence[int] = (0, 1, 2),
    data_root: str = "",
    changes: Mapping[str, object] | None = None,
    jobs: int = 1,
    rows: Sequence[str] = (),
    searched: str = DRAWN,
) -> dict:
    """Trains and scores the rows of a table that are not there yet, and writes the table.

    Args:
      table: of `reproduction.tables.TABLES`.
      data: stem of an experiment file, such as "synthetic".
      output: folder for runs, results and the table.
      budget_minutes: of training, for each row and seed; None: each row trains for the epochs of
        its own experiment.
      seeds: of weights and of the order of examples.
      data_root: where the data lies; "": of synthetic garments, OUTPUT/data.
      changes: key of the configuration -> value, for all rows that have the key. A network of one
        branch takes those of `model.global_branch` as its own.
      jobs: runs at once, each with its share of the processor's cores.
      rows: names of rows to train; (): all.
      searched: of a table of manipulations, which changes: see `core.choices.CHANGES`.

    Returns:
      What TABLE_DATA.json in that folder holds: `rows`, as `summary.summarize` gives them, and how
      they came about. TABLE_DATA.md is the table for people; of manipulations, TABLE_DATA_KIND.png
      have the curves over k.

    Raises:
      ValueError: an unknown table, row, data set or key; a value that makes no sense; a run in the
        folder that was begun with other settings or data; data that does not fit. Said before
        anything is trained.
      Failed: runs failed, after all others were trained; their logs say why.
    """
    _check(table, rows, seeds, budget_minutes, jobs)
    check_names("changes", [searched], CHANGES)
    output = Path(output)
    if data == "synthetic":
        data_root = data_root or str(output / "data")
    return _Reproduction(
        table,
        data,
        budget_minutes,
        output,
        tuple(seeds),
        data_root,
        dict(changes or {}),
        jobs,
        searched,
    ).run(rows)


@dataclasses.dataclass
class _Reproduction:
    name: str
    data: str
    minutes: float | None
    output: Path
    seeds: Sequence[int]
    root: str
    changes: Mapping[str, object]
    jobs: int
    searched: str
    left_out: dict[str, str] = dataclasses.field(default_factory=dict)  # row -> why
    loaded: dict[str, Manifest] = dataclasses.field(default_factory=dict)

    @property
    def table(self) -> Table:
        return TABLES[self.name]

    def run(self, wanted: Sequence[str]) -> dict:
        base = self._experiment(Row("", ASEN))
        runs = {}
        for row in self.table.rows:
            if row.run and (not wanted or row.name in wanted):
                try:
                    runs[row.run] = self._experiment(row)
                except _NotHere as error:
                    if wanted:
                        raise
                    self.left_out[row.name] = str(error)
        for key in self.changes:
            given = list(runs.values()) or [base]
            if all(_key_of(config, key) is None for config in given):
                known = {name: None for config in given for name in configs.flat(config)}
                raise ValueError(unknown_name("key of the configuration", key, known))
        for config in runs.values():
            config_check.check(config)
            check_imagenet(config.model.to_dict())
        if self._data_of(base).triplets is not None:
            runs = self._of_triplets(runs, wanted)
        self.output.mkdir(parents=True, exist_ok=True)
        # Two programs must not train the same run.
        with contextlib.ExitStack() as stack:
            held = hold(self.output / ".lock", "trains in this folder", "Wait, or name another")
            stack.callback(held.release)
            if self.minutes is not None:
                runs = self._within_budget(runs)
            seeded = {(n, seed): _seeded(c, seed) for seed in self.seeds for n, c in runs.items()}
            for run, config in seeded.items():
                begun = Workdir(self._folder(*run))
                if begun.is_begun:
                    begun.check_same(config, self._data_of(config))
            failures = self._train(
                {run: c for run, c in seeded.items() if not self._result_file(*run).exists()}, base
            )
            record = self._write(base)
        if failures:
            raise Failed("\n".join([f"{len(failures)} runs failed", *failures]))
        return record

    def _experiment(self, row: Row) -> config_dict.ConfigDict:
        """The experiment of a row: its own, or ASEN's with another model of one branch."""
        own = row.model not in experiments.DERIVED or self.data in experiment_files.names(row.model)
        model = row.model if own else ASEN
        if model != ASEN and self.data not in experiment_files.names(model):
            raise _NotHere(f"configs/{model} has no experiment on {self.data}")
        config = experiment_files.read(experiment_files.find(model, self.data), row.argument)
        if not own:
            experiments.derive(config, row.model)
        if row.global_alone:
            experiments.global_alone(config)
        if self.root:
            config.data.root = self.root
        for key, value in row.changes.items():
            if key not in configs.flat(config):
                raise _NotHere(f"the experiment on {self.data} has no {key}")
            config.update_from_flattened_dict({key: value})
        for key, value in self.changes.items():
            if (own_key := _key_of(config, key)) is not None:
                try:
                    config.update_from_flattened_dict({own_key: value})
                except TypeError as error:
                    raise ValueError(f"{key}={value}: {error}") from error
        return config

    def _of_triplets(self, runs, wanted):
        """Those of the runs that data with triplets in place of labels can train."""
        if self.table.protocol == MANIPULATION:
            raise ValueError(f"{self.data} has triplets: expected a data set with labels")
        self.left_out[summary.RANDOM] = "a random order is right in half of all triplets"
        for row in self.table.rows:
            if row.run in runs and not _draws_triplets(runs[row.run]):
                reason = f"{self.data} has triplets in place of the labels that it learns from"
                if row.name in wanted:
                    raise _NotHere(f"{row.name}: {reason}")
                self.left_out[row.name] = reason
        return {name: config for name, config in runs.items() if _draws_triplets(config)}

    def _data_of(self, config) -> Manifest:
        """The data of a configuration; that of many rows is the same."""
        key = json.dumps({**configs.flat(config.data), "check": ""}, sort_keys=True)
        if key not in self.loaded:
            try:
                self.loaded[key] = load(config.data)
            except BadData as error:
                raise BadData(error.problems, "--set=data.skip_bad=true") from None
        return self.loaded[key]

    @property
    def _changed(self) -> list[str]:
        return [f"{key}={value}" for key, value in self.changes.items()]

    def _within_budget(self, runs):
        """Stages that share time share the budget; others have as many steps as it takes."""
        paces = self._paces({name: c for name, c in runs.items() if not _shares_time(c)})
        bounded = {name: pace.within(runs[name], self.minutes, paces[name]) for name in paces}
        for name in runs.keys() - paces.keys():
            bounded[name] = runs[name].copy_and_resolve_references()
            bounded[name].train.max_minutes = float(self.minutes)
        return {name: bounded[name] for name in runs}

    def _paces(self, runs) -> dict[str, dict[str, float]]:
        """Run -> stage -> seconds a step, as measured when the run was first requested."""
        file = self.output / "pace.json"
        known = files.read_json(file) if file.exists() else {}
        keys = {name: " ".join([f"{self.data}_{name}", *self._changed]) for name in runs}
        # As many probes at once as there will be runs, for they share memory and caches.
        folder = self.output / "probe"
        tasks = [
            Task(name, _probe, (_seeded(runs[name], 0), folder / name), folder / f"{name}.log")
            for name, key in keys.items()
            if key not in known
        ]
        if tasks:
            shutil.rmtree(folder, ignore_errors=True)
            say(f"measuring the pace of {', '.join(task.name for task in tasks)}")
        for task, failure in run_all(tasks, self.jobs, self._threads):
            if failure:
                raise Failed(failure)
            known[keys[task.name]] = files.read_json(folder / f"{task.name}.json")
            save(known, file)
        shutil.rmtree(folder, ignore_errors=True)
        return {name: known[key] for name, key in keys.items()}

    @property
    def _threads(self) -> int:
        return max(1, (os.cpu_count() or 1) // self.jobs) if self.jobs > 1 else 0

    def _train(self, runs, base) -> list[str]:
        """Trains and scores, and writes the table anew after each run; why some failed."""
        tasks = []
        for run, config in runs.items():
            folder = self._folder(*run)
            arguments = config, folder, self._searched, self._result_file(*run)
            tasks.append(Task(folder.name, _train_and_score, arguments, Path(f"{folder}.log")))
        began, failures = time.monotonic(), []
        for done, (task, failure) in enumerate(run_all(tasks, self.jobs, self._threads), start=1):
            left = duration((time.monotonic() - began) / done * (len(tasks) - done))
            say(f"{done}/{len(tasks)} {failure or f'{task.name} done'}, {left} left")
            if failure:
                failures.append(failure)
            else:
                self._write(base)
        return failures

    def _folder(self, name: str, seed: int) -> Path:
        return self.output / "runs" / f"{self.data}_{name}_seed{seed}"

    def _result_file(self, name: str, seed: int) -> Path:
        measured = "_".join(filter(None, (self.table.protocol, self._searched)))
        return Path(f"{self._folder(name, seed)}_{measured}.json")

    @property
    def _searched(self) -> str:
        """Which changes are searched for; "" where rankings are measured."""
        return self.searched if self.table.protocol == MANIPULATION else ""

    def _write(self, base) -> dict:
        """Writes the table of what has come out so far, and gives what it holds."""
        results = {row.name: self._columns(row, base) for row in self.table.rows}
        rows = summary.summarize(self.table, self.data, results)
        if not rows:
            raise Failed("no run has come to an end")
        runs = {row.name: row.run for row in self.table.rows}
        for row in rows:
            run = runs[row["name"]]
            row["steps"] = self._steps(run) if run else {}
        facts = [
            f"Data: the test split of {self.data}.",
            *self._networks([row["name"] for row in rows]),
            self._budget(base),
            *([_SEARCHED[self._searched]] if self._searched else []),
            f"Seeds: {', '.join(map(str, self.seeds))}.",
            *self._settings(base, [row["name"] for row in rows]),
            *([f"Changed where it is read: {', '.join(self._changed)}."] if self.changes else []),
            *(f"Left out: {name}, {why}." for name, why in self.left_out.items()),
        ]
        target = self.output / f"{self.name}_{self.data}"
        text = summary.to_markdown(self.table, rows, facts)
        if self._searched:
            for kind, of_rows in summary.curves(rows).items():
                picture = Path(f"{target}_{kind.replace(' ', '_')}.png")
                save_picture(_chart(kind, of_rows), picture)
                text += f"\n![top-k accuracy, {kind}]({picture.name})\n"
        files.write_text(target.with_suffix(".md"), text)
        record = {
            "table": self.name,
            "data": self.data,
            "budget_minutes": self.minutes,
            "seeds": list(self.seeds),
            "changes": self._changed,
            "searched": self._searched,
            "rows": rows,
            "facts": facts,
            "versions": {"asen_tf": __version__, "python": platform.python_version()},
        }
        save(record, target.with_suffix(".json"))
        return record

    def _networks(self, names: Collection[str]) -> list[str]:
        """What the rows of these names see, a line for each backbone."""
        found: dict[str, list[str]] = {}
        for row in self.table.rows:
            if row.run and row.name in names:
                model = self._experiment(row).model
                branch = model.get("global_branch", model)
                start = branch.weights or "random"
                network = f"{branch.backbone} at {branch.size} pixels, from {start} weights"
                found.setdefault(network, []).append(row.name)
        if len(found) == 1:
            return [f"Network: {network}." for network in found]
        return [f"Network of {', '.join(rows)}: {network}." for network, rows in found.items()]

    def _settings(self, base, names: Collection[str]) -> list[str]:
        """How the experiments of the papers' own networks depart from their settings."""
        found = []
        models = {row.model: row for row in self.table.rows if row.run and row.name in names}
        if self.table.protocol != MANIPULATION or ASEN in models:
            found.append(("ASEN++", experiments.published(), base))
        if PART_GUIDED in models:
            paper = experiment_files.read(experiment_files.find(PART_GUIDED, "shopping100k"))
            own = dataclasses.replace(models[PART_GUIDED], argument="")
            found.append(("the part-guided network", paper, self._experiment(own)))
        said = ((name, _departures(paper, ours)) for name, paper, ours in found)
        return [f"Of {name} not as in its paper: {changed}." for name, changed in said if changed]

    def _budget(self, base) -> str:
        if self.minutes is None:
            return "Budget: each row trains for the epochs of its own experiment."
        return (
            f"Budget: {self.minutes:g} minutes of {_counted(base)} for each row and seed, as "
            f"measured on this machine ({os.cpu_count()} cores, {self.jobs} runs at once)."
        )

    def _steps(self, name: str) -> dict[str, int]:
        """Stage -> steps that a run of this table took."""
        seed = next(s for s in self.seeds if self._result_file(name, s).exists())
        return {e["stage"]: e["step"] for e in Workdir(self._folder(name, seed)).history()}

    def _columns(self, row: Row, base) -> list[dict]:
        """The numbers of a row, for each seed that has come out."""
        protocol = self.table.protocol
        if row.name in self.left_out:
            return []
        if row.run:
            results = self._results(row.run)
            if row.slice == WITH_VALUES:
                results = results if self._experiment(row).train.embed_values else []
            elif row.slice:  # of what the budget left time for
                results = [r for r in results if row.slice in r.get("variants", ())]
            return [summary.columns(r, protocol, row.slice) for r in results]
        if protocol == MANIPULATION:
            # Of the attributes that the trained rows search for.
            trained = [r for r in self.table.rows if r.run and r.name not in self.left_out]
            of = self._experiment(trained[0]) if trained else base
            result = random_order(of, protocol=protocol, changes=self._searched, ks=KS)
            return [summary.columns(result, protocol)]
        result = random_order(base, seeds=len(self.seeds))
        return [summary.columns(result, protocol, f"seed {n}") for n in range(len(self.seeds))]

    def _results(self, name: str) -> list[dict]:
        """What the seeds of a run scored, as far as they are finished."""
        results = [self._result_file(name, seed) for seed in self.seeds]
        return [files.read_json(file) for file in results if file.exists()]


class _NotHere(ValueError):
    """A row that there is not on a data set."""


_SEARCHED = {
    DRAWN: "Searches: one random change for each query.",
    EVERY: "Searches: every change of every photograph, where the paper draws one for each query.",
}


def _departures(paper, ours) -> str:
    """What differs in the settings that both have, but for the data's."""
    paper, ours = configs.flat(paper), configs.flat(ours)
    keys = {key for key in paper.keys() & ours.keys() if not key.startswith("data.")}
    return "; ".join(
        sorted(configs.differences(*({k: of[k] for k in keys} for of in (paper, ours))))
    )


def _chart(kind: str, of_rows: Mapping[str, tuple[list, list]]):
    """Figure 6 of Ak et al.: a line a row."""
    curves = {name: (np.array(ks), np.array(shares)) for name, (ks, shares) in of_rows.items()}
    title = f"top-k accuracy in percent, {kind}"
    return lines.chart(curves, title, "k", quiet=(summary.RANDOM,), least=0)


def _train_and_score(config, folder: Path, searched: str, result_file: Path) -> None:
    from asen_tf.training.train import train

    train(config, folder)
    if searched:
        result = evaluate(folder, protocol=MANIPULATION, ks=KS, changes=searched)
    else:
        result = evaluate(folder, slices=(EVERY,))
    save(result, result_file)


def _shares_time(config) -> bool:
    """Whether `train.max_minutes` says how long its stages are."""
    stages = [config[name] for name in config.train.stages]
    return any(stage.share for stage in stages) or not any(stage.epochs for stage in stages)


def _draws_triplets(config) -> bool:
    stages = (config[name] for name in config.train.stages)
    return all((stage.sampling or config.train.sampling) in TRIPLETS for stage in stages)


def _counted(config) -> str:
    return "training, features included," if _shares_time(config) else "training steps"


def _probe(config, folder: Path) -> None:
    save(pace.seconds_a_step(config, folder), f"{folder}.json")


def _seeded(config, seed):
    config = config.copy_and_resolve_references()
    config.train.seed = seed
    if not config.data.skip_bad:
        config.data.check = "none"  # all of it has been checked once
    return config


def _key_of(config, key: str) -> str | None:
    """What this configuration calls a key of ASEN's; None where it has none."""
    if "global_branch" not in config.model:
        key = key.replace("model.global_branch.", "model.")
    return key if key in configs.flat(config) else None


def _check(table, rows, seeds, minutes, jobs):
    if table not in TABLES:
        raise ValueError(unknown_name("table", table, TABLES))
    names = [row.name for row in TABLES[table].rows]
    for row in rows:
        if row not in names:
            raise ValueError(unknown_name(f"row of {table}", row, names))
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(f"--seeds takes different whole numbers, got {list(seeds)}")
    if minutes is not None and not 0 < minutes < math.inf:
        raise ValueError(
            f"expected --budget_minutes above 0, got {minutes:g}; without it each row trains for "
            "the epochs of its own experiment"
        )
    if jobs < 1:
        raise ValueError(f"expected --jobs from 1, got {jobs}")
