"""Runs the library's programs, each in a process of its own."""

import contextlib
import importlib.util
import logging
import multiprocessing
import multiprocessing.forkserver
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
PATH = os.pathsep.join([str(ROOT), str(ROOT / "client")])
"""PYTHONPATH of a process that imports what is ours."""

NOISE = ("oneDNN", "cuda", "absl", "retracing", "Skipping nested container", "Traceback")
"""What no program says on stderr: other libraries' lines, which help nobody."""

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tensorflow", "keras", "keras_hub"])


def run(name: str, *flags: object, **where: object) -> subprocess.CompletedProcess:
    """Runs `asen-NAME FLAGS` to its end; `where` as `running` takes it."""
    with running(name, *flags, **where) as (process, *files):
        process.join()
        said = [file.read_text(encoding="utf-8") for file in files]
        return subprocess.CompletedProcess([name, *flags], process.exitcode, *said)


@contextlib.contextmanager
def running(
    name: str,
    *flags: object,
    cwd: str | os.PathLike = ROOT,
    path: Sequence[str | os.PathLike] = (),
    eagerly: bool = False,
    **environment: str,
) -> Iterator[tuple[multiprocessing.Process, Path, Path]]:
    """Starts `asen-NAME FLAGS`: gives its process, and the files of its stdout and stderr.

    Its process is a copy of one that has loaded TensorFlow, which takes longer than most of what
    programs do in tests. SIGTERM ends it.

    Args:
      cwd: the folder to run it in.
      path: folders with modules, beside those of this process.
      eagerly: TensorFlow traces no functions but those of exports: of small networks that takes
        most of the time.
      **environment: variables, beside those of this process.
    """
    _begin()
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / stream for stream in ("stdout", "stderr")]
        where = {"cwd": os.fspath(cwd), "path": list(map(os.fspath, path)), "eagerly": eagerly}
        variables = {**os.environ, **environment}
        arguments = name, list(map(str, flags)), files, variables
        process = _PROCESSES.Process(target=_run, args=arguments, kwargs=where)
        process.start()
        try:
            yield process, *files
        finally:
            process.terminate()
            process.join()


def _begin() -> None:
    """Starts the process that is copied; what TensorFlow says while it is loaded is dropped."""
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        multiprocessing.forkserver.ensure_running()
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _run(name, flags, files, variables, cwd, path, eagerly) -> None:
    for number, file in enumerate(files, 1):
        with open(file, "wb") as opened:
            os.dup2(opened.fileno(), number)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(variables)
    sys.path[:0] = [*PATH.split(os.pathsep), *path]
    sys.argv[1:] = flags
    if eagerly:
        import tensorflow as tf

        tf.config.run_functions_eagerly(True)
    logging.getLogger().handlers.clear()  # that libraries left which had no program's to write to
    of_client = importlib.util.find_spec(f"asen_client.cli.{name}") is not None
    package = "asen_client" if of_client else "asen_tf"
    runpy.run_module(f"{package}.cli.{name}", run_name="__main__", alter_sys=True)
