"""`store.json`: what a folder holds, and which of its files count."""

import dataclasses
import json
import re
import shutil
from pathlib import Path

from asen_tf.catalogue.storage import durable
from asen_tf.core.foreign import shown
from asen_tf.embedders import Fingerprint

STORE = "store.json"
LOCK = "LOCK"
_FORMAT = 1


@dataclasses.dataclass(frozen=True)
class Layout:
    """The content of `store.json`.

    Attributes:
      fingerprint: the model that filled the store.
      settings: of the engine that made it.
      segments: (folder, check) of each, oldest first.
      log: name of the file that goes on from there.
      next: a number that no file has had yet.
    """

    fingerprint: Fingerprint
    settings: dict
    segments: tuple[tuple[str, int], ...]
    log: str
    next: int

    def write(self, folder: Path) -> None:
        """Makes it what counts from now on."""
        content = {**dataclasses.asdict(self), "format": _FORMAT}
        del content["fingerprint"]
        content["identity"] = self.fingerprint.to_dict()
        text = json.dumps(content, ensure_ascii=False, indent=1)
        durable.replace(folder / STORE, text.encode())

    @classmethod
    def read(cls, folder: Path) -> "Layout":
        """Reads what `write` wrote; FileNotFoundError: no store, ValueError: a bad or newer one."""
        path = folder / STORE
        try:
            text = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise FileNotFoundError(f"{folder}: no store; asen-index makes one") from None
        try:
            content = json.loads(text)
            found = content.pop("format")
            if found != _FORMAT:
                raise ValueError(f"format {found}, this asen_tf reads {_FORMAT}")
            content["fingerprint"] = Fingerprint.from_dict(content.pop("identity"))
            content["segments"] = tuple((name, check) for name, check in content["segments"])
            return cls(**content)._checked()
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
            raise ValueError(f"{path}: not a store of this library: {error}") from error

    def _checked(self) -> "Layout":
        """The same; ValueError where a name could lead out of the folder, or a number is none."""
        names = {"segment": [name for name, _ in self.segments], "log": [self.log]}
        for kind, found in names.items():
            for name in found:
                if not re.fullmatch(rf"{kind}-\d{{6,18}}", name):
                    raise ValueError(f"{shown(name)} is no name of a {kind}")
        numbers = [self.next, self.fingerprint.dimension, *(check for _, check in self.segments)]
        if any(type(number) is not int or not 0 <= number < 2**63 for number in numbers):
            raise ValueError("expected whole numbers")
        return self

    def remove_others(self, folder: Path) -> None:
        """Removes what a killed process, or an earlier layout, has left."""
        counted = {self.log, *(name for name, _ in self.segments)}
        for path in folder.iterdir():
            if path.name in counted:
                continue
            if path.name.startswith("segment-"):
                shutil.rmtree(path, ignore_errors=True)
            elif path.name.startswith("log-") or path.name.endswith(".new"):
                path.unlink(missing_ok=True)
