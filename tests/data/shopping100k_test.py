import pytest

from asen_tf.core.config import defaults
from asen_tf.data.formats import shopping100k
from asen_tf.data.formats.hashed_splits import hashed_splits
from asen_tf.data.manifest import NO_ROLE

FILES = {
    "Attributes/color.txt": "f/1.jpg red\nf/2.jpg dark blue\n\nm/3.jpg red\nm/3.jpg white\n",
    "Attributes/collar.txt": "m/3.jpg, 10\nf/1.jpg,9\n",
}


def read(root, changed=()):
    for name, text in {**FILES, **dict(changed)}.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    return shopping100k.read(root, defaults().data)


def test_a_file_is_an_attribute_and_a_line_a_label(tmp_path):
    manifest, problems = read(tmp_path)
    assert problems == []
    assert list(manifest.space.to_dict().items()) == [
        ("collar", ["9", "10"]),
        ("color", ["dark blue", "red", "white"]),
    ]
    assert manifest.images.tolist() == ["Images/f/1.jpg", "Images/f/2.jpg", "Images/m/3.jpg"]
    assert manifest.labels.tolist() == [
        (0, 0, 0, NO_ROLE),
        (0, 1, 1, NO_ROLE),
        (1, 1, 0, NO_ROLE),
        (2, 0, 1, NO_ROLE),
        (2, 1, 1, NO_ROLE),
        (2, 1, 2, NO_ROLE),
    ]
    assert manifest.splits.tolist() == hashed_splits(["f/1.jpg", "f/2.jpg", "m/3.jpg"]).tolist()
    assert [str(manifest.problem(row, "gone")) for row in (0, 1)] == [
        "Attributes/collar.txt:2: gone",
        "Attributes/color.txt:2: gone",
    ]


def test_lists_of_the_splits(tmp_path):
    lists = {"splits/imgs_train.txt": "m/3.jpg\n", "splits/imgs_test.txt": "f/1.jpg\n"}
    manifest, problems = read(tmp_path, lists)
    assert problems == []
    assert manifest.images.tolist() == ["Images/f/1.jpg", "Images/m/3.jpg"]
    assert manifest.splits.tolist() == [2, 0]
    assert manifest.labels["image"].tolist() == [0, 0, 1, 1, 1]


def test_bad_lines_of_the_lists(tmp_path):
    lists = {
        "splits/imgs_train.txt": "m/3.jpg\nx.jpg\n",
        "splits/imgs_test.txt": "f/1.jpg\nm/3.jpg\nf/2.jpg\n",
    }
    manifest, problems = read(tmp_path, lists)
    assert [str(problem) for problem in problems] == [
        "splits/imgs_train.txt:2: x.jpg has no attribute",
        "splits/imgs_test.txt:2: m/3.jpg is listed already",
    ]
    assert manifest.splits.tolist() == [2, 2, 0]


@pytest.mark.parametrize("line", ["f/2.jpg", "f/2.jpg,", "f/2.jpg   "])
def test_a_line_without_a_value(tmp_path, line):
    manifest, problems = read(tmp_path, {"Attributes/color.txt": f"f/1.jpg red\n{line}\n"})
    assert [(p.source, p.line) for p in problems] == [("Attributes/color.txt", 2)]
    assert "expected a path and a value" in problems[0].message
    assert len(manifest) == 2


def test_files_that_say_nothing(tmp_path):
    with pytest.raises(FileNotFoundError, match="no attribute files"):
        shopping100k.read(tmp_path, defaults().data)
    with pytest.raises(ValueError, match=r"Attributes/color\.txt: no line with"):
        read(tmp_path, {"Attributes/color.txt": "\n"})
