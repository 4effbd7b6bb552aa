"""Names of KerasHub's presets of networks for images, without loading KerasHub or TensorFlow."""

import functools
import importlib.util
import re
from pathlib import Path

_NAME = re.compile(r'^    "([^"]+)": \{', re.MULTILINE)


@functools.cache
def names() -> tuple[str, ...]:
    """Those of the installed version, from its tables; none where it is not installed.

    What takes images has a module for it, if only one that converts them.
    """
    found = importlib.util.find_spec("keras_hub")
    if not found or not found.origin:
        return ()
    tables = sorted(Path(found.origin).parent.glob("src/models/*/*_presets.py"))
    texts = (t.read_text(encoding="utf-8") for t in tables if any(t.parent.glob("*image*.py")))
    return tuple(dict.fromkeys(name for text in texts for name in _NAME.findall(text)))
