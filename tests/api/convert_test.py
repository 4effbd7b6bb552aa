import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import asen_tf
from asen_client.core.attributes import AttributeSpace
from asen_tf.api.convert import RECORD, convert
from asen_tf.core import experiments
from asen_tf.workdir import Workdir
from tests import programs

SPACE = AttributeSpace({"color": ("red", "green", "blue"), "side": ("left", "right")})
E, K, D, C = 12, 10, 6, 256


def branch(prefix, generator, table, blocks=(1, 1, 1)):
    """Tensors of one branch with a ResNet of so many basic blocks, as the release names them."""

    def random(*shape):
        return (0.1 * generator.normal(size=shape)).astype(np.float32)

    tensors = {"attrnet.attr_embedding.weight": table}

    def norm(name, channels):
        for key in ("weight", "bias", "running_mean"):
            tensors[f"{name}.{key}"] = random(channels)
        tensors[f"{name}.running_var"] = np.ones(channels, np.float32)
        tensors[f"{name}.num_batches_tracked"] = np.array(7)

    tensors["basenet.conv1.weight"] = random(64, 3, 7, 7)
    norm("basenet.bn1", 64)
    inputs = 64
    for stage, count in enumerate(blocks, 1):
        channels = 32 * 2**stage
        for block in range(count):
            at = f"basenet.layer{stage}.{block}"
            for n, of in ((1, inputs), (2, channels)):
                tensors[f"{at}.conv{n}.weight"] = random(channels, of, 3, 3)
                norm(f"{at}.bn{n}", channels)
            if inputs != channels:
                tensors[f"{at}.downsample.0.weight"] = random(channels, inputs, 1, 1)
                norm(f"{at}.downsample.1", channels)
            inputs = channels
    shapes = {
        "attr_transform1": (K, E),
        "conv": (K, C, 1, 1),
        "attr_transform2": (E, E),
        "fc1": (C // 4, C + E),
        "fc2": (C, C // 4),
        "feature_fc": (D, C),
    }
    for name, shape in shapes.items():
        tensors[f"attnnet.{name}.weight"] = random(*shape)
        tensors[f"attnnet.{name}.bias"] = random(shape[0])
    return {f"choices.{prefix}.{name}": tensor for name, tensor in tensors.items()}


def checkpoint(local=True):
    generator = np.random.default_rng(0)
    table = generator.normal(size=(len(SPACE), E)).astype(np.float32)
    tensors = branch("global", generator, table, (2, 2, 2))
    if local:
        tensors |= branch("local", generator, table)
    return {"epoch": 3, "model": tensors, "mAP": np.float64(0.5)}


def settings(named):
    config = experiments.published(named)
    config.model.global_branch.size = 32
    config.model.local_branch.size = 32
    return config


@dataclasses.dataclass
class Files:
    folder: Path
    save: object

    def convert(self, value, space=SPACE, named=()):
        self.save(value, self.folder / "checkpoint.pth.tar")
        checkpoint = self.folder / "checkpoint.pth.tar"
        run = convert(checkpoint, self.folder / "run", space, settings(named))
        return json.loads((run.path / RECORD).read_text())


@pytest.fixture
def files(tmp_path, save_torch):
    return Files(tmp_path, save_torch)


def test_two_branches(files):
    record = files.convert(checkpoint())
    run = Workdir(files.folder / "run")
    assert run.best() == {
        "stage": "stage2",
        "step": 0,
        "map": 0.5,
        "slices": ["global", "local"],
    }
    assert run.space() == SPACE
    model = run.config().model
    assert (model.global_branch.backbone, model.local_branch.backbone) == ("resnet18", "resnet10")
    assert (model.attribute_dim, model.channel_reduction) == (E, 4)
    for part in (model.global_branch, model.local_branch):
        assert (part.common_dim, part.embedding_dim, part.size) == (K, D, 32)

    tensors = checkpoint()["model"]
    ignored = {n for n in tensors if n.endswith("num_batches_tracked")}
    assert record["ignored"].keys() == ignored | {"choices.local.attrnet.attr_embedding.weight"}
    assert record["used"] + len(record["ignored"]) == len(tensors)

    embedder = asen_tf.load(files.folder / "run")
    photographs = np.random.default_rng(0).integers(0, 256, (3, 40, 50, 3)).astype(np.uint8)
    vectors = embedder.embed_all(photographs)
    assert vectors.shape == (3, len(SPACE), 2 * D)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=-1), 1, atol=1e-5)


