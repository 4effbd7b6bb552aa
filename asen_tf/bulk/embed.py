"""From a catalogue and a model to a folder of vectors."""

import contextlib
import dataclasses
import itertools
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions

from asen_client.core.errors import Failed, check_names
from asen_tf.bulk import catalogue, files, photographs
from asen_tf.bulk.catalogue import Row
from asen_tf.bulk.output import Output, Stamp
from asen_tf.bulk.shard import EmbedShard, opened
from asen_tf.core.progress import Progress, say
from asen_tf.photographs import Remote

# Some ten to a hundred megabytes of vectors, and minutes of work that a kill can cost.
IMAGES_A_SHARD = 1024

# Beam's own, which runs in this process. Its default would first fetch another from the network.
_LOCAL_RUNNER = "FnApiRunner"
_LOOK_SECONDS = 1.0


@dataclasses.dataclass(frozen=True)
class Summary:
    """What a folder of vectors holds, and what it took.

    Attributes:
      images: rows of the catalogue.
      vectors: in all files.
      errors: bad photographs.
      problems: name -> what is wrong, of the first of them.
      shards: files; `embedded` of them were written by this run.
      seconds: of this run.
    """

    images: int
    vectors: int
    errors: int
    problems: dict[str, str]
    shards: int
    embedded: int
    seconds: float


def embed_catalogue(
    model: str | os.PathLike,
    manifest: str | os.PathLike,
    output: str | os.PathLike,
    *,
    root: str | os.PathLike | None = None,
    boxes: str | os.PathLike | None = None,
    column_names: Mapping[str, str] | None = None,
    follow_links: bool = False,
    remote: Remote | None = None,
    attributes: Sequence[str] = (),
    batch_size: int = 32,
    shards: int | None = None,
    beam_options: Sequence[str] = (),
    predict: bool = False,
    min_probability: float = 0.5,
) -> Summary:
    """Writes the vectors of a catalogue's photographs as Parquet, and perhaps tags as CSV.

    A bad photograph goes to an errors file and stops nothing. A run that was killed goes on with
    the same call: shards that are whole are left alone.

    Paths may be of any file system that Beam knows. On other machines all of them have to mean the
    same as here.

    Args:
      model: its place, see `asen_tf.load`. On other file systems: a version of an export.
      manifest: a table, see `catalogue.read_rows`.
      output: folder, see `Output` and `VectorFile`.
      root: folder of the photographs; none: that of the manifest.
      boxes: a table with the garments' boxes, image,x1,y1,x2,y2, where the manifest has none.
      column_names: what columns are called in the manifest: `{"image": "photo_url"}`.
      follow_links: read photographs that are links to folders outside of a local root.
      remote: how photographs behind URLs are read; None: as `Remote` does by default.
      attributes: those wanted, in this order; none: all, in the model's.
      batch_size: photographs that go through the model at once.
      shards: files to write; none: one for each `IMAGES_A_SHARD` photographs.
      beam_options: command line of Beam, for example `["--runner=FlinkRunner"]`; without a runner
        the work is done in this process.
      predict: also write `tags.csv`, of each photograph the values that the model sees in it.
      min_probability: a value that is less probable is not written there.

    Raises:
      ValueError: an unknown attribute, a bad catalogue, or the output holds vectors of another
        model, catalogue or number of shards.
      BlockingIOError: another process writes to the output.
      FileNotFoundError: the model, manifest or root is missing.
      NotImplementedError: with `predict`, the model says no values; says how it comes to.
      Failed: Beam ended before all was done; the same call goes on.
    """
    began = time.monotonic()
    manifest = files.full(manifest)
    root = files.full(root or os.path.dirname(manifest))
    if files.is_local(root) and not os.path.isdir(root):
        raise FileNotFoundError(f"{root}: no such folder; expected the root of the photographs")
    place = files.full(model) if os.path.exists(model) else os.fspath(model)
    with opened(place, batch_size) as embedder:
        check_names("attribute", attributes, embedder.attributes, once=True)
        rows = catalogue.read_rows(manifest, boxes and files.full(boxes), column_names)
        if predict:
            embedder.predict_all([])  # or it says why it cannot
        fingerprint = embedder.fingerprint()
        store = Output(files.full(output))
        stamp = Stamp(
            model=fingerprint.to_dict(),
            catalogue=catalogue.digest(rows),
            root=root,
            attributes=list(attributes or embedder.attributes),
            dimension=fingerprint.dimension,
            images=len(rows),
            shards=_shards(shards, len(rows), store.stamp()),
            place=place,
            manifest=manifest,
            tags=predict,
        )
        with store.claimed(stamp):
            parts = _parts(rows, stamp.shards)
            versions = photographs.versions(root, [row.image for row in rows], follow_links)
            digests = [catalogue.digest(p, (versions[r.image] for r in p)) for p in parts]
            store.keep_fresh(digests, stamp.tags)
            done = store.done(stamp.shards)
            pending = {shard: part for shard, part in enumerate(parts) if shard not in done}
            if pending:
                work = EmbedShard(store, stamp, batch_size, follow_links, remote)
                _embed(work, store, stamp.shards, pending, beam_options)
            if predict:
                store.write_tags(stamp.shards, stamp.attributes, min_probability)
            store.clean()
            errors, problems = store.errors()
    return Summary(
        images=len(rows),
        vectors=(len(rows) - errors) * len(stamp.attributes),
        errors=errors,
        problems=problems,
        shards=stamp.shards,
        embedded=len(pending),
        seconds=time.monotonic() - began,
    )


