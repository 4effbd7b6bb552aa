"""The attribute space: order, numbering, messages, file."""

import pytest

from asen_tf.core import AttributeSpace, space_file


@pytest.fixture
def space():
    return AttributeSpace({"sleeve": ["none", "short", "long"], "collar": ["no", "yes"]})


def test_iterating_gives_names_in_order(space):
    assert list(space) == ["sleeve", "collar"]
    assert len(space) == 2
    assert "collar" in space and "hem" not in space


def test_flat_numbering(space):
    assert space.value_counts == (3, 2)
    assert space.offsets == (0, 3, 5)
    assert space.index("collar") == 1
    assert space["sleeve"].index("long") == 2


def test_saved_and_loaded(space, tmp_path):
    space_file.write(tmp_path / "attributes.json", space)
    loaded = space_file.read(tmp_path / "attributes.json")
    assert loaded == space
    assert hash(loaded) == hash(space)
    assert loaded != AttributeSpace({"collar": ["no", "yes"], "sleeve": ["none", "short", "long"]})


def test_unknown_names_propose_the_nearest(space):
    with pytest.raises(ValueError, match=r"unknown attribute 'colar'. Did you mean 'collar'\?"):
        space.index("colar")
    with pytest.raises(ValueError, match="Did you mean 'short'"):
        space["sleeve"].index("shrt")


@pytest.mark.parametrize(
    ("values", "message"),
    [({}, "at least one attribute"), ({"a": []}, "'a'"), ({"a": ["x", "x"]}, "more than once")],
)
def test_bad_spaces(values, message):
    with pytest.raises(ValueError, match=message):
        AttributeSpace(values)
