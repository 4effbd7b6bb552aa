"""From a table of titles to columns of labels, by the program, as a shop takes it."""

import ast
import csv
import json
import shlex

import pytest

from asen_tf.cli.label import training
from tests import programs

pytest.importorskip("ahocorasick", reason="needs asen_tf[text]")

TITLES = [
    "Women Navy Blue V-Neck Long Sleeve Striped Top",
    "Peter England Men Party Blue Jeans",
    "Black and White Striped Dress, sleeveless",
    "",
]


@pytest.fixture
def shop(tmp_path):
    """A folder with products.csv: semicolons, a quote, a description."""
    rows = [["sku", "title", "description", "price"]]
    rows += [[f"0{n}", title, "", "9,90"] for n, title in enumerate(TITLES)]
    rows[4][2] = 'Pure cotton "shirt".\nPair it with jeans'
    with open(tmp_path / "products.csv", "w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file, delimiter=";").writerows(rows)
    return tmp_path


def run(shop, *flags, **variables):
    return programs.run("label", "--manifest=products.csv", *flags, cwd=shop, **variables)


def table(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_table_gets_columns_of_labels(shop):
    done = run(shop, "--text=title,description", "--output=labelled.csv", "--report=report.txt")
    assert done.returncode == 0, done.stderr
    rows = table(shop / "labelled.csv")
    assert [row["sku"] for row in rows] == ["00", "01", "02", "03"]
    assert [row["price"] for row in rows] == ["9,90"] * 4
    assert rows[3]["description"] == 'Pure cotton "shirt".\nPair it with jeans'
    assert [row["color"] for row in rows] == ["navy blue", "blue", "", ""]
    assert [row["category"] for row in rows] == ["top", "jeans", "dress", "shirt"]
    assert rows[0]["neckline"] == "v-neck" and rows[2]["sleeve_length"] == "sleeveless"
    assert rows[3]["material"] == "cotton"

    said = done.stdout
    assert "color" in said and "50.0%" in said  # labelled
    assert "black / white" in said and TITLES[2] in said  # a conflict, with an example
    advice = said.splitlines()[-1].partition("to train on it: ")[2]
    manifest, columns = shlex.split(advice)
    assert manifest == f"--config.data.manifest={shop}/labelled.csv"
    chosen = ast.literal_eval(columns.removeprefix("--config.data.columns="))
    assert {"color", "category", "neckline"} < {*chosen} < {*rows[0]}
    assert "black / white" in (shop / "report.txt").read_text()


def test_advice_can_be_pasted_whatever_things_are_called():
    names = ["color", "it's", 'a "b" $HOME', "`ls`", "größe\\n"]
    manifest, columns = shlex.split(training("my 'shop'.csv", names))
    assert manifest.endswith("/my 'shop'.csv")
    assert ast.literal_eval(columns.removeprefix("--config.data.columns=")) == tuple(names)


def test_nothing_labelled_is_a_failure(shop):
    (shop / "products.csv").write_text("title\nXQ-7\n\n")
    done = run(shop, "--text=title", "--output=o.csv", "--attributes=color,category")
    assert done.returncode == 1 and "0.0%" in done.stdout and "to train" not in done.stdout
    assert done.stderr.startswith("error: o.csv: no text says a value of color, category; --disc")
    assert table(shop / "o.csv") == [{"title": "XQ-7", "color": "", "category": ""}]


def test_a_vocabulary_of_ones_own(shop):
    (shop / "mine.yaml").write_text(
        "attributes: {color: {several: all}, maker: {values: {pe: [peter england]}}}"
    )
    flags = ["--text=title", "--output=o.csv", "--attributes=maker,color"]
    assert run(shop, *flags, "--vocabulary=fashion,mine.yaml").returncode == 0
    rows = table(shop / "o.csv")
    assert [row["color"] for row in rows] == ["navy blue", "blue", "black|white", ""]
    assert [row["maker"] for row in rows] == ["", "pe", "", ""]
    assert "category" not in rows[0]


def test_what_is_there_already_is_not_overwritten_unasked(shop):
    (shop / "products.csv").write_text("title,color\nred top,blue\n")
    flags = ["--text=title", "--output=o.csv", "--attributes=color"]
    refused = run(shop, *flags)
    assert refused.returncode == 1 and not (shop / "o.csv").exists()
    assert "column color is there already" in refused.stderr and "--overwrite" in refused.stderr
    assert run(shop, *flags, "--overwrite").returncode == 0
    assert table(shop / "o.csv") == [{"title": "red top", "color": "red"}]


@pytest.mark.parametrize(
    ("flags", "status", "expected"),
    [
        (["--output=o.csv"], 2, "give --text"),
        (["--text=title"], 2, "give --output"),
        (["--text=tilte", "--output=o.csv"], 1, "no column 'tilte' (is 'title' meant?)"),
        (["--text=title", "--output=products.csv"], 1, "is read itself"),
        (["--text=title", "--discover=products.csv"], 1, "is read itself"),
        (["--text=title", "--output=o.csv", "--report=./products.csv"], 1, "is read itself"),
        (["--text=title", "--output=o.csv", "--report=o.csv"], 1, "would be written twice"),
        (["--text=title", "--output=o.xlsx"], 1, "o.xlsx: a table is written as CSV: name a file"),
        (["--text=title", "--output=no/o.csv"], 1, "no: no such folder"),
        (["--text=title", "--output=o.csv", "--vocabulary=x.yaml"], 1, "x.yaml: no such file"),
        (["--text=title", "--output=o.csv", "--attributes=colour"], 1, "is 'color' meant"),
        (["--text=title", "--output=o.csv", "--vocabulary=tensor.yaml"], 1, "cannot be called ten"),
        (["--text=title", "--output=mine.yaml", "--vocabulary=fashion,~/mine.yaml"], 1, "is read"),
    ],
)
def test_wrong_use_is_a_line(shop, flags, status, expected):
    for name in ("tensor", "mine"):
        (shop / f"{name}.yaml").write_text(f"attributes: {{{name}: {{values: {{core: }}}}}}")
    done = run(shop, *flags, HOME=str(shop))
    assert done.returncode == status
    assert expected in done.stderr.replace("Did you mean 'color'", "is 'color' meant")
    assert "Traceback" not in done.stderr


def test_odd_texts_are_kept_and_shown_harmlessly(shop):
    odd = "red \x1b[2J top \ud83d"
    (shop / "products.jsonl").write_text(json.dumps({"title": odd}) + "\n")
    done = run(shop, "--manifest=products.jsonl", "--text=title", "--output=o.csv")
    assert done.returncode == 0, done.stderr
    assert table(shop / "o.csv")[0]["title"] == odd.replace("\ud83d", "?")
    assert "red  [2J top" in done.stdout and "\x1b" not in done.stdout


def test_rows_that_cannot_be_read_are_listed(shop):
    (shop / "products.csv").write_text("title,id\nred top,1\nblue\n")
    done = run(shop, "--text=title", "--output=o.csv")
    assert done.returncode == 1 and not (shop / "o.csv").exists()
    assert "1 rows cannot be read:\nproducts.csv:3: expected 2 cells" in done.stderr


def test_what_the_vocabulary_lacks_is_found(shop):
    makers, shades = ["quimby", "norvex", "tarpin"], ["celadon", "smalt", "gamboge"]
    titles = [f"{makers[n % 3]} men {shades[n // 3 % 3]} shirt" for n in range(90)]
    (shop / "products.csv").write_text("\n".join(["title", *titles]))
    done = run(shop, "--text=title", "--discover=found.yaml")
    assert done.returncode == 0, done.stderr
    assert "6 words in 2 groups" in done.stdout
    both = ["--text=title", "--output=o.csv", "--vocabulary=fashion,found.yaml"]
    assert run(shop, *both).returncode == 0
    assert {table(shop / "o.csv")[0][name] for name in ("attribute_1", "attribute_2")} == {
        "quimby",
        "celadon",
    }
