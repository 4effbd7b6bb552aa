"""A catalogue whose photographs lie behind URLs follows its table."""

import numpy as np
import pytest

import asen_tf
from asen_tf.catalogue import Catalogue
from asen_tf.core import AttributeSpace
from asen_tf.embedders import Fingerprint, VectorEmbedder

pytest.importorskip("urllib3")
pytest.importorskip("faiss")

SPACE = AttributeSpace({"color": ["red", "green"]})


@pytest.fixture
def index(tmp_path, remote):
    """A function from lines of a table to what was done; `index.embedded` are the photographs."""
    embedded = []

    def embed(images):
        embedded.extend(images)
        return np.tile(np.eye(4, dtype=np.float32)[:1], (len(images), 1, 1))

    def run(*lines, **given):
        embedded.clear()
        (tmp_path / "table.csv").write_text("id;image;price\n" + "".join(f"{n}\n" for n in lines))
        embedder = VectorEmbedder(Fingerprint(SPACE, 4, "v1"), embed)
        with Catalogue(f"faiss:{tmp_path / 'store'}", embedder) as catalogue:
            given = {"remote": remote(), "batch_size": 2, **given}
            return asen_tf.index(None, tmp_path / "table.csv", catalogue, **given)

    run.embedded = embedded
    return run


def test_a_day_and_the_next(shop, index, remote, tmp_path):
    (tmp_path / "local.png").write_bytes(b"here")
    lines = [
        f"tagged;{shop.url}/tagged/1.png;5",
        f"gone;{shop.url}/nothing.png;6",
        f"plain;{shop.url}/plain/2.png;7",
        f"cut;{shop.url}/cut;8",
        "local;local.png;9",
        f"moved;{shop.url}/to/{shop.url}/plain/3.png;10",
    ]
    found = index(*lines)
    assert (found.embedded, found.items) == (4, 4)
    assert found.problems == {"gone": "no such file", "cut": "the file was cut off"}
    assert sorted(index.embedded) == sorted([shop.content] * 3 + [b"here"])
    found = index(*lines, remote=remote(cache_bytes=0))
    assert (found.embedded, found.unchanged, len(found.problems)) == (0, 4, 2)
    # The next day: one photograph is new, a price is another, a row is gone.
    (tmp_path / "local.png").write_bytes(b"another")
    found = index(lines[0], lines[2].replace(";7", ";1"), lines[4], prune=True)
    assert (found.embedded, found.updated, found.unchanged, found.deleted) == (1, 1, 1, 1)
    assert index.embedded == [b"another"]
    shop.content = b"anew"
    found = index(lines[0], lines[2], lines[4])
    assert found.embedded == 2 and index.embedded == [b"anew"] * 2


def test_a_photograph_that_only_looks_whole_is_named(index, jpegs, tmp_path):
    """41-pictures-that-only-look-whole."""
    (tmp_path / "whole.jpg").write_bytes(jpegs[0])
    (tmp_path / "cut.jpg").write_bytes(jpegs[1][: len(jpegs[1]) // 2] + b"\xff\xd9")
    found = index("cut;cut.jpg;5", "whole;whole.jpg;6")
    assert found.embedded == 1 and index.embedded == [jpegs[0]]
    assert found.problems["cut"].startswith("broken or truncated (")


def test_a_box_that_moved_is_embedded_again(shop, index):
    def line(box):
        return f"a;{shop.url}/tagged/1.png;{box}"

    def run(box):
        return index(line(box), column_names={"box": "price"})

    assert run("0 0 9 9").embedded == 1
    assert run("0 0 9 9").unchanged == 1
    assert run("0 0 9 8").embedded == 1
    assert run("").embedded == 1


def test_the_inside_of_a_network_is_not_read(shop, index, remote):
    found = index(f"a;{shop.url}/plain/1.png;5", remote=remote(allow_private=False))
    assert "no public address" in found.problems["a"]
    assert shop.asked == [] and found.items == 0
