import pytest

from asen_tf.core.config import defaults
from asen_tf.data.formats import fashionai
from asen_tf.data.manifest import NO_ROLE

TRAIN1 = """Images/skirt_length_labels/0a.jpg,skirt_length_labels,nymnnn
Images/collar_design_labels/0b.jpg,collar_design_labels,ynnnn
"""
TRAIN2 = """Images/skirt_length_labels/0c.jpg,skirt_length_labels,nnnnny
Images/neckline_design_labels/0a.jpg,neckline_design_labels,nnnnnnmnym
"""


def read(root, files, **options):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text.encode())
    data = defaults().data
    data.update(**{"check": "none"} | options)
    return fashionai.read(root, data)


def two_archives(root, **options):
    return read(
        root,
        {
            "fashionAI_attributes_train1/Annotations/label.csv": TRAIN1,
            "fashionAI_attributes_train2/Annotations/label.csv": TRAIN2,
        },
        **options,
    )


def labels(manifest):
    names = manifest.space.names
    return [
        (manifest.images[i].rpartition("Images/")[2], names[a], manifest.space[names[a]].values[v])
        for i, a, v, _ in manifest.labels.tolist()
    ]


def test_the_y_is_the_value(tmp_path):
    manifest, problems = two_archives(tmp_path)
    assert problems == []
    assert manifest.images.tolist() == [
        "fashionAI_attributes_train1/Images/collar_design_labels/0b.jpg",
        "fashionAI_attributes_train1/Images/skirt_length_labels/0a.jpg",
        "fashionAI_attributes_train2/Images/neckline_design_labels/0a.jpg",
        "fashionAI_attributes_train2/Images/skirt_length_labels/0c.jpg",
    ]
    assert labels(manifest) == [
        ("collar_design_labels/0b.jpg", "collar_design", "invisible"),
        ("skirt_length_labels/0a.jpg", "skirt_length", "short"),
        ("neckline_design_labels/0a.jpg", "neckline_design", "sweetheart"),
        ("skirt_length_labels/0c.jpg", "skirt_length", "floor"),
    ]
    assert set(manifest.labels["role"].tolist()) == {NO_ROLE}


def test_an_m_is_a_label_on_demand(tmp_path):
    manifest, _ = two_archives(tmp_path, maybe=True)
    assert labels(manifest) == [
        ("collar_design_labels/0b.jpg", "collar_design", "invisible"),
        ("skirt_length_labels/0a.jpg", "skirt_length", "short"),
        ("skirt_length_labels/0a.jpg", "skirt_length", "knee"),
        ("neckline_design_labels/0a.jpg", "neckline_design", "off shoulder"),
        ("neckline_design_labels/0a.jpg", "neckline_design", "sweetheart"),
        ("neckline_design_labels/0a.jpg", "neckline_design", "one shoulder"),
        ("skirt_length_labels/0c.jpg", "skirt_length", "floor"),
    ]


def test_a_problem_of_an_image_names_its_own_file(tmp_path):
    manifest, _ = two_archives(tmp_path)
    assert [str(manifest.problem(row, "gone")) for row in (0, 3)] == [
        "fashionAI_attributes_train1/Annotations/label.csv:2: gone",
        "fashionAI_attributes_train2/Annotations/label.csv:1: gone",
    ]
    assert str(manifest.take([3]).problem(0, "gone")).startswith("fashionAI_attributes_train2/")


def test_copies_of_a_photograph_under_two_attributes_share_a_split(tmp_path):
    rows = "".join(
        f"Images/{name}_labels/{n}.jpg,{name}_labels,ynnnn\n"
        for name in ("collar_design", "lapel_design")
        for n in range(60)
    )
    manifest, problems = read(tmp_path, {"base/Annotations/label.csv": rows})
    assert problems == []
    splits = {}
    for image, split in zip(manifest.images, manifest.splits.tolist(), strict=True):
        splits.setdefault(image.rpartition("/")[2], set()).add(split)
    assert len(splits) == 60 and all(len(found) == 1 for found in splits.values())
    assert {split for found in splits.values() for split in found} == {0, 1, 2}


def test_an_image_may_have_several_attributes(tmp_path):
    text = "Images/x/1.jpg,skirt_length_labels,ynnnnn\nImages/x/1.jpg,neck_design_labels,nynnn\n"
    manifest, problems = read(tmp_path, {"base/Annotations/label.csv": text})
    assert problems == []
    assert [label[1:] for label in labels(manifest)] == [
        ("skirt_length", "invisible"),
        ("neck_design", "turtle"),
    ]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("Images/1.jpg,skirt_length_labels", "found 2 cells"),
        ("Images/1.jpg,skirt_length_labels,ynnnnn,1,x", "found 5 cells"),
        ("Images/1.jpg;skirt_length_labels;ynnnnn", "found 1 cells; cells are separated by com"),
        (",skirt_length_labels,ynnnnn", "no image path"),
        ("Images/1.jpg,skirt_lenght_labels,ynnnnn", "Did you mean 'skirt_length_labels'"),
        ("Images/1.jpg,skirt_length,ynnnnn", "Did you mean 'skirt_length_labels'"),
        ("Images/1.jpg,skirt_length_labels,ynnnn", "expected 6 letters y, m or n"),
        ("Images/1.jpg,skirt_length_labels,ynnnnnn", "found 'ynnnnnn'"),
        ("Images/1.jpg,skirt_length_labels,ynnn?n", "found 'ynnn?n'"),
        ("Images/1.jpg,skirt_length_labels,nnnmnn", "exactly one y, found 'nnnmnn'"),
        ("Images/1.jpg,skirt_length_labels,ynnyn", "expected 6 letters"),
        ("Images/1.jpg,skirt_length_labels,ynnynn", "exactly one y, found 'ynnynn'"),
        ("Images/skirt_length_labels/0a.jpg,skirt_length_labels,ynnnnn", "skirt_length already"),
    ],
)
def test_a_bad_row_is_named_and_left_out(tmp_path, row, message):
    first, second = TRAIN1.splitlines()
    text = f"{first}\r\n\r\n{row}\r\n{second}"
    manifest, problems = read(tmp_path, {"base/Annotations/label.csv": text})
    assert [(p.source, p.line, p.image) for p in problems] == [
        ("base/Annotations/label.csv", 3, None)
    ]
    assert message in problems[0].message
    assert len(manifest) == 2


