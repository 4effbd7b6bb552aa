"""Makes a run of a checkpoint of the authors' PyTorch code, as if it had been trained here.

asen-convert --checkpoint=checkpoint.pth.tar --output=runs/asen --attributes=attributes.csv \\
    --data_root=/data/FashionAI
asen-evaluate --workdir=runs/asen

Sizes are read off the tensors. What the file does not hold comes from --config and the other flags:
the names of the attributes, the input sizes, the threshold, beta, and where data lies.
"""

import collections
import shlex
from collections.abc import Mapping

from absl import flags
from ml_collections import ConfigDict, config_flags

from asen_client.cli import program
from asen_tf.core import experiment_files, experiments
from asen_tf.core.choices import PREPROCESSING
from asen_tf.core.files import read_json


def report(record: Mapping) -> str:
    """What was used and what was not, for the terminal."""
    reasons = collections.defaultdict(list)
    for name, reason in record["ignored"].items():
        reasons[reason].append(name)
    lines = [f"used {record['used']} tensors of {', '.join(record['branches'])}"]
    for reason, names in reasons.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        lines.append(f"ignored {names[0]}{more}: {reason}")
    return "\n".join(lines)


def configuration(given: flags.FlagValues) -> ConfigDict:
    """The run's configuration: --config, or index files with the paper's settings; other flags."""
    config = given.config or experiments.published()
    changes = {
        "model.global_branch.size": given.global_size,
        "model.local_branch.size": given.local_size,
        "model.threshold": given.threshold,
        "model.beta": given.beta,
        "data.root": given.data_root,
        "data.index_dir": given.index_dir,
        "eval.preprocessing": given.preprocessing,
    }
    config.update_from_flattened_dict({k: v for k, v in changes.items() if v is not None})
    return config


def main() -> None:
    from asen_tf.api.convert import RECORD, convert

    given = flags.FLAGS
    config = configuration(given)
    run = convert(given.checkpoint, given.output, given.attributes or None, config)
    print(report(read_json(run.path / RECORD)))
    where = [] if config.data.root else ["--data_root=FOLDER"]
    print(f"next: {shlex.join(['asen-evaluate', f'--workdir={run.path}', *where])}")


def run() -> None:
    flags.DEFINE_string("checkpoint", None, "Checkpoint of the PyTorch release (.pth.tar).")
    flags.DEFINE_string("output", None, "Folder to write: a run, --workdir of other programs.")
    flags.DEFINE_string("attributes", None, "CSV file index,attribute,values of the checkpoint.")
    config_flags.DEFINE_config_file(
        "config",
        None,
        "Experiment whose data and settings apply; default: the paper's, on index files.",
    )
    flags.DEFINE_integer("global_size", None, "Pixels of the global input's side; default: 224.", 1)
    flags.DEFINE_integer("local_size", None, "Pixels of the local input's side; default: 112.", 1)
    flags.DEFINE_float("threshold", None, "Share of its peak that a region has; default: 0.1.")
    flags.DEFINE_float("beta", None, "Weight of the global cosine, 0 to 1; default: 0.6.", 0, 1)
    flags.DEFINE_string("data_root", None, "Folder of the data, which asen-evaluate reads.")
    flags.DEFINE_string(
        "index_dir",
        None,
        "Folder of the index files in --data_root; default: splits, if there, or the root itself.",
    )
    flags.DEFINE_enum("preprocessing", "published", PREPROCESSING, "How photographs are prepared.")
    flags.mark_flags_as_required(["checkpoint", "output"])
    program.run(main, checks={"config": experiment_files.check})


if __name__ == "__main__":
    run()
