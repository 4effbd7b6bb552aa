"""A catalogue becomes files of vectors, whatever happens on the way."""

import csv
import functools
import http.server
import itertools
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from apache_beam.io.filesystem import FileMetadata
from apache_beam.io.localfilesystem import LocalFileSystem
from PIL import Image

import asen_tf
from asen_client.core.errors import Failed
from asen_client.serving import signatures as names
from asen_client.serving.signatures import Metadata
from asen_tf.bulk import embed_catalogue, photographs
from asen_tf.bulk.vector_file import VectorFile
from asen_tf.catalogue import Catalogue
from asen_tf.photographs import Remote
from tests import programs
from tests.full_disk import full_disk

ATTRIBUTES = {"color": ["red"], "side": ["left"], "fit": ["slim"]}
SIZE = 8


def refuse_pages(encoded):
    """An error that names the rows of web pages; the decoder's own, for the rest, name none."""
    bad = tf.strings.substr(encoded, 0, 1) == "<"
    rows = tf.strings.as_string(tf.where(bad)[:, 0])
    lines = tf.strings.join(["photograph ", rows, ": it is no image"])
    return tf.debugging.Assert(~tf.reduce_any(bad), [tf.strings.reduce_join(lines, separator="; ")])


def mean_color(encoded):
    image = tf.io.decode_image(encoded, channels=3, expand_animations=False)
    image.set_shape((None, None, 3))
    return tf.reduce_mean(tf.cast(image, tf.float32), (0, 1))


@pytest.fixture(scope="module")
def saved_model(tmp_path_factory):
    """Embeds a photograph as its mean colour, times 1, 2, 3 for the three attributes."""
    return save(tmp_path_factory.mktemp("served"))


def save(folder, signs=(1.0, 1.0, 1.0), values=1):
    """Writes the model; one of other signs is another model; one of two values says which."""
    known = {name: [*own, "other"][:values] for name, own in ATTRIBUTES.items()}
    metadata = Metadata(known, dimension=3, model={}, library_version="0", max_pixels=1000)
    (folder / names.METADATA_FILE).write_text(metadata.to_json())
    module = tf.Module()
    module.factors = tf.Variable(tf.range(1.0, len(ATTRIBUTES) + 1))
    module.metadata_file = tf.saved_model.Asset(str(folder / names.METADATA_FILE))
    photographs = tf.TensorSpec((None,), tf.string, names.IMAGE_BYTES)

    def vectors(image_bytes):
        with tf.control_dependencies([refuse_pages(image_bytes)]):
            image_bytes = tf.identity(image_bytes)
        colors = tf.map_fn(mean_color, image_bytes, fn_output_signature=tf.TensorSpec(3))
        return (colors * signs)[:, None] * module.factors[:, None]

    def embed_all(image_bytes):
        return {names.EMBEDDINGS: vectors(image_bytes)}

    def embed_one(number):
        return lambda image_bytes: {names.EMBEDDING: vectors(image_bytes)[:, number]}

    functions = {names.embed(name): embed_one(number) for number, name in enumerate(ATTRIBUTES)}
    functions[names.SERVING_DEFAULT] = embed_all

    def predict(image_bytes):
        """The redder, the more probable is the other value."""
        other = 10 * vectors(image_bytes)[:, 0, :1] / 255
        return dict.fromkeys(ATTRIBUTES, tf.concat([1 - other, other], axis=1))

    if values > 1:
        functions[names.PREDICT] = predict
    signatures = {
        name: tf.function(function, input_signature=[photographs])
        for name, function in functions.items()
    }
    tf.saved_model.save(module, str(folder / "1"), signatures)
    return folder / "1"


def color(number: int) -> np.ndarray:
    return np.array([number, 2 * number, 255 - number], np.float32)


def write_manifest(path: Path, *rows: tuple) -> Path:
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


