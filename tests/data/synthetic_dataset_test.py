"""The folder that `write_dataset` makes."""

import csv
import inspect
import json
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from asen_tf.core import experiment_files
from asen_tf.data.synthetic import SPACE, render, write_dataset
from asen_tf.data.synthetic.dataset import split_and_role
from tests import programs

IMAGES = 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("synthetic") / "set"
    write_dataset(path, IMAGES, seed=4, look="plain")
    return path


def table(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def numbers(path):
    return [[int(n) for n in line.split()] for line in path.read_text().splitlines()]


def test_manifest_names_every_image_with_its_labels(folder):
    rows = table(folder / "manifest.csv")
    assert list(rows[0]) == ["image", "split", "role", *SPACE]
    assert [r["image"] for r in rows] == sorted(
        str(p.relative_to(folder)) for p in (folder / "images").iterdir()
    )
    for index in (0, 13):
        expected = render(4, index, "plain")
        assert {name: rows[index][name] for name in SPACE} == expected.labels
        stored = np.asarray(Image.open(folder / rows[index]["image"]), float)
        assert stored.shape == expected.image.shape
        assert np.abs(stored - expected.image).mean() < 4  # JPEG


def test_boxes_are_those_of_the_photographs(folder):
    rows = table(folder / "boxes.csv")
    values = [row[name] for row in table(folder / "manifest.csv") for name in SPACE]
    assert len(rows) == len(values) - values.count("none")
    expected = render(4, 19, "plain").boxes
    for row in rows[-len(SPACE) :]:
        assert row["image"] == "images/000019.jpg"
        box = [float(row[edge]) for edge in ("left", "top", "right", "bottom")]
        np.testing.assert_allclose(box, expected[row["attribute"]], atol=0.051)


def test_attributes_file_lists_the_space(folder):
    for path in (folder / "attributes.csv", folder / "splits" / "attributes.csv"):
        rows = table(path)
        assert [int(r["index"]) for r in rows] == list(range(len(SPACE)))
        assert {r["attribute"]: r["values"].split("|") for r in rows} == SPACE.to_dict()


def test_index_files_agree_with_the_manifest(folder):
    rows = {r["image"]: r for r in table(folder / "manifest.csv")}
    splits = folder / "splits"
    names = {
        s: (splits / f"filenames_{s}.txt").read_text().split() for s in ("train", "valid", "test")
    }
    assert {i: s for s in names for i in names[s]} == {i: r["split"] for i, r in rows.items()}

    for fid, *pairs in numbers(splits / "label_train.txt"):
        row = rows[names["train"][fid]]
        assert row["role"] == ""
        decoded = {
            SPACE.names[a]: SPACE[SPACE.names[a]].values[v]
            for a, v in zip(pairs[::2], pairs[1::2], strict=True)
        }
        assert decoded == {name: row[name] for name in SPACE}

    for split in ("valid", "test"):
        seen = []
        for role in ("query", "candidate"):
            for fid, attribute, value in numbers(splits / f"{role}_{split}.txt"):
                row, name = rows[names[split][fid]], SPACE.names[attribute]
                assert row["role"] == role and row[name] == SPACE[name].values[value]
                seen.append((fid, attribute))
        assert sorted(seen) == [(f, a) for f in range(len(names[split])) for a in range(len(SPACE))]


def test_shares_of_splits_and_queries():
    places = [split_and_role(i) for i in range(1000)]
    counts = {p: places.count(p) for p in set(places)}
    assert counts == {
        ("train", ""): 700,
        ("valid", "query"): 20,
        ("valid", "candidate"): 80,
        ("test", "query"): 40,
        ("test", "candidate"): 160,
    }


def test_a_larger_set_begins_with_the_smaller(folder, tmp_path):
    write_dataset(tmp_path / "larger", IMAGES + 2, seed=4, look="plain")
    for image in (folder / "images").iterdir():
        assert image.read_bytes() == (tmp_path / "larger" / "images" / image.name).read_bytes()
    small = (folder / "manifest.csv").read_text()
    assert (tmp_path / "larger" / "manifest.csv").read_text().startswith(small)


def test_processes_make_the_same_files(folder, tmp_path):
    write_dataset(tmp_path / "spread", IMAGES, seed=4, look="plain", processes=2)
    files = [p.relative_to(folder) for p in sorted(folder.rglob("*")) if p.is_file()]
    assert len(files) == IMAGES + 13
    for file in files:
        assert (folder / file).read_bytes() == (tmp_path / "spread" / file).read_bytes(), file


def test_a_complete_folder_is_left_as_it_is(folder):
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("*")}
    write_dataset(folder, IMAGES, seed=4, look="plain")
    assert {p: p.stat().st_mtime_ns for p in folder.rglob("*")} == before


