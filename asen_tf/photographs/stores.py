"""Photographs at s3:// and gs://, by fsspec."""

import functools

from asen_tf.core.remote import Remote
from asen_tf.photographs.fetched import Fetched, Unreachable, too_large

# Scheme -> the package that fsspec needs for it.
STORES = {"s3": "s3fs", "gs": "gcsfs"}


class Stores:
    """Reads photographs from object stores, whose places and keys the environment names."""

    def __init__(self, settings: Remote):
        self._settings = settings
        self._system = functools.cache(_system)

    def fetch(self, url: str, validator: str = "") -> Fetched | None:
        """As `Http.fetch`."""
        system = self._system(url.partition("://")[0])
        most = self._settings.max_bytes
        try:
            size, found = system.info(url).get("size"), system.ukey(url)
            if found == validator:
                return None
            if size is not None and size > most:
                raise too_large(size, most)
            content = system.cat_file(url, end=most + 1)
        except (FileNotFoundError, IsADirectoryError) as error:
            raise ValueError("no such file") from error
        except PermissionError as error:
            raise ValueError("the server refuses it") from error
        except ValueError:
            raise
        except Exception as error:  # every file system has its own
            raise Unreachable(f"it cannot be read: {error}") from error
        if len(content) > most:
            raise too_large(None, most)
        return Fetched(content, found)


def _system(scheme: str):
    try:
        import fsspec

        return fsspec.filesystem(scheme)
    except ImportError as error:
        package = STORES[scheme]
        raise ValueError(f"{scheme}:// needs pip install fsspec {package} ({error})") from error
