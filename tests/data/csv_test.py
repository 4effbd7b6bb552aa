import math

import numpy as np
import pytest
from PIL import Image

from asen_tf.core.config import defaults
from asen_tf.data import formats
from asen_tf.data.formats import csv
from asen_tf.data.manifest import CANDIDATE, NO_ROLE, QUERY


def read(root, text, name="manifest.csv", encoding="utf-8", **changes):
    (root / name).write_bytes(text.encode(encoding))
    options = defaults().data
    options.update(manifest=name, **changes)
    options.root = str(root)
    return formats.read(options)


def named(manifest):
    """The labels as a set of (image, attribute, value, role), by name."""
    space = manifest.space
    return {
        (manifest.images[i], space.names[a], space[space.names[a]].values[v], int(role))
        for i, a, v, role in manifest.labels.tolist()
    }


def found(problems):
    return [(p.source, p.line, p.message) for p in problems]


def test_values_splits_and_roles_are_read(tmp_path):
    manifest, problems = read(
        tmp_path,
        "image,split,role,fit,color\n"
        "a.jpg,train,,slim,red|blue\n"
        "sub/b.jpg,valid,query,loose,\n"
        "c.jpg, test ,candidate,,blue\n",
    )
    assert problems == []
    assert manifest.images.tolist() == ["a.jpg", "sub/b.jpg", "c.jpg"]
    assert manifest.splits.tolist() == [0, 1, 2]
    assert manifest.lines.tolist() == [2, 3, 4]
    assert manifest.space.to_dict() == {"fit": ["loose", "slim"], "color": ["blue", "red"]}
    assert named(manifest) == {
        ("a.jpg", "fit", "slim", NO_ROLE),
        ("a.jpg", "color", "red", NO_ROLE),
        ("a.jpg", "color", "blue", NO_ROLE),
        ("sub/b.jpg", "fit", "loose", QUERY),
        ("c.jpg", "color", "blue", CANDIDATE),
    }
    order = manifest.labels[["image", "attribute", "value"]].tolist()
    assert order == sorted(order)


PRODUCTS = "image,split,product,fit\na.jpg,train,7,slim\nb.jpg,train,,slim\nc.jpg,train,7,loose\n"


def test_products_are_no_attribute(tmp_path):
    manifest, _ = read(tmp_path, PRODUCTS)
    a, b, c = manifest.products.tolist()
    assert list(manifest.space) == ["fit"] and a == c >= 0 and b == -1
    assert manifest.take([1, 2]).products.tolist() == [b, c]
    manifest, _ = read(
        tmp_path, PRODUCTS.replace("product", "sku"), column_names={"product": "sku"}
    )
    assert list(manifest.space) == ["fit"] and manifest.products.tolist() == [a, b, c]


def test_a_column_product_may_be_an_attribute(tmp_path):
    manifest, _ = read(tmp_path, PRODUCTS, columns=("product", "fit"))
    assert list(manifest.space) == ["product", "fit"] and manifest.products is None


def test_byte_order_mark_crlf_blank_and_quoted_lines_keep_their_numbers(tmp_path):
    manifest, problems = read(
        tmp_path,
        'image,split,fit\r\n"a,1.jpg",train,slim\r\n\r\n"two\r\nlines.jpg",train,slim\r\nb.jpg,x,slim\r\n',
        encoding="utf-8-sig",
    )
    assert manifest.images.tolist() == ["a,1.jpg", "two\r\nlines.jpg"]
    assert manifest.lines.tolist() == [2, 4]
    assert [p.line for p in problems] == [6]


