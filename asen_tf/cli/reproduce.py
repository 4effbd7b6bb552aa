"""Trains every row of a paper's table and writes the table, with what the papers print beside.

    asen-reproduce --table=asen_baselines --data=fashionai --data_root=/data/FashionAI \\
        --output=runs/tables
    asen-reproduce --table=asen_baselines --data=synthetic --budget_minutes=3 --output=runs/quick

Each row is the experiment of configs/MODEL/DATA.py, for as many epochs as stand there. With
--budget_minutes one that starts from ImageNet divides these minutes over its stages, features
included. Another is shortened or stretched to the budget: a short probe measures how long its
steps take here, and the steps that fit are what every seed trains.
What is finished is kept: the same command goes on where it was stopped, and tables that share
--output share their runs. TABLE_DATA.md and TABLE_DATA.json hold what has come out so far for
these seeds.
"""

import ast
from pathlib import Path

from absl import app, flags

from asen_client.cli import program
from asen_client.core.errors import Failed
from asen_tf.core.choices import CHANGES, DRAWN
from asen_tf.reproduction.tables import TABLES


def main() -> None:
    given = flags.FLAGS
    if not all(seed.isdecimal() for seed in given.seeds):
        raise app.UsageError(f"--seeds takes whole numbers from 0, got {','.join(given.seeds)}")
    changes = dict(map(_change, given.set))
    from asen_tf.reproduction.reproduce import reproduce

    failed = None
    try:
        reproduce(
            given.table,
            given.data,
            given.output,
            budget_minutes=given.budget_minutes,
            seeds=[int(seed) for seed in given.seeds],
            data_root=given.data_root,
            changes=changes,
            jobs=given.jobs,
            rows=given.rows,
            searched=given.changes,
        )
    except Failed as error:  # what came out is shown all the same
        failed = error
    written = Path(given.output, f"{given.table}_{given.data}.md")
    if written.exists():
        print(f"\n{written.read_text(encoding='utf-8')}\nsaved as {written} and .json")
    if failed:
        raise failed


def _change(text: str) -> tuple[str, object]:
    key, separator, value = text.partition("=")
    if not separator:
        raise app.UsageError(f"--set takes KEY=VALUE, such as data.images=500, got {text!r}")
    try:
        return key, ast.literal_eval(value)
    except (SyntaxError, ValueError):
        return key, value


def run() -> None:
    flags.DEFINE_enum("table", None, sorted(TABLES), "Table to write.")
    flags.DEFINE_string("data", "synthetic", "Data set: the stem of a file in configs/asen.")
    flags.DEFINE_string("data_root", "", "Folder of the data; default of synthetic: OUTPUT/data.")
    flags.DEFINE_float(
        "budget_minutes",
        None,
        "Minutes of training, for each row and seed; default: the experiments' own epochs.",
    )
    flags.DEFINE_list("seeds", "0,1,2", "Seeds of the runs of a row.")
    flags.DEFINE_list("rows", "", "Names of rows to train; default: all.")
    flags.DEFINE_enum(
        "changes",
        DRAWN,
        CHANGES,
        "Changes of a manipulation: one at random for each query, as in the paper, or every one.",
    )
    flags.DEFINE_multi_string("set", [], "KEY=VALUE that the configuration of every row gets.")
    flags.DEFINE_integer("jobs", 1, "How many runs train at once; they share the cores.")
    flags.DEFINE_string("output", None, "Folder for the runs and the table.")
    flags.mark_flags_as_required(["table", "output"])
    program.run(main, goes_on=True)


if __name__ == "__main__":
    run()
