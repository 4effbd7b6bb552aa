"""Trains every row of a paper's table under the same budget and writes the table.

    asen-reproduce --table=asen_baselines --data=synthetic --budget_minutes=3 --output=runs/tables
    asen-reproduce --table=asen_ablation --data=clothing_attributes --budget_minutes=10 \\
        --data_root=/data/clothing_attributes --seeds=0,1,2 --output=runs/clothing_tables

Each row is the experiment of configs/MODEL/DATA.py, shortened or stretched to the budget: a short
probe measures how long its steps take here, and the steps that fit are what every seed trains.
What is finished is kept: the same command goes on where it was stopped, and tables that share
--output share their runs. TABLE_DATA.md and TABLE_DATA.json hold what has come out so far.
"""

import ast
import json
import multiprocessing
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from absl import flags
from ml_collections import config_dict

from asen_tf.cli import experiment_files, program
from asen_tf.cli.evaluate import evaluate, evaluate_changes, evaluate_random_order
from asen_tf.core import experiments
from asen_tf.core.errors import unknown_name
from asen_tf.core.progress import duration, say
from asen_tf.data.load import load
from asen_tf.evaluation import save
from asen_tf.reproduction import pace, summary
from asen_tf.reproduction.tables import ASEN, MANIPULATION, TABLES, Row
from asen_tf.version import __version__
from asen_tf.workdir import Workdir

PIECES = ("both", "global", "local")  # of ASEN's embedding


def reproduce(
    table: str,
    data: str,
    budget_minutes: float,
    output: str | os.PathLike,
    seeds: Sequence[int] = (0, 1, 2),
    data_root: str = "",
    changes: Sequence[str] = (),
    jobs: int = 1,
    rows: Sequence[str] = (),
) -> list[dict]:
    """Trains and scores the rows of a table that are not there yet, and writes the table.

    Args:
      table: of `reproduction.tables.TABLES`.
      data: stem of an experiment file, such as "synthetic".
      budget_minutes: of training steps, for each row and seed.
      output: folder for runs, results and the table.
      seeds: of weights and of the order of examples.
      data_root: where the data lies; "": of synthetic garments, OUTPUT/data.
      changes: "KEY=VALUE" of the configuration, for all rows.
      jobs: runs at once, each with its share of the processor's cores.
      rows: names of rows to train; (): all.

    Returns:
      What `summarize` gives.

    Raises:
      ValueError: an unknown table, row, data set or key; a run in the folder that was begun with
        other settings; data that does not fit. Said before anything is trained.
      RuntimeError: a run failed; its log says why.
    """
    _check(table, rows, seeds, budget_minutes, jobs)
    return _Reproduction(table, data, budget_minutes, output, seeds, data_root, changes, jobs).run(
        rows
    )