BAD = {
    "missing.png": "no such file",
    "web.png": "no image: it looks like a web page",
    "half.png": "PNG",
    "damaged.png": "PNG",
    "empty.png": "the file is empty",
    "folder": "not a file",
    "../secret.png": "leaves the data root",
    "/etc/hostname": "leaves the data root",
    "link.png": "a symbolic link leads out",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """14 good photographs of one colour each; a bad one after each of the first nine."""
    root = tmp_path_factory.mktemp("shop") / "root"
    (root / "folder").mkdir(parents=True)
    good = [f"{number}.png" for number in range(14)]
    for number, name in enumerate(good):
        Image.fromarray(np.full((SIZE, SIZE, 3), color(number), np.uint8)).save(root / name)
    whole = (root / "9.png").read_bytes()
    (root.parent / "secret.png").write_bytes(whole)
    (root / "link.png").symlink_to(root.parent / "secret.png")
    (root / "web.png").write_bytes(b"<html></html>")
    (root / "half.png").write_bytes(whole[: len(whole) // 2])
    (root / "damaged.png").write_bytes(whole[:50] + bytes(5) + whole[55:])
    (root / "empty.png").write_bytes(b"")
    mixed = [name for pair in itertools.zip_longest(good, BAD) for name in pair if name]
    write_manifest(root / "manifest.csv", ("image", "split"), *((name, "train") for name in mixed))
    return root


@pytest.fixture(scope="module")
def embedded(saved_model, shop, tmp_path_factory):
    output = tmp_path_factory.mktemp("vectors") / "out"
    return output, embed_catalogue(saved_model, shop / "manifest.csv", output, shards=3)


def files_of(output: Path) -> list[Path]:
    return sorted((output / "vectors").iterdir())


def read_vectors(output: Path) -> dict[tuple[str, str], np.ndarray]:
    table = pa.concat_tables([pq.read_table(file) for file in files_of(output)]).to_pydict()
    keys = list(zip(table["id"], table["attribute"], strict=True))
    assert len(set(keys)) == len(keys)
    return dict(zip(keys, map(np.array, table["vector"]), strict=True))


def read_errors(output: Path) -> dict[str, str]:
    lines = [
        line for file in (output / "errors").iterdir() for line in file.read_text().splitlines()
    ]
    errors = [json.loads(line) for line in lines]
    assert all(set(error) == {"id", "image", "reason"} for error in errors)
    return {error["id"]: error["reason"] for error in errors}


def test_every_good_photograph_has_its_vectors(embedded):
    output, summary = embedded
    expected = {
        (f"{number}.png", name): color(number) * factor
        for number in range(14)
        for factor, name in enumerate(ATTRIBUTES, 1)
    }
    found = read_vectors(output)
    assert list(found) == list(expected)
    for key, vector in expected.items():
        np.testing.assert_allclose(found[key], vector, rtol=1e-6)
    assert (summary.images, summary.vectors, summary.errors) == (23, 14 * 3, 9)
    assert (summary.shards, summary.embedded) == (3, 3)


def test_every_bad_photograph_has_its_reason(embedded):
    errors = read_errors(embedded[0])
    assert errors.keys() == BAD.keys()
    for name, reason in BAD.items():
        assert reason in errors[name]
        assert "\n" not in errors[name] and "node" not in errors[name]


def test_tags_of_the_whole_catalogue(shop, saved_model, tmp_path):
    """Of photograph n the other value has the probability 10 n / 255."""
    model, output = save(tmp_path, values=2), tmp_path / "out"

    def tags(**options):
        attributes = ["side", "color"]
        options = {"attributes": attributes, "predict": True, "shards": 3, **options}
        summary = embed_catalogue(model, shop / "manifest.csv", output, **options)
        with open(output / "tags.csv", newline="", encoding="utf-8") as file:
            return summary, list(csv.DictReader(file))

    summary, found = tags(min_probability=0.6)
    assert (summary.vectors, summary.errors) == (14 * 2, 9)
    columns = ["id", "image", "side", "side_probability", "color", "color_probability"]
    assert list(found[0]) == columns and [row["id"] for row in found] == [
        f"{n}.png" for n in range(14)
    ]
    assert [row["side"] for row in found] == 11 * ["left"] + 3 * [""]
    assert [row["color"] for row in found] == 11 * ["red"] + 3 * [""]
    expected = [max(10 * n / 255, 1 - 10 * n / 255) for n in range(14)]
    np.testing.assert_allclose([float(r["side_probability"]) for r in found], expected, atol=1e-4)
    # Another threshold needs no second look at the photographs.
    summary, found = tags()
    assert summary.embedded == 0
    assert [row["side"] for row in found] == 13 * ["left"] + ["other"]
    with pytest.raises(ValueError, match=r"another run \(tags: True, not False\)"):
        tags(predict=False)
    with pytest.raises(NotImplementedError, match="exported without what says which values"):
        embed_catalogue(saved_model, shop / "manifest.csv", tmp_path / "other", predict=True)


def test_what_is_in_the_boxes_is_embedded(saved_model, tmp_path):
    """A photograph of four colours; the model adds a tenth of the box's sides."""
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[:20, :20], pixels[:20, 20:] = color(1), color(2)
    pixels[20:, :20], pixels[20:, 20:] = color(3), color(4)
    Image.fromarray(pixels).save(tmp_path / "all.png")
    boxes = ["0 0 18 18", "22 0 40 18", "2,22,17,40", "", "0 0 99 18"]
    rows = [(f"n{n}", "all.png", box) for n, box in enumerate(boxes)]
    manifest = write_manifest(tmp_path / "m.csv", ("id", "image", "box"), *rows)
    summary = embed_catalogue(saved_model, manifest, tmp_path / "out", attributes=["color"])
    expected = [color(1), color(2), color(3), pixels.mean((0, 1))]
    found = read_vectors(tmp_path / "out")
    for n, vector in enumerate(expected):
        np.testing.assert_allclose(found[f"n{n}", "color"], vector, rtol=1e-5)
    assert summary.errors == 1 and "x2 99 lies 59" in read_errors(tmp_path / "out")["n4"]
    # Boxes from a file; other boxes are another catalogue.
    write_manifest(tmp_path / "b.csv", ("image", "box"), ("all.png", boxes[1]))
    manifest = write_manifest(tmp_path / "m.csv", ("image",), ("all.png",))
    given = {"boxes": tmp_path / "b.csv", "attributes": ["color"]}
    embed_catalogue(saved_model, manifest, tmp_path / "other", **given)
    np.testing.assert_allclose(read_vectors(tmp_path / "other")["all.png", "color"], color(2))
    with pytest.raises(ValueError, match="catalogue: "):
        embed_catalogue(saved_model, manifest, tmp_path / "other", attributes=["color"])


def test_files_say_what_they_hold(embedded):
    output, _ = embedded
    assert [file.name for file in files_of(output)] == [
        f"shard-{shard:05d}-of-00003.parquet" for shard in range(3)
    ]
    schema = pq.read_schema(files_of(output)[0])
    vector = pa.list_(pa.float32())
    assert schema.types == [pa.string(), pa.string(), vector, pa.string()]
    stamp = json.loads(schema.metadata[b"asen_tf"])
    assert stamp == json.loads((output / "embedding.json").read_text())
    assert stamp["attributes"] == list(ATTRIBUTES) and stamp["dimension"] == 3
    assert not (output / "unfinished").exists()


@pytest.mark.parametrize("attributes", [["fit", "color"], ["side"]])
def test_attributes_can_be_chosen_and_rows_named(saved_model, shop, tmp_path, attributes):
    manifest = write_manifest(tmp_path / "m.csv", ("id", "image"), ("n3", "3.png"), ("n5", "5.png"))
    embed_catalogue(saved_model, manifest, tmp_path / "out", root=shop, attributes=attributes)
    found = read_vectors(tmp_path / "out")
    assert list(found) == [(name, one) for name in ("n3", "n5") for one in attributes]
    for (name, one), vector in found.items():
        factor = 1 + list(ATTRIBUTES).index(one)
        np.testing.assert_allclose(vector, color(int(name[1:])) * factor, rtol=1e-6)


def test_what_is_done_is_left_alone(saved_model, shop, embedded, tmp_path):
    output = tmp_path / "out"
    shutil.copytree(embedded[0], output)
    before = read_vectors(output), read_errors(output)
    kept = {file: file.stat().st_mtime_ns for file in files_of(output)}
    assert embed_catalogue(saved_model, shop / "manifest.csv", output).embedded == 0

    lost = files_of(output)[1]
    lost.unlink()
    del kept[lost]
    assert embed_catalogue(saved_model, shop / "manifest.csv", output).embedded == 1
    after = read_vectors(output), read_errors(output)
    np.testing.assert_equal(after, before)
    assert {file: file.stat().st_mtime_ns for file in kept} == kept


def test_mended_photographs_leave_the_errors(saved_model, shop, tmp_path):
    manifest = write_manifest(tmp_path / "m.csv", ("image",), ("a.png",))
    output = tmp_path / "out"
    assert embed_catalogue(saved_model, manifest, output).errors == 1
    shutil.copy(shop / "3.png", tmp_path / "a.png")
    summary = embed_catalogue(saved_model, manifest, output)
    assert (summary.errors, summary.vectors, read_errors(output)) == (0, 3, {})


def test_shards_whose_photographs_changed_are_embedded_again(saved_model, shop, tmp_path):
    names = [f"{n}.png" for n in (3, 4, 5)]
    for name in names:
        shutil.copy(shop / name, tmp_path / name)
    manifest = write_manifest(tmp_path / "m.csv", ("image",), *((name,) for name in names))
    output = tmp_path / "out [1] *?{2}"  # no pattern, whatever file systems make of it
    assert embed_catalogue(saved_model, manifest, output, shards=3).embedded == 3
    before = read_vectors(output)
    shutil.copy(shop / "7.png", tmp_path / "4.png")
    assert embed_catalogue(saved_model, manifest, output).embedded == 1
    after = read_vectors(output)
    assert {key[0] for key in before if (before[key] != after[key]).any()} == {"4.png"}
    np.testing.assert_allclose(after["4.png", "color"], color(7), rtol=1e-6)
    assert embed_catalogue(saved_model, manifest, output).embedded == 0


def test_a_full_disk_is_said_and_the_same_call_goes_on(saved_model, shop, tmp_path):
    output = tmp_path / "out"
    # Less than a shard's vectors, more than the stamp.
    with full_disk(2000), pytest.raises(Failed, match="File too large.* the same command again"):
        embed_catalogue(saved_model, shop / "manifest.csv", output, shards=1)
    assert not files_of(output)
    assert embed_catalogue(saved_model, shop / "manifest.csv", output).embedded == 1


def test_a_folder_takes_the_vectors_of_one_run_alone(saved_model, shop, embedded, tmp_path):
    output, manifest = embedded[0], shop / "manifest.csv"
    (tmp_path / "other").mkdir()
    other_model = save(tmp_path / "other", signs=(1.0, -1.0, 1.0))
    other_rows = write_manifest(tmp_path / "m.csv", ("image",), ("1.png",))
    others = {
        "model": {"model": other_model},
        "catalogue": {"manifest": other_rows, "root": shop},
        "root": {"root": tmp_path},
        "attributes": {"attributes": ["side"]},
        "shards": {"shards": 4},
    }
    for what, changed in others.items():
        arguments = {"model": saved_model, "manifest": manifest, **changed}
        with pytest.raises(ValueError, match=rf"vectors of another run \(.*{what}: .*--output"):
            embed_catalogue(output=output, **arguments)
    # A copy of the same model and catalogue elsewhere is no other one.
    same_model = shutil.copytree(saved_model, tmp_path / "3")
    same_rows = shutil.copy(manifest, tmp_path / "same.csv")
    assert embed_catalogue(same_model, same_rows, output, root=shop).embedded == 0


def test_a_run_that_embedded_nothing_keeps_no_folder(saved_model, shop, tmp_path):
    """35-failed-start-blocks-the-folder: with the right root, other shards and the same output."""
    output, manifest = tmp_path / "out", shop / "manifest.csv"
    (tmp_path / "empty").mkdir()
    failed = embed_catalogue(saved_model, manifest, output, root=tmp_path / "empty", shards=3)
    assert failed.vectors == 0 and failed.errors == failed.images
    found = embed_catalogue(saved_model, manifest, output, shards=2)
    assert (found.errors, found.embedded, len(files_of(output))) == (len(BAD), 2, 2)
    assert set(read_errors(output)) == set(BAD)


def test_bad_input_is_refused_before_anything_is_written(saved_model, shop, tmp_path):
    output = tmp_path / "out"

    def attempt(*rows, **options):
        manifest = write_manifest(tmp_path / "m.csv", *rows)
        arguments = {"model": saved_model, "root": shop, **options}
        embed_catalogue(manifest=manifest, output=output, **arguments)

    header = ("id", "image")
    with pytest.raises(ValueError) as error:
        attempt(header, ("a", "1.png"), ("b", ""), ("a", "2.png"), ("c",), ("", "3.png"))
    assert str(error.value).splitlines() == [
        "4 problems in the catalogue",
        "m.csv:3: no image path",
        "m.csv:4: id 'a' is on line 2 already; every row needs its own",
        "m.csv:5: expected 2 cells as in the header, found 1",
        "m.csv:6: no id",
    ]
    with pytest.raises(ValueError, match="is 'imgae' meant?"):
        attempt(("imgae",), ("1.png",))
    with pytest.raises(ValueError, match="only a header"):
        attempt(header)
    with pytest.raises(ValueError, match="Did you mean 'color'"):
        attempt(header, ("a", "1.png"), attributes=["colour"])
    with pytest.raises(ValueError, match="named more than once"):
        attempt(header, ("a", "1.png"), attributes=["color", "color"])
    with pytest.raises(FileNotFoundError, match="expected the root"):
        attempt(header, ("a", "1.png"), root=tmp_path / "nothing")
    with pytest.raises(FileNotFoundError, match="expected the folder of a run"):
        attempt(header, ("a", "1.png"), model=tmp_path)
    assert not output.exists()
    with pytest.raises(FileNotFoundError, match="no such file"):
        embed_catalogue(saved_model, tmp_path / "nothing.csv", output)


def test_vectors_without_a_stamp_are_not_touched(saved_model, shop, tmp_path):
    (tmp_path / "vectors").mkdir()
    (tmp_path / "vectors" / "mine.parquet").write_bytes(b"")
    with pytest.raises(ValueError, match="has vectors but no embedding.json"):
        embed_catalogue(saved_model, shop / "manifest.csv", tmp_path)


def test_threads_share_one_model(saved_model, shop, tmp_path, monkeypatch):
    loaded = []
    load = tf.saved_model.load
    monkeypatch.setattr(
        tf.saved_model, "load", lambda path, **options: loaded.append(path) or load(path, **options)
    )
    threads = ["--direct_running_mode=multi_threading", "--direct_num_workers=2"]
    summary = embed_catalogue(
        saved_model, shop / "manifest.csv", tmp_path / "out", shards=8, beam_options=threads
    )
    assert summary.vectors == 14 * 3
    assert loaded == [str(saved_model)]


class BucketFileSystem(LocalFileSystem):
    """A store without folders; `bucket://a/b` lies in the local file `/a/b`."""

    @classmethod
    def scheme(cls):
        return "bucket"

    def has_dirs(self):
        return False

    def join(self, basepath, *paths):
        return "/".join([basepath.rstrip("/"), *paths])

    def exists(self, path):
        return _local(path).is_file()

    def _list(self, prefix):
        for path in _local(prefix).rglob("*"):
            yield FileMetadata(f"bucket:/{path}", path.stat().st_size)

    def create(self, path, *options):
        return super().create(str(_local(path)), *options)

    def open(self, path, *options):
        return super().open(str(_local(path)), *options)

    def rename(self, sources, destinations):
        for source, destination in zip(sources, destinations, strict=True):
            _local(destination).parent.mkdir(exist_ok=True)
            _local(source).rename(_local(destination))

    def delete(self, paths):
        for path in paths:
            _local(path).unlink()

    def mkdirs(self, path):
        pass


def _local(path: str) -> Path:
    return Path(path.removeprefix("bucket:/"))


def test_data_may_be_on_other_file_systems(saved_model, shop, embedded, tmp_path, monkeypatch):
    monkeypatch.setattr(photographs, "_PAUSES", (0, 0))
    output = tmp_path / "out"
    arguments = saved_model, f"bucket:/{shop}/manifest.csv", f"bucket:/{output}"
    assert embed_catalogue(*arguments, shards=3).embedded == 3
    assert embed_catalogue(*arguments).embedded == 0
    found, errors = read_vectors(output), read_errors(output)
    assert not any((output / "unfinished").iterdir())
    # Buckets have no links and no folders: the text of a path alone can leave the root.
    linked = {("link.png", name): found.pop(("link.png", name)) for name in ATTRIBUTES}
    np.testing.assert_allclose(linked["link.png", "color"], color(9), rtol=1e-6)
    np.testing.assert_equal(found, read_vectors(embedded[0]))
    assert errors.keys() == BAD.keys() - {"link.png"}
    assert errors["missing.png"] == errors["folder"] == "no such file"
    assert "leaves the data root" in errors["../secret.png"]


def program(*flags) -> list[str]:
    return [sys.executable, "-m", "asen_tf.cli.embed", *flags]


def environment() -> dict[str, str]:
    path = os.pathsep.join([programs.PATH, os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path}


def test_a_killed_program_goes_on(saved_model, shop, tmp_path):
    count = 120
    rows = [(f"n{number}", f"{number % 14}.png") for number in range(count)]
    manifest = write_manifest(tmp_path / "m.csv", ("id", "image"), *rows)
    output = tmp_path / "out"
    command = program(
        f"--model={saved_model}", f"--manifest={manifest}", f"--root={shop}",
        f"--output={output}", f"--shards={count}", "--", "--runner=FnApiRunner",
    )  # fmt: skip
    with open(tmp_path / "log", "wb") as log:
        process = subprocess.Popen(command, env=environment(), stdout=log, stderr=log)
        while process.poll() is None and not list(output.glob("vectors/*")):
            time.sleep(0.005)
        process.kill()
        process.wait()
    done = files_of(output)
    assert 0 < len(done) < count, (tmp_path / "log").read_text()
    assert all(pq.read_table(file).num_rows == 3 for file in done)

    summary = embed_catalogue(saved_model, manifest, output, root=shop)
    assert summary.embedded == count - len(done)
    assert not (output / "unfinished").exists()
    found = read_vectors(output)
    assert list(found) == [(name, one) for name, _ in rows for one in ATTRIBUTES]
    np.testing.assert_allclose(found["n17", "side"], color(3) * 2, rtol=1e-6)

    again = subprocess.run(command, env=environment(), capture_output=True, text=True)
    before, summed = again.stdout.splitlines()
    assert before == f"all {count} shards were done before"
    assert summed.startswith(f"{count} images, {3 * count} vectors, 0 errors, ")
    assert (again.returncode, again.stderr) == (0, "")


def test_many_vectors_are_written_in_groups(tmp_path):
    vectors = np.random.default_rng(0).random((3000, 2, 5), np.float32)
    ids = [f"n{number}" for number in range(3000)]
    path = tmp_path / "a.parquet"
    with open(path, "wb") as file, VectorFile(file, ["a", "b"], {}) as writer:
        for start in range(0, 3000, 32):
            some = ids[start : start + 32]
            writer.add(some, vectors[start : start + 32], [f"mark {name}" for name in some])
    assert pq.ParquetFile(path).num_row_groups == 2
    table = pq.read_table(path).to_pydict()
    assert table["id"] == [name for name in ids for _ in range(2)]
    assert table["mark"] == [f"mark {name}" for name in table["id"]]
    assert table["attribute"] == ["a", "b"] * 3000
    np.testing.assert_array_equal(np.array(table["vector"], np.float32), vectors.reshape(-1, 5))


def test_vectors_become_a_store_that_a_model_keeps_up_to_date(
    saved_model, shop, embedded, tmp_path, monkeypatch
):
    pytest.importorskip("faiss")
    store = f"faiss:{tmp_path / 'store'}"
    command = [sys.executable, "-m", "asen_tf.cli.index", f"--vectors={embedded[0]}"]
    command += [f"--store={store}", f"--max_failed={len(BAD)}"]
    result = subprocess.run(command, env=environment(), capture_output=True, text=True)
    assert "14 embedded, 0 updated, 0 unchanged, 0 deleted, 9 errors" in result.stdout
    assert result.returncode == 0 and "it has no vectors there" in result.stderr
    with Catalogue(store, read_only=True) as catalogue:
        expected = color(3) / np.linalg.norm(color(3))
        found = catalogue.engine.vectors(["3.png"])[0]
        np.testing.assert_allclose(found, [expected] * 3, rtol=1e-6)
    # The model itself knows all of them by their marks.
    found = asen_tf.index(saved_model, shop / "manifest.csv", store)
    assert (found.embedded, found.unchanged) == (0, 14) and found.problems.keys() == BAD.keys()


def test_photographs_may_lie_behind_urls(saved_model, shop, tmp_path):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=shop)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        rows = [("a", f"{url}/3.png"), ("b", f"{url}/missing.png"), ("c", "5.png")]
        rows.append(("d", (shop / "7.png").as_uri()))
        manifest = write_manifest(tmp_path / "m.csv", ("id", "image"), *rows)
        allowed = Remote(allow_private=True, cache=tmp_path / "cache")
        summary = embed_catalogue(saved_model, manifest, tmp_path / "a", root=shop, remote=allowed)
        assert summary.problems == {"b": "no such file"}
        found = read_vectors(tmp_path / "a")
        for name, number in (("a", 3), ("c", 5), ("d", 7)):
            np.testing.assert_allclose(found[name, "color"], color(number), rtol=1e-6)
        refused = embed_catalogue(saved_model, manifest, tmp_path / "b", root=shop)
        assert "no public address" in refused.problems["a"] and refused.errors == 2
        server.shutdown()


def test_starting_it_loads_no_tensorflow():
    check = "import sys, asen_tf.bulk; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], env=environment()).returncode == 0


def test_without_beam_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    monkeypatch.delitem(sys.modules, "asen_tf.bulk")
    with pytest.raises(ImportError, match=r'pip install "asen_tf\[beam\]"'):
        import asen_tf.bulk  # noqa: F401
