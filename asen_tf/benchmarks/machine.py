"""What a program runs on and with, how much memory it has had, and the best it could do."""

import os
import platform
import resource
import sys
import time
from importlib import metadata
from pathlib import Path

import tensorflow as tf

_SIDE = 2048
_ROUNDS = 8
_PACKAGES = ("tensorflow", "keras", "keras-hub", "numpy")


def description() -> dict[str, object]:
    """The processor, versions and the date; no names."""
    return {
        "machine": {
            "processor": _processor(),
            "cpus": os.cpu_count(),
            "devices": [d.device_type for d in tf.config.list_physical_devices()],
        },
        "versions": {
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in _PACKAGES},
        },
        "date": time.strftime("%Y-%m-%d"),
    }


def memory_mb(peak: bool = True) -> float:
    """Resident memory of this process in MiB: the most so far, or (on Linux) what it is now."""
    status = Path("/proc/self/status")
    if status.exists():
        # getrusage would also count the process from which this one was started.
        key = "VmHWM:" if peak else "VmRSS:"
        line = next(line for line in status.read_text().splitlines() if line.startswith(key))
        return int(line.split()[1]) / 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 2**20 if sys.platform == "darwin" else most / 1024


def matmul_peak_gflops(dtype: str = "float32") -> float:
    """The most floating-point operations a second that multiplying two matrices reaches, in 1e9."""
    left = tf.cast(tf.random.stateless_uniform((_SIDE, _SIDE), (0, 0)), dtype)
    multiply = tf.function(lambda a: tf.reduce_sum(tf.matmul(a, a)))
    multiply(left).numpy()
    times = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        multiply(left).numpy()
        times.append(time.perf_counter() - began)
    return 2 * _SIDE**3 / min(times) / 1e9


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        return platform.processor() or platform.machine()
    named = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
    return named[0].partition(": ")[2] if named else platform.machine()
