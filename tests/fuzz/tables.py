"""Tables of every kind of file, as catalogues."""

from pathlib import Path

from asen_tf.data.catalogue_table import read_catalogue
from tests.fuzz.target import Target, of_files

_T = "asen_tf.data.tables."
_ROWS = "image,id,price,color\na.jpg,1,3.5,red\nb.jpg,2,9,red|b\n"


def _read(folder: Path):
    return read_catalogue(folder / "shop", ["color"])


def _target(name: str, module: str, content: bytes, **options) -> list[Target]:
    modules = [f"{_T}{one}" for one in ("table", "kinds", module)]
    files = {"shop": content}
    return of_files(f"table: {name}", modules, _read, files, mentions=["shop", "catal"], **options)


TARGETS = [
    *_target("semicolons", "text", _ROWS.replace(",", ";").encode()),
    *_target("UTF-16", "text", _ROWS.replace(",", "\t").encode("utf-16")),
]
