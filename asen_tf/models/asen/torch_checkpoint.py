"""Checkpoints of the authors' PyTorch release of ASEN++.

A checkpoint is {"epoch": ..., "model": state dict, "mAP": ...}. The state dict has
`choices.global.*`, and after the second stage `choices.local.*`; in each branch `attrnet` (the
attribute table, one for both), `basenet` (torchvision's ResNet, cut) and `attnnet`.
"""

from asen_tf import backbones
from asen_tf.models.asen.model import ASEN
from asen_tf.weights import StateDict, torch_resnet

_TABLE = "attrnet.attr_embedding"
_PREFIXES = {"global_branch": "choices.global.", "local_branch": "choices.local."}
_SPATIAL = {"conv": "feature_projection", "attr_transform1": "attribute_projection"}
_CHANNEL = {"attr_transform2": "query", "fc1": "squeeze", "fc2": "excite"}


def parts(state: StateDict) -> tuple[str, ...]:
    """The branches that the checkpoint has: "global_branch", and "local_branch" from stage two on.

    Raises:
      ValueError: it has no global branch.
    """
    found = tuple(
        part for part, prefix in _PREFIXES.items() if any(n.startswith(prefix) for n in state.names)
    )
    if "global_branch" not in found:
        raise ValueError(
            f"{state.source}: no tensors choices.global.*, so no checkpoint of ASEN++; it has "
            f"{', '.join(state.names[:5])}, ..."
        )
    return found


def sizes(state: StateDict) -> dict:
    """The keys of `config.model` that can be read off the tensors.

    Raises:
      ValueError: a tensor that tells a size is missing or has another number of axes, or the blocks
        are those of no ResNet that is known.
    """
    attention = _PREFIXES["global_branch"] + "attnnet."
    _, attribute_dim = state.shape(f"{_PREFIXES['global_branch']}{_TABLE}.weight", 2)
    found = {
        "attribute_dim": attribute_dim,
        "spatial_attention": any(n.startswith(f"{attention}conv.") for n in state.names),
        "channel_attention": any(n.startswith(f"{attention}fc1.") for n in state.names),
    }
    if found["channel_attention"]:
        _, channels = state.shape(f"{attention}feature_fc.weight", 2)
        squeezed, _ = state.shape(f"{attention}fc1.weight", 2)
        found["channel_reduction"] = max(1, channels // squeezed)
    return {**found, **{part: _branch_sizes(state, part, found) for part in parts(state)}}


def attributes(state: StateDict) -> int:
    """How many attributes the checkpoint knows."""
    return state.shape(f"{_PREFIXES['global_branch']}{_TABLE}.weight", 2)[0]


def load(model: ASEN, state: StateDict) -> dict[str, str]:
    """Gives the model the weights of a checkpoint.

    Args:
      model: of the sizes that `sizes` tells; as it was, if an error is raised.
      state: the checkpoint's `model`.

    Returns:
      Name -> reason of each tensor that is not used.

    Raises:
      ValueError: a tensor is missing, has another shape, or is not known; or the local branch has
        another attribute table than the global one.
    """
    table, reasons, assignments = model.attribute_embedding, {}, []
    for part in parts(state):
        branch, prefix = getattr(model, part), _PREFIXES[part]
        rows = state.take_layer(table, prefix + _TABLE)
        if part == "global_branch":
            shared = rows
            assignments.append((table, rows))
        elif (rows[0] != shared[0]).any():
            raise ValueError(
                f"{state.source}: {prefix}{_TABLE}.weight differs from the global branch's: the "
                "branches share one attribute table"
            )
        for layer, name in _attention_layers(branch):
            pointwise = name == "conv"
            arrays = state.take_layer(layer, f"{prefix}attnnet.{name}", pointwise)
            assignments.append((layer, arrays))
        weights = torch_resnet.take_weights(branch.backbone, state, f"{prefix}basenet.")
        assignments += [(branch.backbone.get_layer(name), of) for name, of in weights.items()]
        reasons |= torch_resnet.behind_the_cut(branch.backbone, f"{prefix}basenet.")
    ignored = state.ignored(reasons)
    for layer, arrays in assignments:
        layer.set_weights(arrays)
    if "local_branch" in parts(state):
        name = f"{_PREFIXES['local_branch']}{_TABLE}.weight"
        ignored[name] = "the same table as the global branch's, which both share"
    return ignored


def _branch_sizes(state, part, found):
    prefix = _PREFIXES[part]
    blocks, bottleneck = torch_resnet.structure(state, f"{prefix}basenet.")
    size = {
        "backbone": backbones.resnet_name(blocks, bottleneck),
        "embedding_dim": state.shape(f"{prefix}attnnet.feature_fc.weight", 2)[0],
    }
    if found["spatial_attention"]:
        size["common_dim"] = state.shape(f"{prefix}attnnet.conv.weight", 4)[0]
    return size


def _attention_layers(branch):
    """(layer, the name of its counterpart in `attnnet`) of all but the backbone."""
    if branch.spatial_attention:
        yield from ((getattr(branch.spatial_attention, at), n) for n, at in _SPATIAL.items())
    if branch.channel_attention:
        yield from ((getattr(branch.channel_attention, at), n) for n, at in _CHANNEL.items())
    yield branch.projection, "feature_fc"
