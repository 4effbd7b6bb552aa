"""Code of a user, which `make types` checks and nothing runs: what the library's names give."""

from pathlib import Path
from typing import assert_type

import numpy as np
from ml_collections import ConfigDict
from PIL import Image

import asen_client
import asen_tf
from asen_tf.catalogue import Catalogue, Match, Record, Understood
from asen_tf.core import Attribute
from asen_tf.embedders import BaseEmbedder, Embedder, VectorEmbedder
from asen_tf.figures.picture import Picture
from asen_tf.workdir import Workdir


def embeds(own: Embedder) -> None:
    with asen_tf.load("runs/asen") as embedder:
        assert_type(embedder, BaseEmbedder)
        assert_type(embedder.attributes["collar"], Attribute)
        assert_type(embedder.embed(["a.jpg", "b.jpg"], "collar"), np.ndarray)
        for photograph in (b"...", np.zeros((8, 8, 3)), Image.new("L", (8, 8))):
            embedder.embed(photograph, "collar")
        assert_type(embedder.embed(Path("a.jpg"), "collar", (1, 2, 3, 4)), np.ndarray)
        assert_type(embedder.embed_all(["a.jpg", "b.jpg"], [(1, 2, 3, 4), None]), np.ndarray)
        assert_type(embedder.predict_all("a.jpg"), dict[str, np.ndarray])
        attention, _boxes = embedder.explain("a.jpg", "collar")
        assert_type(attention, np.ndarray)
    assert_type(asen_tf.load(own), Embedder)
    assert_type(asen_tf.load(asen_tf.KerasEmbedder.of_run("runs/asen")), asen_tf.KerasEmbedder)
    asen_tf.load(3)  # type: ignore[call-overload]
    own.embed("a.jpg", 3)  # type: ignore[arg-type]
    own.embeds("a.jpg", "collar")  # type: ignore[attr-defined]


async def asks() -> None:
    with asen_client.Client("localhost:8500") as client:
        assert_type(client, asen_client.Client)
        assert_type(client.embed(["a.jpg", "b.jpg"], "collar"), np.ndarray)
    async with asen_client.AsyncClient("localhost:8500") as waiting:
        assert_type(await waiting.embed_all("a.jpg"), np.ndarray)


def trains(config: ConfigDict) -> None:
    run = asen_tf.train(config, "runs/asen")
    assert_type(run, Workdir)
    assert_type(asen_tf.load(run), BaseEmbedder)
    assert_type(asen_tf.evaluate(run, split="valid"), dict)
    assert_type(asen_tf.visualize(run, output="pictures"), list[Picture | Path])
    assert_type(asen_tf.export(run, "exports"), Path)


def searches(own: Embedder, vectors: VectorEmbedder) -> None:
    assert_type(asen_tf.index(own, "table.csv", "faiss:store").embedded, int)
    assert_type(asen_tf.search("faiss:store", text="red"), list[Match])
    with Catalogue("faiss:store", vectors) as catalogue:
        assert_type(catalogue, Catalogue)
        assert_type(catalogue.understand("red"), Understood)
        [match] = catalogue.search(id="a.jpg", weights={"collar": 1}, k=1)
        assert_type(match.cosines["collar"], float)
        catalogue.upsert(
            ["a.jpg"], np.zeros((1, 2, 8)), [Record({"collar": ["polo"]}, {"price": 2})]
        )
        catalogue.search(k="3")  # type: ignore[arg-type]
