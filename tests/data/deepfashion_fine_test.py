"""DeepFashion's Anno_fine: six types, and a file of images and one of labels for each split."""

import pytest

from asen_tf.core.config import defaults
from asen_tf.data import formats
from asen_tf.data.doubts import doubts
from asen_tf.data.manifest import NO_ROLE

FILES = {
    "Anno_fine/list_attr_cloth.txt": """7
attribute_name  attribute_type
floral              1
striped             1
long_sleeve         2
maxi_length         3
crew_neckline       4
denim               5
tight               6
""",
    "Anno_fine/train.txt": "img/A_Dress/1.jpg\nimg/A_Dress/2.jpg \n",
    "Anno_fine/train_attr.txt": "0 1 0 0 0 0 1 \n1 0 1 0 0 0 0\n\n",
    "Anno_fine/test.txt": "img/B_Top/1.jpg\r\n",
    "Anno_fine/test_attr.txt": "0 0 0 0 0 0 0\r\n",
}
CLOTH, TRAIN, TRAIN_ATTR, TEST, TEST_ATTR = FILES


def read(root, changed=()):
    for name, text in {**FILES, **dict(changed)}.items():
        if text is not None:
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_bytes(text.encode())
    options = defaults().data
    options.update(format="deepfashion_fine", root=str(root))
    return formats.read(options)


@pytest.mark.parametrize("folder", ["Anno_fine", "Anno"])
def test_types_are_attributes_and_a_1_is_a_label(folder, tmp_path):
    """38-deepfashion-anno-fine."""
    (tmp_path / "Img").mkdir()
    moved = {name: None for name in FILES}
    moved |= {name.replace("Anno_fine", folder): text for name, text in FILES.items()}
    manifest, problems = read(tmp_path, moved)
    assert problems == []
    assert manifest.space.to_dict() == {
        "texture": ["floral", "striped"],
        "sleeve": ["long_sleeve"],
        "length": ["maxi_length"],
        "neckline": ["crew_neckline"],
        "fabric": ["denim"],
        "fit": ["tight"],
    }
    assert manifest.images.tolist() == [
        "Img/img/A_Dress/1.jpg",
        "Img/img/A_Dress/2.jpg",
        "Img/img/B_Top/1.jpg",
    ]
    assert manifest.splits.tolist() == [0, 0, 2]
    assert manifest.labels.tolist() == [
        (0, 0, 1, NO_ROLE),
        (0, 5, 0, NO_ROLE),
        (1, 0, 0, NO_ROLE),
        (1, 1, 0, NO_ROLE),
    ]
    assert str(manifest.problem(2, "gone")) == f"{folder}/test.txt:1: gone"


def test_a_photograph_is_one_however_its_path_is_spelled(tmp_path):
    """04-one-photograph-two-spellings."""
    manifest, _ = read(tmp_path, {TEST: "./img//A_Dress/1.jpg\n"})
    told = [*doubts(manifest, contents=False)]
    assert "1 images are in train and test: img/A_Dress/1.jpg" in told


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("0 1 0 0 0 0", "expected 7 numbers 0 or 1, found '0 1 0 0 0 0'"),
        ("0 1 0 0 0 0 2", "expected 7 numbers 0 or 1"),
        ("0 1 0 0 0 0 -1", "expected 7 numbers 0 or 1"),
    ],
)
def test_a_bad_line_is_named_and_the_others_are_kept(row, message, tmp_path):
    manifest, problems = read(tmp_path, {TRAIN_ATTR: f"{row}\n1 0 0 0 0 0 0\n"})
    assert [(p.source, p.line) for p in problems] == [(TRAIN_ATTR, 1)]
    assert message in problems[0].message
    assert manifest.images.tolist() == ["img/A_Dress/2.jpg", "img/B_Top/1.jpg"]
    assert manifest.labels.tolist() == [(0, 0, 0, NO_ROLE)]


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({CLOTH: None}, FileNotFoundError, "no Anno_fine/list_attr_cloth.txt"),
        ({TRAIN: None, TEST: None}, FileNotFoundError, "no Anno_fine/train.txt"),
        ({TRAIN_ATTR: None}, FileNotFoundError, "train_attr.txt"),
        ({TRAIN_ATTR: "0 0 0 0 0 0 0\n"}, ValueError, "each of the 2 images .*train.txt, found 1"),
        ({CLOTH: FILES[CLOTH].replace("6\n", "7\n")}, ValueError, "cloth.txt:9: .* from 1 to 6"),
        (
            {TRAIN: "\n", TRAIN_ATTR: "\n", TEST: "", TEST_ATTR: ""},
            ValueError,
            "no image could be read",
        ),
    ],
)
def test_what_is_not_understood_as_a_whole(changed, error, message, tmp_path):
    with pytest.raises(error, match=message):
        read(tmp_path, changed)
