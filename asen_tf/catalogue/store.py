"""Opens a store by its URI."""

import importlib
import urllib.parse
from collections.abc import Collection

from asen_client.core.errors import check_names, unknown_name
from asen_tf.catalogue.engine import Engine
from asen_tf.embedders import Fingerprint

# Scheme -> module, class, and what to install; imported when it is opened.
_ENGINES = {
    "faiss": ("asen_tf.catalogue.faiss_engine", "FaissEngine", "search"),
    "milvus": ("asen_tf.catalogue.milvus_engine", "MilvusEngine", "milvus"),
}


def open_store(uri: str, fingerprint: Fingerprint | None = None, read_only: bool = False) -> Engine:
    """Opens what lies at a URI, or makes it.

    - `faiss:PATH`: a folder, searched in this process, exact; `faiss:PATH?index=IVF512,SQ8` looks
      for candidates in an index of faiss (its `index_factory` names them), whose scores are exact;
      `dtype=float16` keeps vectors in half the space.
    - `milvus:PATH.db`: a folder of milvus-lite; `milvus:http://HOST:19530`: a server or cluster.
      `?collection=NAME` names the collection, `asen` by default. Exact.

    Args:
      fingerprint: of the model whose vectors are written or searched with; needed to make a store.
        None: whichever filled it.
      read_only: writing is not wanted; another process may write meanwhile.

    Raises:
      ValueError: an unknown scheme, or a store that another model filled.
      FileNotFoundError: nothing lies there, and it cannot be made: no fingerprint, or read only.
      ImportError: the engine's library is not installed.
      OSError: another process writes to it, or it cannot be reached.
    """
    scheme, _, place = uri.partition(":")
    if scheme not in _ENGINES or not place:
        raise ValueError(
            f"store {uri!r}: {unknown_name('kind of store', scheme, _ENGINES)} "
            "Expected faiss:PATH or milvus:PATH.db or milvus:http://HOST:PORT"
        )
    module, name, extra = _ENGINES[scheme]
    try:
        engine = getattr(importlib.import_module(module), name)
    except ImportError as error:
        raise ImportError(f'{scheme}: needs pip install "asen_tf[{extra}]" ({error})') from error
    return engine(place, fingerprint, read_only)


def split_options(place: str, known: Collection[str]) -> tuple[str, dict[str, str]]:
    """`PATH?name=value&name=value` as path and options; ValueError for no path or other names."""
    path, _, text = place.partition("?")
    # A plus is no blank here: faiss has it in names of indexes.
    pairs = urllib.parse.parse_qsl(text.replace("+", "%2B"), keep_blank_values=True)
    check_names("option of the store", dict(pairs), known)
    if not path:
        raise ValueError(f"store: no path in {place!r}")
    return path, dict(pairs)