class _Reproduction:
    def __init__(self, table, data, minutes, output, seeds, data_root, changes, jobs):
        self.name, self.table = table, TABLES[table]
        self.data, self.minutes, self.seeds, self.jobs = data, minutes, seeds, jobs
        self.output = Path(output)
        self.root = data_root or (str(self.output / "data") if data == "synthetic" else "")
        self.changes = [_change(text) for text in changes]

    def run(self, wanted: Sequence[str]) -> list[dict]:
        rows = [row for row in self.table.rows if not wanted or row.name in wanted]
        runs = {row.run: self._experiment(row) for row in rows if row.run}
        base = self._experiment(Row("", ASEN))
        load(base.data)
        self.output.mkdir(parents=True, exist_ok=True)
        runs = {name: self._bounded(name, config) for name, config in runs.items()}
        jobs = [
            (self._run_folder(name, seed), _seeded(config, seed), self.table.protocol)
            for seed in self.seeds
            for name, config in runs.items()
        ]
        for folder, config, _ in jobs:
            Workdir(folder).check_same(config)
        unfinished = [job for job in jobs if not _result_file(job[0], job[2]).exists()]
        self._train_and_score(unfinished, lambda: self._write(rows, base))
        summarized, text = self._write(rows, base)
        print(f"\n{text}\nsaved as {self._target}.md and {self._target}.json")
        return summarized

    def _experiment(self, row: Row) -> config_dict.ConfigDict:
        """The experiment of a row: its own, or ASEN's with another model of one branch."""
        own = row.model not in experiments.ONE_BRANCH or self.data in experiment_files.names(
            row.model
        )
        path = experiment_files.find(row.model if own else ASEN, self.data)
        config = experiment_files.read(path, row.argument)
        if not own:
            experiments.one_stage(config, row.model)
        if self.root:
            config.data.root = self.root
        for key, value in [*row.changes.items(), *self.changes]:
            try:
                config.update_from_flattened_dict({key: value})
            except (AttributeError, KeyError, TypeError) as error:
                raise ValueError(f"--set={key}={value}: {error}") from error
        return config

    def _bounded(self, name, config):
        """The experiment within the budget, by the pace that was measured when it first ran."""
        file = self.output / "pace.json"
        known = json.loads(file.read_text()) if file.exists() else {}
        key = f"{self.data}/{name}"
        if key not in known:
            say(f"measuring the pace of {name}")
            folder = self.output / "probe"
            shutil.rmtree(folder, ignore_errors=True)
            known[key] = _in_process(_probe, (_seeded(config, 0), folder), self._threads)
            shutil.rmtree(folder)
            save(known, file)
        return pace.within(config, self.minutes, known[key])

    @property
    def _threads(self) -> int:
        return max(1, (os.cpu_count() or 1) // self.jobs) if self.jobs > 1 else 0

    def _train_and_score(self, jobs, finished):
        began, done = time.monotonic(), 0
        context = multiprocessing.get_context("spawn")
        # A process for each run: TensorFlow does not give back what a graph took.
        with context.Pool(self.jobs, _limit, (self._threads,), maxtasksperchild=1) as pool:
            for folder, failure in pool.imap_unordered(_train_and_score, jobs):
                if failure:
                    raise RuntimeError(f"{folder.name}: {failure}; see {folder}.log")
                done += 1
                spent = time.monotonic() - began
                left = duration(spent / done * (len(jobs) - done))
                say(f"{done}/{len(jobs)} {folder.name} done, {left} left")
                finished()

    def _run_folder(self, name, seed):
        return self.output / "runs" / f"{self.data}_{name}_seed{seed}"

    @property
    def _target(self) -> Path:
        return self.output / f"{self.name}_{self.data}"

    def _write(self, rows, base):
        """Writes the table of what has come out so far; gives its rows, and it as Markdown."""
        rows = summary.summarize(self.table, {row.name: self._columns(row, base) for row in rows})
        facts = [
            f"Data: the test split of {self.data}; nothing of the papers' data.",
            f"Network: {base.model.global_branch.backbone} at "
            f"{base.model.global_branch.size} pixels, from weights that start at random.",
            f"Budget: {self.minutes:g} minutes of training steps for each row and seed, "
            f"by the pace of this machine ({os.cpu_count()} cores, {self.jobs} runs at once); "
            f"the papers trained for days on GPUs. Seeds: {', '.join(map(str, self.seeds))}.",
        ]
        text = summary.to_markdown(self.table, rows, facts)
        Path(f"{self._target}.md").write_text(text, encoding="utf-8")
        record = {
            "table": self.name,
            "data": self.data,
            "budget_minutes": self.minutes,
            "seeds": list(self.seeds),
            "rows": rows,
            "facts": facts,
            "source_of_published": self.table.source,
            "versions": {"asen_tf": __version__, "python": platform.python_version()},
        }
        save(record, Path(f"{self._target}.json"))
        return rows, text

    def _columns(self, row: Row, base) -> list[dict]:
        """The numbers of a row, for each seed that has come out."""
        protocol = self.table.protocol
        if row.run:
            results = self._results(row.run)
            return [summary.columns(result, protocol, row.piece) for result in results]
        if protocol == MANIPULATION:
            trained = next((row.run for row in self.table.rows if self._results(row.run)), "")
            return [
                summary.columns(r, protocol, summary.RANDOM) for r in self._results(trained)[:1]
            ]
        result = evaluate_random_order(base, "test", len(self.seeds))
        return [summary.columns(result, protocol, f"seed {n}") for n in range(len(self.seeds))]

    def _results(self, name: str) -> list[dict]:
        """What the seeds of a run scored, as far as they are finished."""
        files = [_result_file(self._run_folder(name, s), self.table.protocol) for s in self.seeds]
        return [json.loads(file.read_text()) for file in files if file.exists()]


def _train_and_score(job) -> tuple[Path, str]:
    """One run, in a process of its own: its folder, and why it failed."""
    from asen_tf.training import loop

    folder, config, protocol = job
    folder.parent.mkdir(parents=True, exist_ok=True)
    _redirect(Path(f"{folder}.log"))
    try:
        loop.train(config, folder)
        if protocol == MANIPULATION:
            result = evaluate_changes(str(folder), "test", ks=(1, 5, 20))
        else:
            result = evaluate(str(folder), "test", PIECES if config.model.name == ASEN else ())
        save(result, _result_file(folder, protocol))
    except Exception as error:  # of any kind: the other runs must not die of it unheard
        return folder, f"{type(error).__name__}: {error}"
    return folder, ""


def _result_file(folder: Path, protocol: str) -> Path:
    return Path(f"{folder}_{protocol}.json")


def _probe(config, folder):
    return pace.seconds_a_step(config, folder)


def _in_process(function: Callable, arguments: tuple, threads: int):
    with multiprocessing.get_context("spawn").Pool(1, _limit, (threads,)) as pool:
        return pool.apply(function, arguments)


def _limit(threads: int) -> None:
    """Bounds the cores that this process takes; 0: all."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)


def _redirect(path: Path) -> None:
    """What this process prints goes to the end of a file."""
    file = open(path, "a", encoding="utf-8")  # noqa: SIM115  for as long as the process lives
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(file.fileno(), 1)
    os.dup2(file.fileno(), 2)


def _seeded(config, seed):
    config = config.copy_and_resolve_references()
    config.train.seed = seed
    if not config.data.skip_bad:
        config.data.check = "none"  # all of it has been checked once
    return config


def _change(text: str) -> tuple[str, object]:
    key, separator, value = text.partition("=")
    if not separator:
        raise ValueError(f"--set takes KEY=VALUE, such as data.images=500, got {text!r}")
    try:
        return key, ast.literal_eval(value)
    except (SyntaxError, ValueError):
        return key, value


def _check(table, rows, seeds, minutes, jobs):
    if table not in TABLES:
        raise ValueError(unknown_name("table", table, TABLES))
    names = [row.name for row in TABLES[table].rows]
    for row in rows:
        if row not in names:
            raise ValueError(unknown_name(f"row of {table}", row, names))
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(f"--seeds takes different whole numbers, got {list(seeds)}")
    if minutes <= 0 or jobs < 1:
        raise ValueError(
            f"expected --budget_minutes above 0 and --jobs from 1, got {minutes:g} and {jobs}"
        )


def main() -> None:
    given = flags.FLAGS
    if not all(seed.isdecimal() for seed in given.seeds):
        raise ValueError(f"--seeds takes whole numbers from 0, got {','.join(given.seeds)}")
    reproduce(
        given.table,
        given.data,
        given.budget_minutes,
        given.output,
        [int(seed) for seed in given.seeds],
        given.data_root,
        given.set,
        given.jobs,
        given.rows,
    )


def run() -> None:
    flags.DEFINE_enum("table", None, sorted(TABLES), "Which table.")
    flags.DEFINE_string("data", "synthetic", "Data set: the stem of a file in configs/asen.")
    flags.DEFINE_string("data_root", "", "Where it lies; synthetic garments: OUTPUT/data.")
    flags.DEFINE_float("budget_minutes", None, "Of training steps, for each row and seed.")
    flags.DEFINE_list("seeds", "0,1,2", "Seeds of the runs of a row.")
    flags.DEFINE_list("rows", "", "Names of rows to train; default: all.")
    flags.DEFINE_multi_string("set", [], "KEY=VALUE of the configuration, for all rows.")
    flags.DEFINE_integer("jobs", 1, "Runs at once, each with its share of the cores.")
    flags.DEFINE_string("output", None, "Folder to write.")
    flags.mark_flags_as_required(["table", "budget_minutes", "output"])
    program.run(main)


if __name__ == "__main__":
    run()