def test_the_first_stage(files):
    record = files.convert(checkpoint(local=False))
    assert record["branches"] == ["global_branch"]
    best = Workdir(files.folder / "run").best()
    assert (best["stage"], best["slices"]) == ("stage1", ["global"])
    assert (
        asen_tf.load(files.folder / "run").embed_all(np.zeros((1, 40, 40, 3), np.uint8)).shape[-1]
        == D
    )


@pytest.mark.parametrize("attention", ["spatial", "channel"])
def test_without_an_attention(attention, files):
    """The papers' ablations leave out its tensors."""
    gone = {"spatial": ("conv", "attr_transform1"), "channel": ("fc1", "fc2", "attr_transform2")}
    value = checkpoint(local=False)
    value["model"] = {
        name: tensor
        for name, tensor in value["model"].items()
        if not any(f"attnnet.{layer}." in name for layer in gone[attention])
    }
    files.convert(value)
    model = Workdir(files.folder / "run").config().model
    assert model.spatial_attention == (attention != "spatial")
    assert model.channel_attention == (attention != "channel")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"choices.local.attnnet.fc2.bias": None},
            r"the tensor choices\.local\.attnnet\.fc2\.bias is missing",
        ),
        (
            {"choices.global.attnnet.feature_fc.weight": None},
            r"the tensor choices\.global\.attnnet\.feature_fc\.weight is missing",
        ),
        (
            {"choices.global.attnnet.attr_transform1.weight": np.zeros((K, E + 1), np.float32)},
            r"choices\.global\.attnnet\.attr_transform1\.weight must have shape \[10, 12\], "
            r"got \[10, 13\]",
        ),
        (
            {"choices.global.basenet.layer1.0.conv1.weight": np.zeros((64, 3, 3, 3), np.float32)},
            r"basenet\.layer1\.0\.conv1\.weight must have shape \[64, 64, 3, 3\]",
        ),
        (
            {"choices.local.attrnet.attr_embedding.weight": np.zeros((2, E), np.float32)},
            "differs from the global branch's",
        ),
        (
            {"choices.global.attnnet.gate.weight": np.zeros((2, 2), np.float32)},
            r"unknown purpose: choices\.global\.attnnet\.gate\.weight",
        ),
        (
            {"choices.global.attrnet.attr_embedding.weight": np.zeros(2, np.float32)},
            r"attr_embedding\.weight must have 2 axes",
        ),
        ({"choices.third.conv.weight": np.zeros(2, np.float32)}, "unknown purpose"),
    ],
)
def test_other_tensors(change, message, files):
    value = checkpoint()
    tensors = {**value["model"], **change}
    value["model"] = {name: tensor for name, tensor in tensors.items() if tensor is not None}
    with pytest.raises(ValueError, match=message):
        files.convert(value)
    assert not (files.folder / "run").exists()


def test_tensors_behind_the_cut_and_a_wrapper(files):
    value = checkpoint()
    for name in ("layer4.0.conv1.weight", "fc.weight", "fc.bias"):
        value["model"][f"choices.global.basenet.{name}"] = np.zeros((4, 4), np.float32)
    value["model"] = {f"module.{name}": tensor for name, tensor in value["model"].items()}
    reasons = files.convert(value)["ignored"]
    for name in ("layer4.0.conv1.weight", "fc.weight", "fc.bias"):
        assert "behind the cut" in reasons[f"choices.global.basenet.{name}"]


