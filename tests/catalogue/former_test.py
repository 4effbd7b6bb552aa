"""Stores of versions before 0.2 become stores of this one."""

import json
import shlex

import numpy as np
import pytest

from asen_tf.catalogue import Catalogue, Record, open_store
from asen_tf.catalogue.former import convert
from tests import programs
from tests.catalogue import former


@pytest.fixture
def old(tmp_path):
    pytest.importorskip("faiss")
    for name, content in former.files().items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path / "old"


def test_all_items_are_copied(old, tmp_path):
    assert convert(f"faiss:{old}", f"faiss:{tmp_path / 'new'}") == 3
    with Catalogue(f"faiss:{tmp_path / 'new'}", read_only=True) as catalogue:
        assert catalogue.ids() == ["a", "b", "d"]
        assert catalogue.engine.records(["a", "b", "d"]) == [
            Record({"color": ["red"]}, {"price": 0}),
            Record({}, {"price": 7, "box": "0 0 9 9"}),
            Record({}, {}),
        ]
        marks = {"a": "", "b": "9-1 0 0 9 9", "d": ""}
        assert catalogue.engine.marks("abd") == marks
        found = catalogue.engine.vectors(["a", "b", "d"])
        np.testing.assert_array_equal(found, former.VECTORS[[[0, 1], [0, 1], [2, 3]]])
        assert json.loads(json.dumps(catalogue.engine.fingerprint.to_dict())) == former.FINGERPRINT
    for name, content in former.files().items():
        assert (tmp_path / name).read_bytes() == content


def test_one_command_converts(old, tmp_path):
    def index(*arguments):
        return programs.run("index", f"--store=faiss:{tmp_path}/new", *arguments)

    result = index(f"--convert=faiss:{old}")
    assert (result.returncode, result.stdout) == (0, f"3 items: faiss:{tmp_path}/new\n")
    result = index("--model=nothing")
    assert result.returncode == 2 and "give --manifest" in result.stderr


def test_the_command_is_one_that_a_shell_takes(tmp_path):
    """26-messages-of-search-and-query."""
    folder = tmp_path / "my store"
    folder.mkdir()
    (folder / "store.json").write_text("{}")
    with pytest.raises(ValueError, match="a store of an earlier version") as caught:
        open_store(f"faiss:{folder}", read_only=True)
    assert f"--convert=faiss:{folder}" in shlex.split(str(caught.value))


def test_an_entry_that_was_cut_off_was_not_written(old, tmp_path):
    path = old / "log-000004"
    path.write_bytes(path.read_bytes()[:-1])
    assert convert(str(old), f"faiss:{tmp_path / 'new'}") == 4


@pytest.mark.parametrize("name", former.files())
def test_damage_is_refused_by_name(old, tmp_path, name):
    path = tmp_path / name
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)
    if path.name != "store.json":  # which has no check
        with pytest.raises(ValueError, match=f"({path}|{path.parent}).* damaged"):
            convert(str(old), f"faiss:{tmp_path / 'new'}")
    path.unlink()
    if path.name != "checks.json":
        with pytest.raises((ValueError, FileNotFoundError), match=f"{path}.* (missing|no such)"):
            convert(str(old), f"faiss:{tmp_path / 'new'}")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["../victim", "log-" + "9" * 400])
def test_names_lead_nowhere_else(old, tmp_path, name):
    path = old / "store.json"
    path.write_bytes(path.read_bytes().replace(b"log-000004", name.encode()))
    with pytest.raises(ValueError, match="is no name of a log"):
        convert(str(old), f"faiss:{tmp_path / 'new'}")
