"""A trained run as the next version of a served model, or as one file."""

import contextlib
import errno
import functools
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import filelock
import numpy as np
import tensorflow as tf

from asen_client.core.attributes import AttributeSpace
from asen_client.core.errors import check_names
from asen_client.core.limits import BOX_MARGIN, MAX_PIXELS
from asen_client.serving import signatures as names
from asen_tf.core import files
from asen_tf.core.choices import EXPORT_FORMATS, FLOAT32, SAVED_MODEL, VALUES
from asen_tf.core.progress import say
from asen_tf.core.versions import is_version
from asen_tf.models.base import EmbeddingModel
from asen_tf.serving.export.describe import describe
from asen_tf.serving.export.functions import Functions
from asen_tf.serving.export.one_file import check_output, export_file
from asen_tf.serving.export.samples import photographs
from asen_tf.serving.export.signature import Signature, signatures_of
from asen_tf.serving.export.verify import TOLERANCES, expected_answers, read_outside, verify
from asen_tf.serving.export.warmup import write_warmup
from asen_tf.tracing import traced
from asen_tf.workdir import Workdir

_DRAFT = ".export-"
# What the graphs take beside the variables.
_GRAPH_BYTES = 50_000_000


def export(
    workdir: str | os.PathLike,
    output: str | os.PathLike,
    attributes: Sequence[str] = (),
    max_pixels: int = MAX_PIXELS,
    slices: Sequence[str] = (),
    precision: str | None = None,
    format: str = SAVED_MODEL,
    quantize: str | None = None,
) -> Path:
    """Writes the best model of a run: as a SavedModel that TensorFlow Serving takes, or a file.

    It is written beside its place, verified (see `verify`) and renamed, so that a server that
    watches the folder never sees half a model or a wrong one.

    Args:
      workdir: of the run.
      output: folder of the versions; the new one is `output/<next integer>`. Of other formats than
        a SavedModel the file.
      attributes: those to serve, in this order; none: all.
      max_pixels: a photograph that declares more is refused.
      slices: of the embedding, such as "global"; none: all that are trained.
      precision: what the networks compute in, see `Workdir.load_best`; in files always float32.
      format: one of `core.choices.EXPORT_FORMATS`; for files see `export_file`.
      quantize: of a file, see `export_file`.

    Returns:
      The folder of the new version, or the file.

    Raises:
      FileNotFoundError: the workdir holds no trained model.
      ValueError: an unknown attribute, slice, precision or format, one named twice, a bad limit,
        or a package is missing.
      OSError: the output is a file, or there is no room.
      VerificationFailed: the export does not answer as the model does.
    """
    run = Workdir(workdir)
    space, best = run.space(), run.best()
    check_names("attribute", attributes, space, once=True)
    if max_pixels < 1:
        raise ValueError(f"max_pixels must be 1 or more, got {max_pixels}")
    check_names("format", [format], EXPORT_FORMATS)
    output = Path(output)
    if format == SAVED_MODEL:
        if quantize:
            raise ValueError(f"quantize={quantize} is for format=litert")
        _make_folder(output)
    else:
        check_output(output, format, quantize)
        if precision not in (None, FLOAT32):
            raise ValueError(f"precision={precision}: of format={format} expected {FLOAT32}")
        precision = FLOAT32
    say(f"loading {run.best_model(best['stage'])}")
    model = run.load_best(precision)
    check_names("slice", slices, best["slices"] or model.slices, once=True)
    if VALUES in slices and not model.embeds_values(slices):
        raise ValueError(
            f"{VALUES} are computed from all of {', '.join(best['slices'])}: name these, too, or "
            f"leave {VALUES} out"
        )
    chosen, data = slices or best["slices"], run.config().data
    said = {"fit": data.fit, "box_margin": data.box_margin}
    said["version"] = f"{best['stage']}, step {best['step']}"
    given = attributes, max_pixels, chosen
    if format == SAVED_MODEL:
        return export_model(model, space, output, *given, **said)
    return export_file(model, space, output, format, *given, quantize, **said)


