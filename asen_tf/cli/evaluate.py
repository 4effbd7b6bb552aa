"""Measures a trained model with the papers' protocol and prints the table.

asen-evaluate --workdir=/tmp/asen --split=test --output=/tmp/asen/test.json
"""

from collections.abc import Sequence
from pathlib import Path

from absl import flags

from asen_tf.cli import program
from asen_tf.cli.run_data import load_manifest
from asen_tf.core.errors import unknown_name
from asen_tf.data.canvases import open_canvases
from asen_tf.data.manifest import SPLITS
from asen_tf.evaluation import (
    Evaluator,
    evaluate_localization,
    localization_table,
    save,
    to_table,
)
from asen_tf.evaluation.embed import canvas_fn, embed_fn, explain_fn
from asen_tf.workdir import Workdir


def evaluate(
    workdir: str, split: str = "test", variants: Sequence[str] = (), data_root: str = ""
) -> dict:
    """Scores the best model of a run on one split of its data.

    Args:
      workdir: of the run.
      split: "train", "valid" or "test".
      variants: pieces of the embedding to score separately, such as "global", "local", "both".
      data_root: where the data lies now; "": where it lay in training.

    Returns:
      What `Evaluator.evaluate` gives, and under "localization" what `evaluate_localization` gives
      where the data has part boxes.
    """
    run = Workdir(workdir)
    model, best, config = run.load_best(), run.best(), run.config()
    known = model.variants(best["parts"])
    for name in variants:
        if name not in known:
            raise ValueError(unknown_name("variant", name, known))
    manifest = load_manifest(run, data_root)
    canvases = canvas_fn(open_canvases(manifest, manifest.rows(split), model.canvas_size, "none"))
    result = Evaluator(
        embed_fn(model, best["parts"]), config.eval.batch_size, config.eval.ks
    ).evaluate(manifest, split, canvases, {name: known[name] for name in variants} or None)
    if manifest.boxes is not None:
        result["localization"] = evaluate_localization(
            explain_fn(model), manifest, split, canvases, config.eval.batch_size
        )
    return result


def report(result: dict) -> str:
    """The tables of a result, for the terminal."""
    tables = [to_table(result)]
    if "localization" in result:
        tables.append(localization_table(result["localization"]))
    return "\n\n".join(tables)


def main() -> None:
    given = flags.FLAGS
    result = evaluate(given.workdir, given.split, given.variants, given.data_root)
    print(report(result))
    output = given.output or str(Path(given.workdir) / f"{given.split}.json")
    save(result, output)
    print(f"\nsaved as {output}")


def run() -> None:
    flags.DEFINE_string("workdir", None, "Folder of the run.")
    flags.DEFINE_enum("split", "test", SPLITS, "Which images.")
    flags.DEFINE_list("variants", "", "Pieces to score separately: global,local,both.")
    flags.DEFINE_string(
        "data_root", "", "Where the data lies now, if not where it lay in training."
    )
    flags.DEFINE_string("output", "", "JSON file to write; default WORKDIR/SPLIT.json.")
    flags.mark_flag_as_required("workdir")
    program.run(main)


if __name__ == "__main__":
    run()