def test_other_contents(files):
    with pytest.raises(ValueError, match=r"no tensors choices\.global\.\*.*mask_fc1\.weight"):
        files.convert({"epoch": 1, "model": {"mask_fc1.weight": np.zeros((2, 2))}, "mAP": 0.1})
    with pytest.raises(ValueError, match="expected a checkpoint with epoch, model and mAP"):
        files.convert({"conv1.weight": np.zeros((2, 2))})


def test_another_number_of_attributes(files):
    space = AttributeSpace({**SPACE.to_dict(), "fit": ("slim",)})
    with pytest.raises(ValueError, match=r"knows 2 attributes.*3 are named: color, side, fit"):
        files.convert(checkpoint(), space)


def test_a_folder_with_a_run_is_left_alone(files):
    files.convert(checkpoint())
    with pytest.raises(ValueError, match="holds a run"):
        files.convert(checkpoint())


def test_attributes_from_the_configuration(files):
    with pytest.raises(ValueError, match="does not name its attributes"):
        files.convert(checkpoint(local=False), None)
    named = (("color", 3), ("side", ("left", "right")))
    files.convert(checkpoint(local=False), None, named)
    space = Workdir(files.folder / "run").space()
    assert space.to_dict() == {"color": ["0", "1", "2"], "side": ["left", "right"]}


def write_index_files(root):
    """The catalogue's photographs for testing as index files, first four as queries."""
    (root / "splits").mkdir()
    (root / "splits" / "filenames_test.txt").write_text(
        "".join(f"images/{n}.png\n" for n in range(12))
    )
    for role, rows in (("query", range(4)), ("candidate", range(4, 12))):
        lines = [f"{n} 0 {n % 3}\n{n} 1 {n // 3 % 2}\n" for n in rows]
        (root / "splits" / f"{role}_test.txt").write_text("".join(lines))
    lines = [f"{n},{name},{'|'.join(v)}\n" for n, (name, v) in enumerate(SPACE.to_dict().items())]
    (root / "attributes.csv").write_text("index,attribute,values\n" + "".join(lines))


def program(name, *flags):
    done = programs.run(name, *flags)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("preprocessing", ["published", "default"])
def test_the_programs(preprocessing, files, catalogue):
    root = files.folder / "data"
    shutil.copytree(catalogue, root)
    write_index_files(root)
    files.save(checkpoint(), files.folder / "checkpoint.pth.tar")
    status, said, failed = program(
        "convert",
        f"--checkpoint={files.folder / 'checkpoint.pth.tar'}",
        f"--output={files.folder / 'run'}",
        f"--attributes={root / 'attributes.csv'}",
        "--global_size=32",
        "--local_size=32",
        "--threshold=0.5",
        "--beta=0.75",
        f"--data_root={root}",
        "--index_dir=splits",
        f"--preprocessing={preprocessing}",
    )
    assert status == 0, failed
    assert "ignored choices.global.basenet.bn1.num_batches_tracked and" in said
    config = Workdir(files.folder / "run").config()
    assert (config.model.threshold, config.model.beta) == (0.5, 0.75)
    status, _, failed = program("evaluate", f"--workdir={files.folder / 'run'}", "--slices=global")
    assert status == 0, failed
    result = json.loads((files.folder / "run" / "test.json").read_text())
    assert result["queries"] == 8 and 0 < result["map"] <= 1


def test_a_wrong_file_is_one_message(files):
    (files.folder / "a.pth.tar").write_text("<html>")
    (files.folder / "attributes.csv").write_text("index,attribute,values\n0,color,red|green\n")
    status, _, failed = program(
        "convert",
        f"--checkpoint={files.folder / 'a.pth.tar'}",
        f"--output={files.folder / 'run'}",
        f"--attributes={files.folder / 'attributes.csv'}",
    )
    assert status == 1
    assert "web page" in failed and "Traceback" not in failed
