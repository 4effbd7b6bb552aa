"""Measures a trained model, or a random order, with the papers' protocol and prints the table.

asen-evaluate --workdir=runs/asen --split=test --output=runs/asen/test.json
asen-evaluate --workdir=runs/asen --protocol=manipulation --special=pattern,color --ks=1,20
asen-evaluate --model=random --config=configs/asen/fashionai.py --config.data.root=/data/FashionAI

Protocols: "similarity" is MAP and more for each attribute (Ma et al., AAAI 2020); "manipulation" is
top-k accuracy of searches for several labels at once, also after changes (Ak et al., WACV 2018).
A random order needs the index files alone: no photograph is opened.
"""

from collections.abc import Sequence

import numpy as np
from absl import flags
from ml_collections import ConfigDict, config_flags

from asen_tf.cli import program
from asen_tf.core.errors import unknown_name
from asen_tf.data.load import load
from asen_tf.data.manifest import SPLITS, Manifest
from asen_tf.evaluation import (
    Evaluator,
    evaluate_localization,
    evaluate_manipulation,
    evaluate_random,
    evaluate_triplets,
    localization_table,
    manipulation_table,
    save,
    to_table,
    triplets_table,
)
from asen_tf.evaluation.tasks import RELEVANCE

RANDOM = "random"
SIMILARITY, MANIPULATION = "similarity", "manipulation"


def evaluate(
    workdir: str,
    split: str = "test",
    variants: Sequence[str] = (),
    data_root: str = "",
    relevance: str | None = None,
    ks: Sequence[int] = (),
    precision: str | None = None,
) -> dict:
    """Scores the best model of a run on one split of its data.

    Args:
      workdir: of the run.
      split: "train", "valid" or "test".
      variants: pieces of the embedding to score separately, such as "global", "local", "both".
      data_root: where the data lies now; "": where it lay in training.
      relevance: see `evaluation.tasks.RELEVANCE`; None: the run's own.
      ks: cut-offs; (): the run's own.
      precision: what the networks compute in, see `Workdir.load_best`.

    Returns:
      What `Evaluator.evaluate` gives, and under "localization" what `evaluate_localization` gives
      where the data has part boxes and the model attention; what `evaluate_triplets` gives where
      the data has triplets.
    """
    # A random order needs no TensorFlow, which takes seconds to load.
    from asen_tf.run_data import load_manifest
    from asen_tf.evaluation.embed import explain_fn
    from asen_tf.workdir import Workdir

    run = Workdir(workdir)
    model, best, config = run.load_best(precision), run.best(), run.config()
    known = model.variants(best["parts"])
    for name in variants:
        if name not in known:
            raise ValueError(unknown_name("variant", name, known))
    manifest = load_manifest(run, data_root)
    photographs, embed = _inputs(model, best["parts"], config, manifest)
    batch_size = config.eval.batch_size
    pieces = {name: known[name] for name in variants} or None
    if manifest.triplets is not None:
        return evaluate_triplets(embed, manifest, split, photographs, batch_size, pieces)
    result = Evaluator(
        embed,
        batch_size,
        ks or config.eval.ks,
        relevance=relevance or config.eval.relevance,
    ).evaluate(manifest, split, photographs, pieces)
    if manifest.boxes is not None and model.explains:
        result["localization"] = evaluate_localization(
            explain_fn(model), manifest, split, _canvases(model, manifest), batch_size
        )
    return result


def evaluate_changes(
    workdir: str,
    split: str = "test",
    special: Sequence[str] = (),
    data_root: str = "",
    ks: Sequence[int] = (),
) -> dict:
    """Scores searches of the best model of a run for all labels at once, also after changes.

    Args:
      workdir: of the run.
      split: "train", "valid" or "test".
      special: attributes that make up the labels; (): the run's own, `data.special`.
      data_root: where the data lies now; "": where it lay in training.
      ks: cut-offs; (): the run's own.

    Returns:
      What `evaluation.evaluate_manipulation` gives.
    """
    from asen_tf.run_data import load_manifest
    from asen_tf.evaluation.embed import change_fn
    from asen_tf.workdir import Workdir

    run = Workdir(workdir)
    model, config = run.load_best(), run.config()
    manifest = load_manifest(run, data_root)
    photographs, embed = _inputs(model, run.best()["parts"], config, manifest)
    return evaluate_manipulation(
        embed,
        manifest,
        split,
        photographs,
        special or config.data.special,
        ks or config.eval.ks,
        change_fn(model),
        config.eval.batch_size,
    )


def _inputs(model, parts: Sequence[str], config: ConfigDict, manifest: Manifest):
    """What gives the photographs of rows, and what embeds them."""
    from asen_tf.evaluation.embed import embed_fn
    from asen_tf.evaluation.published import PublishedInputs, is_published, open_fn

    if is_published(config.eval.preprocessing):
        return open_fn(manifest), PublishedInputs(model, parts).embed
    return _canvases(model, manifest), embed_fn(model, parts)


