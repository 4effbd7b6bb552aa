"""What is set before libraries are imported: how much they say, and on how many threads they work.

Nothing here imports them. A TF_CPP_MIN_LOG_LEVEL below 2 in the environment shows everything.
"""

import contextlib
import importlib.abc
import importlib.util
import logging
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Iterator

# TensorFlow's and LiteRT's libraries write these while they are loaded, whatever the log level is.
_LOG_LINE = re.compile(
    rb"[IWE]\d{4} \d\d:\d\d|WARNING: All log messages before absl::InitializeLog"
    rb"|INFO: Created TensorFlow Lite"
)


def quiet() -> None:
    """TensorFlow and gRPC say only what went wrong; call it before they are imported.

    matplotlib does not tell where it keeps its list of fonts, and how long that takes. Pillow does
    not warn of large photographs: programs have limits of their own.
    """
    warnings.filterwarnings("ignore", "Image size .* could be decompression bomb")
    # Level 2 would still tell of every machine without a GPU that CUDA failed. Processes that this
    # one starts inherit it.
    level = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if level < "2":
        return
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    for name in ("tensorflow", "matplotlib"):
        logging.getLogger(name).setLevel(logging.ERROR)
    if "tensorflow" not in sys.modules:
        sys.meta_path.insert(0, _TensorFlowFinder())


def threads(count: int) -> None:
    """TensorFlow works on so many threads in this process, which has not used it yet."""
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ[name] = str(count)


@contextlib.contextmanager
def without_warnings() -> Iterator[None]:
    """For an import that warns of packages which are not wanted."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


class _TensorFlowFinder(importlib.abc.MetaPathFinder):
    """Finds TensorFlow once, and keeps its log lines back while it is loaded."""

    def find_spec(self, name, path=None, target=None):
        if name != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None:
            execute = spec.loader.exec_module
            spec.loader.exec_module = without_log_lines()(execute)
        return spec


@contextlib.contextmanager
def without_log_lines() -> Iterator[None]:
    """Keeps back what libraries log on stderr while they are loaded, and nothing else."""
    with tempfile.TemporaryFile() as written:
        stderr = os.dup(2)
        os.dup2(written.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            written.seek(0)
            for line in written:
                if not _LOG_LINE.match(line):
                    os.write(2, line)
