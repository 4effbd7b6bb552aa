"""A catalogue by its place."""

import contextlib
import os
from collections.abc import Iterator

from asen_tf.catalogue import Catalogue
from asen_tf.embedders import Embedder
from asen_tf.loading import load


@contextlib.contextmanager
def opened(
    store: str | Catalogue,
    model: str | os.PathLike | Embedder | None = None,
    read_only: bool = False,
) -> Iterator[Catalogue]:
    """The catalogue at a URI, see `asen_tf.catalogue.open_store`; what is opened here is closed.

    An open catalogue is taken as it is, with its own model. `model`: what `asen_tf.load` takes;
    None: there is nothing to embed.
    """
    if isinstance(store, Catalogue):
        yield store
        return
    with contextlib.ExitStack() as stack:
        if isinstance(model, str | os.PathLike):
            embedder: Embedder | None = stack.enter_context(load(model))
        else:
            embedder = model
        yield stack.enter_context(Catalogue(store, embedder, read_only=read_only))
