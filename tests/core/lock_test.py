"""One holder at a time, who is named; none once it is released or its process has died."""

import subprocess
import sys

import pytest

from asen_tf.core.lock import hold

TAKE = "import sys; from pathlib import Path; from asen_tf.core.lock import hold\n"
TAKE += "held = hold(Path(sys.argv[1]), 'writes', 'Wait')\n"


def take(path):
    return hold(path, "writes here", "Wait for it")


def test_a_second_one_is_told_who_holds_it(tmp_path):
    path = tmp_path / ".lock"
    held = take(path)
    with pytest.raises(BlockingIOError, match=r"process \d+ writes here. Wait for it"):
        take(path)
    held.release()
    take(path).release()


def test_a_dead_process_holds_nothing(tmp_path):
    path = tmp_path / ".lock"
    code = f"{TAKE}print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        with pytest.raises(BlockingIOError, match=f"process {process.pid} writes here"):
            take(path)
        process.kill()
        process.wait()
        take(path).release()
