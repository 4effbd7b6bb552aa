"""All models of the server, kept as their configuration and folders say."""

import contextlib
import dataclasses
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import tensorflow as tf
from absl import logging
from tensorflow_serving.apis import model_pb2, prediction_log_pb2
from tensorflow_serving.config import model_server_config_pb2

from asen_tf.serving.loaded import LoadedModel
from asen_tf.serving.server import folders
from asen_tf.serving.server.limits import Limits
from asen_tf.serving.server.predict import predict
from asen_tf.serving.server.refused import invalid
from asen_tf.serving.server.versions import Handle, Versions, not_found

_WARMUP_FILE = "assets.extra/tf_serving_warmup_requests"

Configuration = Sequence[model_server_config_pb2.ModelConfig]


class Models:
    """The models that a server has.

    Args:
      configuration: gives the models to serve; called at each look, so that it may change.
      limits: for requests that warm a version up.
    """

    def __init__(self, configuration: Callable[[], Configuration], limits: Limits):
        self._configuration = configuration
        self._limits = limits
        self._models: dict[str, Versions] = {}
        self._configured: set[str] = set()
        self._faults: dict[str, str] = {}
        self._loading = False
        self._stopped = threading.Event()

    def look(self) -> None:
        """Loads and unloads versions as configuration and folders say now."""
        try:
            configs = self._configuration()
        except (OSError, ValueError) as error:
            self._note("configuration", str(error))
            return
        self._note("configuration", None)
        self._configured = {config.name for config in configs}
        for name in set(self._models) - self._configured:
            self._models[name].update({}, {})
        for config in configs:
            self._look_at(config)

    def watch(self, seconds: float, after: Callable[[], None]) -> threading.Thread:
        """Starts a thread that looks every so many seconds until `stop`, and calls `after`."""

        def run():
            while not self._stopped.wait(seconds):
                self.look()
                after()

        thread = threading.Thread(target=run, name="models", daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """Ends `watch`."""
        self._stopped.set()

    def serve(self) -> bool:
        """Whether each model of the configuration has a version available."""
        names = self._configured
        return bool(names) and all(
            name in self._models and self._models[name].serves() for name in names
        )

    @contextlib.contextmanager
    def use(self, spec: model_pb2.ModelSpec) -> Iterator[Handle]:
        """See `Versions.use`."""
        with self._named(spec).use(spec) as handle:
            yield handle

    def is_loading(self) -> bool:
        """Whether a version is loaded at this moment, which needs the machine that requests use."""
        return self._loading

    def get(self, name: str) -> Versions | None:
        """The versions of a model, None if there is no such model."""
        return self._models.get(name)

    def names(self) -> list[str]:
        """Of all models that there were."""
        return sorted(self._models)

    def _named(self, spec: model_pb2.ModelSpec) -> Versions:
        if not spec.name:
            raise invalid("ModelSpec has no name specified.")
        if spec.name in self._models:
            return self._models[spec.name]
        kind = spec.WhichOneof("version_choice")
        if kind == "version_label":
            raise invalid(f"Unrecognized servable version label: {spec.version_label}")
        latest = kind is None
        raise not_found(
            f"Latest({spec.name})" if latest else f"Specific({spec.name}, {spec.version.value})"
        )

    def _look_at(self, config: model_server_config_pb2.ModelConfig) -> None:
        versions = self._models.setdefault(config.name, Versions(config.name, self._load))
        try:
            found = folders.find(Path(config.base_path))
            chosen = folders.choose(config.model_version_policy, found)
            versions.update({number: found[number] for number in chosen}, config.version_labels)
        except OSError as error:
            self._note(config.name, str(error))
            return
        missing = sorted(set(config.model_version_policy.specific.versions) - set(found))
        fault = f"no folder for the versions {missing}" if missing else None
        if not found:
            place = config.base_path
            fault = f"no version (a folder with a number as its name) under {place} yet"
        self._note(config.name, fault)

    def _load(self, folder: Path) -> LoadedModel:
        self._loading = True
        try:
            servable = LoadedModel(folder)
            _warm_up(servable, folder, self._limits)
            return servable
        finally:
            self._loading = False

    def _note(self, where: str, fault: str | None) -> None:
        """Logs a fault when it comes up, not at every look."""
        if fault and self._faults.get(where) != fault:
            logging.error("%s: %s", where, fault)
        self._faults[where] = fault


def _warm_up(servable: LoadedModel, folder: Path, limits: Limits) -> None:
    """Replays the requests that a SavedModel brings along; their rows are not bounded."""
    path = folder / _WARMUP_FILE
    if not path.exists():
        return
    unbounded = dataclasses.replace(limits, batch=2**63)
    for count, record in enumerate(tf.data.TFRecordDataset(str(path))):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        if log.WhichOneof("log_type") != "predict_log":
            raise ValueError(f"{path}: record {count} is no PredictRequest")
        predict(servable, log.predict_log.request, unbounded)
