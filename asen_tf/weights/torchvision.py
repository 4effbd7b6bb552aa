"""torchvision's ImageNet weights: files, where torch keeps what it has downloaded."""

import os
from pathlib import Path

# Each under its newer and its older name.
FILES = {
    "alexnet_torchvision": ("alexnet-owt-7be5be79.pth", "alexnet-owt-4df8aa71.pth"),
    "resnet18": ("resnet18-f37072fd.pth", "resnet18-5c106cde.pth"),
    "resnet34": ("resnet34-b627a593.pth", "resnet34-333f7ec4.pth"),
    "resnet50": ("resnet50-0676ba61.pth", "resnet50-19c8e357.pth"),
}

ALEXNET = "alexnet"  # which torchvision does not have


def find(backbone: str) -> str:
    """The file of a backbone of `FILES`, or of `ALEXNET`.

    Raises:
      ValueError: it is not there; says where it is looked for and what else can be done.
    """
    elsewhere = (
        "name it in the key `weights` beside this backbone (model.global_branch.weights, "
        "model.local_branch.weights; of one branch model.weights), or have `random` there to start "
        "without"
    )
    if backbone == ALEXNET:
        raise ValueError(
            f"the ImageNet weights of {ALEXNET}, the network of 2012, come with no library: "
            f"of a file of PyTorch, {elsewhere}, or take alexnet_torchvision, torchvision's own"
        )
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("TORCH_HOME") or f"{cache}/torch"
    folder = Path(home).expanduser() / "hub" / "checkpoints"
    for name in FILES[backbone]:
        if (folder / name).exists():
            return str(folder / name)
    raise ValueError(
        f"the ImageNet weights of {backbone} are torchvision's file {FILES[backbone][0]}, which is "
        f"not in {folder}: put it there, {elsewhere}"
    )
