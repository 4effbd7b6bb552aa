"""What a program runs on and with, how much memory it has had, and the best it could do."""

import os
import platform
import resource
import sys
import time
from importlib import metadata
from pathlib import Path

import tensorflow as tf

from asen_tf.training import strategy

_SIDES = {"CPU": 2048, "GPU": 8192}
_ROUNDS = 8
_PACKAGES = ("tensorflow", "keras", "keras-hub", "numpy")


def description() -> dict[str, object]:
    """Processor, GPUs, versions and the date; no names."""
    gpus = map(tf.config.experimental.get_device_details, tf.config.list_physical_devices("GPU"))
    return {
        "machine": {
            "processor": _processor(),
            "cpus": os.cpu_count(),
            "devices": [d.device_type for d in tf.config.list_physical_devices()],
            "gpus": [details.get("device_name", "unknown") for details in gpus],
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


def gpu_peak_mb() -> float | None:
    """The most memory that this process has held on all GPUs in MiB; None without a GPU."""
    gpus = tf.config.list_logical_devices("GPU")
    peaks = [tf.config.experimental.get_memory_info(gpu.name)["peak"] for gpu in gpus]
    return sum(peaks) / 2**20 if gpus else None


def replicated(replicas: int, gpu_mb: int) -> tf.distribute.Strategy:
    """Replicas on parts of one device: of the first GPU, or of the processor without one.

    They show what distribution costs, not what a second device would gain. Call it before anything
    else touches a device.

    Args:
      replicas: 1: the device as it is.
      gpu_mb: memory of each part of a GPU.
    """
    if replicas == 1:
        return tf.distribute.get_strategy()
    if tf.config.list_physical_devices("GPU"):
        return tf.distribute.MirroredStrategy(strategy.split("GPU", replicas, gpu_mb))
    return tf.distribute.MirroredStrategy(strategy.split("CPU", replicas))


def matmul_peak_gflops(dtype: str = "float32") -> float:
    """The most floating-point operations a second that multiplying two matrices reaches, in 1e9."""
    side = _SIDES["GPU" if tf.config.list_logical_devices("GPU") else "CPU"]
    left = tf.cast(tf.random.stateless_uniform((side, side), (0, 0)), dtype)
    multiply = tf.function(lambda a: tf.reduce_sum(tf.matmul(a, a)))
    multiply(left).numpy()
    times = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        multiply(left).numpy()
        times.append(time.perf_counter() - began)
    return 2 * side**3 / min(times) / 1e9


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        return platform.processor() or platform.machine()
    named = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
    return named[0].partition(": ")[2] if named else platform.machine()
