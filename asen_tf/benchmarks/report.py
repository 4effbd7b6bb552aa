"""What was measured, for people and for files; needs no TensorFlow."""

import json

from asen_tf.core.files import write_text


def report(result: dict[str, object], file: str) -> None:
    """Prints a result as JSON, and writes it to a file where one is named ("": none)."""
    text = json.dumps(result, indent=1)
    print(text)
    if file:
        write_text(file, text + "\n")
