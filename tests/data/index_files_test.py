from pathlib import Path

import numpy as np
import pytest

from asen_client.core.foreign import FormatError
from asen_tf.core.config import defaults
from asen_tf.data.formats import index_files
from asen_tf.data.manifest import CANDIDATE, NO_ROLE, QUERY
from tests import bounded

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
FILES = {
    "attributes.csv": "index,attribute,values\n0,fit,slim|loose\n1,color,red|green|blue\n",
    "filenames_train.txt": "a.jpg\nb.jpg\n",
    "label_train.txt": "0 0 1 1 2\n1 1 0 1 1\n",
    "filenames_test.txt": "c.jpg\nd.jpg\ne.jpg\n",
    "query_test.txt": "2 0 1\n",
    "candidate_test.txt": "0 0 1\n1\t0\t0\n2 1 0\n",
}


def read(root, changed=(), **options):
    folder = root / "splits"
    folder.mkdir()
    for name, text in {**FILES, **dict(changed)}.items():
        if text is not None:
            (folder / name).write_bytes(text.encode())
    data = defaults().data
    data.update(**options)
    return index_files.read(root, data)


def test_rows_labels_and_roles(tmp_path):
    manifest, problems = read(tmp_path)
    assert problems == []
    assert manifest.images.tolist() == ["a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"]
    assert manifest.splits.tolist() == [0, 0, 2, 2, 2]
    assert manifest.labels.tolist() == [
        (0, 0, 1, NO_ROLE),
        (0, 1, 2, NO_ROLE),
        (1, 1, 0, NO_ROLE),
        (1, 1, 1, NO_ROLE),
        (2, 0, 1, CANDIDATE),
        (3, 0, 0, CANDIDATE),
        (4, 0, 1, QUERY),
        (4, 1, 0, CANDIDATE),
    ]
    assert str(manifest.problem(3, "gone")) == "splits/filenames_test.txt:2: gone"
    assert str(manifest.problem(1, "gone")) == "splits/filenames_train.txt:2: gone"


def test_the_train_list_may_be_absent(tmp_path):
    manifest, problems = read(tmp_path, {"filenames_train.txt": None})
    assert problems == []
    assert manifest.images.tolist() == ["c.jpg", "d.jpg", "e.jpg"]
    assert len(manifest.labels) == 4


# Ids 0..4 of two attributes: fit has 1 and 3, color 0, 2 and 4.
VALUES = {
    "filenames_valid.txt": "v.jpg\nw.jpg\n",
    "query_valid.txt": "0 1 1\n",
    "candidate_valid.txt": "1 0 1\n",
    "label_valid.txt": "0\t1\t1\t2\t2\t2\t4\t\t\t\n1\t1\t3\t\t\t\t\t\n",
    "label_test.txt": "0\t1\t3\n1\t1\t1\n2\t2\t0\t1\t3\n",
}
CLOTH = "5\nattribute_name  attribute_type\na 2\nb b 1\nc 2\nd 1\ne 2\n"


def test_all_values_become_records_without_a_role(tmp_path):
    manifest, problems = read(tmp_path, VALUES)
    assert problems == []
    assert manifest.images.tolist()[2:4] == ["v.jpg", "w.jpg"]
    assert manifest.labels_of("valid").tolist() == [
        (2, 0, 0, NO_ROLE),
        (2, 1, 1, NO_ROLE),
        (2, 1, 1, QUERY),
        (2, 1, 2, NO_ROLE),
        (3, 0, 1, NO_ROLE),
        (3, 0, 1, CANDIDATE),
    ]
    test = manifest.labels_of("test")
    assert test[test["role"] == NO_ROLE].tolist() == [
        (4, 0, 1, NO_ROLE),
        (5, 0, 0, NO_ROLE),
        (6, 0, 1, NO_ROLE),
        (6, 1, 0, NO_ROLE),
    ]


@pytest.mark.parametrize("folder", ["splits", "Anno_coarse", "Anno"])
def test_the_list_of_ids_is_that_of_list_attr_cloth_where_it_is_there(tmp_path, folder):
    # Without it, color would seem to have two values: id 0 does not occur.
    changed = {**VALUES, "label_test.txt": "0 1 3\n1 1 1\n2 2 4 1 3\n"}
    _, problems = read(tmp_path, changed)
    assert [(p.source, p.line) for p in problems] == [("splits/label_valid.txt", 0)]
    assert "the attributes have (2, 3) values, their ids here are (2, 2)" in problems[0].message
    (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / folder / "list_attr_cloth.txt").write_text(CLOTH)
    manifest, problems = index_files.read(tmp_path, defaults().data)
    # What the query and candidate files say of e.jpg agrees with fit alone.
    assert [p.line for p in problems] == [3]
    assert (2, 1, 2, NO_ROLE) in manifest.labels_of("valid").tolist()


