from pathlib import Path

import numpy as np
import pytest

from asen_tf.core.config import defaults
from asen_tf.data.formats import index_files
from asen_tf.data.manifest import CANDIDATE, NO_ROLE, QUERY

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


@pytest.mark.parametrize(
    ("name", "counts", "images", "queries", "candidates"),
    [
        ("FashionAI", (6, 9, 8, 6, 5, 5, 10, 5), (18000, 18000), 3600, 14400),
        ("DARN", (20, 13, 55, 7, 28, 11, 25, 8, 17), (21461, 21461), 4293, 17168),
        ("DeepFashion", (156, 218, 180, 216, 230), (27625, 27625), 5525, 22100),
    ],
)
def test_published_splits(name, counts, images, queries, candidates):
    root = SHARED / "official_splits"
    if not root.is_dir():
        pytest.skip("the published index files are not in shared/data")
    data = defaults().data
    data.update(index_dir=name, attributes=tuple((f"a{i}", n) for i, n in enumerate(counts)))
    manifest, problems = index_files.read(root, data)
    assert problems == []
    assert len(manifest.rows("train")) == 0
    for split, count in zip(("valid", "test"), images, strict=True):
        assert len(manifest.rows(split)) == count
        roles = manifest.labels_of(split)["role"]
        assert (roles == QUERY).sum() == queries
        assert (roles == CANDIDATE).sum() == candidates


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
