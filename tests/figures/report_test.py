"""The report's page, read back with a parser of HTML."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from asen_tf.figures import FIGURES, Picture, html
from asen_tf.figures.curves import learning_curve
from asen_tf.figures.report import PageImage, Section, Table, write_report
from tests.figures.pages import Page

EVIL = '"><script>alert(1)</script>'
CURVE = learning_curve({"one": (np.arange(3.0), np.arange(3.0))})


def report_page(title, subtitle, numbers, sections, footer):
    values = {"title": title, "subtitle": subtitle, "numbers": numbers, "footer": footer}
    return html.render("report.html", sections=sections, **values)


def written(source, name, path):
    figure = FIGURES[name]
    return write_report(source, {figure: list(figure(source))}, path)


TABLE = Table("Scores", ("attribute", "queries", "MAP"), [("collar", "60", "71.40")], 1, ("MAP",))


@pytest.fixture(scope="module")
def page():
    section = Section(
        "Scores & more",
        "Read this.",
        [PageImage.of(Picture("curve", CURVE, "A line"))],
        [TABLE],
        [("All keys", "{}")],
        ["asen-evaluate --workdir=w"],
    )
    text = report_page("T", "S", [("MAP", "80.9")], [section, Section("Next")], "F")
    return text, Page(text)


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
    text, found = page
    (policy,) = (m["content"] for m in found.all("meta") if "http-equiv" in m)
    assert policy.startswith("default-src 'none';")
    assert not found.all("script") and not found.all("link") and "http:" not in text
    assert "https:" not in text and "url(" not in text


def test_texts_of_a_run_cannot_become_markup():
    table = Table(EVIL, (EVIL, "b"), [(EVIL, EVIL)])
    image = PageImage("data:,", EVIL, 1, 1, 1)
    section = Section(EVIL, EVIL, [image], [table], [(EVIL, EVIL)], [EVIL])
    found = Page(report_page(EVIL, EVIL, [(EVIL, EVIL)], [section], EVIL))
    assert found.all("script") == []
    assert found.text.count(EVIL) == 17


def test_report_has_figures_scores_and_what_differs_from_the_defaults(source, tmp_path):
    path = written(source, "channels", tmp_path / "new" / "report.html")
    text = path.read_text()
    assert "Which channels count" in text and "Where the model looks" not in text
    assert f"asen-evaluate --workdir={source.run.path} --split=test" in text
    assert "model.global_branch.backbone" in text and "resnet6" in text
    assert "data.skip_bad</th>" not in text


def test_report_shows_what_was_measured(source, tmp_path):
    row = {"queries": 1, "candidates": 2, "map": 0.714, "random_map": 0.25}
    macro = {"map_macro": 0.714, "random_map_macro": 0.25}
    result = {**row, **macro, "skipped": [], "attributes": {"side": row}}
    source.run.result("test").write_text(json.dumps(result))
    text = written(source, "curves", tmp_path / "report.html").read_text()
    assert "<b>71.4</b>" in text and ">25.00<" in text and "asen-evaluate" not in text
