"""What was measured, for people and for files; needs no TensorFlow."""

import json
from pathlib import Path


def report(result: dict[str, object], file: str) -> None:
    """Prints a result as JSON, and writes it to a file where one is named ("": none)."""
    text = json.dumps(result, indent=1)
    print(text)
    if file:
        Path(file).write_text(text + "\n", encoding="utf-8")
