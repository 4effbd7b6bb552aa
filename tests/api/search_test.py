"""`asen_tf.index` and `asen_tf.search`: a store by its place, and an open one."""

import csv

import pytest

import asen_tf
from asen_tf.catalogue import Catalogue

pytest.importorskip("faiss")


def test_what_is_indexed_is_found(catalogue, colors, tmp_path):
    store = f"faiss:{tmp_path}/store"
    summary = asen_tf.index(colors, catalogue / "manifest.csv", store)
    assert (summary.embedded, summary.items, summary.problems) == (48, 48, {})
    # Colors repeat: red, green, blue, red, ...
    found = asen_tf.search(store, id="images/0.png", k=15)
    assert len(found) == 15 and all(one.labels["color"] == ["red"] for one in found)
    query = {"weights": {"color": 1}, "where": "split=test", "k": 2}
    by_image = asen_tf.search(store, image=catalogue / "images/1.png", model=colors, **query)
    assert [one.labels["color"] for one in by_image] == [["green"]] * 2
    assert {one.metadata["split"] for one in by_image} == {"test"}
    with Catalogue(store, colors) as opened:
        assert asen_tf.search(opened, image=catalogue / "images/1.png", **query) == by_image
        assert len(opened) == 48  # it is still open
    with pytest.raises(ValueError, match="no model to embed with"):
        asen_tf.search(store, image=catalogue / "images/1.png")


def test_an_open_catalogue_is_brought_up_to_date(catalogue, colors, tmp_path):
    table = tmp_path / "table.csv"
    with Catalogue(f"faiss:{tmp_path}/store", colors) as opened:
        for names in (["0", "1"], ["1", "2", "missing"]):
            with open(table, "w", newline="") as file:
                rows = [(name, f"images/{name}.png") for name in names]
                csv.writer(file).writerows([("id", "image"), *rows])
            summary = asen_tf.index(None, table, opened, root=catalogue, prune=True)
        assert (summary.embedded, summary.unchanged, summary.deleted) == (1, 1, 1)
        assert list(summary.problems) == ["missing"] and summary.items == len(opened) == 2
    with pytest.raises(FileNotFoundError, match="nowhere: no such folder"):
        asen_tf.index(colors, table, f"faiss:{tmp_path}/store", root="nowhere")


def test_a_table_of_products_answers_with_products(catalogue, colors, tmp_path):
    store, table = f"faiss:{tmp_path}/store", tmp_path / "stock.csv"

    def index(third):
        skus = {
            0: "007",
            1: "7",
            3: third,
            4: "7",
            6: "",
            9: "9",
        }  # green are 1 and 4, red the others
        rows = [f"images/{n}.png;{sku};{10 + n}" for n, sku in skus.items()]
        table.write_text("\n".join(["photo;sku;price", *rows]))
        names = {"image": "photo", "product": "sku"}
        return asen_tf.index(colors, table, store, root=catalogue, column_names=names)

    def found(**asked):
        matches = asen_tf.search(store, weights={"color": 1}, k=4, **asked)
        return [(one.product, sorted([one.id, *one.others])) for one in matches]

    def photographs(*numbers):
        return [f"images/{n}.png" for n in numbers]

    assert index("007").embedded == 6
    red = {"image": catalogue / "images/12.png", "model": colors}
    *first, last = found(**red)
    assert last == ("7", photographs(1, 4))
    known = {"007": photographs(0, 3), "9": photographs(9), None: photographs(6)}
    assert dict(first) == known and len(first) == 3
    assert ("7", photographs(4)) in found(**red, where="price>11")
    assert [product for product, _ in found(product="007")][-1] == "7"
    # The next day one photograph shows another product.
    summary = index("9")
    assert (summary.embedded, summary.updated, summary.unchanged) == (0, 1, 5)
    *first, _ = found(**red)
    assert dict(first) == {"007": photographs(0), "9": photographs(3, 9), None: photographs(6)}


def test_linked_photographs_are_indexed_on_demand(catalogue, colors, tmp_path, caplog):
    """39-linked-photographs."""
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "0.png").symlink_to(catalogue / "images" / "0.png")
    (tmp_path / "table.csv").write_text("image\nlinked/0.png\n")
    given = colors, tmp_path / "table.csv", f"faiss:{tmp_path}/store"
    refused = asen_tf.index(*given)
    assert refused.problems == {"linked/0.png": "a symbolic link leads out of the data root"}
    assert "--follow_links" in caplog.records[-1].getMessage()
    assert asen_tf.index(*given, follow_links=True).embedded == 1


def test_values_that_the_model_does_not_know_are_named(catalogue, colors, tmp_path, caplog):
    """05-values-that-differ-in-case."""
    (tmp_path / "table.csv").write_text("image,color\nimages/0.png,Red|red\nimages/1.png,green\n")
    asen_tf.index(colors, tmp_path / "table.csv", f"faiss:{tmp_path}/store", root=catalogue)
    (record,) = caplog.records
    assert record.getMessage() == "values of color that the model does not know: Red"
