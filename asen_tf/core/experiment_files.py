"""The experiment files of configs/, wherever the library is installed."""

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from asen_client.core.errors import unknown_name

if TYPE_CHECKING:
    from ml_collections import config_dict

# Beside the package in a checkout; under the prefix where a wheel is installed.
_FOLDERS = (Path(__file__).parents[2] / "configs", Path(sys.prefix) / "share/asen_tf/configs")


def find(model: str, data: str) -> Path:
    """Where the experiment of a model on a data set lies.

    Raises:
      ValueError: there is none; names those that are there.
    """
    found = [folder / model / f"{data}.py" for folder in _FOLDERS]
    for path in found:
        if path.exists():
            return path
    raise ValueError(unknown_name(f"data set of configs/{model}", data, names(model)))


def names(model: str) -> list[str]:
    """The data sets for which a model has an experiment."""
    return sorted({path.stem for folder in _FOLDERS for path in folder.glob(f"{model}/*.py")})


def check(given: str) -> None:
    """Raises FileNotFoundError where there is no experiment file that --config=`given` names."""
    path = Path(given.partition(":")[0])
    if given and not path.exists():
        folder = next(filter(Path.exists, _FOLDERS), _FOLDERS[0])
        installed = sorted(file.relative_to(folder).as_posix() for file in folder.glob("*/*.py"))
        raise FileNotFoundError(
            f"{path}: no such experiment file; installed in {folder} are {', '.join(installed)}"
        )


def read(path: Path, argument: str = "") -> "config_dict.ConfigDict":
    """The configuration that an experiment file gives, with its argument if it has one."""
    spec = importlib.util.spec_from_file_location(f"experiment_{path.parent.name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.get_config(argument) if argument else module.get_config()
