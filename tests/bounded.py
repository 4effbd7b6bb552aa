"""Reads files in a process of its own, whose memory and time are limited."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
_CHILD = """
import importlib, json, resource, sys, time
module, name = sys.argv[1].split(":")
read = getattr(importlib.import_module(module), name)
with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * resource.getpagesize()
most = used + (int(sys.argv[2]) << 20)
resource.setrlimit(resource.RLIMIT_AS, (most, most))
for argument in sys.argv[3:]:
    begin = time.process_time()
    try:
        read(argument)
        said = "read"
    except ValueError as error:
        said = str(error)
    print(json.dumps([said, time.process_time() - begin]), flush=True)
"""


def outcomes(
    reader: str, arguments: Sequence[object], megabytes: int = 100, seconds: float = 1.0
) -> list[str]:
    """What a function makes of each argument: "read", or the message of its ValueError.

    Args:
      reader: "module:function".
      arguments: handed over as text.
      megabytes: that it may take.
      seconds: of processor time for each.
    """
    if not Path("/proc/self/statm").exists():
        import pytest

        pytest.skip("needs the limits of Linux")
    child = subprocess.run(
        [sys.executable, "-c", _CHILD, reader, str(megabytes), *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert child.returncode == 0, child.stdout + child.stderr
    found = [json.loads(line) for line in child.stdout.splitlines()]
    assert all(spent < seconds for _, spent in found), found
    return [said for said, _ in found]
