"""How long `--help` of every program takes, as installed.

    python benchmarks/help.py --json=benchmarks/results/help.json

Wanted is less than 0.3 s. `python -X importtime` says what a slow one imports.
"""

import os
import platform
import statistics
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

from absl import app, flags

from asen_tf.benchmarks.report import report

_TIMES = flags.DEFINE_integer("times", 5, "How often each is started, after once unmeasured.", 1)
_JSON = flags.DEFINE_string("json", "", "File to write the result to.")


def measure(command: list[str]) -> dict[str, float]:
    """Of the seconds on the clock the fewest and the median."""
    seconds = []
    for _ in range(1 + _TIMES.value):
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - began)
    return {"best": min(seconds[1:]), "median": statistics.median(seconds[1:])}


def main(_) -> None:
    folder = Path(sys.executable).parent
    scripts = metadata.entry_points(group="console_scripts")
    names = sorted(script.name for script in scripts if script.name.startswith("asen-"))
    result = {
        "seconds": {name: measure([str(folder / name), "--help"]) for name in names},
        "python_alone": measure([sys.executable, "-c", ""]),
        "times": _TIMES.value,
        "load_average": os.getloadavg()[0],
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "date": time.strftime("%Y-%m-%d"),
    }
    report(result, _JSON.value)


if __name__ == "__main__":
    app.run(main)
