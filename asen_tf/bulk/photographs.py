"""Encoded photographs of a catalogue, in a kind that the model reads."""

import os
import time
from collections.abc import Callable, Iterable

from asen_tf.bulk import files
from asen_tf.core.remote import MAX_BYTES
from asen_tf.data.root import is_url, name_problem
from asen_tf.images import UNREADABLE, check_whole, for_graph
from asen_tf.photographs import Found, Remote, Source
from asen_tf.photographs.fetched import too_large

# Seconds before each attempt to read over a network.
_PAUSES = (0, 1, 4)


def reader(
    root: str, follow_links: bool = False, remote: Remote | None = None
) -> Callable[[str], Found | str]:
    """A function from a photograph's name to what was found, or to why there is nothing.

    Names are those of `Source`; paths relative to a root of another file system are read by Beam.
    """
    source = Source(root, follow_links, remote)

    def read(name: str) -> Found | str:
        try:
            found = _by_beam(root, name) if _is_beams(root, name) else source.read(name)
            check_whole(found.content)
            return found._replace(content=for_graph(found.content))
        except UNREADABLE as error:
            return getattr(error, "strerror", None) or str(error)

    return read


def versions(root: str, names: Iterable[str], follow_links: bool = False) -> dict[str, str]:
    """What tells whether each photograph was changed; blank where that is not to be had."""
    names = list(names)
    source = Source(root, follow_links)
    paths = {n: files.join(root, n) for n in names if _is_beams(root, n) and not name_problem(n)}
    known = files.versions({os.path.dirname(path) for path in paths.values()}) if paths else {}
    return {
        n: known.get(paths.get(n), "") if _is_beams(root, n) else source.version(n) or ""
        for n in names
    }


def _is_beams(root: str, name: str) -> bool:
    is_web = root.startswith(("http://", "https://"))
    return not (files.is_local(root) or is_web or is_url(name))


def _by_beam(root: str, name: str) -> Found:
    if problem := name_problem(name):
        raise ValueError(problem)
    path, failure = files.join(root, name), None
    for pause in _PAUSES:
        time.sleep(pause)
        try:
            return _content(path)
        except ValueError:
            raise
        except Exception as error:  # every file system has its own
            failure = error
    raise ValueError(f"it cannot be read: {failure}")


def _content(path: str) -> Found:
    try:
        with files.opened(path) as file:
            content = file.read(MAX_BYTES + 1)
    except Exception as error:
        if files.exists(path):
            raise
        raise ValueError("no such file") from error
    if len(content) > MAX_BYTES:
        raise too_large(None, MAX_BYTES)
    return Found(content, "")
