"""The model that a program embeds with: an exported one, here or at a server, or a run's."""

import contextlib
from collections.abc import Iterator

from absl import app, flags

from asen_tf.catalogue import Embedder
from asen_tf.serving.signatures import MODEL_NAME

_PLACES = ("saved_model", "workdir", "server")


def define_flags() -> None:
    """Defines --saved_model, --workdir, --server, --model and --timeout."""
    flags.DEFINE_string("saved_model", None, "A version that asen-export wrote, such as DIR/1.")
    flags.DEFINE_string("workdir", None, "Folder of a run, instead.")
    flags.DEFINE_string("server", None, "host:port of TensorFlow Serving or asen-serve, instead.")
    flags.DEFINE_string("model", MODEL_NAME, "Name that --server serves it under.")
    flags.DEFINE_float("timeout", 60.0, "Seconds for each answer of --server.", lower_bound=0.0)


def described(given: flags.FlagValues) -> str:
    """What messages call the model that these flags name."""
    return given.saved_model or given.workdir or f"{given.model} at {given.server}"


@contextlib.contextmanager
def opened(given: flags.FlagValues, needed: bool = True) -> Iterator[Embedder | None]:
    """The model that these flags name; none where it is not `needed`.

    Raises:
      app.UsageError: it is needed, and the flags name none, or two.
    """
    if not needed:
        yield None
        return
    if sum(given[name].value is not None for name in _PLACES) != 1:
        raise app.UsageError("give one of --saved_model, --workdir and --server")
    if given.saved_model is not None:
        from asen_tf.serving import SavedModel  # brings TensorFlow

        yield SavedModel(given.saved_model)
    elif given.workdir is not None:
        import asen_tf.embedder  # brings TensorFlow

        yield asen_tf.embedder.load(given.workdir)
    else:
        from asen_tf.serving import Client

        with Client(given.server, given.model, timeout=given.timeout) as client:
            yield client
