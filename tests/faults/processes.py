"""Work in processes of their own, which can be killed; imports are made once for all."""

import concurrent.futures
import multiprocessing
import random
from collections.abc import Callable
from typing import Any

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.faults.programs"])


def started(work: Callable, *arguments: Any) -> multiprocessing.Process:
    """A process that has begun this work."""
    begun = _CONTEXT.Event()
    process = _CONTEXT.Process(target=_work, args=(begun, work, arguments), daemon=True)
    process.start()
    assert begun.wait(120)
    return process


def killed(work: Callable, *arguments: Any, times: int, longest: float) -> int:
    """Starts work anew after each kill at a random moment; gives how often it was under way.

    The first moments come soon, for what has ended is not under way again.
    """
    chance, under_way = random.Random(work.__name__), 0
    for turn in range(times):
        process = started(work, *arguments)
        process.join(chance.uniform(0, longest * (turn + 1) / times))
        process.kill()
        process.join()
        under_way += process.exitcode == -9
    return under_way


def twice(work: Callable, *arguments: Any) -> list[Exception | None]:
    """What two processes end with that do the same work at the same time."""
    with concurrent.futures.ProcessPoolExecutor(2, _CONTEXT) as pool:
        running = [pool.submit(_silent, work, arguments) for _ in range(2)]
        return [one.exception() for one in running]


def _silent(work: Callable, arguments: tuple) -> None:
    work(*arguments)


def _work(begun: Any, work: Callable, arguments: tuple) -> None:
    begun.set()
    work(*arguments)