def test_other_files_by_pattern(tmp_path):
    files = {
        "base/Annotations/label.csv": TRAIN1,
        "rank/Tests/answer_a.csv": "Images/coat_length_labels/9.jpg,coat_length_labels,nnnnnnny\n",
        "rank/Tests/question.csv": "Images/coat_length_labels/9.jpg,coat_length_labels,\n",
    }
    patterns = ("*/Annotations/*.csv", "*/Tests/answer*.csv")
    manifest, problems = read(tmp_path, files, label_files=patterns)
    assert problems == []
    assert ("coat_length_labels/9.jpg", "coat_length", "ankle & floor") in labels(manifest)


def test_a_fourth_cell_is_passed_over(tmp_path):
    """20-fashionai-fourth-column."""
    rows = "\n".join(f"{row},0.5" for row in TRAIN1.split())
    manifest, problems = read(tmp_path, {"base/Annotations/label.csv": rows})
    assert problems == []
    assert [label[1:] for label in labels(manifest)] == [
        ("collar_design", "invisible"),
        ("skirt_length", "short"),
    ]


@pytest.mark.parametrize(
    ("file", "archives", "found"),
    [
        pytest.param("answer.csv", ["rank"], "rank", id="37-fashionai-answers-beside-rank"),
        pytest.param("rank/answer.csv", ["rank"], "rank", id="37-in-rank"),
        ("answer.csv", ["."], "."),
        ("a/b/c/answer.csv", ["a"], "a"),
        ("base/Tests/answer.csv", ["base", "other"], "base"),
        ("answers/answer.csv", ["rank", "web"], "rank"),
    ],
)
def test_pictures_are_found_wherever_the_archive_lies(file, archives, found, tmp_path):
    for archive in archives:
        (tmp_path / archive / "Images" / "skirt_length_labels").mkdir(parents=True)
    (tmp_path / found / "Images" / "skirt_length_labels" / "0a.jpg").write_bytes(b"x")
    files = {file: TRAIN1.split()[0]}
    manifest, problems = read(tmp_path, files, label_files=(file,), check="exists")
    assert problems == []
    above = "" if found == "." else f"{found}/"
    assert manifest.images.tolist() == [f"{above}Images/skirt_length_labels/0a.jpg"]


def test_pictures_of_one_name_in_two_archives(tmp_path):
    """Each row of a file that lies beside both has the picture that is there."""
    rows = [f"Images/neck_design_labels/{name}.jpg,neck_design_labels,ynnnn" for name in "ab"]
    for archive, name in (("rank", "b"), ("web", "a")):
        folder = tmp_path / archive / "Images" / "neck_design_labels"
        folder.mkdir(parents=True)
        (folder / f"{name}.jpg").write_bytes(b"x")
    manifest, _ = read(tmp_path, {"answer.csv": "\n".join(rows)}, label_files=("answer.csv",))
    assert manifest.images.tolist() == [
        "rank/Images/neck_design_labels/b.jpg",
        "web/Images/neck_design_labels/a.jpg",
    ]


def test_pictures_that_are_nowhere_are_one_problem(tmp_path):
    (tmp_path / "base" / "Images" / "skirt_length_labels").mkdir(parents=True)
    (tmp_path / "base" / "Images" / "collar_design_labels").mkdir()
    files = {"base/Annotations/label.csv": TRAIN1, "gone/label.csv": TRAIN2.replace("Im", "im")}
    manifest, problems = read(tmp_path, files, label_files=("**/label.csv",), check="exists")
    assert len(manifest) == 2
    assert [(problem.source, problem.line) for problem in problems] == [("gone/label.csv", 0)]
    assert "no folder images/skirt_length_labels/ in gone, ., base of " in problems[0].message


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no label file matches \*/Annotations"):
        read(tmp_path, {})
    with pytest.raises(ValueError, match="no row could be read: .*label.csv:1: expected image"):
        read(tmp_path, {"a/Annotations/label.csv": "nonsense\n"})
    with pytest.raises(ValueError, match="not CSV"):
        read(tmp_path, {"a/Annotations/label.csv": '"Images/1.jpg,x\n'})


def test_the_space_is_that_of_the_index_files():
    counts = (6, 9, 8, 6, 5, 5, 10, 5)
    assert fashionai.SPACE.value_counts == counts
