"""`asen-search` on a small store, without a model; tests/serving/search_test.py has it with one."""

import base64
import io
import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from asen_tf.catalogue import Catalogue, Record
from asen_tf.cli.lists import pairs
from asen_tf.cli.search import find, numbers
from asen_tf.core import AttributeSpace
from asen_tf.embedders import Fingerprint, VectorEmbedder
from tests import programs

pytest.importorskip("faiss")

ROOT = Path(__file__).parents[2]
COLORS = {"red": (200, 30, 30), "green": (30, 180, 30)}
IDS = [f"item-{n}" for n in range(8)]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A folder with `store` and photographs of 8 items: red, green, red, ...; the last has none.

    In `color` items of a color lie together, in `side` all are 20 degrees from the one before.
    """
    folder = tmp_path_factory.mktemp("shop")
    space = AttributeSpace({"color": list(COLORS), "side": ["left", "right"]})
    angles = np.radians([[90 * (n % 2) + n, 20 * n] for n in range(8)])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=-1).astype(np.float32)
    records = []
    for n in range(8):
        color = list(COLORS)[n % 2]
        records.append(Record({"color": [color]}, {"image": f"{n}.jpg", "price": n}))
        if n < 7:
            Image.new("RGB", (60, 90), COLORS[color]).save(folder / f"{n}.jpg")
    with Catalogue(f"faiss:{folder}/store", VectorEmbedder(Fingerprint(space, 2))) as catalogue:
        catalogue.insert(IDS, vectors, records)
    return folder


def search(shop, *arguments):
    return programs.run("search", f"--store=faiss:{shop}/store", *arguments)


def found(shop, tmp_path, *arguments):
    """What the JSON of a search holds."""
    output = tmp_path / "found.json"
    result = search(shop, f"--json={output}", *arguments)
    assert result.returncode == 0, result.stderr
    return json.loads(output.read_text())


def ids(results):
    return [int(one["id"].removeprefix("item-")) for one in results]


def test_results_as_json_and_on_the_screen(shop, tmp_path):
    output = tmp_path / "found.json"
    result = search(shop, "--id=item-0", "--weights=color=1", "--k=2", f"--json={output}")
    assert result.returncode == 0, result.stderr
    assert [line.split()[:3] for line in result.stdout.splitlines()] == [
        ["1", "0.9994", "item-2"],
        ["2", "0.9976", "item-4"],
    ]
    first, _ = json.loads(output.read_text())
    assert first["id"] == "item-2" and first["labels"] == {"color": ["red"]}
    assert first["metadata"] == {"image": "2.jpg", "price": 2}
    assert first["score"] == first["cosines"]["color"] == pytest.approx(np.cos(np.radians(2)))


def test_every_flag_of_a_query_counts(shop, tmp_path):
    by = ["--id=item-2", "--weights=side=1"]
    assert ids(found(shop, tmp_path, *by, "--k=3")) == [1, 3, 0]
    assert ids(found(shop, tmp_path, *by, "--k=2", "--offset=2")) == [0, 4]
    assert ids(found(shop, tmp_path, *by, "--exclude=item-1,item-4", "--k=2")) == [3, 0]
    assert ids(found(shop, tmp_path, *by, "--filter=price>3 and color=green")) == [5, 7]
    assert ids(found(shop, tmp_path, *by, "--threshold=0.9")) == [1, 3]
    assert ids(found(shop, tmp_path, *by, "--ceiling=0.9", "--k=2")) == [0, 4]
    assert ids(found(shop, tmp_path, "--id=item-2", "--weights=side=-1", "--k=1")) == [7]
    both = ["--id=item-0", "--weights=color=1,side=0.0001", "--set=color=green"]
    assert ids(found(shop, tmp_path, *both, "--k=4")) == [3, 5, 1, 7]
    # Both liked items are red and far from each other in side.
    assert ids(found(shop, tmp_path, "--liked=item-0,item-6", "--k=3")) == [2, 4, 6]
    # A second round goes on from another item.
    rounds = ["--liked=item-0,item-6", "--liked=item-6,item-2"]
    assert ids(found(shop, tmp_path, *rounds, "--k=3")) == [4, 2, 0]
    # The mean of items 2 and 6 looks as item 4 does.
    assert ids(found(shop, tmp_path, "--id=item-2", "--id=item-6", "--k=1")) == [4]
    # Those that are 20 degrees from one of two.
    best = ["--id=item-0", "--id=item-6", "--several=best", "--weights=side=1", "--k=3"]
    assert sorted(ids(found(shop, tmp_path, *best))) == [1, 5, 7]
    # Away from item 3, which is 20 degrees to the right.
    assert ids(found(shop, tmp_path, *by, "--disliked=item-3", "--k=2")) == [1, 0]
    # Of angles to 40 and from 20 degrees, 120 has the largest difference of cosines.
    assert ids(found(shop, tmp_path, *by, "--diversity=0.5", "--k=2")) == [1, 6]
    # By distances the query is kept, which is green; both liked items are red.
    kept = ["--measure=euclidean", "--id=item-1", "--liked=item-0,item-6"]
    assert ids(found(shop, tmp_path, *kept, "--k=3")) == [3, 5, 7]
    alone = ["--measure=euclidean", "--id=item-4", "--liked=item-0"]
    assert ids(found(shop, tmp_path, *alone, "--k=3")) == [2, 1, 6]


@pytest.mark.parametrize("name", ["a,1", 'a"b', "line\nbreak", "l'amour", "back\\slash"])
def test_any_id_can_be_named_in_lists(shop, tmp_path, name):
    """18-ids-with-commas"""
    with Catalogue(f"faiss:{shop}/store") as catalogue:
        catalogue.upsert([name], catalogue.engine.vectors(["item-1"]))
    try:
        quoted = '"' + name.replace('"', '""') + '"'
        first = [one["id"] for one in found(shop, tmp_path, "--id=item-1", "--k=2")]
        assert first[0] == name
        left = found(shop, tmp_path, "--id=item-1", f"--exclude={quoted},item-0", "--k=1")
        assert left[0]["id"] == first[1]
        liked = found(shop, tmp_path, f"--liked=item-1,{quoted}", "--k=9")
        assert len(liked) == 8 and liked[0]["id"] == name
    finally:
        with Catalogue(f"faiss:{shop}/store") as catalogue:
            catalogue.delete([name])


def test_results_are_products_unless_photographs_or_others_are_asked_for(shop, tmp_path):
    """Items 1, 2 and 7 show one product, 3 and 4 another."""
    products = {"item-1": "x", "item-2": "x", "item-7": "x", "item-3": "y", "item-4": "y"}
    with Catalogue(f"faiss:{shop}/store") as catalogue:
        catalogue.update(list(products), [{"product": name} for name in products.values()])
    try:
        by = ["--id=item-0", "--weights=side=1"]
        first, second, *others = found(shop, tmp_path, *by)
        assert (first["id"], first["product"], first["others"]) == (
            "item-1",
            "x",
            ["item-2", "item-7"],
        )
        assert (second["id"], second["others"]) == ("item-3", ["item-4"])
        assert ids(others) == [5, 6] and others[0]["product"] is None
        assert ids(found(shop, tmp_path, *by, "--k=2", "--offset=1")) == [3, 5]
        assert ids(found(shop, tmp_path, *by, "--exclude=item-7")) == [3, 5, 6]
        assert ids(found(shop, tmp_path, *by, "--group=")) == [1, 2, 3, 4, 5, 6, 7]
        assert ids(found(shop, tmp_path, "--product=x", "--k=2")) == [3, 5]
        assert ids(found(shop, tmp_path, "--id=item-7", "--weights=side=1")) == [6, 5, 4, 0]
    finally:
        with Catalogue(f"faiss:{shop}/store") as catalogue:
            catalogue.update(list(products), [{"product": None}] * len(products))


def test_words_are_understood_by_a_vocabulary(shop):
    """tests/catalogue/worded_test.py has what they find."""
    pytest.importorskip("ahocorasick")
    result = search(shop, "--text=scarlet, velcro", "--filter=price<4", "--facets=color,price")
    assert result.stdout.splitlines()[-2:] == ["color: red 2", "price: 0 1, 2 1"]
    velcro = "neither the vocabulary nor the store knows it."
    assert result.stderr == f"understood: color=red\nnot understood: 'velcro': {velcro}\n"
    # What is set takes the place of a word, also in what is counted.
    result = search(shop, "--text=scarlet", "--set=color=green", "--facets=color")
    assert result.stdout.splitlines()[-1] == "color: green 4, red 4"
    alone = search(shop, "--text=; DROP TABLE items")
    assert alone.returncode == 1 and "nothing was understood of the words" in alone.stderr
    assert "Traceback" not in alone.stderr


def test_searches_without_words_need_no_library_for_texts(shop):
    program = (
        "import sys; sys.modules['ahocorasick'] = sys.modules['yaml'] = None\n"
        "from asen_tf.catalogue import Catalogue\n"
        f"with Catalogue('faiss:{shop}/store') as catalogue:\n"
        "    print(catalogue.search(id='item-0', k=1)[0].id)\n"
        "    catalogue.search(text='red')\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True
    )
    assert result.stdout == "item-2\n"
    assert 'ValueError: a vocabulary needs pip install "asen_tf[text]"' in result.stderr


def test_values_are_counted(shop):
    result = search(shop, "--id=item-0", "--k=1", "--facets=color,price", "--filter=price<3")
    assert result.stdout.splitlines()[1:] == ["color: red 2, green 1", "price: 0 1, 1 1, 2 1"]


def test_unknown_ids_that_shall_be_left_out_are_told(shop):
    result = search(shop, "--id=item-0", "--exclude=item-1,nobody,item-99")
    assert result.returncode == 0
    assert "--exclude: 2 ids are not in the store, 'item-99' for one" in result.stderr


def test_another_engines_results_are_reranked(shop, tmp_path):
    listed = tmp_path / "listed.json"
    listed.write_text(json.dumps([{"id": IDS[n], "score": 10 - n} for n in (1, 3, 4, 6)]))
    by = ["--id=item-5", "--weights=color=1", f"--rerank={listed}"]
    assert ids(found(shop, tmp_path, *by)) == [3, 1, 6, 4]
    assert ids(found(shop, tmp_path, *by, "--blend=0")) == [1, 3, 4, 6]
    assert ids(found(shop, tmp_path, *by, "--offset=1", "--k=2")) == [1, 6]


def test_two_items_are_compared(shop, tmp_path):
    color, side = found(shop, tmp_path, "--id=item-0", "--compare=item-6")
    assert color["attribute"] == "color" and color["cosine"] == pytest.approx(0.9945, abs=1e-4)
    # 16 of 28 pairs are of two colors, and of the 12 others 10 are less than 6 degrees apart.
    assert color["percentile"] == pytest.approx(100 * 17 / 28, abs=3)
    assert side["attribute"] == "side" and side["percentile"] < 10


def test_the_page_shows_the_photographs(shop, tmp_path):
    page = tmp_path / "found.html"
    by = ["--id=item-7", "--weights=side=1", "--set=color=green", "--k=3", "--offset=1"]
    result = search(shop, *by, f"--html={page}", f"--root={shop}")
    assert result.returncode == 0 and result.stderr == ""
    html = page.read_text()
    shown = re.findall(r'<img src="data:image/jpeg;base64,([^"]+)" alt="([^"]+)"', html)
    assert [alt for _, alt in shown] == [
        "Result 2: item-3. color: green",
        "Result 3: item-6. color: red",
        "Result 4: item-4. color: red",
    ]
    for data, alt in shown:
        pixel = Image.open(io.BytesIO(base64.b64decode(data))).getpixel((30, 45))
        np.testing.assert_allclose(pixel, COLORS[alt.split()[-1]], atol=6)
    # The query's own photograph is missing, which is said in its place.
    assert 'aria-label="The query: item-7"' in html
    assert "side=1" in html and "color=green" in html and "3 of 8 items" in html


def test_the_page_shows_the_weights_that_feedback_has_led_to(shop, tmp_path):
    page = tmp_path / "found.html"
    rounds = ["--liked=item-6", "--liked=item-2,item-4"]
    result = search(shop, *rounds, f"--html={page}", f"--root={shop}")
    assert result.returncode == 0, result.stderr
    # 2 degrees apart in color and 40 in side, in one round.
    inverse = 1 / np.sin(np.radians([1, 20]))
    color, side = np.rint(100 * inverse / inverse.sum()).astype(int)
    html = page.read_text()
    assert f"color {color} %, side {side} %" in html
    assert 'alt="The query: item-2"' in html and "item-6; then item-2, item-4" in html


def test_missing_photographs_are_counted(shop, tmp_path):
    page = tmp_path / "found.html"
    result = search(shop, "--id=item-0", f"--html={page}", f"--root={shop}")
    assert result.stderr == f"1 of 7 photographs are missing under --root={shop}\n"


def test_photographs_outside_of_the_root_are_not_shown(shop, tmp_path):
    root = shop / "inner"
    root.mkdir()
    (root / "0.jpg").symlink_to(shop / "0.jpg")
    page = tmp_path / "found.html"
    by = ["--id=item-2", "--exclude=item-4", "--k=1"]
    result = search(shop, *by, f"--html={page}", f"--root={root}")
    assert "item-0" in result.stdout
    assert "1 of 1 photographs are missing" in result.stderr
    assert "<img" not in page.read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give --image, --id or --product, or --liked, or --text"),
        (["--liked="], "give --image, --id or --product, or --liked, or --text"),
        # 26-messages-of-search-and-query
        (["--id=item-0", "--image=a.jpg"], "--image and --id exclude one another"),
        (["--id=item-0", "--product=x"], "--id and --product exclude one another"),
        (["--product=x"], "no item of the product 'x' in the store"),
        (["--id=item-0", "--disliked=item-9"], "no item 'item-9' in the store"),
        (["--id=item-0", "--compare=item-1", "--text=red"], "--compare takes no --text"),
        (["--text=red", "--vocabulary=fashon"], "unknown vocabulary 'fashon'"),
        (["--text=red", "--rerank=setup.py"], "setup.py: expected JSON"),
        (["--id=item-0", "--compare=item-1", "--diversity=0.5"], "takes no --diversity"),
        (["--id=item-0", "--filter=color='gray"], "the quote is not closed"),
        (["--id=item-0", "--filter=color=rde"], "Did you mean 'red'? Known: red, green."),
        (["--liked=item-0,item-2", "--measure=euclidean"], "keeps the query where several"),
        (["--id=item-0", "--compare=item-1", "--measure=euclidean"], "takes no --measure"),
        (["--id=item-0", "--threshold=nan"], "--threshold=nan: expected a finite number"),
        (["--id=item-0", "--threshold=2"], "expected a threshold of -1 to 1, got 2"),
        (["--id=item-0", "--threshold=0.5", "--ceiling=0"], "a threshold below the ceiling"),
        (["--id=item-0", "--compare=item-1", "--several=best"], "takes no --several"),
        (["--id=item-0", "--rerank=a.json", "--ceiling=0"], "--rerank takes no --ceiling"),
        (["--id=item-0", '--exclude="a'], "one that holds a comma in quotes"),
        (["--image=a.jpg"], "give --model"),
        (["--id=item-9"], "item-9"),
        (["--id=item-0", "--weights=colour=1"], "Did you mean 'color'?"),
        (["--id=item-0", "--weights=color"], "expected NAME=VALUE, got 'color'"),
        (["--id=item-0", "--weights=color=much"], "a number as weight of color, got 'much'"),
        (["--id=item-0", "--set=color=red,color=green"], "color is given twice: red and green"),
        (["--id=item-0", "--filter=price<"], "filter"),
        (["--id=item-0", "--compare=item-1", "--html=a.html"], "--compare takes no --html"),
        (["--id=item-0", "--rerank=a.json", "--threshold=0"], "--rerank takes no --threshold"),
        (["--id=item-0", "--group=prise"], "group: no item has metadata 'prise'"),
        (["--id=item-0", "--group=color"], "group: 'color' is an attribute"),
        (["--id=item-0", "--rerank=a.json", "--group=price"], "--rerank takes no --group"),
        (["--id=item-0", "--rerank=setup.py"], "setup.py: expected JSON"),
    ],
)
def test_wrong_use_is_explained(shop, arguments, message):
    result = search(shop, *arguments)
    assert result.returncode in (1, 2) and message in result.stderr
    assert "Traceback" not in result.stderr


def test_an_empty_store_is_said(tmp_path, capsys):
    """10-index-nothing-and-status-0."""

    class Model(VectorEmbedder):
        def embed_all(self, images):
            return np.float32([[[1, 0]]])

    unset = (
        "id",
        "text",
        "vocabulary",
        "box",
        "rerank",
        "filter",
        "threshold",
        "ceiling",
        "group",
        "product",
    )
    flags = dict.fromkeys(unset)
    flags |= {name: [] for name in ("weights", "set", "liked", "disliked", "exclude")}
    given = SimpleNamespace(
        **flags,
        image=["a.jpg"],
        measure="cosine",
        several="mean",
        diversity=0.0,
        k=1,
        offset=0,
        store="faiss:store",
    )
    fingerprint = Fingerprint(AttributeSpace({"color": ["red"]}), 2)
    with Catalogue(f"faiss:{tmp_path}/store", Model(fingerprint)) as catalogue:
        assert find(catalogue, given) == []
    assert capsys.readouterr().err == "faiss:store is empty; asen-index fills it\n"


def test_names_of_weights_may_hold_the_sign():
    """40-small-surprises."""
    assert numbers(["size=EU=1", "fit = -0.5"]) == {"size=EU": 1.0, "fit": -0.5}
    assert pairs(["size=EU=38"]) == {"size": "EU=38"}


def test_it_starts_without_tensorflow(shop):
    program = (
        "import sys, asen_tf.cli.search as cli\n"
        f"sys.argv = ['asen-search', '--store=faiss:{shop}/store', '--id=item-0']\n"
        "try:\n    cli.run()\nfinally:\n    print('tensorflow' in sys.modules)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True
    )
    assert result.stdout.splitlines()[-1] == "False", result.stderr
