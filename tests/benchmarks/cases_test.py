"""Every case runs, on tiny networks, and says what it must."""

import dataclasses
import json
import types

import numpy as np
import pytest

from asen_tf.benchmarks import network, setting, timing
from asen_tf.benchmarks.cases import CASES
from asen_tf.benchmarks.setting import Setting
from asen_tf.cli import benchmark
from asen_tf.core import AttributeSpace

TINY = Setting("resnet6", "resnet6", size=32, local_size=32, batch=2, attributes=2)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(setting, "IMAGES", 40)
        patch.setattr(timing, "_WARM_UP", 1)
        patch.setattr(timing, "_FEWEST", 1)
        yield str(tmp_path_factory.mktemp("benchmark") / "data")


def test_the_program_offers_every_case():
    assert set(benchmark.CASES) == set(CASES)


@pytest.mark.parametrize(
    ("case", "alone"), [("train_stage2", True), ("embed_all", True), ("evaluate", False)]
)
def test_cases_that_compute(case, alone, root):
    measured = CASES[case](TINY, root, 0.0)
    assert measured["images_per_sec"] > 0 and measured["peak_memory_mb"] > 100
    assert 0 <= measured["share_outside_step"] < 1
    assert 0 < measured["fraction_of_peak"] < 1.5
    assert ((measured["images_per_sec_backbones"] or 0) > 0) == alone


def test_the_program_writes_what_it_prints(root, tmp_path, capsys, monkeypatch):
    file = tmp_path / "result.json"
    given = {"case": "pipeline", "seconds": 0.0, "data_dir": root, "json": str(file), "gpu_mb": 1}
    flags = types.SimpleNamespace(**dataclasses.asdict(TINY), **given)
    monkeypatch.setattr(benchmark.flags, "FLAGS", flags)
    benchmark.main()
    result = json.loads(file.read_text())
    assert result == json.loads(capsys.readouterr().out)
    assert result["images_per_sec"] > 0 and result["peak_memory_mb"] > 0
    assert {"machine", "versions", "date", "global_backbone", "precision"} <= result.keys()


def test_each_attribute_has_a_region_of_its_own(tmp_path):
    """So that no pass of the local branch is saved, as hardly any is with trained weights."""
    setting = Setting("resnet10", "resnet10", 32, 32, batch=2, attributes=9)
    space = AttributeSpace({f"a{n}": ("yes", "no") for n in range(9)})
    model = network.build(setting.config(str(tmp_path)), space)
    images = np.zeros((2, model.image_size, model.image_size, 3), np.uint8)
    inputs = {"images": images, "attributes": model.all_attributes(images)}
    regions = model.compute_outputs(inputs, ())["region"].numpy()
    assert all(len(np.unique(of_one, axis=0)) == 9 for of_one in regions)
    assert (regions >= 0).all() and (regions[..., :2] + regions[..., 2:] <= 32).all()
