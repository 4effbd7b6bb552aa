"""Versions of a model: folders whose names are numbers, as TensorFlow Serving has them."""

# In messages of TensorFlow Serving, which ignores folders of larger numbers.
_LARGEST = 2**63 - 1


def is_version(name: str) -> bool:
    """Whether a folder of this name is a version."""
    return name.isascii() and name.isdigit() and len(name) < 20 and int(name) <= _LARGEST
