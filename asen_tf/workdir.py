"""What a run leaves behind, and where."""

import json
import os
import shlex
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

import filelock
import keras
import numpy as np
from absl import logging
from ml_collections import config_dict

from asen_client.core.attributes import AttributeSpace
from asen_client.core.errors import check_names
from asen_client.core.foreign import FormatError, reading
from asen_tf.core import config as configs
from asen_tf.core import files, space_file
from asen_tf.core.choices import PRECISIONS
from asen_tf.core.lock import hold
from asen_tf.data.fingerprint import changes, fingerprint
from asen_tf.data.load import BadData, load_for
from asen_tf.data.manifest import Manifest

# Keys that may differ when a run goes on: they change how it runs, not what comes out.
_FREE_KEYS = (
    "data.cache",
    "data.cache_gb",
    "data.cache_dir",
    "data.check",
    "train.log_every_steps",
    "train.checkpoint_every_steps",
    "eval.batch_size",
    "eval.pictures",
)
_DAMAGED = "expected a model that Keras saved, it is damaged"


class Workdir:
    """A run's folder.

    `config.json`, `attributes.json`; `table.npy`, a fingerprint of its data; `checkpoints/<stage>/`
    to go on from; `best/<stage>.keras`, the model that validated best in a stage, and `best.json`,
    which says which of them to use; `history.jsonl`, a line a log entry; `tensorboard/`;
    `features/` and `images/`, caches.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)

    def __fspath__(self) -> str:
        return os.fspath(self.path)

    def __repr__(self) -> str:
        return f"Workdir({str(self.path)!r})"

    @property
    def config_file(self) -> Path:
        return self.path / "config.json"

    @property
    def attributes_file(self) -> Path:
        return self.path / "attributes.json"

    @property
    def table_file(self) -> Path:
        return self.path / "table.npy"

    @property
    def history_file(self) -> Path:
        return self.path / "history.jsonl"

    @property
    def best_file(self) -> Path:
        return self.path / "best.json"

    @property
    def tensorboard(self) -> Path:
        return self.path / "tensorboard"

    def result(self, split: str, protocol: str = "") -> Path:
        """Where `asen-evaluate` leaves what it measured on a split."""
        return self.path / (f"{split}_{protocol}.json" if protocol else f"{split}.json")

    def checkpoints(self, stage: str) -> Path:
        return self.path / "checkpoints" / stage

    def best_model(self, stage: str) -> Path:
        return self.path / "best" / f"{stage}.keras"

    def config(self) -> config_dict.ConfigDict:
        self._require(self.config_file)
        return configs.load(self.config_file)

    def space(self) -> AttributeSpace:
        self._require(self.attributes_file)
        return space_file.read(self.attributes_file)

    def manifest(
        self,
        data: config_dict.ConfigDict | Manifest | str | os.PathLike | None = None,
        skip_bad: bool = False,
        follow_links: bool = False,
    ) -> Manifest:
        """Reads and checks the data of the run.

        Args:
          data: a configuration, the `data` part of one, a manifest, or the folder where the run's
            own data lies now; None or "": where it lay in training.
          skip_bad: drop bad rows of the run's own data, whatever its configuration says.
          follow_links: likewise read photographs that are links to folders outside of the root.

        Raises:
          ValueError: the data has values that the model does not know, or none of its attributes.
        """
        if data is None or isinstance(data, str | os.PathLike):
            options = self.config().data
            options.root = os.fspath(data or options.root)
            options.skip_bad = options.skip_bad or skip_bad
            options.follow_links = options.follow_links or follow_links
            try:
                manifest = load_for(self.space(), options)
            except BadData as error:
                raise BadData(error.problems, "--skip_bad") from None
            if changed := self._changes(manifest):
                logging.warning(
                    "the data has changed since %s was trained (%s): what is measured now may have "
                    "been trained on, or be labelled otherwise",
                    self.path,
                    changed,
                )
            return manifest
        return load_for(self.space(), data)

    @property
    def is_begun(self) -> bool:
        """Whether there is something to go on from, so that another run must not begin here."""
        saved = self.best_file.exists() or any(self.path.glob("checkpoints/*/*.index"))
        return saved and self.config_file.exists()

    def hold(self) -> filelock.BaseFileLock:
        """A lock for whoever trains here; the folder is made if it is not there.

        Raises:
          BlockingIOError: another process trains here.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        advice = "Wait for its end, or name another folder"
        held = hold(self.path / ".lock", "trains in this folder", advice)
        for folder in (self.path, self.path / "best"):
            files.remove_drafts(folder)
        return held

    def begin(
        self,
        config: config_dict.ConfigDict,
        space: AttributeSpace,
        manifest: Manifest | None = None,
    ) -> None:
        """Stores what the run is; where it was begun before, checks that it is the same.

        Args:
          config, space: the configuration and the attributes.
          manifest: what it is trained on; None: it is not trained here.

        Raises:
          ValueError: the folder holds a run with another configuration, attributes or other data.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        if not self.is_begun:
            self.history_file.unlink(missing_ok=True)
            space_file.write(self.attributes_file, space)
            if manifest is not None:
                with files.written_whole(self.table_file) as draft:
                    np.save(draft, fingerprint(manifest))
            configs.save(_with_whole_root(config), self.config_file)
            return
        self.check_same(config, manifest)
        if self.space() != space:
            raise ValueError(
                f"{self.path} holds a run on other attributes: {self.space()} != {space}"
            )

    def check_same(self, config: config_dict.ConfigDict, manifest: Manifest | None = None) -> None:
        """Checks that a run which was begun here, if any, has this configuration and this data.

        Raises:
          ValueError: it has another one; the message names the keys, or counts the rows.
        """
        if not self.is_begun:
            return
        stored, given = (configs.flat(_with_whole_root(c)) for c in (self.config(), config))
        differing = sorted(configs.differences(stored, given, free=_FREE_KEYS))
        if differing:
            raise ValueError(
                f"{self.path} holds a run with another configuration: {'; '.join(differing)}. "
                f"Repeat that command to go on with it, or {self._or_start_from()}"
            )
        if changed := manifest is not None and self._changes(manifest):
            raise ValueError(
                f"the data has changed since the run in {self.path} began ({changed}). Put it back "
                f"to go on, or {self._or_start_from()}"
            )

    def _or_start_from(self) -> str:
        start = shlex.quote(f"--config.train.init_from={self.path}")
        return f"name another folder ({start} starts from its weights)"

    def _changes(self, manifest: Manifest) -> str | None:
        """How data differs from what the run was trained on; None: not, or that is not known."""
        if not self.table_file.exists():
            return None
        return changes(np.load(self.table_file), fingerprint(manifest))

    def save_best(self, model: keras.Model, stage: str, chief: bool = True) -> None:
        """Stores the model as the stage's best. Every worker calls it; only the chief's counts."""
        target = self.best_model(stage)
        target.parent.mkdir(parents=True, exist_ok=True)
        if chief:
            with files.written_whole(target) as draft:
                model.save(draft)
        else:
            with tempfile.TemporaryDirectory() as elsewhere:
                model.save(Path(elsewhere, target.name))

    def write_best(self, record: dict) -> None:
        """Says which model to use: `stage`, `step`, the trained `slices` (None: all) and the score.

        The score is `map`, None where none was measured, or `triplet_accuracy`. Where a stage chose
        it, `beta` is the weight of each attribute's first slice, by name. With `recognition`, the
        model has classifiers of values; where its embedding holds what they find, `values` is how
        much this counts, by attribute. `measure` is the split to measure it on, "" where there is
        none. `before` names the best of the stages before its own, and the score.
        """
        files.write_text(self.best_file, json.dumps(record, indent=1))

    def best(self) -> dict:
        """What `write_best` wrote last."""
        self._require(self.best_file)
        return files.read_json(self.best_file)

    def load_best(self, precision: str | None = None) -> keras.Model:
        """The model that validated best in the last stage so far.

        Args:
          precision: dtype policy, what it is to compute in, such as "mixed_bfloat16"; None: what it
            was trained in. Weights of mixed policies are float32.

        Raises:
          ValueError: an unknown precision.
          FormatError: the file of the model is damaged.
        """
        import asen_tf.models  # noqa: F401  registers the classes that the file names

        path = self.best_model(self.best()["stage"])
        with reading(path, _DAMAGED):
            model = keras.saving.load_model(path, compile=False)
        if precision is None:
            return model
        check_names("precision", [precision], PRECISIONS)
        twin = type(model).from_config({**model.get_config(), "dtype": precision})
        twin.set_weights(model.get_weights())
        twin.value_classifiers = model.value_classifiers
        return twin

    def restore_best(self, model: keras.Model, stage: str) -> None:
        """Gives a model the weights of the stage's best.

        Raises:
          FormatError: its file is damaged.
        """
        path = self.best_model(stage)
        with tempfile.TemporaryDirectory() as aside:
            try:
                with zipfile.ZipFile(path) as file:
                    # Within the archive Keras reads piece by piece: three times as long.
                    weights = file.extract("model.weights.h5", aside)
            except zipfile.BadZipFile as error:
                raise FormatError(path, f"{_DAMAGED} ({error})") from error
            model.load_weights(weights)

    def history(self) -> list[dict]:
        """The log entries, oldest first."""
        if not self.history_file.exists():
            return []
        return files.read_json_lines(self.history_file)

    def write_history(self, entries: Iterable[dict]) -> None:
        """Replaces all log entries."""
        files.write_text(self.history_file, "".join(json.dumps(e) + "\n" for e in entries))

    def append_history(self, entry: dict) -> None:
        with open(self.history_file, "a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def _require(self, path: Path) -> None:
        if not path.exists():
            raise FileNotFoundError(
                f"{self.path} holds no {path.name}: expected the --workdir of an asen-train run"
                + (" that has validated at least once" if path == self.best_file else "")
            )


def _with_whole_root(config: config_dict.ConfigDict) -> config_dict.ConfigDict:
    """So that the data is found from any folder."""
    config = config.copy_and_resolve_references()
    if config.data.root:
        config.data.root = os.path.abspath(config.data.root)
    return config
