"""Requests of several clients computed together, as TensorFlow Serving does."""

import contextlib
import dataclasses
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures

import grpc
import numpy as np
import tensorflow as tf
from absl import logging

from asen_tf.serving.loaded import LoadedModel
from asen_tf.serving.server.cancel import cancellable
from asen_tf.serving.server.limits import Admission
from asen_tf.serving.server.metrics import Metrics
from asen_tf.serving.server.predict import Run, signature_of
from asen_tf.serving.server.refused import Refused
from asen_tf.serving.server.running import Call, gone, watch

_Inputs = dict[str, np.ndarray]
_Outputs = dict[str, tf.Tensor]


@dataclasses.dataclass(frozen=True)
class Batching:
    """Settings, by the names and with the defaults that TensorFlow Serving's have.

    Attributes:
      max_batch_size: rows that are computed together; a request of more runs alone.
      batch_timeout_micros: how long a request waits for others.
    """

    max_batch_size: int = 32
    batch_timeout_micros: int = 1000


class _Task:
    """A request that waits to be run, and where its answer goes."""

    def __init__(self, servable: LoadedModel, signature: str, inputs: _Inputs, rows: int | None):
        self.servable = servable
        self.signature = signature
        self.inputs = inputs
        self.rows = rows
        # What can be computed together; a request without rows of its own goes with no other.
        shapes = ((name, array.dtype, array.shape[1:]) for name, array in sorted(inputs.items()))
        self.kind = id(self) if rows is None else (id(servable), signature, *shapes)
        self.answer: futures.Future[_Outputs] = futures.Future()
        self.began = time.monotonic()
        self.left = False
        self.batch: _Batch | None = None


@dataclasses.dataclass
class _Batch:
    """Requests that run together, and what ends that."""

    tasks: list[_Task]
    cancel: Callable[[], None]

    def end_if_nobody_waits(self) -> None:
        if all(task.left for task in self.tasks):
            self.cancel()


