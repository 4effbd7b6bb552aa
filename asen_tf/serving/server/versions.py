"""The versions of one model: loaded, handed to requests, and unloaded when those are done."""

import contextlib
import gc
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import tensorflow as tf
from absl import logging
from tensorflow_serving.apis import get_model_status_pb2, model_pb2

from asen_tf.serving.server import folders
from asen_tf.serving.server.refused import Refused, from_tensorflow, invalid

_Message = get_model_status_pb2.ModelVersionStatus
START, LOADING, AVAILABLE = _Message.START, _Message.LOADING, _Message.AVAILABLE
UNLOADING, END = _Message.UNLOADING, _Message.END


class Handle(NamedTuple):
    """What answers a request."""

    version: int
    servable: Any


class Status(NamedTuple):
    """State of a version, and why it failed if it did."""

    version: int
    state: int
    error: Refused | None


class _Version:
    def __init__(self, number: int):
        self.number = number
        self.state = START
        self.servable = None
        self.requests = 0
        self.error: Refused | None = None
        self.failed_with: folders.Fingerprint | None = None


class Versions:
    """The versions of one model.

    One thread calls `update`, any number call the rest. A version is loaded beside those that
    serve; requests go to it from the moment it is available, and an unwanted one is unloaded when
    its last request is done. One that cannot be loaded is not tried again before its files change.

    Args:
      name: of the model.
      load: folder -> servable.
    """

    def __init__(self, name: str, load: Callable[[Path], Any]):
        self.name = name
        self._load_servable = load
        self._lock = threading.Lock()
        self._versions: dict[int, _Version] = {}
        self._labels: Mapping[str, int] = {}

    def update(self, wanted: Mapping[int, Path], labels: Mapping[str, int]) -> None:
        """Comes closer to serving the wanted versions; unwanted ones stay while none serves.

        Args:
          wanted: number -> folder.
          labels: label -> number.
        """
        self._labels = dict(labels)
        self._end_unused()
        for number in sorted(wanted, reverse=True):
            self._load(number, wanted[number])
        with self._lock:
            serving = [v for v in self._versions.values() if v.state == AVAILABLE]
            if not wanted or any(version.number in wanted for version in serving):
                for version in serving:
                    if version.number not in wanted:
                        self._set(version, UNLOADING)
        self._end_unused()

    @contextlib.contextmanager
    def use(self, spec: model_pb2.ModelSpec) -> Iterator[Handle]:
        """Gives the version that a request names, which stays loaded within the context.

        Refused: no such version is available (NOT_FOUND), or an unknown label (INVALID_ARGUMENT).
        """
        with self._lock:
            version = self._pick(spec)
            version.requests += 1
        try:
            yield Handle(version.number, version.servable)
        finally:
            with self._lock:
                version.requests -= 1

    def status(self) -> list[Status]:
        """Of all versions that there were, the newest first."""
        with self._lock:
            found = [Status(v.number, v.state, v.error) for v in self._versions.values()]
        return sorted(found, reverse=True, key=lambda status: status.version)

    def serves(self) -> bool:
        """Whether a version is available."""
        return any(status.state == AVAILABLE for status in self.status())

    def _pick(self, spec: model_pb2.ModelSpec) -> _Version:
        available = {n: v for n, v in self._versions.items() if v.state == AVAILABLE}
        kind = spec.WhichOneof("version_choice")
        if kind is None:
            number, wanted = max(available, default=None), f"Latest({self.name})"
        else:
            number = spec.version.value if kind == "version" else self._labelled(spec.version_label)
            wanted = f"Specific({self.name}, {number})"
        if number not in available:
            raise not_found(wanted)
        return available[number]

    def _labelled(self, label: str) -> int:
        if label not in self._labels:
            raise invalid(f"Unrecognized servable version label: {label}")
        return self._labels[label]

    def _load(self, number: int, folder: Path) -> None:
        version = self._versions.get(number)
        if version and version.state != END:
            return
        fingerprint = folders.fingerprint(folder)
        if version and version.failed_with == fingerprint:
            return
        version = _Version(number)
        with self._lock:
            self._versions[number] = version
            self._set(version, LOADING)
        try:
            servable, error = self._load_servable(folder), None
        except Exception as failure:  # whatever is wrong with one version, the others serve on
            servable, error = None, _reason(failure)
        with self._lock:
            version.servable, version.error = servable, error
            version.failed_with = fingerprint if error else None
            self._set(version, END if error else AVAILABLE)

    def _end_unused(self) -> None:
        with self._lock:
            unused = [
                version
                for version in self._versions.values()
                if version.state == UNLOADING and not version.requests
            ]
            for version in unused:
                version.servable = None
                self._set(version, END)
        if unused:
            # TensorFlow's functions refer to one another in circles.
            gc.collect()

    def _set(self, version: _Version, state: int) -> None:
        version.state = state
        level = logging.ERROR if version.error else logging.INFO
        because = f": {version.error}" if version.error else ""
        name = _Message.State.Name(state)
        logging.log(level, "%s version %d: %s%s", self.name, version.number, name, because)


def not_found(wanted: str) -> Refused:
    """There is no "Latest(model)" or "Specific(model, version)"."""
    return Refused(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: {wanted}")


def _reason(failure: Exception) -> Refused:
    if isinstance(failure, Refused):
        # Without the traceback, which holds on to the servable.
        return Refused(failure.code, failure.message)
    if isinstance(failure, tf.errors.OpError):
        return from_tensorflow(failure)
    missing = isinstance(failure, FileNotFoundError)
    code = grpc.StatusCode.NOT_FOUND if missing else grpc.StatusCode.UNKNOWN
    return Refused(code, f"{type(failure).__name__}: {failure}")
