"""`asen-reproduce`: bad command lines; tests/reproduction has what it does."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLE = ["--table=asen_baselines", "--budget_minutes=1"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--set=data.images"], "error: --set takes KEY=VALUE"),
        (["--seeds=1,a"], "error: --seeds takes whole numbers"),
        (["--rows=CNS"], "Did you mean 'CSN'"),
    ],
)
def test_bad_flags_are_one_line(flags, message, tmp_path):
    command = [sys.executable, "-m", "asen_tf.cli.reproduce", f"--output={tmp_path}/out", *TABLE]
    done = subprocess.run([*command, *flags], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == (1 if "CSN" in message else 2) and done.stdout == ""
    assert message in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()
