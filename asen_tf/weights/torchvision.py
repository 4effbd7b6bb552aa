"""torchvision's ImageNet weights of ResNets: files, where torch keeps what it has downloaded."""

import os
from collections.abc import Mapping
from pathlib import Path

# Each under its newer and its older name.
FILES = {
    "resnet18": ("resnet18-f37072fd.pth", "resnet18-5c106cde.pth"),
    "resnet34": ("resnet34-b627a593.pth", "resnet34-333f7ec4.pth"),
    "resnet50": ("resnet50-0676ba61.pth", "resnet50-19c8e357.pth"),
}


def find(backbone: str) -> str:
    """The file of a backbone of `FILES`.

    Raises:
      ValueError: it is not there; says where it is looked for and what else can be done.
    """
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("TORCH_HOME") or f"{cache}/torch"
    folder = Path(home).expanduser() / "hub" / "checkpoints"
    for name in FILES[backbone]:
        if (folder / name).exists():
            return str(folder / name)
    raise ValueError(
        f"the ImageNet weights of {backbone} are torchvision's file {FILES[backbone][0]}, which is "
        f"not in {folder}: put it there, name it in the key `weights` beside this backbone "
        "(model.global_branch.weights, model.local_branch.weights; of one branch model.weights), "
        "or have `random` there to start without"
    )


def check(model: Mapping[str, object]) -> None:
    """Raises what `find` raises for the branches of a configuration's `model`."""
    for part in (model, *(value for value in model.values() if isinstance(value, Mapping))):
        if part.get("weights") == "imagenet" and part.get("backbone") in FILES:
            find(part["backbone"])
