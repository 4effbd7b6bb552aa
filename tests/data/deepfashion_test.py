import numpy as np
import pytest

from asen_tf.core.config import defaults
from asen_tf.data.formats import deepfashion
from asen_tf.data.manifest import NO_ROLE

FILES = {
    "Anno_coarse/list_attr_cloth.txt": """7
attribute_name  attribute_type
a-line                        3
abstract chevron print        1
abstract                      1
acid wash denim               2
ankle strap                   4
americana                     5
baroque                       1
""",
    "Anno_coarse/list_attr_img.txt": """4
image_name  attribute_labels
img/Sheer_Blouse/img_00000001.jpg               -1  1 -1  0 -1 -1  1
img/Sheer_Blouse/img_00000002.jpg                1 -1 -1 -1 -1  1 -1
img/Ankle_Jeans/img_00000001.jpg                -1 -1 -1 -1 -1 -1 -1
img/Ankle_Jeans/img_00000002.jpg                 0  0  1  1 -1 -1 -1
""",
    "Eval/list_eval_partition.txt": """4
image_name  evaluation_status
img/Sheer_Blouse/img_00000001.jpg                                      train
img/Sheer_Blouse/img_00000002.jpg                                      val
img/Ankle_Jeans/img_00000001.jpg                                       test
img/Ankle_Jeans/img_00000002.jpg                                       train
""",
}
CLOTH, IMAGES, PARTITION = FILES


def read(root, changed=()):
    for name, text in {**FILES, **dict(changed)}.items():
        if text is not None:
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_bytes(text.encode())
    return deepfashion.read(root, defaults().data)


def test_types_are_attributes_and_a_1_is_a_label(tmp_path):
    manifest, problems = read(tmp_path)
    assert problems == []
    assert manifest.space.to_dict() == {
        "texture": ["abstract chevron print", "abstract", "baroque"],
        "fabric": ["acid wash denim"],
        "shape": ["a-line"],
        "part": ["ankle strap"],
        "style": ["americana"],
    }
    assert manifest.images.tolist() == [
        "img/Sheer_Blouse/img_00000001.jpg",
        "img/Sheer_Blouse/img_00000002.jpg",
        "img/Ankle_Jeans/img_00000001.jpg",
        "img/Ankle_Jeans/img_00000002.jpg",
    ]
    assert manifest.splits.tolist() == [0, 1, 2, 0]
    assert manifest.labels.tolist() == [
        (0, 0, 0, NO_ROLE),
        (0, 0, 2, NO_ROLE),
        (1, 2, 0, NO_ROLE),
        (1, 4, 0, NO_ROLE),
        (3, 0, 1, NO_ROLE),
        (3, 1, 0, NO_ROLE),
    ]
    assert str(manifest.problem(2, "gone")) == f"{IMAGES}:5: gone"


def test_earlier_releases_and_unpacked_images(tmp_path):
    (tmp_path / "Img" / "img").mkdir(parents=True)
    earlier = {name: None for name in FILES if name.startswith("Anno")}
    earlier |= {n.replace("_coarse", ""): FILES[n] for n in FILES if n.startswith("Anno")}
    manifest, problems = read(tmp_path, earlier)
    assert problems == []
    assert manifest.images[0] == "Img/img/Sheer_Blouse/img_00000001.jpg"
    assert len(manifest.labels) == 6


def test_a_photograph_is_one_however_its_path_is_spelled(tmp_path):
    """04-one-photograph-two-spellings."""
    other = FILES[PARTITION].replace("img/Ankle", "./img//Ankle")
    manifest, problems = read(tmp_path, {PARTITION: other})
    assert problems == []
    assert manifest.images[2] == "img/Ankle_Jeans/img_00000001.jpg"
    assert manifest.splits.tolist() == [0, 1, 2, 0]
    again = f"{FILES[PARTITION]}./img/Ankle_Jeans/img_00000001.jpg train\n".replace("4", "5", 1)
    _, problems = read(tmp_path, {PARTITION: again})
    assert "img/Ankle_Jeans/img_00000001.jpg is in line 5 already" in str(problems)


