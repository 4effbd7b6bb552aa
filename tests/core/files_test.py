"""Files are whole or not there; what cannot be read is named."""

import json
import os
import random
import subprocess
import sys
import time

import pytest

from asen_tf.core import files

WRITER = """
import itertools, sys
from asen_tf.core.files import write_text
for n in itertools.count():
    write_text(sys.argv[1], str(n) * 200_000)
    print(flush=True)
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
        ([tmp_path / "no" / "new"], "no: no such folder"),
    ):
        with pytest.raises((ValueError, OSError), match=message):
            files.check_outputs(outputs, [table, "fashion"])


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
