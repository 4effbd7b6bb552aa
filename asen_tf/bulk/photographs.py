"""Encoded photographs of a catalogue, in a kind that the model reads."""

import os
import time
from collections.abc import Callable, Iterable

from asen_tf.bulk import files
from asen_tf.core.files import version
from asen_tf.data.root import Root, name_problem
from asen_tf.images import UNREADABLE, for_graph

# What a server takes in one message; more is no photograph of a catalogue.
MAX_BYTES = 64 * 1024 * 1024

# Seconds before each attempt to read over a network.
_PAUSES = (0, 1, 4)

# The encoded photograph, or why there is none.
Read = bytes | str


def reader(root: str, follow_links: bool = False) -> Callable[[str], Read]:
    """A function from a path relative to the root to the encoded photograph, or to a reason.

    A path that leaves the root is not opened; symbolic links are looked at where the root is
    local, and may lead out of it with `follow_links`. A file of more than `MAX_BYTES` is refused.
    """
    local = files.is_local(root)
    return _local_reader(Root(root, follow_links)) if local else _remote_reader(root)


def versions(root: str, names: Iterable[str]) -> dict[str, str]:
    """What tells whether each photograph was changed; blank where there is none."""
    if files.is_local(root):
        return {name: version(os.path.join(root, name)) for name in names}
    paths = {name: files.join(root, name) for name in names if not name_problem(name)}
    known = files.versions({os.path.dirname(path) for path in paths.values()})
    return {name: known.get(paths.get(name), "") for name in names}


def _local_reader(root: Root) -> Callable[[str], Read]:
    def read(name: str) -> Read:
        try:
            return root.file_problem(name) or _content(root.path(name))
        except (OSError, ValueError) as error:
            return getattr(error, "strerror", None) or str(error)

    return read


def _remote_reader(root: str) -> Callable[[str], Read]:
    def read(name: str) -> Read:
        if problem := name_problem(name):
            return problem
        path, failure = files.join(root, name), None
        for pause in _PAUSES:
            time.sleep(pause)
            try:
                return _content_or_missing(path)
            except Exception as error:  # every file system has its own
                failure = error
        return f"it cannot be read: {failure}"

    return read


def _content_or_missing(path: str) -> Read:
    try:
        return _content(path)
    except Exception:
        if files.exists(path):
            raise
        return "no such file"


def _content(path: str) -> Read:
    with files.opened(path) as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        return f"the file has more than {MAX_BYTES} bytes"
    try:
        return for_graph(content)
    except UNREADABLE as error:
        return str(error)
