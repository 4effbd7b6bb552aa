"""Where torchvision's ImageNet weights are looked for, and what is said where they are not."""

import re

import pytest

from asen_tf.backbones.imagenet import check_imagenet
from asen_tf.core import experiment_files
from asen_tf.weights import torchvision


def model_of(name):
    return experiment_files.read(experiment_files.find(name, "fashionai")).model


@pytest.mark.parametrize("name", ["asen", "asen_aaai2020", "csn", "triplet_net"])
def test_the_papers_experiments_do_not_start_without_them(name, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    model = model_of(name)
    with pytest.raises(ValueError, match=r"resnet50-0676ba61\.pth, .*name it in the key") as told:
        check_imagenet(model.to_dict())
    assert str(tmp_path / "hub" / "checkpoints") in str(told.value)
    assert not re.search(r"\. |\n", str(told.value))  # one sentence
    for branch in (model, model.get("global_branch"), model.get("local_branch")):
        if branch:
            branch.update({key: "random" for key in ("weights",) if key in branch})
    check_imagenet(model.to_dict())


def test_both_branches_need_their_own(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    older = folder / "resnet50-19c8e357.pth"
    older.touch()
    assert torchvision.find("resnet50") == str(older)
    with pytest.raises(ValueError, match="weights of resnet34"):
        check_imagenet(model_of("asen").to_dict())
