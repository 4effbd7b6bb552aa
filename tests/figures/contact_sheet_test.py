"""The page of results: read back with a parser of HTML."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from asen_tf.figures.contact_sheet import Card, contact_sheet
from tests.figures.pages import Page


def photograph(color, height=600, width=400):
    return np.full((height, width, 3), color, np.uint8)


def sheet(**changes):
    card = Card(
        "shirts/1.jpg",
        photograph((200, 30, 30)),
        0.873,
        {"sleeve_length": 0.911, "color": -0.25},
        {"sleeve_length": "long"},
    )
    return contact_sheet("Found", [card._replace(**changes), Card("2")], first=21)


def test_results_are_numbered_and_say_how_alike_they_are():
    page = Page(sheet())
    assert page.all("ol") == [{"start": "21"}] and len(page.all("li")) == 2
    for text in ("21", "22", "0.87", "shirts/1.jpg", "sleeve length", "long", "0.91", "-0.25"):
        assert text in page.text
    assert [bar["style"] for bar in page.all("i")] == ["width:91%", "width:0%"]


def test_photographs_are_small_whole_and_inside_the_page():
    (image,) = Page(sheet()).all("img")
    kind, data = image["src"].split(",")
    assert kind == "data:image/jpeg;base64"
    shown = Image.open(io.BytesIO(base64.b64decode(data)))
    assert shown.size == (192, 288) == (int(image["width"]), int(image["height"]))
    np.testing.assert_allclose(shown.getpixel((90, 140)), (200, 30, 30), atol=4)


def test_every_photograph_has_a_text_also_a_missing_one():
    page = Page(sheet())
    (image,) = page.all("img")
    assert image["alt"] == "Result 21: shirts/1.jpg. sleeve length: long"
    (missing,) = (d for d in page.all("div") if d.get("class") == "missing")
    assert missing["role"] == "img" and missing["aria-label"] == "Result 22: 2"


def test_texts_of_the_catalogue_cannot_become_markup():
    evil = '"><script>alert(1)</script>'
    html = contact_sheet(
        evil, [Card(evil, cosines={evil: 1.0}, values={evil: evil})], Card(evil), {evil: evil}
    )
    page = Page(html)
    assert page.all("script") == [] and page.text.count(evil) == 7
    (policy,) = (m["content"] for m in page.all("meta") if "http-equiv" in m)
    assert policy.startswith("default-src 'none';")


def test_query_and_facts_stand_in_the_heading():
    query = Card("q.jpg", photograph((0, 0, 250)))
    page = Page(contact_sheet("Found", [], query, {"weights": "color 0.5"}))
    assert [image["alt"] for image in page.all("img")] == ["The query: q.jpg"]
    assert "weights" in page.text and "color 0.5" in page.text
    assert "Nothing was found." in page.text


def test_what_is_no_photograph_is_refused():
    with pytest.raises(ValueError, match="expected a photograph as uint8"):
        sheet(image=np.zeros((4, 4), np.float32))
