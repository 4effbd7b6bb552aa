"""Work in processes of its own: TensorFlow does not give back what a graph took."""

import multiprocessing
import os
import pickle
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import connection
from pathlib import Path
from typing import Any, NamedTuple

from asen_client.core import startup


class Task(NamedTuple):
    """What one process does."""

    name: str  # for messages
    function: Callable  # of a module, so that a new process can import it
    arguments: tuple[Any, ...]  # which can be pickled
    log: Path  # gets whatever the process prints


def run_all(
    tasks: Sequence[Task], at_once: int = 1, threads: int = 0
) -> Iterator[tuple[Task, str]]:
    """Runs each task in a new process and gives it as it ends, with why it failed, or "".

    A process that is killed has failed, too; the others go on.

    Args:
      tasks: in the order in which they begin.
      at_once: how many processes there may be.
      threads: cores that each takes; 0: all.
    """
    context = multiprocessing.get_context("spawn")
    waiting, running = list(tasks), {}
    while waiting or running:
        while waiting and len(running) < at_once:
            task = waiting.pop(0)
            task.log.parent.mkdir(parents=True, exist_ok=True)
            task.log.touch()
            # Unpickled by `_run`: it imports TensorFlow, whose lines belong to the log.
            work = pickle.dumps((task.function, task.arguments))
            process = context.Process(target=_run, args=(task.log, threads, work), daemon=True)
            process.start()
            running[process.sentinel] = process, task
        for sentinel in connection.wait(list(running)):
            process, task = running.pop(sentinel)
            process.join()
            yield task, _failure(task, process.exitcode)


def _failure(task, status):
    if not status:
        return ""
    lines = task.log.read_text(encoding="utf-8", errors="replace").split("\n")
    last = next((line for line in reversed(lines) if line.strip()), "no message")
    how = f"killed by signal {-status}" if status < 0 else last
    return f"{task.name}: {how}; see {task.log}"


def _run(log, threads, work):
    with open(log, "a", encoding="utf-8") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    try:
        startup.quiet()
        if threads:
            startup.threads(threads)
        function, arguments = pickle.loads(work)
        function(*arguments)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        sys.exit(1)
