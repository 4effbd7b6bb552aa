"""Exports of every model answer alike in the session loaders of other TensorFlows.

    python -m tests.serving.old_tensorflow 2.19.1 2.20.0

makes an environment for each in a temporary folder; `--environments=DIR` keeps them, and takes
those that are there, `--python=PYTHON` is another interpreter for them, such as one that an old
TensorFlow wants. It ends with status 1 where one does not load or answers something else.
"""

import argparse
import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from tests.serving import session

# How far floats may be off: networks add in another order, and JPEG files are decoded by others.
TOLERANCE = 1e-4

_SERVED = ("hem", "fit")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("versions", nargs="+")
    parser.add_argument("--environments", type=Path)
    parser.add_argument("--python", default=sys.executable)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as made:
        folders = export_all(Path(made) / "models")
        session.main(*folders)
        expected = [answers(folder) for folder in folders]
        failed = False
        for version in given.versions:
            environment = (given.environments or Path(made)) / f"tf-{version}"
            fault = install(given.python, environment, version) or ask(environment, folders)
            if not fault:
                off = max(map(difference, expected, map(answers, folders)))
                fault = f"answers are off by {off:.2g}" if not off <= TOLERANCE else ""
            names = ", ".join(folder.name for folder in folders)
            print(f"{version}: {fault or f'{names} answer alike, to {off:.2g}'}", flush=True)
            failed |= bool(fault)
    return failed


def export_all(place: Path) -> list[Path]:
    """A folder for each model, with requests to each of its signatures."""
    from asen_client.core.limits import MAX_PIXELS
    from asen_tf.models import MODELS
    from asen_tf.serving.export import export_model
    from asen_tf.serving.export.samples import photographs
    from asen_tf.serving.export.signature import signatures_of
    from tests.conformance.models_test import SPACE, build

    folders = []
    for name in MODELS.names():
        model, folder = build(name), place / name
        written = export_model(model, SPACE, place / "versions" / name, _SERVED, verified=False)
        written.rename(folder)
        given = photographs(MAX_PIXELS), _SERVED
        requests = {
            called: {key: session.pack(array) for key, array in signature.sample(*given).items()}
            for called, signature in signatures_of(model, _SERVED).items()
        }
        (folder / "requests.pickle").write_bytes(pickle.dumps(requests, protocol=4))
        folders.append(folder)
    return folders


def install(python: str, environment: Path, version: str) -> str:
    """Makes an environment with this TensorFlow; what went wrong, "" if nothing did."""
    if environment.exists():
        return ""
    installing = [
        [python, "-m", "venv", environment],
        [environment / "bin" / "pip", "install", "--quiet", f"tensorflow-cpu=={version}"],
    ]
    return next(filter(None, map(failure, installing)), "")


def ask(environment: Path, folders: list[Path]) -> str:
    """Has its TensorFlow answer the requests; what went wrong, "" if nothing did."""
    for folder in folders:
        (folder / "answers.pickle").unlink()
    return failure([environment / "bin" / "python", session.__file__, *folders])


def failure(command: list) -> str:
    """What a command that failed said last."""
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ended = subprocess.run(command, env=variables, capture_output=True, text=True)
    said = ended.stderr.strip().splitlines() or [f"status {ended.returncode}"]
    return said[-1] if ended.returncode else ""


def answers(folder: Path) -> dict[tuple[str, str], np.ndarray]:
    found = pickle.loads((folder / "answers.pickle").read_bytes())
    return {
        (signature, name): session.unpack(packed)
        for signature, outputs in found.items()
        for name, packed in outputs.items()
    }


def difference(right: dict, given: dict) -> float:
    """How far the floats are off; infinitely where anything else differs."""
    if right.keys() != given.keys():
        return np.inf
    return max(map(_difference, right.values(), map(given.get, right)))


def _difference(right: np.ndarray, given: np.ndarray) -> float:
    if (right.shape, right.dtype) != (given.shape, given.dtype):
        return np.inf
    if right.dtype.kind == "f":
        return float(np.abs(right - given).max(initial=0))
    return 0.0 if np.array_equal(right, given) else np.inf


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
