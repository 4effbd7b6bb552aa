"""Kills at random moments; benchmarks/search_crash.py does it more often."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import programs

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("engine", "needs"), [("faiss", "faiss"), ("milvus", "milvus_lite")])
def test_what_was_acknowledged_survives_a_kill(engine, needs, tmp_path):
    pytest.importorskip(needs)
    arguments = [f"--engine={engine}", "--rounds=4", "--longest=0.3", f"--json={tmp_path}/found"]
    result = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "search_crash.py", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": programs.PATH},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    found = json.loads((tmp_path / "found").read_text())
    assert found["kills"] == 4 and found["acknowledged_calls"] >= 4