class Batcher:
    """A `Runner` that computes requests to the same signature of the same version together.

    A request waits until `max_batch_size` rows are there, or for `batch_timeout_micros`, or while
    others run. Where requests fail together, each is run alone: nobody is told of another's fault.

    Args:
      batching: settings.
      admission: how many requests run and wait; its turns are those of batches.
      threads: batches that run at the same time.
      metrics: count the rows of batches.
    """

    def __init__(self, batching: Batching, admission: Admission, threads: int, metrics: Metrics):
        self._most = batching.max_batch_size
        self._patience = batching.batch_timeout_micros / 1e6
        self._admission = admission
        self._metrics = metrics
        self._tasks: list[_Task] = []  # the oldest first; `admission` bounds their number
        self._changed = threading.Condition()
        self._stopped = False
        self._threads = [
            threading.Thread(target=self._work, name=f"batches-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    @contextlib.contextmanager
    def admitted(self, call: Call) -> Iterator[None]:
        with self._admission.place():
            yield

    def of(self, servable: LoadedModel, call: Call) -> Run:
        def run(signature, inputs):
            rows = _rows(servable, signature, inputs)
            return self._wait(_Task(servable, signature, inputs, rows), call)

        return run

    def stop(self) -> None:
        """Ends the threads when no request waits any more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _wait(self, task: _Task, call: Call) -> _Outputs:
        watch(call, lambda: self._leave(task))
        with self._changed:
            self._tasks.append(task)
            self._changed.notify_all()
        try:
            return task.answer.result(min(call.time_remaining(), threading.TIMEOUT_MAX))
        except futures.TimeoutError:
            late = "the deadline passed before the request was answered"
            raise Refused(grpc.StatusCode.DEADLINE_EXCEEDED, late) from None
        except futures.CancelledError:
            raise gone() from None
        finally:
            self._leave(task)

    def _leave(self, task: _Task) -> None:
        """Nobody waits for this answer any more."""
        with self._changed:
            task.left = True
            if task in self._tasks:
                self._tasks.remove(task)
            batch = task.batch
        task.answer.cancel()
        if batch:
            batch.end_if_nobody_waits()

    def _work(self) -> None:
        while tasks := self._next():
            try:
                with self._admission.run():
                    self._run(tasks)
            except Exception as error:  # of the server itself: the thread has to go on
                logging.error("batch of %s: %s", tasks[0].signature, error)
                for task in tasks:
                    _settle(task, error)

    def _next(self) -> list[_Task]:
        """Waits for requests to run together, and takes them; none at the end."""
        with self._changed:
            while True:
                if not self._tasks:
                    if self._stopped:
                        return []
                    self._changed.wait()
                    continue
                kinds: dict[object, list[_Task]] = {}
                for task in self._tasks:
                    kinds.setdefault(task.kind, []).append(task)
                matures = []
                for tasks in kinds.values():
                    taken = self._fitting(tasks)
                    mature = tasks[0].began + self._patience
                    # Full, or alone by its kind, or old enough.
                    full = sum(task.rows or self._most for task in taken) >= self._most
                    if full or len(taken) < len(tasks) or time.monotonic() >= mature:
                        for task in taken:
                            self._tasks.remove(task)
                        return taken
                    matures.append(mature)
                self._changed.wait(max(0.0, min(matures) - time.monotonic()))

    def _fitting(self, tasks: list[_Task]) -> list[_Task]:
        """As many of the first as there are rows for, at least one."""
        taken, rows = [], 0
        for task in tasks:
            rows += task.rows or 0
            if taken and rows > self._most:
                break
            taken.append(task)
        return taken

    def _run(self, tasks: list[_Task]) -> None:
        with cancellable() as cancel:
            with self._changed:
                tasks = [task for task in tasks if not task.left]
                for task in tasks:
                    task.batch = _Batch(tasks, cancel)
            if not tasks:
                return
            rows = [task.rows for task in tasks]
            try:
                found = tasks[0].servable.run(tasks[0].signature, _joined(tasks))
                answers = _divided(found, rows)
            except tf.errors.OpError as error:
                if len(tasks) == 1:
                    _settle(tasks[0], error)
                    return
                answers = None
        if answers is None:
            for task in tasks:
                self._run([task])
            return
        if rows[0] is not None:
            self._metrics.batch(sum(rows))
        for task, answer in zip(tasks, answers, strict=True):
            _settle(task, answer)


def _rows(servable: LoadedModel, signature: str, inputs: _Inputs) -> int | None:
    """How many rows a request has, where its outputs have as many; None: it has no such rows."""
    described = signature_of(servable, signature)
    counts = {array.shape[:1] for array in inputs.values()}
    free = all(
        info.tensor_shape.dim and info.tensor_shape.dim[0].size == -1
        for info in (*described.inputs.values(), *described.outputs.values())
    )
    return counts.pop()[0] if free and len(counts) == 1 else None


def _joined(tasks: list[_Task]) -> _Inputs:
    first, *others = (task.inputs for task in tasks)
    if not others:
        return first
    return {name: np.concatenate([first[name], *(o[name] for o in others)]) for name in first}


def _divided(found: _Outputs, rows: list[int | None]) -> list[_Outputs] | None:
    """The outputs of each request; None where they are not those of so many rows."""
    if len(rows) == 1:
        return [found]
    if any(tensor.shape[:1] != [sum(rows)] for tensor in found.values()):
        return None
    ends = np.cumsum(rows)
    return [
        {name: tensor[end - count : end] for name, tensor in found.items()}
        for end, count in zip(ends, rows, strict=True)
    ]


def _settle(task: _Task, answer: _Outputs | Exception) -> None:
    """Ends the wait for an answer, unless nobody waits."""
    if task.answer.done() or not task.answer.set_running_or_notify_cancel():
        return
    if isinstance(answer, Exception):
        task.answer.set_exception(answer)
    else:
        task.answer.set_result(answer)
