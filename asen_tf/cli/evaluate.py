"""Measures a trained model, or a random order, with the papers' protocol and prints the table.

asen-evaluate --workdir=runs/asen --split=test --output=runs/asen/test.json
asen-evaluate --workdir=runs/asen --protocol=manipulation --special=pattern,color --ks=1,20
asen-evaluate --workdir=runs/asen --baseline
asen-evaluate --model=random --config=configs/asen/fashionai.py --config.data.root=/data/FashionAI
asen-evaluate --model=asen.onnx --config=configs/asen/csv.py --config.data.root=/data/shop

Protocols: "similarity" is MAP and more for each attribute (Ma et al., AAAI 2020); "manipulation" is
top-k accuracy of searches for several labels at once, also after changes (Ak et al., WACV 2018).
With similarity it is also measured how well the run names values: accuracy, macro F1, calibration.
A random order needs the index files alone: no photograph is opened.
--baseline puts a linear baseline beside the run: discriminants of the features of the backbone that
the run started from, trained on the run's data when it is first asked for, into WORKDIR/baseline.
"""

from collections.abc import Sequence

from absl import app, flags
from ml_collections import config_flags

from asen_client.cli import program
from asen_tf.core import experiment_files
from asen_tf.core.choices import (
    BASELINE,
    CHANGES,
    DRAWN,
    EXCLUDED_SAME,
    MANIPULATION,
    PRECISIONS,
    PROTOCOLS,
    RELEVANCE,
    SIMILARITY,
    SPLITS,
)

RANDOM = "random"


def main() -> None:
    given = flags.FLAGS
    _check_flags(given)
    from asen_tf.api.evaluate import evaluate, random_order
    from asen_tf.evaluation import save
    from asen_tf.evaluation.report import difference_line, tables

    chosen = {
        "split": given.split,
        "protocol": given.protocol,
        "special": given.special,
        "changes": given.changes,
        "relevance": given.relevance,
        "exclude_same": given.exclude_same,
        "ks": _cut_offs(given.ks),
    }
    output = given.output
    if given.model == RANDOM:
        result = random_order(given.config, seeds=given.seeds, **chosen)
    elif given.model:
        result = evaluate(given.model, given.config, precision=given.precision, **chosen)
    else:
        result = evaluate(
            given.workdir,
            given.data_root or None,
            slices=given.slices,
            precision=given.precision,
            baseline=given.baseline,
            skip_bad=given.skip_bad,
            follow_links=given.follow_links,
            **chosen,
        )
        output = output or _result_file(given.workdir, given.split, given.protocol)
    print(tables(result))
    if given.baseline:
        print(f"\n{difference_line(result, BASELINE)}")
    if "relevance" in result:
        print(f"\nrelevance: {result['relevance']}; excluded: the query's {result['exclude_same']}")
    if output:
        save(result, output)
        print(f"saved as {output}")


def _result_file(workdir: str, split: str, protocol: str) -> str:
    from asen_tf.workdir import Workdir

    return str(Workdir(workdir).result(split, "" if protocol == SIMILARITY else protocol))


def _cut_offs(given: Sequence[str]) -> list[int]:
    if not all(k.isdecimal() and int(k) for k in given):
        raise app.UsageError(
            f"--ks takes whole numbers from 1, such as 1,20, got {','.join(given)}"
        )
    return [int(k) for k in given]


def _check_flags(given: flags.FlagValues) -> None:
    if given.model and not given.config:
        raise app.UsageError(
            "--model is measured on the data of an experiment: name it with --config"
        )
    of_run = (given.slices, given.data_root, given.baseline, given.skip_bad, given.follow_links)
    if given.model and any(of_run):
        raise app.UsageError(
            "--slices, --baseline, --data_root, --skip_bad and --follow_links are for a --workdir; "
            "with --model, --config.data.root says where the data lies"
        )
    if given.workdir and given.config:
        raise app.UsageError("--config is for --model: the run in --workdir brings its own")
    of_similarity = given.slices or given.relevance or given.baseline or given.exclude_same
    if given.protocol == MANIPULATION and of_similarity:
        raise app.UsageError(
            "--protocol=manipulation takes neither --slices, --relevance, --exclude_same nor "
            "--baseline"
        )
    if given.special and given.protocol != MANIPULATION:
        raise app.UsageError("--special is for --protocol=manipulation")
    if given.changes != DRAWN and given.protocol != MANIPULATION:
        raise app.UsageError("--changes is for --protocol=manipulation")


def run() -> None:
    flags.DEFINE_string("workdir", None, "Folder of the run.")
    flags.DEFINE_string(
        "model",
        None,
        "What is measured instead of a run: random, a random order; folder or file that "
        "asen-export wrote; or HOST:PORT of a served model.",
    )
    config_flags.DEFINE_config_file("config", None, "Experiment whose data --model is measured on.")
    flags.DEFINE_integer("seeds", 5, "How many random orders --model=random measures.", 1)
    flags.DEFINE_enum("split", "test", SPLITS, "Split of the data that is measured.")
    flags.DEFINE_enum("protocol", SIMILARITY, PROTOCOLS, "What is measured; see above.")
    flags.DEFINE_list("special", "", "Attributes of a manipulation's labels; default: the run's.")
    flags.DEFINE_enum(
        "changes",
        DRAWN,
        CHANGES,
        "Changes of a manipulation: one at random for each query, as in the paper, or every one.",
    )
    flags.DEFINE_list("ks", "", "Cut-offs, such as 1,20; default: those of the run.")
    flags.DEFINE_enum("relevance", None, RELEVANCE, "Relevant values; default: the run's.")
    flags.DEFINE_enum(
        "exclude_same",
        None,
        EXCLUDED_SAME,
        "What a query is not measured with: its own image, or all of its own product, the default "
        "where the data has a column product.",
    )
    flags.DEFINE_list("slices", "", "Slices of the embedding to score: global,local,both; every.")
    flags.DEFINE_bool("baseline", False, "Put a linear baseline beside the run; see above.")
    flags.DEFINE_string("data_root", "", "Folder of the run's data, if it moved after training.")
    flags.DEFINE_bool("skip_bad", False, "Whether to drop bad rows of the run's data.")
    flags.DEFINE_bool("follow_links", False, "Whether links may lead out of the data's root.")
    flags.DEFINE_enum(
        "precision", None, PRECISIONS, "What networks compute in; default: as in training."
    )
    flags.DEFINE_string("output", "", "JSON file; default: WORKDIR/SPLIT[_PROTOCOL].json.")
    flags.mark_flags_as_mutual_exclusive(["workdir", "model"], required=True)
    program.run(main, checks={"config": experiment_files.check})


if __name__ == "__main__":
    run()
