"""What a stage goes on with."""

from pathlib import Path

import keras
import numpy as np
import pytest

from asen_tf.training.checkpoint import Checkpoints
from tests.full_disk import full_disk


def build(folder):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((8,)), keras.layers.Dropout(0.5), keras.layers.Dense(4), keras.layers.ReLU()]
    )
    optimizer = keras.optimizers.SGD(0.1)
    optimizer.build(model.trainable_variables)
    return model, Checkpoints(folder, model, optimizer)


def saved(folder, *steps):
    """A folder with checkpoints of these steps, in each of which all weights are the step."""
    model, checkpoints = build(folder)
    for step in steps:
        save(model, checkpoints, step)
    return model, checkpoints


def save(model, checkpoints, step):
    model.set_weights([np.full(w.shape, step, np.float32) for w in model.get_weights()])
    checkpoints.step = step
    checkpoints.save()


def restored(folder):
    model, checkpoints = build(folder)
    assert checkpoints.restore()
    assert all((weights == checkpoints.step).all() for weights in model.get_weights())
    return checkpoints.step


def names(folder):
    return sorted(file.name for file in folder.iterdir())


def test_dropout_goes_on_with_the_numbers_that_come_next(tmp_path):
    ones = np.ones((3, 8), np.float32)
    model, checkpoints = build(tmp_path)
    model(ones, training=True)
    checkpoints.step = 1
    checkpoints.save()
    expected = model(ones, training=True)
    again, checkpoints = build(tmp_path)
    assert checkpoints.restore() and checkpoints.step == 1
    np.testing.assert_array_equal(again(ones, training=True), expected)


@pytest.mark.parametrize("name", ["plain", "runs [1]", "a*?{b}", "a\\b", "läden 店"])
def test_the_last_two_are_kept_in_any_folder(name, tmp_path):
    """Case 30-folder-names-as-patterns."""
    folder = tmp_path / name / "stage1"
    saved(folder, 3, 9, 12)
    assert [n for n in names(folder) if n.endswith(".index")] == ["ckpt-12.index", "ckpt-9.index"]
    assert restored(folder) == 12


@pytest.mark.parametrize("moved", [0, 1])
def test_what_a_process_killed_while_saving_left_is_no_checkpoint(moved, tmp_path, monkeypatch):
    model, checkpoints = saved(tmp_path, 5)
    replace, left = Path.replace, iter(range(moved))

    def killed(self, target):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return replace(self, target)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "replace", killed)
        save(model, checkpoints, 6)
    assert "unfinished-ckpt-6.index" in names(tmp_path)
    assert restored(tmp_path) == 5
    save(model, checkpoints, 6)
    assert restored(tmp_path) == 6
    assert not [name for name in names(tmp_path) if "unfinished" in name]


def cut(content):
    return content[: len(content) // 2]


def flipped(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0x55]) + content[middle + 1 :]


@pytest.mark.parametrize("damage", [cut, flipped, lambda content: b""])
@pytest.mark.parametrize("ending", ["index", "data-00000-of-00001"])
def test_a_damaged_one_is_named_and_the_one_before_is_taken(damage, ending, tmp_path, capsys):
    """Case sec-18-torn-history."""
    saved(tmp_path, 5, 7)
    file = tmp_path / f"ckpt-7.{ending}"
    file.write_bytes(damage(file.read_bytes()))
    model, checkpoints = build(tmp_path)
    assert checkpoints.restore() and checkpoints.step == 5
    said = capsys.readouterr().err
    assert "ckpt-7 is damaged" in said and "going back to ckpt-5" in said
    assert said.count("\n") == 1
    save(model, checkpoints, 7)
    assert restored(tmp_path) == 7
    for step in (5, 7):
        (tmp_path / f"ckpt-{step}.index").write_bytes(b"")
    with pytest.raises(ValueError, match="ckpt-5 is damaged .* to begin this stage again"):
        build(tmp_path)[1].restore()


def test_a_full_disk_costs_no_checkpoint(tmp_path):
    """Case sec-13-training-tracebacks."""
    model, checkpoints = saved(tmp_path, 5)
    with (
        full_disk(100),
        pytest.raises(OSError, match=r"ckpt-6: cannot be written \(File too large\); ckpt-5"),
    ):
        save(model, checkpoints, 6)
    assert restored(tmp_path) == 5
    save(model, checkpoints, 6)
    assert restored(tmp_path) == 6
    assert not [name for name in names(tmp_path) if "unfinished" in name]