@pytest.mark.parametrize(
    ("name", "line", "bad", "said_of", "message"),
    [
        (IMAGES, 4, "img/x.jpg 1 -1 -1 -1 -1 -1", IMAGES, "img/x.jpg: expected 7 numbers"),
        (IMAGES, 4, "img/x.jpg 1 -1 -1 -1 -1 -1 -1 0", IMAGES, "img/x.jpg: expected 7 numbers"),
        (IMAGES, 4, "img/x.jpg 1 -1 -1 2 -1 -1 -1", IMAGES, "expected 7 numbers 1, 0 or -1"),
        (IMAGES, 4, "img/x.jpg 1 -1 -1 -11 -1 -1 -1", IMAGES, "expected 7 numbers 1, 0 or -1"),
        (IMAGES, 4, "img/x.jpg 1 -1 -1 10 -1 -1 -1", IMAGES, "expected 7 numbers 1, 0 or -1"),
        (IMAGES, 4, "img/x.jpg 1 -1 -1 -1 -1 -1 -", IMAGES, "expected 7 numbers 1, 0 or -1"),
        (IMAGES, 4, "img/x.jpg", IMAGES, "expected 7 numbers 1, 0 or -1"),
        (IMAGES, 4, "img/x.jpg 1 -1 -1 -1 -1 -1 -1", IMAGES, "img/x.jpg is not in Eval/"),
        (
            IMAGES,
            5,
            "img/Sheer_Blouse/img_00000001.jpg 1 -1 -1 -1 -1 -1 -1",
            IMAGES,
            "is here a second time",
        ),
        (PARTITION, 4, "img/x.jpg    val", PARTITION, "img/x.jpg has no good line in Anno_coarse"),
        (PARTITION, 4, "img/x.jpg    vall", PARTITION, "Did you mean 'val'"),
        (PARTITION, 4, "train", PARTITION, "expected a path and a split"),
        (
            PARTITION,
            4,
            "img/Sheer_Blouse/img_00000001.jpg  val",
            PARTITION,
            "is in line 3 already",
        ),
    ],
)
def test_a_bad_line_is_named_and_the_others_are_kept(tmp_path, name, line, bad, said_of, message):
    lines = FILES[name].splitlines()
    lines.insert(line - 1, bad)
    lines[0] = str(len(lines) - 2)
    manifest, problems = read(tmp_path, {name: "\n".join(lines) + "\n"})
    assert [(p.source, p.line, p.image) for p in problems] == [(said_of, line, None)]
    assert message in problems[0].message
    assert len(manifest) == 4 and len(manifest.labels) == 6


def test_lines_are_counted_over_blank_ones_dos_ends_and_a_missing_last_end(tmp_path):
    text = FILES[IMAGES].replace("\nimg/Ankle", "\n\nimg/Ankle", 1).replace("\n", "\r\n").rstrip()
    manifest, problems = read(tmp_path, {IMAGES: text})
    assert problems == []
    assert manifest.lines.tolist() == [3, 4, 6, 7]
    assert len(manifest.labels) == 6


@pytest.mark.parametrize("name", [IMAGES, PARTITION])
def test_a_file_that_is_cut_off(tmp_path, name):
    *lines, _ = FILES[name].splitlines()
    _, problems = read(tmp_path, {name: "\n".join(lines)})
    assert (name, 0) == (problems[0].source, problems[0].line)
    assert "the first line says '4', 3 lines follow" in problems[0].message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (FILES[CLOTH].replace("7\n", "8\n", 1), "cloth.txt:1: expected the number .* 7, found '8'"),
        (FILES[CLOTH].replace("denim               2", "denim"), "cloth.txt:6: expected a name"),
        (FILES[CLOTH].replace("strap                   4", "strap 6"), "cloth.txt:7: .* from 1 to"),
        ("", "found ''"),
    ],
)
def test_attributes_that_are_not_understood(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, {CLOTH: text})


def test_missing_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="no Anno_coarse/list_attr_cloth.txt"):
        read(tmp_path, {CLOTH: None})


def test_anno_fine_is_named_where_it_lies_in_the_place_of_the_others(tmp_path):
    """38-deepfashion-anno-fine."""
    six = FILES[CLOTH].replace("strap                   4", "strap 6")
    with pytest.raises(ValueError, match="list of Anno_fine: data.format=deepfashion_fine reads"):
        read(tmp_path, {CLOTH: six})
    (tmp_path / CLOTH).unlink()
    (tmp_path / "Anno_fine").mkdir()
    (tmp_path / "Anno_fine" / "list_attr_cloth.txt").write_text(six)
    with pytest.raises(FileNotFoundError, match="deepfashion_fine reads Anno_fine"):
        read(tmp_path, {CLOTH: None})


def test_a_wide_table_over_several_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr(deepfashion, "CHUNK_BYTES", 10_000)
    generator = np.random.default_rng(0)
    images, width = 200, 100
    table = generator.choice([-1, 0, 1], (images, width), p=[0.8, 0.1, 0.1])
    types = [*range(1, 6)] * (width // 5)
    names = [f"img/a/{n}.jpg" for n in range(images)]
    rows = [
        f"{name:<40}" + " ".join(f"{n:2d}" for n in row)
        for name, row in zip(names, table, strict=True)
    ]
    manifest, problems = read(
        tmp_path,
        {
            CLOTH: "\n".join([str(width), "x", *(f"v {n} {t}" for n, t in enumerate(types))]),
            IMAGES: "\n".join([str(images), "x", *rows]),
            PARTITION: "\n".join([str(images), "x", *(f"{name} train" for name in names)]),
        },
    )
    assert problems == []
    found = {(image, attribute, value) for image, attribute, value, _ in manifest.labels.tolist()}
    # Column n has type n % 5 + 1 and is the n // 5 th of its type.
    expected = {(i, n % 5, n // 5) for i, n in zip(*np.nonzero(table == 1), strict=True)}
    assert found == expected and len(manifest.labels) == len(expected)
