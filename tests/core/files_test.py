"""Files are whole or not there; what cannot be read is named."""

import json
import os
import random
import subprocess
import sys
import time

import pytest

from asen_tf.core import files
from tests.full_disk import full_disk

WRITER = """
import itertools, sys
from asen_tf.core.files import write_text
for n in itertools.count():
    write_text(sys.argv[1], str(n) * 200_000)
    print(flush=True)
"""


QUICK = """
import sys
from asen_tf.core.files import write_text
write_text(sys.argv[1], "quick")
"""


def test_a_killed_writer_leaves_the_old_or_the_new(tmp_path):
    path, draw = tmp_path / "file", random.Random(0)
    command = [sys.executable, "-c", WRITER, str(path)]
    for _ in range(6):
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            time.sleep(draw.uniform(0, 0.02))
            process.kill()
        text = path.read_text()
        assert len(text) % 200_000 == 0 and text == text[: len(text) // 200_000] * 200_000
    files.write_text(path, "the next")
    assert path.read_text() == "the next" and [*tmp_path.iterdir()] == [path]


def test_what_is_being_written_stays(tmp_path):
    """Two processes may write one file at once; a name like that of a draft may be a user's."""
    path, kept = tmp_path / "file", tmp_path / ".thesis.draft"
    kept.mkdir()
    with files.written_whole(path) as draft:
        draft.write_text("slow")
        files.remove_drafts(tmp_path)
        subprocess.run([sys.executable, "-c", QUICK, str(path)], check=True)
        assert path.read_text() == "quick"
    assert path.read_text() == "slow" and {*tmp_path.iterdir()} == {path, kept}


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("no/such/file", FileNotFoundError, r"no/such: no such folder; make it"),
        ("folder", IsADirectoryError, "is a folder: name a file"),
        ("x" * 300, OSError, "File name too long"),
        ("small", OSError, "File too large"),
    ],
)
def test_what_cannot_be_written_is_called_as_the_user_calls_it(
    name, kind, said, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(kind, match=said) as raised, full_disk(100):
        files.write_text(name, "text" * 1000)
    assert name in str(raised.value) and "draft" not in str(raised.value)
    assert raised.value.filename in (None, name)
    assert [one.name for one in tmp_path.iterdir()] == ["folder"]


def test_links_and_devices_stay(tmp_path):
    real, link = tmp_path / "real" / "file", tmp_path / "link"
    real.parent.mkdir()
    link.symlink_to(real)
    for text in ("new", "newer"):
        files.write_text(link, text)
        assert link.is_symlink() and real.read_text() == text
    read, write = os.pipe()
    (tmp_path / "stdout").symlink_to(f"/dev/fd/{write}")
    files.write_text(tmp_path / "stdout", "said")
    os.close(write)
    with open(read) as pipe:
        assert pipe.read() == "said"


def test_what_fails_leaves_nothing(tmp_path):
    path = tmp_path / "file"
    files.write_text(path, "old")
    with pytest.raises(ZeroDivisionError), files.written_whole(path) as draft:
        draft.write_text("half")
        _ = 1 / 0
    assert path.read_text() == "old" and [*tmp_path.iterdir()] == [path]


def test_outputs_take_the_place_of_nothing_that_counts(tmp_path):
    table, new = tmp_path / "table", tmp_path / "new"
    table.touch()
    os.link(table, tmp_path / "linked")
    files.check_outputs([new, tmp_path / "newer"], [table, "fashion"])
    for outputs, message in (
        ([tmp_path / "linked"], "linked is read itself"),
        ([new, tmp_path / "." / "new"], "new would be written twice"),
        ([tmp_path / "no" / "new"], "no: no such folder; make it"),
        ([tmp_path], "is a folder: name a file"),
    ):
        with pytest.raises((ValueError, OSError), match=message):
            files.check_outputs(outputs, [table, "fashion"])


def test_files_at_home_are_read_too(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mine.yaml").touch()
    with pytest.raises(ValueError, match="is read itself"):
        files.check_outputs([tmp_path / "mine.yaml"], ["~/mine.yaml"])


@pytest.mark.parametrize("content", ["", '{"a": ', "[1]", "\xff", "[" * 100_000, "nul"])
def test_damaged_json_is_named(content, tmp_path):
    path = tmp_path / "best.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(ValueError, match=r"best\.json is damaged: expected JSON"):
        files.read_json(path)


def test_a_last_line_that_was_never_finished_is_left_out(tmp_path):
    """Case sec-18-torn-history."""
    path = tmp_path / "history.jsonl"
    lines = [json.dumps({"step": n}) for n in range(3)]
    whole = "\n".join(lines) + "\n"
    for cut in range(len(whole) - len(lines[2]) - 1, len(whole)):
        path.write_text(whole[:cut])
        assert files.read_json_lines(path) == [{"step": 0}, {"step": 1}]
    path.write_text(whole)
    assert len(files.read_json_lines(path)) == 3
    path.write_text("\n".join([lines[0], lines[1][:-3], lines[2], ""]))
    with pytest.raises(ValueError, match=r"history\.jsonl:2 is damaged"):
        files.read_json_lines(path)


def test_a_version_changes_with_size_and_time(tmp_path):
    path = tmp_path / "a.jpg"
    assert files.version(path) == ""
    path.write_bytes(b"one")
    before = files.version(path)
    assert files.version(path) == before
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    later = files.version(path)
    path.write_bytes(b"three")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert len({before, later, files.version(path)}) == 3


@pytest.mark.parametrize("name", ["a [1]", "*", "a?", "{b}", "a\\b", "plain"])
def test_a_folder_has_a_path_that_is_no_pattern(name, tmp_path):
    folder = tmp_path / name
    folder.mkdir()
    with files.literal(folder) as path:
        assert not set(path) & set("*?[]{}\\")
        open(os.path.join(path, "file"), "w").close()
    assert (folder / "file").exists() and folder.exists()
