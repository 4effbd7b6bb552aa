"""The report's page, read back with a parser of HTML."""

import base64
import io
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from asen_tf.viz import learning_curve
from asen_tf.viz.report_page import PageImage, Section, Table, report_page

EVIL = '"><script>alert(1)</script>'
CURVE = learning_curve({"one": (np.arange(3.0), np.arange(3.0))})


class Page(HTMLParser):
    """Elements as (tag, attributes), and the text; every element is closed."""

    VOID = ("meta", "img")

    def __init__(self, html):
        super().__init__()
        self.elements, self.text, self._open = [], "", []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if "style" not in self._open:
            self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


TABLE = Table("Scores", ("attribute", "queries", "MAP"), [("collar", "60", "71.40")], 1, ("MAP",))


@pytest.fixture(scope="module")
def page():
    section = Section(
        "Scores & more",
        "Read this.",
        [PageImage.of(CURVE, "A line")],
        [TABLE],
        [("All keys", "{}")],
        ["asen-evaluate --workdir=w"],
    )
    html = report_page("T", "S", [("MAP", "80.9")], [section, Section("Next")], "F")
    return html, Page(html)


def test_headings_are_in_order_and_reached_from_the_navigation(page):
    _, found = page
    order = [tag for tag, _ in found.elements if tag in ("h1", "h2")]
    assert order == ["h1", "h2", "h2"]
    targets = {f"#{a['id']}" for _, a in found.elements if "id" in a}
    assert {a["href"] for a in found.all("a")} <= targets
    labels = {a["aria-labelledby"] for a in found.all("section")}
    assert labels == {a["id"] for a in found.all("h2")}


def test_pictures_are_inside_have_a_text_and_their_size(page):
    (image,) = page[1].all("img")
    kind, data = image["src"].split(",")
    assert kind == "data:image/webp;base64" and image["alt"] == "A line"
    with Image.open(io.BytesIO(base64.b64decode(data))) as shown:
        ratio = shown.height / shown.width
    assert int(image["height"]) / int(image["width"]) == pytest.approx(ratio, rel=0.01)


def test_tables_have_a_caption_and_headers_of_both_directions(page):
    found = page[1]
    assert len(found.all("caption")) == 1
    assert [a["scope"] for a in found.all("th")] == ["col"] * 3 + ["row"]
    assert found.all("tr")[-1] == {"class": "total"}
    cells = found.all("td")
    assert cells == [{}, {"class": "bar", "style": "--share: 71.40%"}]


def test_what_scrolls_can_be_reached_by_keyboard_and_has_a_name(page):
    scrolled = [a for a in page[1].all("div") if a.get("class") == "scroll"]
    assert len(scrolled) == 2
    assert all(a["tabindex"] == "0" and a["aria-label"] for a in scrolled)


def test_texts_stand_in_it(page):
    for text in ("Scores & more", "Read this.", "80.9", "All keys", "asen-evaluate", "A line."):
        assert text in page[1].text


def test_nothing_is_loaded_from_anywhere(page):
    html, found = page
    (policy,) = (m["content"] for m in found.all("meta") if "http-equiv" in m)
    assert policy.startswith("default-src 'none';")
    assert not found.all("script") and not found.all("link") and "http:" not in html
    assert "https:" not in html and "url(" not in html


def test_texts_of_a_run_cannot_become_markup():
    table = Table(EVIL, (EVIL, "b"), [(EVIL, EVIL)])
    image = PageImage("data:,", EVIL, 1, 1, 1)
    section = Section(EVIL, EVIL, [image], [table], [(EVIL, EVIL)], [EVIL])
    found = Page(report_page(EVIL, EVIL, [(EVIL, EVIL)], [section], EVIL))
    assert found.all("script") == []
    assert found.text.count(EVIL) == 17
