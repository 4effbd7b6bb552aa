"""Times a piece of work, whole and without what surrounds its computation."""

import dataclasses
import statistics
import time
from collections.abc import Callable

from asen_tf.benchmarks.machine import gpu_peak_mb, matmul_peak_gflops, memory_mb

_WARM_UP = 3
_FEWEST = 3


@dataclasses.dataclass(frozen=True)
class Work:
    """What is done again and again.

    Attributes:
      call: does it, from files on.
      images: how many photographs one call takes.
      step: computes on inputs that are at hand, `steps` times a call; None: nothing does.
      steps: how often.
      backbones: the passes of the backbones in a step, alone, on inputs at hand; None: not told.
      flops: floating-point operations of the convolutions of a call.
      dtype: in which they compute.
    """

    call: Callable[[], object]
    images: int
    step: Callable[[], object] | None = None
    steps: int = 1
    backbones: Callable[[], object] | None = None
    flops: int = 0
    dtype: str = "float32"


def measure(work: Work, seconds: float) -> dict[str, object]:
    """Images a second, memory, and what becomes of the time.

    Args:
      work: what to measure.
      seconds: for how long, after three calls that do not count.

    Returns:
      `images_per_sec`: of the median call; `images_per_sec_mean`: over all calls; `calls`;
      `peak_memory_mb`: of this process; `gpu_peak_mb`: likewise on GPUs, None without;
      `images_per_sec_at_hand`: of the steps on inputs at hand; `share_outside_step`: of a call's
      time, what it takes longer than these steps; `convolution_gflops`: operations of the
      convolutions over the time of the steps, in 1e9 a second; `matmul_peak_gflops`: the
      machine's own; `fraction_of_peak`: one over the other. These five are None where no step is
      told apart. `images_per_sec_backbones`: were there nothing but the backbones; None where
      they are not told apart.
    """
    times = _times(work.call, seconds)
    result = {
        "images_per_sec": work.images / statistics.median(times),
        "images_per_sec_mean": work.images * len(times) / sum(times),
        "calls": len(times),
        "peak_memory_mb": memory_mb(),
        "gpu_peak_mb": gpu_peak_mb(),
        "images_per_sec_at_hand": None,
        "share_outside_step": None,
        "convolution_gflops": None,
        "matmul_peak_gflops": None,
        "fraction_of_peak": None,
        "images_per_sec_backbones": None,
    }
    if work.backbones:
        of_backbones = work.steps * statistics.median(_times(work.backbones, seconds / 2))
        result["images_per_sec_backbones"] = work.images / of_backbones
    if work.step is None:
        return result
    of_steps = work.steps * statistics.median(_times(work.step, seconds / 2))
    gflops, peak = work.flops / of_steps / 1e9, matmul_peak_gflops(work.dtype)
    return result | {
        "images_per_sec_at_hand": work.images / of_steps,
        "share_outside_step": max(0.0, 1 - of_steps / statistics.median(times)),
        "convolution_gflops": gflops,
        "matmul_peak_gflops": peak,
        "fraction_of_peak": gflops / peak,
    }


def _times(call: Callable[[], object], seconds: float) -> list[float]:
    for _ in range(_WARM_UP):
        call()
    times = []
    while sum(times) < seconds or len(times) < _FEWEST:
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return times