def test_a_list_of_ids_without_any(tmp_path):
    _, problems = read(tmp_path, {**VALUES, "list_attr_cloth.txt": "0\nname type\n"})
    assert "the attributes have (2, 3) values, their ids here are (0, 0)" in problems[0].message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 1 3\n1 1\n1 1 1\n2 2 0 1 3\n", "expected whole numbers 'fid type id"),
        ("0 1 3\n3 1 1\n1 1 1\n2 2 0 1 3\n", "fid 3 is out of range: the split has 3 images"),
        ("0 1 3\n1 1 1 2 1\n2 2 0 1 3\n", "1 is no id of the attributes of type 2"),
        ("0 1 3\n1 1 1 0 1\n2 2 0 1 3\n", "attribute 0, expected 1 to 2"),
        ("0 1 3\n1 1 1 99999999 5\n2 2 0 1 3\n", "attribute 99999999, expected 1 to 2"),
        ("0 1 3\n1 1 1 5000000000 5\n2 2 0 1 3\n", "attribute 5000000000, expected 1 to 2"),
        ("0 1 3\n4294967297 1 1\n1 1 1\n2 2 0 1 3\n", "found 4294967297 and 1"),
        ("0 1 3\n1 1 1 2 4611686018427387906\n2 2 0 1 3\n", "found 1 and 4611686018427387906"),
        ("0 1 3\n1 1 3\n2 2 0 1 3\n", "value 0 of attribute 0, which fid 1 has as query or"),
    ],
)
def test_a_bad_line_of_all_values(tmp_path, text, message):
    changed = {**VALUES, "label_test.txt": text, "list_attr_cloth.txt": CLOTH}
    _, problems = read(tmp_path, changed)
    assert [(p.source, p.line, p.image) for p in problems] == [("splits/label_test.txt", 2, None)]
    assert message in problems[0].message


def test_large_numbers_cost_nothing(tmp_path):
    """sec-08-label-file-memory: counting up to them took as many bytes."""
    for name, number in (("a", 99_999_999), ("b", 400_000_000), ("c", 2**31 - 1)):
        (tmp_path / name).mkdir()
        read(tmp_path / name, {**VALUES, "label_test.txt": f"1 {number} 5\n1 1 {number}\n"})
    folders = [tmp_path / name for name in "abc"]
    found = bounded.outcomes("tests.data.index_files_test:read_again", folders)
    assert found == ["read"] * 3


def read_again(root):
    """Reads the index files in a folder."""
    return index_files.read(Path(root), defaults().data)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"c.jpg\n\xff.jpg\n", r"splits/filenames_test.txt:2: not UTF-8"),
        (b"version https://git-lfs.github.com/spec/v1\n", r"splits/filenames_test.txt: .*lfs pull"),
    ],
)
def test_files_of_another_kind(tmp_path, raw, message):
    read(tmp_path)
    (tmp_path / "splits" / "filenames_test.txt").write_bytes(raw)
    with pytest.raises(FormatError, match=message):
        read_again(tmp_path)


