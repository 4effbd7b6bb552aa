import itertools

import numpy as np
import pytest

from asen_tf.core.config import defaults
from asen_tf.data.formats import zappos50k

NAMES = [f"Shoes/Oxfords/Levi's®/{n}.jpg" for n in range(8)]
LISTS = {
    # anchor far close
    "class_tripletlist_train": "0 1 2\n2 1 0\n",
    "closure_tripletlist_train": "3 2 1\n",
    "gender_tripletlist_train": "",
    "heel_tripletlist_train": "1 0 3\n",
    "class_tripletlist_val": "4 5 6\n",
    "closure_tripletlist_val": "",
    "gender_tripletlist_val": "",
    "heel_tripletlist_val": "6 0 5\n",
}


def read(root, changed=(), names=NAMES):
    (root / "tripletlists").mkdir()
    (root / "filenames.json").write_text("\n".join(names) + "\n", encoding="utf-8")
    for name, text in {**LISTS, **dict(changed)}.items():
        if text is not None:
            (root / "tripletlists" / f"{name}.txt").write_text(text)
    return zappos50k.read(root, defaults().data)


def test_triplets_are_anchor_far_close(tmp_path):
    manifest, problems = read(tmp_path)
    assert problems == []
    assert list(manifest.space) == ["class", "closure", "gender", "heel"]
    triplets = [
        (
            manifest.space.names[attribute],
            *(manifest.images[row].rpartition("/")[2] for row in rows),
            manifest.splits[rows].tolist(),
        )
        for attribute, *rows in manifest.triplets.tolist()
    ]
    # As (anchor, positive, negative).
    assert triplets == [
        ("class", "0.jpg", "2.jpg", "1.jpg", [0, 0, 0]),
        ("class", "2.jpg", "0.jpg", "1.jpg", [0, 0, 0]),
        ("closure", "3.jpg", "1.jpg", "2.jpg", [0, 0, 0]),
        ("heel", "1.jpg", "3.jpg", "0.jpg", [0, 0, 0]),
        ("class", "4.jpg", "6.jpg", "5.jpg", [1, 1, 1]),
        ("heel", "6.jpg", "5.jpg", "0.jpg", [1, 1, 1]),
    ]
    assert len(manifest.labels) == 0


def test_a_split_has_the_images_of_its_triplets(tmp_path):
    manifest, _ = read(tmp_path)
    assert manifest.images[0] == "ut-zap50k-images/Shoes/Oxfords/Levi's®/0.jpg"
    numbers = [int(image.rpartition("/")[2][:-4]) for image in manifest.images]
    # Image 0 stands in two splits, image 7 in none.
    assert numbers == [0, 1, 2, 3, 0, 4, 5, 6]
    assert manifest.splits.tolist() == [0] * 4 + [1] * 4
    assert str(manifest.problem(5, "gone")) == "filenames.json:5: gone"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0 1", "expected whole numbers 'anchor far close', found '0 1'"),
        ("0 1 2 3", "found '0 1 2 3'"),
        ("0 1 x", "found '0 1 x'"),
        ("0 8 2", "8 is no image: filenames.json has 8 lines, from 0"),
        ("-1 1 2", "-1 is no image"),
    ],
)
def test_a_bad_line_is_named_and_left_out(tmp_path, line, message):
    manifest, problems = read(tmp_path, {"class_tripletlist_train": f"0 1 2\n{line}\n2 1 0\n"})
    assert [(p.source, p.line, p.image) for p in problems] == [
        ("tripletlists/class_tripletlist_train.txt", 2, None)
    ]
    assert message in problems[0].message
    assert len(manifest.triplets_of("train")) == 4


def test_a_blank_file_name(tmp_path):
    manifest, problems = read(tmp_path, names=[*NAMES[:4], "", *NAMES[5:]])
    assert [(p.source, p.line) for p in problems] == [
        ("filenames.json", 5),
        ("tripletlists/class_tripletlist_val.txt", 1),
    ]
    assert manifest.triplets_of("valid")["attribute"].tolist() == [3]


def test_missing_lists(tmp_path):
    manifest, problems = read(tmp_path, {"gender_tripletlist_train": None})
    assert [(p.source, p.line) for p in problems] == [
        ("tripletlists/gender_tripletlist_train.txt", 0)
    ]
    assert len(manifest.triplets_of("train")) == 4 and not len(manifest.triplets_of("test"))


def test_missing_files(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"filenames\.json"):
        zappos50k.read(tmp_path, defaults().data)
    with pytest.raises(FileNotFoundError, match="class_tripletlist_train.txt and so on"):
        read(tmp_path, dict.fromkeys(LISTS))


def test_many_triplets_name_the_images_that_the_file_names(tmp_path):
    rows = np.random.default_rng(0).integers(0, 8, (500, 3))
    lists = itertools.product(("class", "closure", "gender", "heel"), np.split(rows, 5)[:1])
    changed = {
        f"{name}_tripletlist_test": "\n".join(" ".join(map(str, row)) for row in part)
        for name, part in lists
    }
    manifest, problems = read(tmp_path, changed)
    assert problems == []
    test = manifest.triplets_of("test")
    for place, role in enumerate(("anchor", "negative", "positive")):
        found = [int(image.rpartition("/")[2][:-4]) for image in manifest.images[test[role]]]
        assert found == rows[:100, place].tolist() * 4