def _parts(rows: Sequence[Row], shards: int) -> list[Sequence[Row]]:
    """The rows of each shard."""
    bounds = [len(rows) * shard // shards for shard in range(shards + 1)]
    return [rows[start:stop] for start, stop in itertools.pairwise(bounds)]


def _embed(
    work: EmbedShard,
    store: Output,
    shards: int,
    pending: Mapping[int, Sequence[Row]],
    beam_options: Sequence[str],
) -> None:
    sizes = {shard: len(rows) for shard, rows in pending.items()}
    images = sum(sizes.values())
    say(f"embedding {images} images in {len(pending)} of {shards} shards")
    for shard, rows in pending.items():
        store.write_rows(shard, rows)
    with Progress("embedding", images, "images") as meter, _watched(store, shards, sizes, meter):
        _run(work, list(pending), beam_options)
    missing = shards - len(store.done(shards))
    if missing:
        raise Failed(f"Beam ended, but {missing} of {shards} shards are missing")


def _run(work: beam.DoFn, shards: Sequence[int], arguments: Sequence[str]) -> None:
    options = PipelineOptions(list(arguments))
    standard = options.view_as(StandardOptions)
    standard.runner = standard.runner or _LOCAL_RUNNER
    pipeline = beam.Pipeline(options=options)
    # Without the reshuffle one worker would do what one worker created.
    _ = pipeline | beam.Create(shards) | beam.Reshuffle() | beam.ParDo(work)
    try:
        pipeline.run().wait_until_finish()
    except Exception as error:  # whose text is the trace of a worker
        *_, reason = str(error).strip().splitlines() or [type(error).__name__]
        reason = reason.partition(" [while running")[0]
        raise Failed(f"{reason}. Mend that, and give the same command again") from error


@contextlib.contextmanager
def _watched(
    store: Output, shards: int, sizes: Mapping[int, int], meter: Progress
) -> Iterator[None]:
    """Tells the meter of every shard that appears, wherever the workers are."""
    over = threading.Event()

    def watch():
        left = dict(sizes)
        while not over.wait(_LOOK_SECONDS):
            for shard in store.done(shards) & left.keys():
                meter.update(left.pop(shard))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _shards(wanted: int | None, images: int, found: Stamp | None) -> int:
    """Number of shards; one that was not given is that of the folder."""
    if wanted is None and found is not None:
        return found.shards
    return min(images, wanted or -(-images // IMAGES_A_SHARD))