def _canvases(model, manifest: Manifest):
    from asen_tf.data.canvases import open_canvases
    from asen_tf.evaluation.embed import canvas_fn

    rows = np.arange(len(manifest))
    return canvas_fn(open_canvases(manifest, rows, model.image_size, "none"))


def evaluate_random_order(
    config: ConfigDict,
    split: str = "test",
    seeds: int = 5,
    relevance: str | None = None,
    ks: Sequence[int] = (),
) -> dict:
    """Scores random orders on one split of the data that a configuration describes.

    Args:
      config: of an experiment; its images need not be there.
      split: "train", "valid" or "test".
      seeds: how many random orders.
      relevance: see `evaluation.tasks.RELEVANCE`; None: the configuration's.
      ks: cut-offs; (): the configuration's.

    Returns:
      What `evaluation.evaluate_random` gives.
    """
    data = config.data.copy_and_resolve_references()
    data.check = "none"
    manifest = load(data, training=False)
    return evaluate_random(
        manifest,
        split,
        range(seeds),
        ks or config.eval.ks,
        relevance or config.eval.relevance,
    )


def report(result: dict) -> str:
    """The tables of a result, for the terminal."""
    if "special" in result:
        return manipulation_table(result)
    if "triplets" in result:
        return triplets_table(result)
    tables = [to_table(result)]
    if "localization" in result:
        tables.append(localization_table(result["localization"]))
    return "\n\n".join(tables)


def main() -> None:
    given = flags.FLAGS
    _check_flags(given)
    ks = _cut_offs(given.ks)
    output = given.output
    if given.model == RANDOM:
        result = evaluate_random_order(given.config, given.split, given.seeds, given.relevance, ks)
    elif given.protocol == MANIPULATION:
        result = evaluate_changes(given.workdir, given.split, given.special, given.data_root, ks)
        output = output or _result_file(given.workdir, given.split, MANIPULATION)
    else:
        result = evaluate(
            given.workdir,
            given.split,
            given.variants,
            given.data_root,
            given.relevance,
            ks,
            given.precision,
        )
        output = output or _result_file(given.workdir, given.split)
    print(report(result))
    if "relevance" in result:
        print(f"\nrelevance: {result['relevance']}")
    if output:
        save(result, output)
        print(f"saved as {output}")


def _result_file(workdir: str, split: str, protocol: str = "") -> str:
    from asen_tf.workdir import Workdir

    return str(Workdir(workdir).result(split, protocol))


def _cut_offs(given: Sequence[str]) -> list[int]:
    if not all(k.isdecimal() and int(k) for k in given):
        raise ValueError(f"--ks takes whole numbers from 1, such as 1,20, got {','.join(given)}")
    return [int(k) for k in given]


def _check_flags(given: flags.FlagValues) -> None:
    if given.model and not given.config:
        raise ValueError("--model=random takes the data of an experiment: name it with --config")
    if given.model and (given.variants or given.data_root):
        raise ValueError(
            "--variants and --data_root are for a --workdir; with --model=random, "
            "--config.data.root says where the data lies"
        )
    if given.workdir and given.config:
        raise ValueError("--config is for --model=random: the run in --workdir brings its own")
    if given.protocol == MANIPULATION and (given.model or given.variants or given.relevance):
        raise ValueError(
            "--protocol=manipulation takes a --workdir, and neither --variants nor --relevance; "
            "what a random order scores stands beside its numbers"
        )
    if given.special and given.protocol != MANIPULATION:
        raise ValueError("--special is for --protocol=manipulation")


def run() -> None:
    flags.DEFINE_string("workdir", None, "Folder of the run.")
    flags.DEFINE_enum("model", None, [RANDOM], "Instead of a run: what a random order scores.")
    config_flags.DEFINE_config_file("config", None, "With --model: the experiment whose data.")
    flags.DEFINE_integer("seeds", 5, "With --model=random: how many random orders.", 1)
    flags.DEFINE_enum("split", "test", SPLITS, "Which images.")
    flags.DEFINE_enum(
        "protocol", SIMILARITY, [SIMILARITY, MANIPULATION], "What is measured, see above."
    )
    flags.DEFINE_list(
        "special", "", "Attributes that make up the labels of a manipulation; default: the run's."
    )
    flags.DEFINE_list("ks", "", "Cut-offs, such as 1,20; default: the run's.")
    flags.DEFINE_enum(
        "relevance", None, RELEVANCE, "Which values make two images alike; default: the run's."
    )
    flags.DEFINE_list("variants", "", "Pieces of a run to score separately: global,local,both.")
    flags.DEFINE_string(
        "data_root", "", "Where the data of the run lies now, if not where it lay in training."
    )
    flags.DEFINE_string(
        "precision", None, "What a run's networks compute in: float32 or mixed_bfloat16."
    )
    flags.DEFINE_string(
        "output", "", "JSON file to write; default WORKDIR/SPLIT.json, or SPLIT_manipulation.json."
    )
    flags.mark_flags_as_mutual_exclusive(["workdir", "model"], required=True)
    program.run(main)


if __name__ == "__main__":
    run()
