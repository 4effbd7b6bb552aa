import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from asen_tf.core.config import defaults
from asen_tf.data.formats import attributes_file, clothing_attributes, index_files
from asen_tf.data.formats.clothing_attributes import COLORS, PATTERNS, SPACE
from asen_tf.data.manifest import NO_ROLE

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "clothing_attributes"
NAN = float("nan")
BINARY = [*COLORS, "many_colors", *(f"pattern_{name}" for name in PATTERNS)]
PLAIN = ["category", "sleevelength", "neckline", "collar", "placket", "scarf", "necktie"]


def write(root, count, **columns):
    """Columns are NaN throughout where nothing else is given."""
    (root / "labels").mkdir()
    for name in BINARY + PLAIN:
        column = np.array(columns.get(name, [NAN] * count), np.float64)[:, None]
        scipy.io.savemat(root / "labels" / f"{name}_GT.mat", {"GT": column})


def read(root):
    return clothing_attributes.read(root, defaults().data)


def values(manifest, row, attribute):
    labels = manifest.labels
    chosen = (labels["image"] == row) & (labels["attribute"] == SPACE.index(attribute))
    return [SPACE[attribute].values[v] for v in labels["value"][chosen]]


def test_numbers_become_the_names_of_the_readme(tmp_path):
    write(tmp_path, 3, category=[1, 7, NAN], sleevelength=[3, 1, 2], collar=[1, 2, NAN])
    manifest, problems = read(tmp_path)
    assert problems == []
    assert manifest.images.tolist() == [f"images/00000{n}.jpg" for n in (1, 2, 3)]
    assert [values(manifest, row, "category") for row in range(3)] == [["shirt"], ["dress"], []]
    assert [values(manifest, row, "sleeve_length") for row in range(3)] == [
        ["long"],
        ["none"],
        ["short"],
    ]
    assert [values(manifest, row, "collar") for row in range(3)] == [["no"], ["yes"], []]
    assert values(manifest, 0, "scarf") == []


def test_binary_columns_add_up(tmp_path):
    write(
        tmp_path,
        4,
        pattern_solid=[2, 1, NAN, 1],
        pattern_stripe=[2, NAN, NAN, 2],
        black=[2, 1, NAN, 1],
        white=[2, 1, NAN, 1],
        many_colors=[1, 1, NAN, 2],
    )
    manifest, _ = read(tmp_path)
    patterns = [["solid", "stripe"], [], [], ["stripe"]]
    assert [values(manifest, row, "pattern") for row in range(4)] == patterns
    colors = [["black", "white"], [], [], ["many"]]
    assert [values(manifest, row, "color") for row in range(4)] == colors


def test_impossible_numbers_are_named(tmp_path):
    write(tmp_path, 3, category=[8, 1, 1.5], red=[1, 0, 2])
    manifest, problems = read(tmp_path)
    assert [(p.source, p.line) for p in problems] == [
        ("labels/category_GT.mat", 1),
        ("labels/category_GT.mat", 3),
        ("labels/red_GT.mat", 2),
    ]
    assert values(manifest, 0, "category") == values(manifest, 2, "category") == []


def test_broken_label_files(tmp_path):
    write(tmp_path, 3)
    path = tmp_path / "labels" / "scarf_GT.mat"
    scipy.io.savemat(path, {"GT": np.ones((2, 1))})
    with pytest.raises(ValueError, match="'scarf': 2"):
        read(tmp_path)
    scipy.io.savemat(path, {"other": np.ones((3, 1))})
    with pytest.raises(ValueError, match=r"scarf_GT\.mat.* not a MATLAB file with a column GT"):
        read(tmp_path)
    path.write_bytes(b"no matlab file")
    with pytest.raises(ValueError, match=r"scarf_GT\.mat.* not a MATLAB file"):
        read(tmp_path)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"scarf_GT\.mat: no such file"):
        read(tmp_path)


def test_without_index_files_the_split_is_70_10_20(tmp_path):
    write(tmp_path, 200, scarf=[1] * 200)
    manifest, _ = read(tmp_path)
    assert np.bincount(manifest.splits).tolist() == [140, 20, 40]
    assert (np.diff(manifest.rows("test")) > 1).any()
    again, _ = read(tmp_path)
    assert again.splits.tolist() == manifest.splits.tolist()
    assert set(manifest.labels["role"].tolist()) == {NO_ROLE}


def test_index_files_give_splits_and_roles(tmp_path):
    write(tmp_path, 5, scarf=[1, 2, 1, 2, 1], collar=[1, 1, 1, 1, 1])
    folder = tmp_path / "splits"
    folder.mkdir()
    scarf = SPACE.index("scarf")
    files = {
        "filenames_train.txt": "images/000005.jpg\n",
        "label_train.txt": f"0 {scarf} 0\n",
        "filenames_test.txt": "".join(
            f"images/{n}.jpg\n" for n in ("000002", "000001", "9", "000002")
        ),
        "query_test.txt": f"1 {scarf} 0\n",
        "candidate_test.txt": f"0 {scarf} 1\n0 {scarf} 9\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    manifest, problems = read(tmp_path)
    assert manifest.images.tolist() == [f"images/00000{n}.jpg" for n in (1, 2, 5)]
    assert manifest.splits.tolist() == [2, 2, 0]
    collar = SPACE.index("collar")
    roles = {(i, a): role for i, a, _, role in manifest.labels.tolist()}
    assert roles == {
        (0, collar): 0, (1, collar): 0, (2, collar): 0,
        (0, scarf): 1, (1, scarf): 2, (2, scarf): 0,
    }  # fmt: skip
    assert [(p.source, p.line, p.image) for p in problems] == [
        ("splits/candidate_test.txt", 2, None),
        ("splits/filenames_test.txt", 3, None),
        ("splits/filenames_test.txt", 4, None),
    ]


@pytest.fixture(scope="module")
def real():
    if not SHARED.is_dir():
        pytest.skip("the Clothing Attribute Dataset is not in shared/data")
    return read(SHARED)


def test_real_labels_agree_with_the_table(real):
    manifest, problems = real
    assert problems == []
    assert manifest.space == attributes_file.read(SHARED, "splits/attributes.csv")
    with open(SHARED / "manifest.csv") as file:
        table = list(csv.DictReader(file))
    assert manifest.images.tolist() == [row["image"] for row in table]
    splits = [("train", "valid", "test")[s] for s in manifest.splits]
    assert splits == [row["split"] for row in table]
    got = [{name: [] for name in SPACE} for _ in table]
    for image, attribute, value, _ in manifest.labels.tolist():
        name = SPACE.names[attribute]
        got[image][name].append(SPACE[name].values[value])
    blank = Counter()
    for mine, row in zip(got, table, strict=True):
        for name in SPACE:
            # The table leaves images with several patterns or colors blank.
            assert row[name] == (mine[name][0] if len(mine[name]) == 1 else "")
            blank[name] += len(mine[name]) > 1
    assert {name: n for name, n in blank.items() if n} == {"pattern": 25, "color": 618}


def test_real_roles_are_those_of_the_index_files(real):
    manifest, _ = real
    index, _ = index_files.read(SHARED, defaults().data)

    def with_role(m):
        given = m.labels[m.labels["role"] != NO_ROLE]
        return {(str(m.images[i]), a, v, role) for i, a, v, role in given.tolist()}

    assert with_role(manifest) == with_role(index)
    assert len(with_role(manifest)) == 263 + 1064 + 537 + 2169