def test_each_bad_row_is_named_and_left_out(tmp_path):
    (tmp_path / "attributes.csv").write_text("index,attribute,values\n0,fit,slim|loose\n")
    manifest, problems = read(
        tmp_path,
        "image,split,role,fit\n"
        "good.jpg,train,,slim\n"
        "a.jpg,trian,,slim\n"
        "b.jpg,valid,qeury,slim\n"
        "c.jpg,train,,slimm\n"
        ",train,,slim\n"
        "d.jpg,train,slim\n"
        f"{'x' * 5000}.jpg,train,,slim\n"
        "e.jpg,,,slim|huge\n",
        attributes_file="attributes.csv",
    )
    assert manifest.images.tolist() == ["good.jpg"]
    assert named(manifest) == {("good.jpg", "fit", "slim", NO_ROLE)}
    assert [p.line for p in problems] == [3, 4, 5, 6, 7, 8, 9, 9]
    expected = [
        "'train'?",
        "'query'?",
        "'slim'?",
        "no image",
        "4 cells",
        "5004",
        "split ''",
        "'huge'",
    ]
    for problem, part in zip(problems, expected, strict=True):
        assert part in problem.message
        assert problem.source == "manifest.csv"
        assert problem.image is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("imgae,split,fit\na,train,x\n", "manifest.csv:1: no column 'image' (is 'imgae' meant?)"),
        ("image,Split,fit\na,train,x\n", "no column 'split' (is 'Split' meant?)"),
        ("image,split\na,train\n", "no attribute column"),
        ("image,split,role\na,train,\n", "no attribute column"),
        ("image,split,fit,fit\na,train,x,x\n", "fit is there more than once"),
        ("image,split,fit,\na,train,x,\n", "column 4 has no name"),
        ("image,split,roles,fit\na,test,query,x\n", "column 'roles' holds roles"),
        ("image,split,fit,cut\na,train,x,\n", "'cut' is blank in every row"),
        ("", "header is: empty"),
        ("image,split,fit\n", "only a header"),
        ("image,split,fit\na,train\n", "manifest.csv:2: expected 3 cells"),
        ('image,split,fit\na,train,x\n"b,train,x\nc,train,x\n', "manifest.csv:3: not CSV"),
    ],
)
def test_a_table_that_is_wrong_as_a_whole_is_refused(tmp_path, text, message):
    with pytest.raises(ValueError) as error:
        read(tmp_path, text)
    assert message in str(error.value)


@pytest.mark.parametrize(("encoding", "told"), [("latin-1", "Latin-1"), ("cp1252", "Windows-1252")])
def test_another_encoding_is_refused_with_its_line(encoding, told, tmp_path):
    with pytest.raises(ValueError, match=rf"manifest\.csv:3: not UTF-8 but .*{told}"):
        read(tmp_path, "image,split,fit\na.jpg,train,x\nä.jpg,train,x\n", encoding=encoding)


def test_a_missing_table_is_named(tmp_path):
    options = defaults().data
    with pytest.raises(FileNotFoundError, match=r"manifest\.csv"):
        csv.read(tmp_path, options)


def test_the_attributes_file_gives_order_and_unused_values(tmp_path):
    (tmp_path / "names.csv").write_text(
        "index,attribute,values\n0,color,red|blue\n1,fit,slim | loose\n2,cut,a|b\n"
    )
    manifest, problems = read(
        tmp_path,
        "image,split,fit,color\na.jpg,train,loose,blue\n",
        attributes_file="names.csv",
    )
    assert problems == []
    assert list(manifest.space.to_dict().items()) == [
        ("color", ["red", "blue"]),
        ("fit", ["slim", "loose"]),
        ("cut", ["a", "b"]),
    ]
    assert manifest.labels[["attribute", "value"]].tolist() == [(0, 1), (1, 1)]


def test_a_column_the_attributes_file_lacks_is_refused(tmp_path):
    (tmp_path / "names.csv").write_text("index,attribute,values\n0,color,red|blue\n")
    with pytest.raises(ValueError, match=r"'colour'\. Did you mean 'color'"):
        read(tmp_path, "image,split,colour\na,train,red\n", attributes_file="names.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("index,attribute,values\n1,fit,a|b\n", ":2: .*expected index 0, found '1'"),
        ("index,attribute,values\n0,fit,a|b\n1,fit,a|b\n", ":3: expected a new attribute"),
        ("index,attribute,values\n0,fit,\n", "'fit' needs at least one value"),
        ("index,attribute,values\n0,fit,a|a\n", r"\['a'\] more than once"),
        ("index,attribute,values\n", "at least one attribute"),
        ("index,attribute,values\n0,fit\n", ":2: expected 3 cells"),
        ("index,name,values\n0,fit,a\n", "no column 'attribute'"),
    ],
)
def test_a_wrong_attributes_file_is_refused(tmp_path, text, message):
    (tmp_path / "names.csv").write_text(text)
    with pytest.raises(ValueError, match=r"names\.csv.*" + message):
        read(tmp_path, "image,split,fit\nx,train,a\n", attributes_file="names.csv")


