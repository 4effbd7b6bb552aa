"""Doubtful labels of a table of photographs, by features that are given or of a tiny backbone."""

import csv
import shutil

import numpy as np
import pytest

import asen_tf
from asen_tf.api.check_labels import CheckedLabels, Label
from asen_tf.cli.check_labels import report
from asen_tf.core import config as configs
from tests import programs
from tests.conftest import COLORS

pytest.importorskip("cleanlab", reason="needs asen_tf[labels]")

WRONG = {7: "blue", 20: "red", 33: "green"}  # photographs, and the colour that they get


@pytest.fixture
def root(catalogue, tmp_path):
    """The catalogue with a product of two photographs each, and a note."""
    shutil.copytree(catalogue / "images", tmp_path / "images")
    with open(catalogue / "manifest.csv", newline="") as file:
        header, *rows = csv.reader(file)
    for n, row in enumerate(rows):
        row += [f"p{n % 24}", f"note; {n}"]
    write(tmp_path, [[*header, "product", "note"], *rows])
    return tmp_path


def write(root, table):
    with open(root / "manifest.csv", "w", newline="") as file:
        csv.writer(file, delimiter=";", lineterminator="\n").writerows(table)


def read(path, sign=";"):
    with open(path, newline="") as file:
        return list(csv.reader(file, delimiter=sign))


def change(root, cells, column="color"):
    """Puts texts into a column: photograph -> text."""
    table = read(root / "manifest.csv")
    for n, text in cells.items():
        table[n + 1][table[0].index(column)] = text
    write(root, table)


def settings(root):
    config = configs.defaults()
    config.data.root, config.data.columns = str(root), ("color", "side")
    return config


@pytest.fixture
def seen(monkeypatch):
    """Features that show colour and side, and a little of nothing."""

    def vectors(config, manifest, *_):
        numbers = [int(image.split("/")[1].split(".")[0]) for image in manifest.images.tolist()]
        shown = np.zeros((len(numbers), 8), np.float32)
        shown[np.arange(len(numbers)), np.array(numbers) % 3] = 10
        shown[:, 3] = np.array(numbers) // 3 % 2 * 10
        return shown + np.random.default_rng(0).normal(size=(48, 8))[numbers]

    monkeypatch.setattr("asen_tf.training.features.frozen_vectors", vectors)


def test_right_labels_are_not_doubted(root, seen, tmp_path):
    found = asen_tf.check_labels(settings(root), tmp_path / "checked")
    assert found.wrong == [] and found.left_out == []
    assert found.counts == {"color": (48, 0), "side": (48, 0)}
    assert read(tmp_path / "checked" / "labels.csv", ",") == [
        ["image", "line", "attribute", "given", "likely", "probability", "score"]
    ]
    assert "Nothing was found" in (tmp_path / "checked" / "labels.html").read_text()


def test_wrong_labels_are_listed_shown_dropped_and_fixed(root, seen, tmp_path):
    change(root, WRONG)
    before = read(root / "manifest.csv")
    files = {name: tmp_path / f"{name}.csv" for name in ("drop", "fix")}
    found = asen_tf.check_labels(settings(root), tmp_path / "checked", **files)
    true = {f"images/{n}.png": list(COLORS)[n % 3] for n in WRONG}
    told = {label.image: (label.attribute, label.likely) for label in found.wrong}
    assert told == {image: ("color", value) for image, value in true.items()}
    assert found.counts == {"color": (48, 3), "side": (48, 0)}
    assert found.labels[:3] == found.wrong

    rows = read(tmp_path / "checked" / "labels.csv", ",")[1:]
    lines = {row[0]: str(line) for line, row in enumerate(before, 1)}
    assert {row[0]: [row[1], *row[3:5]] for row in rows} == {
        f"images/{n}.png": [lines[f"images/{n}.png"], given, true[f"images/{n}.png"]]
        for n, given in WRONG.items()
    }
    assert [row[6] for row in rows] == sorted(row[6] for row in rows)
    page = (tmp_path / "checked" / "labels.html").read_text()
    assert all(f"color: {image}" in page for image in true)
    assert page.count("data:image/jpeg") == 3

    for name, path in files.items():
        expected = [list(row) for row in before]
        for n in WRONG:
            expected[n + 1][2] = "" if name == "drop" else true[f"images/{n}.png"]
        assert read(path) == expected


def test_of_a_photograph_of_two_the_garment_that_is_meant_is_shown(
    root, seen, tmp_path, monkeypatch
):
    header, *rows = read(root / "manifest.csv")
    rows = [[*row, "0 0 8 8"] for row in rows]
    rows.append([*rows[7][:-1], "1 1 4 4"])
    write(root, [[*header, "box"], *rows])
    change(root, {7: "blue"})
    shown = []

    def read_image(photograph, longest):
        shown.append(tuple(photograph.box))
        return np.zeros((8, 8, 3), np.uint8)

    monkeypatch.setattr("asen_tf.images.read", read_image)
    config = settings(root)
    config.data.check = "exists"
    asen_tf.check_labels(config, tmp_path / "checked")
    assert shown == [(0, 0, 8, 8)]


def test_the_order_of_rows_does_not_matter(root, seen, tmp_path):
    change(root, WRONG)
    found = asen_tf.check_labels(settings(root), tmp_path / "checked").labels
    header, *rows = read(root / "manifest.csv")
    write(root, [header, *np.random.default_rng(1).permutation(rows).tolist()])
    again = asen_tf.check_labels(settings(root), tmp_path / "checked").labels
    assert [label.image for label in again] == [label.image for label in found]
    np.testing.assert_array_equal([one.score for one in again], [one.score for one in found])


