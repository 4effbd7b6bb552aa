"""From a run to answers: export, `asen-serve`, and clients that answer as `asen_tf.load` does."""

import asyncio

import numpy as np
import pytest
from PIL import Image

from asen_tf.images import Boxed
from asen_tf.serving import AsyncClient, Client, InvalidInputError
from tests import programs

LENGTH = "skirt length (cm)"


def test_a_client_answers_as_the_model_does(address, embedder, photographs):
    with Client(address, batch_size=3) as client:
        assert client.attributes == embedder.attributes
        assert client.metadata.dimension == embedder.dimension
        for name in embedder.attributes:
            expected = embedder.embed(photographs, name)
            np.testing.assert_allclose(client.embed(photographs, name), expected, atol=1e-5)
            expected = embedder.similarity(photographs[0], photographs, name)
            found = client.similarity(photographs[0], photographs, name)
            np.testing.assert_allclose(found, expected, atol=1e-5)
        expected = embedder.embed_all(photographs)
        np.testing.assert_allclose(client.embed_all(photographs), expected, atol=1e-5)
        attention, boxes = embedder.explain(photographs, LENGTH)
        found_attention, found_boxes = client.explain(photographs, LENGTH)
        np.testing.assert_allclose(found_attention, attention, atol=1e-5)
        np.testing.assert_array_equal(found_boxes, boxes)


def test_pixels_and_no_photographs(address, embedder, photographs):
    pixels = [np.asarray(Image.open(path)) for path in photographs[:2]]
    pixels.append(pixels[0][..., 0])
    with Client(address) as client:
        found = client.embed(pixels, "color")
        np.testing.assert_allclose(found, embedder.embed(pixels, "color"), atol=1e-5)
        for ours, theirs in zip(
            client.explain([], "color"), embedder.explain([], "color"), strict=True
        ):
            assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
        assert client.embed_all([]).shape == (0, 2, embedder.dimension)


def test_many_coroutines_share_a_client(address, embedder, photographs):
    async def ask():
        async with AsyncClient(address, batch_size=2) as client:
            return await asyncio.gather(*[client.embed(photographs, LENGTH) for _ in range(4)])

    for found in asyncio.run(ask()):
        np.testing.assert_allclose(found, embedder.embed(photographs, LENGTH), atol=1e-5)


def test_coroutines_cut_to_boxes_as_others_do(address, embedder, photographs):
    boxes = [(5, 5, 25, 45), None, (0, 10, 30, 40)]
    given = photographs[:3]

    async def ask():
        async with AsyncClient(address, batch_size=2) as client:
            return await asyncio.gather(
                client.embed_all(given, boxes),
                client.embed(given, LENGTH, boxes),
                client.similarity(given, given[0], LENGTH, boxes, boxes[0]),
                client.explain(given, LENGTH, boxes),
                client.call(f"embed_{LENGTH}", [Boxed(given[0], boxes[0])]),
                client.predict(given, LENGTH, boxes),
                client.predict_all(given, boxes),
            )

    every, one, cosines, (attention, regions), called, *predicted = asyncio.run(ask())
    close = {"rtol": 0, "atol": 1e-4}
    np.testing.assert_allclose(every, embedder.embed_all(given, boxes), **close)
    np.testing.assert_allclose(one, every[:, 1], **close)
    np.testing.assert_allclose(cosines, one @ one[0], **close)
    expected_attention, expected_regions = embedder.explain(given, LENGTH, boxes)
    np.testing.assert_allclose(attention, expected_attention, **close)
    np.testing.assert_array_equal(regions, expected_regions)
    np.testing.assert_allclose(called["embedding"], one[:1], **close)
    for found in (predicted[0], predicted[1][LENGTH]):
        np.testing.assert_allclose(found, embedder.predict(given, LENGTH, boxes), **close)
    with Client(address) as client:
        assert client.box_margin == embedder.box_margin == 0.25
        called = client.call(f"embed_{LENGTH}", [Boxed(given[0], boxes[0])])
        np.testing.assert_allclose(called["embedding"], one[:1], **close)


def test_bad_photographs_are_named(address, photographs):
    with Client(address, batch_size=2) as client:
        for bad in (b"", b"<html>no</html>", photographs[0].read_bytes()[:300]):
            with pytest.raises(InvalidInputError, match="^photograph 3: ") as caught:
                client.embed([*photographs[:3], bad, photographs[3]], "color")
            assert caught.value.position == 3


def query(address, *arguments):
    return programs.run("query", f"--model={address}", f"--attribute={LENGTH}", *arguments)


def test_query_prints_similarities_and_draws(address, embedder, photographs, tmp_path):
    expected = embedder.similarity(photographs[0], photographs[1:4], LENGTH)
    result = query(address, *photographs[:2])
    assert result.returncode == 0, result.stderr
    assert float(result.stdout) == pytest.approx(expected[0], abs=1e-4)
    picture = tmp_path / "out.png"
    result = query(address, f"--explain={picture}", *photographs[:4])
    assert result.returncode == 0, result.stderr
    rows = [line.split() for line in result.stdout.splitlines()]
    assert [name for _, name in rows] == [str(path) for path in photographs[1:4]]
    np.testing.assert_allclose([float(cosine) for cosine, _ in rows], expected, atol=1e-4)
    with Image.open(picture) as drawn:
        assert min(drawn.size) > 200


def test_query_cuts_to_boxes(address, embedder, photographs, tmp_path):
    picture = tmp_path / "out.png"
    given = [f"--explain={picture}", "--box=5,5,25,45", "--box="]
    result = query(address, *given, *photographs[:2])
    assert result.returncode == 0, result.stderr
    [expected] = embedder.similarity(*photographs[:2], LENGTH, (5, 5, 25, 45))
    assert float(result.stdout) == pytest.approx(expected, abs=1e-4)
    assert picture.exists()


def test_query_says_what_is_no_photograph(address, photographs, tmp_path):
    page = tmp_path / "page.jpg"
    page.write_text("<html>not found</html>")
    result = query(address, photographs[0], page)
    assert result.returncode == 1 and result.stdout == ""
    assert result.stderr.startswith("error: photograph 1 (") and "page.jpg): " in result.stderr