def test_index_files_beside_the_images(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    data = defaults().data
    data.index_dir = "."
    manifest, problems = index_files.read(tmp_path, data)
    assert problems == [] and len(manifest) == 5


def test_dos_line_ends_and_a_last_line_without_end(tmp_path):
    changed = {
        "filenames_test.txt": "c.jpg\r\nd.jpg\r\ne.jpg",
        "query_test.txt": "2 0 1\r\n\r\n",
        "candidate_test.txt": "0 0 1\r\n1 0 0",
    }
    manifest, problems = read(tmp_path, changed)
    assert problems == []
    assert manifest.images.tolist()[2:] == ["c.jpg", "d.jpg", "e.jpg"]
    assert len(manifest.labels) == 4 + 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 0 1\n3 0 1\n1 0 0\n", "fid 3 is out of range: the split has 3 images"),
        ("0 0 1\n-1 0 1\n1 0 0\n", "fid -1 is out of range"),
        ("0 0 1\n1 2 1\n1 0 0\n", "attribute 2 is out of range: there are 2"),
        ("0 0 1\n1 0 2\n1 0 0\n", "value 2 is out of range: fit has 2 values"),
        ("0 0 1\n1 0\n1 0 0\n", "found '1 0'"),
        ("0 0 1\n1 0 1 1\n1 0 0\n", "found '1 0 1 1'"),
        ("0 0 1\n1 0 one\n1 0 0\n", "found '1 0 one'"),
        ("0 0 1\n1 0 99999999999999999999\n1 0 0\n", "found '1 0 9999"),
        ("0 0 1\n2 0 1\n1 0 0\n", "fid 2 is a query of attribute 0 already"),
    ],
)
def test_a_bad_line_is_named_and_left_out(tmp_path, text, message):
    manifest, problems = read(tmp_path, {"candidate_test.txt": text})
    assert [(p.source, p.line, p.image) for p in problems] == [
        ("splits/candidate_test.txt", 2, None)
    ]
    assert message in problems[0].message
    test = manifest.labels_of("test").tolist()
    assert test == [(2, 0, 1, CANDIDATE), (3, 0, 0, CANDIDATE), (4, 0, 1, QUERY)]


def test_a_blank_file_name_keeps_the_numbering(tmp_path):
    manifest, problems = read(tmp_path, {"filenames_test.txt": "c.jpg\n\ne.jpg\n\n"})
    assert [(p.source, p.line, p.image) for p in problems] == [("splits/filenames_test.txt", 2, 3)]
    assert manifest.images.tolist()[2:] == ["c.jpg", "", "e.jpg"]


@pytest.mark.parametrize("name", ["label_train.txt", "query_test.txt", "candidate_test.txt"])
def test_a_missing_label_file_is_a_problem_of_the_whole(tmp_path, name):
    _, problems = read(tmp_path, {name: None})
    assert [(p.source, p.line, p.image) for p in problems] == [(f"splits/{name}", 0, None)]


def test_no_file_names_at_all(tmp_path):
    with pytest.raises(FileNotFoundError, match="no index files"):
        read(tmp_path, {"filenames_train.txt": None, "filenames_test.txt": None})


def test_no_attributes(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"attributes\.csv"):
        read(tmp_path, {"attributes.csv": None})


def test_attributes_from_the_configuration(tmp_path):
    pairs = (("fit", ("slim", "loose")), ("color", 3))
    manifest, problems = read(tmp_path, {"attributes.csv": None}, attributes=pairs)
    assert problems == []
    assert list(manifest.space.to_dict().items()) == [
        ("fit", ["slim", "loose"]),
        ("color", ["0", "1", "2"]),
    ]


def test_configured_attributes_keep_their_order_or_are_refused(tmp_path):
    data = defaults().data
    with data.ignore_type():
        data.attributes = {"fit": 2, "color": 3}
    with pytest.raises(ValueError, match="give pairs"):
        index_files.read(tmp_path, data)
    data = defaults().data
    data.attributes = ("fit", "color")
    with pytest.raises(ValueError, match=r"expected \(name, values\) pairs, found 'fit'"):
        index_files.read(tmp_path, data)
    data.attributes = (("fit", 2), ("fit", 3))
    with pytest.raises(ValueError, match="twice"):
        index_files.read(tmp_path, data)


def test_real_index_files_agree_with_the_table():
    root = SHARED / "clothing_attributes"
    if not root.is_dir():
        pytest.skip("the Clothing Attribute Dataset is not in shared/data")
    manifest, problems = index_files.read(root, defaults().data)
    assert problems == []
    header, *rows = (line.split(",") for line in (root / "manifest.csv").read_text().split())
    table = {row[0]: dict(zip(header, row, strict=True)) for row in rows if len(row) == len(header)}
    assert [len(manifest.rows(s)) for s in ("train", "valid", "test")] == [1299, 185, 372]
    names = manifest.space.names
    got = np.full((len(manifest), len(names)), "", object)
    for image, attribute, value, _ in manifest.labels.tolist():
        got[image, attribute] = manifest.space[names[attribute]].values[value]
    for image, split, values in zip(manifest.images, manifest.splits, got, strict=True):
        if image in table:
            assert table[image]["split"] == ("train", "valid", "test")[split]
            assert [table[image][name] for name in names] == values.tolist()
    assert len(table) > 1700
