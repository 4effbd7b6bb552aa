import numpy as np
import pytest

from asen_tf.core.config import defaults
from asen_tf.data.formats import shopping100k
from asen_tf.data.manifest import CANDIDATE, NO_ROLE, QUERY, SPLITS

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
    labels = manifest.labels[["image", "attribute", "value"]].tolist()
    assert labels == [(0, 0, 0), (0, 1, 1), (1, 1, 0), (2, 0, 1), (2, 1, 1), (2, 1, 2)]
    assert [str(manifest.problem(row, "gone")) for row in (0, 1)] == [
        "Attributes/collar.txt:2: gone",
        "Attributes/color.txt:2: gone",
    ]


def test_a_photograph_is_one_however_its_path_is_spelled(tmp_path):
    """04-one-photograph-two-spellings."""
    changed = {
        "Attributes/collar.txt": "./m//3.jpg, 10\nf/./1.jpg,9\n",
        "imgs_train.txt": "./m/3.jpg\n",
        "imgs_valid.txt": "f/2.jpg\n",
        "imgs_test.txt": "f//1.jpg\n",
    }
    manifest, problems = read(tmp_path, changed)
    assert problems == []
    assert manifest.images.tolist() == ["Images/f/1.jpg", "Images/f/2.jpg", "Images/m/3.jpg"]
    assert manifest.splits.tolist() == [2, 1, 0]
    assert len(manifest.labels) == 6


def test_names_of_attributes_are_written_alike(tmp_path):
    manifest, _ = read(tmp_path, {"Attributes/Sleeve Length.txt": "f/1.jpg long\n"})
    assert "sleeve_length" in manifest.space.names


def split_of(manifest):
    """Split and roles of each image."""
    roles = {row: set() for row in range(len(manifest))}
    for label in manifest.labels:
        roles[label["image"]].add(int(label["role"]))
    return [(SPLITS[split], *roles[row]) for row, split in enumerate(manifest.splits)]


def counts(parts):
    return {part: parts.count(part) for part in sorted(set(parts))}


@pytest.fixture(scope="module")
def hundredth(tmp_path_factory):
    """1010 images, one in a hundred of the paper's."""
    lines = "".join(f"{n}.jpg v{n % 3}\n" for n in range(1010))
    root = tmp_path_factory.mktemp("shopping")
    (root / "Attributes").mkdir()
    for name in ("color", "collar"):
        (root / f"Attributes/{name}.txt").write_text(lines)
    return root


def test_the_counts_are_the_papers_in_their_proportion(hundredth):
    options = defaults().data
    first, again, other = (
        split_of(shopping100k.read(hundredth, options)[0]) for options.seed in (0, 0, 1)
    )
    expected = {
        ("test", QUERY): 20,  # 2,000 of 101,021
        ("test", CANDIDATE): 190,
        ("train", NO_ROLE): 780,
        ("valid", NO_ROLE): 20,
    }
    assert counts(first) == counts(other) == expected
    assert first == again and first != other


def test_lists_of_the_splits(hundredth):
    names = [f"{n}.jpg" for n in range(1010)]
    lists = {"train": names[:800], "test": names[800:1000]}
    for split, listed in lists.items():
        (hundredth / f"imgs_{split}.txt").write_text("\n".join(listed))
    manifest, problems = shopping100k.read(hundredth, defaults().data)
    assert problems == [] and len(manifest) == 1000
    train = np.isin(manifest.images, [f"Images/{name}" for name in names[:800]])
    parts = np.array([" ".join(map(str, part)) for part in split_of(manifest)])
    # 20 of 800 as 2,000 of 80,021; 19 of 200 as 2,000 of 21,000.
    assert counts(parts[train].tolist()) == {f"train {NO_ROLE}": 780, f"valid {NO_ROLE}": 20}
    assert counts(parts[~train].tolist()) == {f"test {QUERY}": 19, f"test {CANDIDATE}": 181}


def test_a_list_of_the_validation_stays_as_it_is(tmp_path):
    lists = {"imgs_train.txt": "m/3.jpg\n", "imgs_valid.txt": "f/1.jpg\n"}
    manifest, problems = read(tmp_path, lists)
    assert problems == []
    assert manifest.images.tolist() == ["Images/f/1.jpg", "Images/m/3.jpg"]
    assert split_of(manifest) == [("valid", NO_ROLE), ("train", NO_ROLE)]


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