def test_boxes_go_to_every_row_of_their_image(tmp_path):
    (tmp_path / "boxes.csv").write_text(
        "image,attribute,left,top,right,bottom\n"
        "a.jpg,color,1,2,3.5,4\n"
        "z.jpg,color,1,2,3,4\n"
        "a.jpg,colour,1,2,3,4\n"
        "a.jpg,fit,3,2,3,4\n"
        "a.jpg,fit,1,2,nan,4\n"
        "a.jpg,fit,1,2,,4\n"
    )
    manifest, problems = read(
        tmp_path,
        "image,split,fit,color\na.jpg,train,x,red\nb.jpg,train,x,red\na.jpg,test,x,red\n",
        boxes="boxes.csv",
    )
    assert [(p.source, p.line) for p in problems] == [("boxes.csv", n) for n in range(3, 8)]
    for problem, part in zip(
        problems, ["'z.jpg'", "'color'?", "3, 2", "nan", "1, 2, , 4"], strict=True
    ):
        assert part in problem.message
    assert manifest.boxes.shape == (3, 2, 4)
    assert manifest.boxes.dtype == np.float32
    assert manifest.boxes[0, 1].tolist() == manifest.boxes[2, 1].tolist() == [1, 2, 3.5, 4]
    assert all(math.isnan(n) for n in manifest.boxes[1].ravel())
    assert all(math.isnan(n) for n in manifest.boxes[0, 0])


def test_boxes_are_pixels_of_their_photograph(tmp_path):
    """34-boxes-in-shares."""
    Image.new("RGB", (64, 48)).save(tmp_path / "a.jpg")
    table = "image,split,fit\na.jpg,train,x\n"
    boxes = tmp_path / "boxes.csv"
    boxes.write_text("image,attribute,left,top,right,bottom\na.jpg,fit,0.2,0,1,0.7\n")
    with pytest.raises(ValueError, match=r"boxes\.csv: every number lies in 0 to 1: .*pixels"):
        read(tmp_path, table, boxes="boxes.csv")
    boxes.write_text("image,attribute,left,top,right,bottom\na.jpg,fit,1,1,9999,40\n")
    _, problems = read(tmp_path, table, boxes="boxes.csv")
    ((source, line, message),) = found(problems)
    assert (source, line) == ("boxes.csv", 2) and "a.jpg: x2 9999 lies 9935 pixels" in message


def test_many_rows_agree_with_a_plain_reading(tmp_path):
    rng = np.random.default_rng(3)
    values = [["", "x", "y", "z|x", "w"][i] for i in rng.integers(0, 5, 25_000)]
    lines = [f"i{n}.jpg,train,{value}" for n, value in enumerate(values)]
    manifest, problems = read(tmp_path, "\n".join(["image,split,fit", *lines]))
    assert problems == []
    assert named(manifest) == {
        (f"i{n}.jpg", "fit", value, NO_ROLE)
        for n, cell in enumerate(values)
        for value in cell.split("|")
        if value
    }


def test_ids_that_are_given_twice_are_named(tmp_path, caplog):
    read(
        tmp_path, "image,split,id,fit\na.jpg,train,1,slim\nb.jpg,train,2,slim\nc.jpg,train,1,slim\n"
    )
    (record,) = caplog.records
    assert record.getMessage().endswith(
        "1 ids are given more than once, and asen-index takes each once: 1"
    )
