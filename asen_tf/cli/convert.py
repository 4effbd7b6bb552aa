"""Makes a run of a checkpoint of the authors' PyTorch code, as if it had been trained here.

asen-convert --checkpoint=checkpoint.pth.tar --output=runs/asen --attributes=attributes.csv \\
    --data_root=/data/FashionAI
asen-evaluate --workdir=runs/asen

Sizes are read off the tensors. What the file does not hold comes from --config and the other flags:
the names of the attributes, the input sizes, the threshold, beta, and where data lies.
"""

import collections
import json
from collections.abc import Mapping
from pathlib import Path

from absl import flags
from ml_collections import ConfigDict, config_flags

from asen_tf.cli import program
from asen_tf.core import experiments
from asen_tf.core.attributes import AttributeSpace
from asen_tf.data.formats import attributes_file, index_files
from asen_tf.evaluation.published import PREPROCESSING
from asen_tf.models import registry
from asen_tf.models.asen import torch_checkpoint
from asen_tf.weights import StateDict, read
from asen_tf.workdir import Workdir

RECORD = "converted.json"


def convert(checkpoint: str, output: str, space: AttributeSpace, config: ConfigDict) -> dict:
    """Writes the workdir of a checkpoint.

    Args:
      checkpoint: a file of the ASEN++ release, of its first or second stage.
      output: folder to write, which holds no run yet.
      space: the attributes, in the order of the checkpoint's table.
      config: of the run; the sizes that the tensors tell replace its own.

    Returns:
      What `converted.json` in the folder says: `checkpoint`, `epoch`, `map` (both of the file),
      `parts`, `used` (number of tensors) and `ignored` (name -> reason).

    Raises:
      FileNotFoundError: there is no such checkpoint.
      ValueError: the file is no such checkpoint, a tensor of it is missing, of another shape or
        unknown, the attributes are not as many as it has, or the folder holds a run.
    """
    run = Workdir(output)
    if run.config_file.exists():
        raise ValueError(f"{output} holds a run: name another --output, or remove it")
    content = read(checkpoint)
    if not isinstance(content, Mapping) or not isinstance(content.get("model"), Mapping):
        raise ValueError(
            f"{checkpoint}: expected a checkpoint with epoch, model and mAP, got "
            f"{list(content)[:5] if isinstance(content, Mapping) else type(content).__name__}"
        )
    state = StateDict(content["model"], checkpoint)
    parts = torch_checkpoint.parts(state)
    if len(space) != torch_checkpoint.attributes(state):
        raise ValueError(
            f"{checkpoint} knows {torch_checkpoint.attributes(state)} attributes, --attributes or "
            f"data.attributes names {len(space)}: {', '.join(space)}"
        )
    config = _with_sizes(config, torch_checkpoint.sizes(state))
    model = registry.build(config, len(space))
    ignored = torch_checkpoint.load(model, state)
    record = {
        "checkpoint": str(checkpoint),
        "epoch": _number(content.get("epoch")),
        "map": _number(content.get("mAP")),
        "parts": list(parts),
        "used": len(state.names) - len(ignored),
        "ignored": ignored,
    }
    _write(run, config, space, model, record)
    return record


def report(record: Mapping) -> str:
    """What was used and what was not, for the terminal."""
    reasons = collections.defaultdict(list)
    for name, reason in record["ignored"].items():
        reasons[reason].append(name)
    lines = [f"used {record['used']} tensors of {', '.join(record['parts'])}"]
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


def attribute_space(path: str, config: ConfigDict) -> AttributeSpace:
    """The attributes of a CSV file, else those that the configuration names.

    With index files, the configuration then names them itself.

    Raises:
      ValueError: neither names any.
    """
    if path:
        file = Path(path)
        space = attributes_file.read(file.parent, file.name)
        if config.data.format == "index_files":
            config.data.attributes = tuple((name, tuple(v)) for name, v in space.to_dict().items())
        return space
    if config.data.attributes:
        return index_files.configured_space(config.data.attributes)
    raise ValueError(
        "a checkpoint does not name its attributes: give --attributes=FILE, a CSV file "
        "index,attribute,values, or a --config that has data.attributes"
    )


def _with_sizes(config, sizes):
    config = config.copy_and_resolve_references()
    config.model.update(sizes)
    for part in ("global_branch", "local_branch"):
        config.model[part].weights = ""  # they come from the checkpoint
    return config


def _number(value):
    return value if isinstance(value, int | float) else None


def _write(run, config, space, model, record):
    stage = "stage2" if "local_branch" in record["parts"] else "stage1"
    run.path.mkdir(parents=True, exist_ok=True)
    run.save_best(model, stage)
    run.write_best({"stage": stage, "step": 0, "map": record["map"], "parts": record["parts"]})
    (run.path / RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")
    # Last, so that a folder that has a configuration is complete.
    run.begin(config, space)


def main() -> None:
    given = flags.FLAGS
    config = configuration(given)
    space = attribute_space(given.attributes, config)
    print(report(convert(given.checkpoint, given.output, space, config)))
    where = "" if config.data.root else " --data_root=FOLDER"
    print(f"next: asen-evaluate --workdir={given.output}{where}")


def run() -> None:
    flags.DEFINE_string("checkpoint", None, "File of the PyTorch release, checkpoint.pth.tar.")
    flags.DEFINE_string("output", None, "Folder to write, a --workdir for other programs.")
    flags.DEFINE_string("attributes", "", "CSV file index,attribute,values, in the table's order.")
    config_flags.DEFINE_config_file(
        "config", None, "Experiment whose data and settings apply; default: index files, the paper."
    )
    flags.DEFINE_integer("global_size", None, "Side of the global input; default 224.", 1)
    flags.DEFINE_integer("local_size", None, "Side of the local input; default 112.", 1)
    flags.DEFINE_float("threshold", None, "Of the localisation; default 0.1.")
    flags.DEFINE_float("beta", None, "Weight of the global branch; default 0.6.", 0, 1)
    flags.DEFINE_string("data_root", None, "Where the data lies, for asen-evaluate.")
    flags.DEFINE_string(
        "index_dir", None, "Folder of the index files in it; default: splits, if there, or itself."
    )
    flags.DEFINE_enum(
        "preprocessing", "published", PREPROCESSING, "How asen-evaluate prepares photographs."
    )
    flags.mark_flags_as_required(["checkpoint", "output"])
    program.run(main)


if __name__ == "__main__":
    run()
