"""Makes a run of a checkpoint of the authors' PyTorch code."""

import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path

from ml_collections import ConfigDict

from asen_client.core.attributes import AttributeSpace
from asen_tf import models
from asen_tf.core import experiments, files
from asen_tf.data.formats import attributes_file, index_files
from asen_tf.models.asen import torch_checkpoint
from asen_tf.weights import StateDict, read
from asen_tf.workdir import Workdir

RECORD = "converted.json"


def convert(
    checkpoint: str | PathLike,
    output: str | PathLike,
    attributes: AttributeSpace | str | PathLike | None = None,
    config: ConfigDict | None = None,
) -> Workdir:
    """Writes the folder of a run, as if it had been trained here.

    Args:
      checkpoint: a file of the ASEN++ release, of its first or second stage.
      output: folder to write, which holds no run yet.
      attributes: in the order of the checkpoint's table; or a CSV file index,attribute,values;
        None: those that the configuration names.
      config: of the run; the sizes that the tensors tell replace its own. None: the paper's
        experiment, on index files.

    Returns:
      The run. Its `converted.json` has `checkpoint`, `epoch`, `map` (both of the file), `branches`,
      `used` (number of tensors) and `ignored` (name -> reason).

    Raises:
      FileNotFoundError: there is no such checkpoint.
      ValueError: the file is no such checkpoint, a tensor of it is missing, of another shape or
        unknown, the attributes are not as many as it has, or the folder holds a run.
    """
    run = Workdir(output)
    if run.config_file.exists():
        raise ValueError(f"{output} holds a run: name another folder, or remove it")
    config = (config or experiments.published()).copy_and_resolve_references()
    space = _space(attributes, config)
    content = read(checkpoint)
    if not isinstance(content, Mapping) or not isinstance(content.get("model"), Mapping):
        raise ValueError(
            f"{checkpoint}: expected a checkpoint with epoch, model and mAP, got "
            f"{list(content)[:5] if isinstance(content, Mapping) else type(content).__name__}"
        )
    state = StateDict(content["model"], str(checkpoint))
    branches = torch_checkpoint.parts(state)
    if len(space) != torch_checkpoint.attributes(state):
        raise ValueError(
            f"{checkpoint} knows {torch_checkpoint.attributes(state)} attributes, but "
            f"{len(space)} are named: {', '.join(space)}"
        )
    config.model.update(torch_checkpoint.sizes(state))
    for part in ("global_branch", "local_branch"):
        config.model[part].weights = ""  # they come from the checkpoint
    model = models.build(config.model, space)
    ignored = torch_checkpoint.load(model, state)
    record = {
        "checkpoint": str(checkpoint),
        "epoch": _number(content.get("epoch")),
        "map": _number(content.get("mAP")),
        "branches": list(branches),
        "used": len(state.names) - len(ignored),
        "ignored": ignored,
    }
    _write(run, config, space, model, record)
    return run


def _space(attributes, config: ConfigDict) -> AttributeSpace:
    """The attributes as given, else those that the configuration names.

    With index files, the configuration then names them itself.
    """
    if attributes is None:
        if not config.data.attributes:
            raise ValueError(
                "a checkpoint does not name its attributes: give `attributes`, such as a CSV file "
                "index,attribute,values, or a configuration that has data.attributes"
            )
        return index_files.configured_space(config.data.attributes)
    if not isinstance(attributes, AttributeSpace):
        file = Path(attributes)
        attributes = attributes_file.read(file.parent, file.name)
    if config.data.format == "index_files":
        named = attributes.to_dict().items()
        config.data.attributes = tuple((name, tuple(values)) for name, values in named)
    return attributes


def _number(value):
    return value if isinstance(value, int | float) else None


def _write(run, config, space, model, record):
    stage = "stage2" if "local_branch" in record["branches"] else "stage1"
    run.path.mkdir(parents=True, exist_ok=True)
    run.save_best(model, stage)
    slices = [branch.removesuffix("_branch") for branch in record["branches"]]
    run.write_best({"stage": stage, "step": 0, "map": record["map"], "slices": slices})
    files.write_text(run.path / RECORD, json.dumps(record, indent=1))
    # Last, so that a folder that has a configuration is complete.
    run.begin(config, space)