def test_another_set_in_the_folder_is_an_error(folder):
    with pytest.raises(ValueError, match=r"seed=4, .*expected .*seed=5, .*choose another output"):
        write_dataset(folder, IMAGES, seed=5, look="plain")


def test_a_folder_cut_off_or_foreign_is_an_error(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"no synthetic\.json.*remove it first"):
        write_dataset(tmp_path, IMAGES)
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]
    with pytest.raises(ValueError, match="is a file"):
        write_dataset(tmp_path / "notes.txt", IMAGES)


def test_an_empty_folder_is_filled_and_stamped(tmp_path):
    write_dataset(tmp_path, 18, seed=1)
    stamp = json.loads((tmp_path / "synthetic.json").read_text())
    assert (stamp["images"], stamp["seed"], stamp["look"]) == (18, 1, "plain")
    for split in ("valid", "test"):
        for role in ("query", "candidate"):
            assert numbers(tmp_path / "splits" / f"{role}_{split}.txt")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"images": 17}, "at least 18.*got 17"),
        ({"images": 0}, "at least 18.*got 0"),
        ({"look": "plane"}, "Did you mean 'plain'"),
        ({"seed": -1}, "seed must be 0 or more"),
        ({"processes": 0}, "processes must be 1 or more"),
    ],
)
def test_bad_input_is_named_and_nothing_written(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        write_dataset(**{"output": tmp_path / "set", "images": IMAGES, **arguments})
    assert not (tmp_path / "set").exists()


def test_the_program_writes_the_same_set(folder, tmp_path):
    flags = ("--images=18", "--seed=4", "--look=plain", "--processes=1")
    done = programs.run("synthesize", f"--output={tmp_path / 'set'}", *flags)
    assert done.returncode == 0, done.stderr
    name = "images/000011.jpg"
    assert (tmp_path / "set" / name).read_bytes() == (folder / name).read_bytes()


def test_a_run_that_was_cut_off_is_begun_anew(tmp_path):
    left_behind = tmp_path / ".set.part" / "images"
    left_behind.mkdir(parents=True)
    (left_behind / "999999.jpg").write_bytes(b"half a photograph")
    write_dataset(tmp_path / "set", 18)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set"]
    assert len(list((tmp_path / "set" / "images").iterdir())) == 18


def test_the_program_makes_by_default_what_the_experiment_reads():
    """21-two-looks."""
    wanted = experiment_files.read(experiment_files.find("asen", "synthetic")).data
    said = programs.run("synthesize", "--help").stdout
    for key in ("images", "seed", "look"):
        assert re.search(rf"--(\[no\])?{key}:[^-]*\(default: '{wanted[key]}'\)", said), said
    assert inspect.signature(write_dataset).parameters["look"].default == wanted.look


def test_two_at_once_make_one_set(tmp_path):
    with ThreadPoolExecutor() as executor:
        list(executor.map(write_dataset, [tmp_path / "set"] * 2, [18] * 2))
    assert [path.name for path in tmp_path.iterdir()] == ["set"]
    assert len(table(tmp_path / "set" / "manifest.csv")) == 18


def test_the_program_reports_a_bad_number_in_one_line(tmp_path):
    done = programs.run("synthesize", f"--output={tmp_path / 'set'}", "--images=3")
    assert done.returncode == 1
    assert (
        done.stderr.startswith("error: images must be at least 18") and done.stderr.count("\n") == 1
    )