def export_model(
    model: EmbeddingModel,
    space: AttributeSpace,
    output: str | os.PathLike,
    attributes: Sequence[str] = (),
    max_pixels: int = MAX_PIXELS,
    slices: Sequence[str] | None = None,
    verified: bool = True,
    fit: str = "crop",
    box_margin: float = BOX_MARGIN,
    version: str = "",
) -> Path:
    """`export` of a model that is at hand, as a SavedModel.

    Args:
      model: what embeds.
      space: the attributes it knows.
      output, attributes, max_pixels: see `export`.
      slices: see `EmbeddingModel.embed`.
      verified: False skips what takes longest, for models that nobody is to rely on.
      fit: how photographs become square images, see `asen_tf.images.graph.to_square`.
      box_margin: that clients are to add around the box of an image.
      version: of the model, in words.
    """
    ids = {name: space.index(name) for name in attributes or space}
    signatures = signatures_of(model, ids)
    said = {"fit": fit, "box_margin": box_margin, "version": version}
    metadata = describe(model, space, list(ids), slices, max_pixels=max_pixels, **said)
    encoded = photographs(max_pixels)

    def requests(count):
        given = encoded[:count], list(ids)
        return {name: signature.sample(*given) for name, signature in signatures.items()}

    with _aside(Path(output), model) as folder:
        say(f"writing {len(ids)} attributes")
        with _explained(folder):
            outputs = _save(model, signatures, Functions(model, ids, metadata, slices), folder)
            write_warmup(folder, requests(1), outputs)
        if verified:
            say(f"verifying {len(signatures)} signatures")
            outside = Functions(model, ids, metadata, slices, read_outside(model.image_size, fit))
            requested = requests(len(encoded))
            expected = expected_answers(signatures, outside, requested)
            verify(folder, requested, expected, TOLERANCES[model.compute_dtype])
        return _put_in_place(folder, Path(output))


def _save(
    model: EmbeddingModel, signatures: Mapping[str, Signature], functions: Functions, folder: Path
) -> dict[str, list[str]]:
    """Writes the SavedModel and gives the outputs of its signatures.

    It tracks the raw variables and not the model: a Keras model inside a SavedModel loads in
    Python, but the session loader of TensorFlow Serving does not find its variables.
    """
    with tempfile.TemporaryDirectory() as beside:
        file = Path(beside) / names.METADATA_FILE
        file.write_text(functions.metadata.to_json(), encoding="utf-8")
        servable = tf.Module(name="asen_tf")
        servable.weights = [variable.value for variable in model.variables]
        servable.metadata_file = tf.saved_model.Asset(os.fspath(file))
        found = {name: _traced(signature, functions) for name, signature in signatures.items()}
        with files.literal(folder) as place:
            tf.saved_model.save(servable, place, found)
    return {name: list(function.structured_outputs) for name, function in found.items()}


@contextlib.contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Turns TensorFlow's errors of writing into OSError."""
    try:
        yield
    except tf.errors.OpError as error:
        raise OSError(f"{folder} cannot be written: {error.message}") from error


def _traced(signature, functions):
    function = traced(functools.partial(signature.answer, functions))
    specs = signature.inputs.items()
    inputs = {name: tf.TensorSpec(spec.shape, spec.dtype, name) for name, spec in specs}
    return function.get_concrete_function(**inputs)


@contextlib.contextmanager
def _aside(output: Path, model: EmbeddingModel) -> Iterator[Path]:
    """A folder in the output that no server takes for a version; gone at the end."""
    _make_folder(output)
    need = sum(v.value.dtype.size * int(np.prod(v.shape)) for v in model.variables) + _GRAPH_BYTES
    free = shutil.disk_usage(output).free
    if free < need:
        raise OSError(
            errno.ENOSPC, f"the model needs {need / 1e6:.0f} MB, free are {free / 1e6:.0f}", output
        )
    for path in output.glob(f"{_DRAFT}*"):
        _remove_left(path.with_suffix(""))
    folder = output / f"{_DRAFT}{uuid.uuid4().hex[:8]}"
    with filelock.FileLock(folder.with_suffix(".lock")) as held:
        try:
            folder.mkdir()
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            Path(held.lock_file).unlink(missing_ok=True)


def _remove_left(folder: Path) -> None:
    """Removes what an export that was killed has left; one that is still written is locked."""
    held = filelock.FileLock(folder.with_suffix(".lock"))
    with contextlib.suppress(filelock.Timeout), held.acquire(blocking=False):
        shutil.rmtree(folder, ignore_errors=True)
        Path(held.lock_file).unlink(missing_ok=True)


def _put_in_place(folder: Path, output: Path) -> Path:
    """Renames the folder to the next version; another export may take the same number first."""
    while True:
        versions = [int(path.name) for path in output.iterdir() if is_version(path.name)]
        target = output / str(max(versions, default=0) + 1)
        try:
            folder.rename(target)
            return target
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise


def _make_folder(output: Path) -> None:
    if output.exists() and not output.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "expected a folder for the versions", str(output))
    output.mkdir(parents=True, exist_ok=True)