def test_what_cannot_be_checked_is_said(root, seen, tmp_path):
    change(root, {0: "red|blue", 3: "red|blue", 5: "violet"})
    # Two products, though three photographs.
    change(root, {n: "above" for n in (1, 25, 2)} | dict.fromkeys((8, 9), ""), "side")
    found = asen_tf.check_labels(settings(root), tmp_path / "checked", folds=3)
    assert found.left_out == [
        "color: 2 photographs with several values",
        "color: values with fewer than 3 photographs, or products: violet",
        "side: values with fewer than 3 photographs, or products: above",
    ]
    assert found.counts == {"color": (45, 0), "side": (43, 0)}
    change(root, dict.fromkeys(range(48), "left"), "side")
    found = asen_tf.check_labels(settings(root), tmp_path / "checked", folds=3)
    assert found.left_out[-1] == "side: no two values to tell apart"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"folds": 1}, "2 folds or more, got 1"),
        ({"drop": "nowhere/a.csv"}, "nowhere: no such folder"),
        ({"fix": "manifest.csv"}, "is read itself"),
        ({"drop": "a.parquet"}, "a.parquet: a table is written as CSV"),
        ({"fix": "a.csv", "drop": "a.csv"}, "would be written twice"),
        ({"folds": 40}, "no labels to check: .*fewer than 40 photographs"),
    ],
)
def test_bad_input_is_refused_before_features_are_computed(
    changes, message, root, tmp_path, monkeypatch
):
    monkeypatch.setattr("asen_tf.training.features.frozen_vectors", None)
    changes = {k: root / v if isinstance(v, str) else v for k, v in changes.items()}
    with pytest.raises((ValueError, OSError), match=message):
        asen_tf.check_labels(settings(root), tmp_path / "checked", **changes)
    assert not (tmp_path / "checked").exists()


def test_its_own_files_take_the_place_of_no_table(root, tmp_path, monkeypatch):
    monkeypatch.setattr("asen_tf.training.features.frozen_vectors", None)
    (root / "manifest.csv").rename(root / "labels.csv")
    before = (root / "labels.csv").read_bytes()
    config = settings(root)
    config.data.manifest = "labels.csv"
    with pytest.raises(ValueError, match="labels.csv is read itself"):
        asen_tf.check_labels(config, root)
    assert (root / "labels.csv").read_bytes() == before


@pytest.mark.parametrize("change", ["a row above", "a cell"])
def test_a_table_that_changes_meanwhile_is_not_written_again(
    change, root, seen, tmp_path, monkeypatch
):
    from asen_tf.training import features

    def vectors(*given, compute=features.frozen_vectors):
        header, *rows = read(root / "manifest.csv")
        above = [rows[-1]] if change == "a row above" else []
        write(root, [header, *above, *([*row[:-1], "new"] for row in rows)])
        return compute(*given)

    monkeypatch.setattr(features, "frozen_vectors", vectors)
    with pytest.raises(ValueError, match=r"manifest\.csv was changed while .* same command again"):
        asen_tf.check_labels(settings(root), tmp_path / "checked", fix=tmp_path / "fixed.csv")
    assert not (tmp_path / "fixed.csv").exists() and not [*tmp_path.glob(".*")]


def test_names_of_the_table_steer_no_terminal():
    label = Label("a\n\x1b[2J.jpg", 2, "color\t", "red\r", "blue", 0.9, 0.1, True)
    said = report(CheckedLabels([label], ["size\n: values"]), 5)
    assert said.isascii() and "\x1b" not in said and "\r" not in said and "\t" not in said
    assert r"a\n\x1b[2J.jpg: color\t red\r, likely blue (0.90)" in said.splitlines()[-1]
    assert len(said.splitlines()) == 8


def test_other_formats_have_no_table_to_write(root, tmp_path):
    config = settings(root)
    config.data.format = "fashionai"
    with pytest.raises(ValueError, match="written for csv, synthetic"):
        asen_tf.check_labels(config, tmp_path / "checked", fix=tmp_path / "fixed.csv")


CONFIG = """
from asen_tf.core import config, experiments
from tests.networks import shrink

def get_config():
    found = config.defaults()
    experiments.small(found, "resnet6")
    shrink(found.model, image_scale=1)
    found.data.columns = ("color",)
    return found
"""


def test_the_program_by_features_of_a_random_backbone(root, tmp_path):
    change(root, WRONG)
    (tmp_path / "config.py").write_text(CONFIG)
    flags = [f"--config={tmp_path / 'config.py'}", f"--config.data.root={root}", "--lines=2"]
    flags += [f"--workdir={tmp_path / 'checked'}", f"--fix={tmp_path / 'fixed.csv'}"]
    done = programs.run("check_labels", *flags)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[1].split()[:2] == ["color", "48"]
    assert "most doubtful:" in lines
    assert "random features" in done.stderr
    rows = read(tmp_path / "checked" / "labels.csv", ",")[1:]
    assert {row[0] for row in rows[:2]} <= {f"images/{n}.png" for n in WRONG}
    expected = {row[0]: row[4] for row in rows}
    for before, after in zip(
        read(root / "manifest.csv"), read(tmp_path / "fixed.csv"), strict=True
    ):
        assert after == [*before[:2], expected.get(before[0], before[2]), *before[3:]]
    # Features are kept.
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("checked/features/*/*.npy")}
    again = programs.run("check_labels", *flags)
    assert again.stdout == done.stdout
    assert before == {path: path.stat().st_mtime_ns for path in before} and before
