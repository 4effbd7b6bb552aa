"""The page in a real browser, as visitors use it; server_test.py has what it asks."""

import re
import shutil

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="needs asen_tf[dev]")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs asen_tf[dev]")

expect = playwright.expect

_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
_SIDES = ("Left", "Right")
# A busy machine may take its time.
_WAIT_MS = 30_000
expect.set_options(timeout=_WAIT_MS)


@pytest.fixture(scope="module")
def chromium():
    """A browser without windows."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip("no Chromium; on Debian and Ubuntu: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium, address):
    """A function that opens the page; no script may fail on it, nor ask another server."""
    contexts, wrong = [], []

    def open_page(width=1280, height=900, **options):
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        tab = context.new_page()
        tab.set_default_timeout(_WAIT_MS)
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.on("request", lambda request: request.url.startswith(address) or wrong.append(request))
        tab.goto(address)
        return tab

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture
def tab(open_page):
    """The page on a wide screen."""
    return open_page()


@pytest.fixture
def photograph(jpegs):
    """A garment that is not in the catalogue, as a file to choose."""
    return {"name": "mine.jpg", "mimeType": "image/jpeg", "buffer": jpegs[-1]}


def choose(tab, photograph):
    tab.get_by_label("Choose a photograph").set_input_files(photograph)
    expect(tab.locator("#results .card")).to_have_count(24)


def shown(tab):
    return tab.locator("#results h3").all_inner_texts()


def expect_results(tab, matches):
    """Waits until these are shown."""
    expect(tab.locator("#results h3")).to_have_text([match.id for match in matches])


def test_words_are_searched_with_and_taken_away(tab, catalogue):
    pytest.importorskip("ahocorasick")
    field = tab.get_by_label("In words")
    field.fill("red or blue, not striped, velcro")
    field.press("Enter")
    expect_results(tab, catalogue.search(text="red or blue, not striped", k=24))
    expect(tab.get_by_role("list", name="What was understood").get_by_role("button")).to_have_text(
        ["color: red or blue", "pattern: not stripes"]
    )
    expect(tab.locator("#not-understood")).to_contain_text("“velcro”")
    tab.get_by_role("button", name="Take away pattern: not stripes").press("Enter")
    expect_results(tab, catalogue.search(text="red or blue", k=24))
    expect(tab.get_by_role("button", name="Take away color: red or blue")).to_be_focused()
    # Beside an item, what it shall have instead.
    tab.get_by_role("button", name=re.compile("^Similar to")).first.click()
    expect(tab.locator("#query")).to_be_visible()
    item = tab.locator("#query [data-name]").inner_text()
    expect_results(tab, catalogue.search(id=item, text="red or blue", k=24))
    tab.get_by_role("button", name="Take away color: red or blue").click()
    expect_results(tab, catalogue.search(id=item, k=24))


def test_free_text_is_shown_and_taken_away(reader, tab, catalogue):
    pytest.importorskip("ahocorasick")
    field = tab.get_by_label("In words")
    field.fill("flowing, red")
    field.press("Enter")
    expect_results(tab, catalogue.search(text="flowing, red", k=24))
    expect(tab.get_by_role("list", name="What was understood").get_by_role("button")).to_have_text(
        ["color: red", "as text: flowing"]
    )
    expect(tab.locator("#not-understood")).to_be_hidden()
    tab.get_by_role("button", name="Take away color: red").click()
    expect_results(tab, catalogue.search(text="flowing", k=24))
    tab.get_by_role("button", name=re.compile("^Similar to")).first.click()
    expect(tab.locator("#query")).to_be_visible()
    item = tab.locator("#query [data-name]").inner_text()
    expect_results(tab, catalogue.search(id=item, text="flowing", k=24))
    tab.get_by_role("button", name="Take away as text: flowing").click()
    expect_results(tab, catalogue.search(id=item, k=24))


def test_more_is_of_what_is_shown(tab, catalogue):
    tab.get_by_role("button", name="Look for what is like garment-0").click()
    expect_results(tab, catalogue.search(id="garment-0", k=24))
    field = tab.get_by_label("In words")
    field.fill("red")
    tab.get_by_role("button", name="Show more").click()
    expect_results(tab, catalogue.search(id="garment-0", k=30))
    expect(tab.locator("#understood")).to_be_hidden()
    pytest.importorskip("ahocorasick")
    field.press("Enter")
    expect_results(tab, catalogue.search(id="garment-0", text="red", k=24))


def test_results_of_words_are_compared_with_each_other(tab, catalogue):
    pytest.importorskip("ahocorasick")
    field = tab.get_by_label("In words")
    field.fill("red or blue")
    field.press("Enter")
    found = catalogue.search(text="red or blue", k=24)
    expect_results(tab, found)
    first, second, third = (match.id for match in found[:3])
    dialog = tab.get_by_role("dialog", name="Attribute by attribute")
    for one, other in ((first, second), (third, first)):
        tab.get_by_role("button", name=f"Compare {one} with another", exact=True).click()
        shown = {side: dialog.get_by_label(side).locator("option:checked") for side in _SIDES}
        expect(shown["Left"]).to_have_text(other)
        expect(shown["Right"]).to_have_text(one)
        tab.keyboard.press("Escape")
    # One alone is like nothing.
    for match in found[1:]:
        tab.get_by_role("button", name=f"Hide {match.id}", exact=True).click()
    expect(tab.locator("#results .card")).to_have_count(1)
    expect(tab.get_by_role("button", name=re.compile("^Compare "))).to_have_count(0)


def test_a_photograph_is_searched_with_and_shown_with_regions(tab, photograph, catalogue, embedder):
    choose(tab, photograph)
    [vectors] = embedder.embed_all([photograph["buffer"]])
    expect_results(tab, catalogue.search(vectors=vectors, k=24))
    expect(tab.get_by_role("status")).to_have_text("The first 24 items, most similar first")
    expect(tab.get_by_alt_text("The query: mine.jpg")).to_be_visible()
    first = tab.locator("#results .card").first
    expect(first.locator("rect.over")).to_have_count(1)
    expect(tab.locator("#query rect.over")).to_have_count(1)
    found = embedder.predict_all([photograph["buffer"]])
    sure = [
        f"{name}{embedder.attributes[name].values[own.argmax()]}{100 * own.max():.0f} %"
        for name, own in found.items()
        if own.max() >= 0.5
    ]
    assert 0 < len(sure) < len(found)
    tags = tab.get_by_label("What the photograph shows").locator("dl > div")
    expect(tags).to_have_text([text.replace("_", " ") for text in sure])
    tab.get_by_label("Regions of").select_option("collar")
    expect(first.locator("rect.over")).to_have_count(1)
    expect(first.locator(".regions")).to_contain_text("Region of collar: ")
    tab.get_by_label("Regions of").select_option("none")
    expect(first.locator("rect")).to_have_count(0)
    tab.get_by_role("button", name="Show more").click()
    expect(tab.get_by_role("status")).to_have_text("30 items, most similar first")
    # The last item of the catalogue has no photograph, which is said in its place.
    missing = tab.get_by_role("article", name="garment-29")
    missing.scroll_into_view_if_needed()
    expect(missing).to_contain_text("no photograph")


def test_the_garment_is_marked_in_a_photograph(tab, photograph, catalogue, embedder, garments):
    height, width = garments[-1].image.shape[:2]

    def found(box):
        [vectors] = embedder.embed_all([photograph["buffer"]], [box])
        return catalogue.search(vectors=vectors, k=24)

    choose(tab, photograph)
    tab.get_by_role("button", name="Mark the garment").click()
    dialog = tab.get_by_role("dialog", name="Mark the garment")
    for name, percent in (("left", 20), ("top", 10), ("right", 70), ("bottom", 50)):
        dialog.get_by_label(name).fill(str(percent))
    expect(dialog.locator("rect.mark")).to_have_count(1)
    dialog.get_by_role("button", name="Look for this").click()
    expect_results(tab, found((0.2 * width, 0.1 * height, 0.7 * width, 0.5 * height)))
    expect(tab.locator("#query rect.mark")).to_have_count(1)
    # Drawn, from the middle to the upper left.
    tab.get_by_role("button", name="Mark the garment").click()
    expect(dialog.get_by_label("right")).to_have_value("70")
    shown = dialog.locator("svg").bounding_box()
    scale = min(shown["width"] / width, shown["height"] / height)
    middle = (shown["x"] + shown["width"] / 2, shown["y"] + shown["height"] / 2)
    tab.mouse.move(*middle)
    tab.mouse.down()
    tab.mouse.move(middle[0] - scale * width / 4, middle[1] - scale * height / 4, steps=3)
    tab.mouse.up()
    tab.mouse.move(*middle)
    for name, percent in (("left", 25), ("top", 25), ("right", 50), ("bottom", 50)):
        value = float(dialog.get_by_label(name).input_value())
        assert value == pytest.approx(percent, abs=0.6), name
        dialog.get_by_label(name).fill(str(percent))
    dialog.get_by_label("left").fill("60")
    expect(dialog.get_by_role("alert")).to_contain_text("Left has to be less than right")
    dialog.get_by_label("left").fill("25")
    dialog.get_by_role("button", name="Look for this").click()
    expect_results(tab, found((width / 4, height / 4, width / 2, height / 2)))
    tab.get_by_role("button", name="Mark the garment").click()
    dialog.get_by_role("button", name="Whole photograph").click()
    expect_results(tab, found(None))
    expect(tab.locator("#query rect.mark")).to_have_count(0)
    # Items of the catalogue are what they were embedded as.
    tab.get_by_role("button", name=re.compile("^Similar to ")).first.click()
    expect(tab.get_by_role("button", name="Mark the garment")).to_be_hidden()


def test_weights_and_changes_count(tab, catalogue):
    tab.get_by_role("button", name="Look for what is like garment-0").click()
    expect_results(tab, catalogue.search(id="garment-0", k=24))
    collar = tab.get_by_role("group", name="collar")
    collar.get_by_role("button", name="Only collar counts").click()
    expect_results(tab, catalogue.search(id="garment-0", weights={"collar": 1}, k=24))
    tab.get_by_role("slider", name="sleeve length").press("ArrowLeft")
    slider = tab.get_by_role("slider", name="sleeve length")
    expect(slider).to_have_attribute("aria-valuetext", "opposite 0.1")
    weights = {"collar": 1, "sleeve_length": -0.1}
    expect_results(tab, catalogue.search(id="garment-0", weights=weights, k=24))
    collar.get_by_label("Change collar to").select_option("mandarin")
    changes = {"collar": "mandarin"}
    expect_results(tab, catalogue.search(id="garment-0", weights=weights, changes=changes, k=24))
    tab.get_by_role("button", name="None counts").click()
    expect(tab.get_by_role("alert")).to_contain_text("other than 0, got only zeros")


def test_feedback_leads_on_and_back(tab, catalogue):
    tab.get_by_label("Or by the id of an item").fill("garment-0")
    tab.get_by_role("button", name="Look for it").click()
    before = catalogue.search(id="garment-0", k=24)
    expect_results(tab, before)
    liked = [before[4].id, before[1].id]
    for name in liked:
        tab.get_by_role("button", name=f"Like {name}", exact=True).click()
    feedback = tab.get_by_role("group", name="Feedback")
    expect(feedback).to_contain_text("2 liked")
    feedback.get_by_role("button", name="Search again with these").click()
    expect_results(tab, catalogue.search(id="garment-0", liked=[liked], k=24))
    expect(tab.get_by_alt_text(f"The query: {liked[0]}")).to_be_visible()
    expect(tab.locator("#learned dl > div")).to_have_count(len(catalogue.attributes))
    expect(tab.locator("#learned")).to_contain_text(f"{liked[0]}, which you liked")
    tab.get_by_label("Measured by").select_option("distances")
    asked = {"id": "garment-0", "liked": [liked], "measure": "euclidean"}
    expect_results(tab, catalogue.search(**asked, k=24))
    expect(tab.get_by_alt_text("The query: garment-0")).to_be_visible()
    expect(tab.locator("#learned")).to_contain_text("the one you began with")
    tab.get_by_label("Measured by").select_option("cosines")
    expect(feedback).to_be_hidden()
    tab.get_by_role("button", name="Undo the last round").click()
    expect_results(tab, before)
    tab.get_by_role("button", name=f"Hide {before[0].id}", exact=True).click()
    expect(tab.locator("#results .card")).to_have_count(23)
    tab.get_by_role("button", name="Search", exact=True).click()
    expect_results(tab, catalogue.search(id="garment-0", exclude=[before[0].id], k=24))
    tab.get_by_role("button", name="Show 1 hidden").click()
    expect_results(tab, before)
    tab.get_by_role("button", name=f"Similar to {before[0].id}", exact=True).click()
    expect_results(tab, catalogue.search(id=before[0].id, k=24))


def test_two_are_compared_attribute_by_attribute(tab, photograph, catalogue, embedder):
    choose(tab, photograph)
    second = shown(tab)[1]
    button = tab.get_by_role("button", name=f"Compare {second} ", exact=False)
    button.click()
    dialog = tab.get_by_role("dialog", name="Attribute by attribute")
    [vectors] = embedder.embed_all([photograph["buffer"]])
    expected = {one.attribute: one for one in catalogue.compare(second, vectors=vectors)}
    rows = dialog.locator("tbody tr")
    expect(rows).to_have_count(len(expected))
    for name, text in zip(catalogue.attributes, rows.all_inner_texts(), strict=True):
        cosine, percentile = re.findall(r"-?\d+\.\d+", text)
        assert float(cosine) == pytest.approx(expected[name].cosine, abs=0.006)
        assert float(percentile) == pytest.approx(expected[name].percentile, abs=0.06)
    expect(dialog.locator("rect.over")).to_have_count(2)
    dialog.get_by_role("button", name="neckline").click()
    expect(dialog.locator(".regions").first).to_contain_text("Region of neckline")
    dialog.get_by_label("Left").select_option(second)
    expect(rows.first).to_contain_text("1.00")
    tab.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()


def test_filters_narrow_and_are_cleared(tab, catalogue):
    tab.get_by_role("button", name="Look for what is like garment-0").click()
    tab.locator("#filters summary").click()
    tab.get_by_label("brand", exact=True).select_option("b & co")
    expect_results(tab, catalogue.search(id="garment-0", where='brand="b & co"', k=24))
    tab.get_by_label("at most").fill("150")
    tab.get_by_label("Condition").fill("not new=true")
    tab.get_by_label("Condition").press("Enter")
    where = 'brand="b & co" and price<=150 and not new=true'
    expect_results(tab, catalogue.search(id="garment-0", where=where, k=24))
    expect(tab.locator("#filters summary")).to_contain_text("3 set")
    tab.get_by_label("Condition").fill("price<")
    tab.get_by_label("Condition").press("Enter")
    expect(tab.get_by_label("Condition")).to_have_attribute("aria-invalid", "true")
    expect(tab.locator("#condition-problem")).to_contain_text("expected a value, found the end")
    tab.get_by_role("button", name="Clear filters").click()
    expect_results(tab, catalogue.search(id="garment-0", k=24))


def test_values_are_counted_and_clicked(tab, catalogue):
    tab.locator("#filters summary").click()
    expect(tab.locator("#filters .facet button")).to_have_count(0)
    tab.get_by_role("button", name="Look for what is like garment-0").click()

    def expect_counts(where=""):
        for name, counts in catalogue.facets(["color", "brand", "new"], where=where).items():
            texts = [f"{str(value).replace('_', ' ')} {count}" for value, count in counts]
            buttons = tab.locator(f'[data-facet="{name}"] button')
            expect(buttons).to_have_text(texts, ignore_case=True)

    expect_counts()
    [(color, _), *_] = catalogue.facets(["color"])["color"]
    value = tab.get_by_role("group", name="Items by color").get_by_role("button").first
    value.press("Enter")
    expect_results(tab, catalogue.search(id="garment-0", where=f"color={color}", k=24))
    expect_counts(f"color={color}")
    expect(value).to_be_focused()
    expect(value).to_have_attribute("aria-pressed", "true")
    expect(tab.locator("#filters summary")).to_contain_text("1 set")
    # A column's own field shows it.
    brands = tab.get_by_role("list", name="Items by brand")
    brands.get_by_role("button", name="acme").click()
    expect(tab.get_by_label("brand", exact=True)).to_have_value("acme")
    where = f"color={color} and brand=acme"
    expect_results(tab, catalogue.search(id="garment-0", where=where, k=24))
    tab.get_by_label("at most").fill("0")
    tab.get_by_label("at least").fill("1")
    tab.get_by_label("at least").press("Enter")
    expect(tab.get_by_role("status").first).to_contain_text("Nothing meets all of that")
    expect(value).to_contain_text(f"{color.replace('_', ' ')} 0")
    tab.get_by_role("button", name="Clear filters").click()
    expect_results(tab, catalogue.search(id="garment-0", k=24))
    expect_counts()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<html>", "no photograph that can be read"),
        (b"", "no photograph that can be read"),
        (bytes(300_001), "big.jpg is too large"),
    ],
)
def test_a_bad_file_is_explained(tab, content, message):
    file = {"name": "big.jpg", "mimeType": "image/jpeg", "buffer": content}
    tab.get_by_label("Choose a photograph").set_input_files(file)
    expect(tab.get_by_role("alert")).to_contain_text(message)
    expect(tab.locator("#start")).to_be_visible()


def test_a_server_that_is_away_is_told_and_comes_back(open_page, embedder, photograph):
    embedder.away = True
    tab = open_page()
    alert = tab.get_by_role("alert")
    expect(alert).to_contain_text("The model server does not answer. Start it")
    alert.get_by_role("button", name="Dismiss").click()
    tab.get_by_label("Choose a photograph").set_input_files(photograph)
    expect(alert).to_contain_text("The model server does not answer.")
    embedder.away = False
    alert.get_by_role("button", name="Try again").click()
    expect(tab.locator("#results .card")).to_have_count(24)
    expect(tab.locator("#notice")).to_be_hidden()
    tab.context.set_offline(True)
    tab.get_by_role("button", name="Search", exact=True).click()
    expect(alert).to_contain_text("server does not answer. Start asen-app again")


def test_a_forgotten_photograph_is_sent_again(tab, photograph, jpegs, address):
    def forget():
        for jpeg in jpegs[:2]:
            heavy = jpeg + bytes(200_000)
            assert tab.request.post(f"{address}/v1/photographs", data=heavy).status == 201

    choose(tab, photograph)
    before = shown(tab)
    forget()
    tab.get_by_role("button", name="Search", exact=True).click()
    expect(tab.locator("#found:not(.busy) #results h3")).to_have_text(before)
    forget()
    tab.get_by_role("button", name="Show more").click()
    expect(tab.locator("#results .card")).to_have_count(30)
    expect(tab.locator("#results .card").nth(26).locator(".regions")).to_contain_text("Region of")
    forget()
    tab.get_by_label("Regions of").select_option("collar")
    expect(tab.locator("#query .regions")).to_contain_text("Region of collar")
    expect(tab.locator("#notice")).to_be_hidden()


def test_a_model_without_regions_is_requested_for_them_once(tab, photograph, embedder, monkeypatch):
    def explain(images, attribute):
        raise NotImplementedError("no attention")

    monkeypatch.setattr(embedder, "explain", explain)
    calls = []
    tab.on("request", lambda request: "/v1/regions" in request.url and calls.append(request))
    choose(tab, photograph)
    expect(tab.get_by_label("Regions of")).to_be_hidden()
    tab.get_by_role("button", name="Search", exact=True).click()
    expect(tab.locator("#found:not(.busy) #results .card")).to_have_count(24)
    tab.get_by_role("button", name=re.compile("^Compare ")).first.click()
    expect(tab.get_by_role("dialog").locator("tbody tr").first).to_be_visible()
    expect(tab.locator("#compare-problem")).to_be_hidden()
    expect(tab.locator("#notice")).to_be_hidden()
    assert len(calls) == 1


def test_starting_over_ends_what_was_about_to_be_requested(tab):
    tab.get_by_role("button", name="Look for what is like garment-0").click()
    expect(tab.locator("#results .card")).to_have_count(24)
    tab.get_by_role("slider", name="collar").evaluate(
        """it => { it.dispatchEvent(new Event("change"));
          document.querySelector("#start-over").click(); }"""
    )
    tab.wait_for_timeout(500)  # twice as long as the page waits after a control was moved
    expect(tab.locator("#notice")).to_be_hidden()
    expect(tab.locator("#start")).to_be_visible()


def test_a_phones_width_is_enough(open_page, photograph):
    tab = open_page(390, 844, has_touch=True, is_mobile=True)

    def fits():
        return tab.evaluate("document.documentElement.scrollWidth") <= 390

    assert fits()
    choose(tab, photograph)
    assert fits()
    for panel in ("#attributes", "#filters"):
        tab.locator(f"{panel} summary").click()
    assert fits()
    tab.locator(".like").first.click()
    tab.get_by_role("button", name="Search again with these").click()
    expect(tab.locator("#learned")).to_be_visible()
    assert fits()
    tab.get_by_role("button", name=re.compile("^Compare ")).first.click()
    dialog = tab.get_by_role("dialog")
    expect(dialog.locator("tbody tr").first).to_be_visible()
    assert fits() and dialog.evaluate("it => it.scrollWidth <= it.clientWidth")


def test_the_keyboard_alone_will_do(tab, photograph, catalogue, embedder):
    def tab_to(selector, key="Tab"):
        for _ in range(60):
            tab.keyboard.press(key)
            if tab.evaluate("s => document.activeElement.matches(s)", selector):
                assert tab.evaluate(_HAS_OUTLINE), selector
                return
        raise AssertionError(f"{selector} is not reached by Tab")

    # From the start: the browser hands choosers over only a while after it is told to.
    tab.on("filechooser", lambda chooser: None)
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"
    tab_to("#file")
    with tab.expect_file_chooser() as chooser:
        tab.keyboard.press("Space")
    chooser.value.set_files(photograph)
    expect(tab.locator("#results .card")).to_have_count(24)
    tab_to("#mark", "Shift+Tab")
    tab.keyboard.press("Enter")
    tab_to("#garment input")
    tab.keyboard.press("Escape")
    tab_to("#attributes input")
    tab.keyboard.press("Home")
    tab_to("button.primary")
    tab.keyboard.press("Enter")
    [vectors] = embedder.embed_all([photograph["buffer"]])
    weights = dict.fromkeys(catalogue.attributes, 1) | {"neckline": -1}
    expect_results(tab, catalogue.search(vectors=vectors, weights=weights, k=24))
    tab_to(".card button[aria-label^=Compare]")
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("dialog").locator("tbody tr").first).to_be_visible()
    tab_to("tbody button")
    tab.keyboard.press("Escape")
    tab_to(".like")
    tab.keyboard.press("Space")
    tab_to("#again")
    tab.keyboard.press("Enter")
    expect(tab.locator("#learned")).to_be_visible()
    expect(tab.locator("#found")).to_be_focused()


# An element's own outline, or that of the zone that it fills.
_HAS_OUTLINE = """() => [document.activeElement, document.activeElement.closest(".drop")].some(
    (it) => it && getComputedStyle(it).outlineStyle !== "none")"""


# In the dark only colors differ.
@pytest.mark.parametrize(
    ("scheme", "rules"), [("light", {}), ("dark", {"runOnly": ["color-contrast"]})]
)
def test_nothing_is_without_a_label_or_contrast(open_page, photograph, scheme, rules):
    tab = open_page(color_scheme=scheme)
    checker = axe.Axe()

    def check():
        found = checker.run(tab, options=rules)
        assert not found.violations_count, found.generate_report()

    expect(tab.locator("#items li")).to_have_count(12)
    tab.locator("#filters summary").click()
    check()
    # A few results: checking all takes long.
    tab.get_by_label("at most").fill("60")
    tab.get_by_role("button", name="Look for what is like garment-0").click()
    tab.locator(".like").first.click()
    tab.get_by_role("button", name="Search again with these").click()
    expect(tab.locator("#learned")).to_be_visible()
    tab.locator(".like").first.click()
    check()
    tab.get_by_role("button", name=re.compile("^Compare ")).first.click()
    expect(tab.get_by_role("dialog").locator("tbody tr").first).to_be_visible()
    check()
    tab.keyboard.press("Escape")
    tab.get_by_label("Choose a photograph").set_input_files(photograph)
    tab.get_by_role("button", name="Mark the garment").click()
    expect(tab.get_by_role("dialog").locator("rect.mark")).to_have_count(1)
    check()
