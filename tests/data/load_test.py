import logging
from pathlib import Path

import pytest
from PIL import Image

from asen_tf.core.config import defaults
from asen_tf.data.load import BadData, load
from asen_tf.data.manifest import CANDIDATE, QUERY

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
GOOD = [f"a{n}.jpg,train,,{'slim' if n % 2 else 'loose'}" for n in range(4)] + [
    "q.jpg,test,query,slim",
    "c.jpg,test,candidate,slim",
]


def data_set(root, rows, broken=(), **changes):
    """A table and one small image for every row; those in `broken` hold rubbish."""
    (root / "manifest.csv").write_text("\n".join(["image,split,role,fit", *rows]) + "\n")
    for number, row in enumerate(rows):
        path = root / row.split(",")[0]
        if path in broken or path.name in broken:
            path.write_bytes(b"rubbish")
        else:
            Image.new("RGB", (8, 8), (9 * number % 256, 0, 0)).save(path)
    options = defaults().data
    options.update(root=str(root), **changes)
    return options


@pytest.fixture
def warnings_of(caplog):
    return lambda: [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]


def test_good_data(tmp_path):
    manifest = load(data_set(tmp_path, GOOD))
    assert len(manifest) == 6
    assert manifest.labels["role"].tolist() == [0, 0, 0, 0, QUERY, CANDIDATE]


def test_every_problem_is_told_with_its_line(tmp_path):
    rows = [*GOOD, "x.jpg,tset,,slim", "b.jpg,train,,slim"]
    options = data_set(tmp_path, rows, broken=["b.jpg", "a1.jpg"])
    with pytest.raises(BadData) as error:
        load(options)
    lines = str(error.value).splitlines()
    assert lines[0].startswith("3 problems")
    assert lines[1].startswith("manifest.csv:8: unknown split 'tset'. Did you mean 'test'?")
    assert lines[2].startswith("manifest.csv:3: a1.jpg: no image")
    assert lines[3].startswith("manifest.csv:9: b.jpg: no image")
    assert "--config.data.skip_bad=true" in lines[4]
    assert [p.line for p in error.value.problems] == [8, 3, 9]


def test_a_long_list_is_cut(tmp_path):
    rows = [*GOOD, *(f"x{n}.jpg,nowhere,,slim" for n in range(60))]
    with pytest.raises(BadData) as error:
        load(data_set(tmp_path, rows))
    lines = str(error.value).splitlines()
    assert len(lines) == 1 + 50 + 2
    assert lines[51] == "... and 10 more"
    assert len(error.value.problems) == 60


def test_bad_rows_are_dropped_on_demand(tmp_path, warnings_of):
    rows = ["b.jpg,train,,slim", *GOOD, "x.jpg,tset,,slim"]
    options = data_set(tmp_path, rows, broken=["b.jpg"], skip_bad=True)
    manifest = load(options)
    assert manifest.images.tolist() == [row.split(",")[0] for row in GOOD]
    assert manifest.labels["image"].tolist() == [0, 1, 2, 3, 4, 5]
    message = warnings_of()[0]
    assert message.startswith("dropped 2 bad rows:")
    assert "manifest.csv:2: b.jpg" in message
    assert "manifest.csv:9: unknown split" in message


def test_splits_without_roles_get_the_default_ones(tmp_path):
    rows = [*GOOD[:4], *(f"v{n}.jpg,valid,,slim" for n in range(6))]
    manifest = load(data_set(tmp_path, rows))
    roles = manifest.labels_of("valid")["role"].tolist()
    assert roles == [QUERY, *[CANDIDATE] * 4, QUERY]


@pytest.mark.parametrize("skip_bad", [False, True])
@pytest.mark.parametrize(("left_out", "missing"), [(4, "queries"), (5, "candidates")])
def test_a_split_that_cannot_be_evaluated(tmp_path, left_out, missing, skip_bad):
    rows = [row for n, row in enumerate(GOOD) if n != left_out]
    with pytest.raises(BadData, match=f"manifest.csv: split test without {missing}"):
        load(data_set(tmp_path, rows, skip_bad=skip_bad))


def test_dropping_the_only_query_is_noticed(tmp_path):
    options = data_set(tmp_path, GOOD, broken=["q.jpg"], skip_bad=True)
    with pytest.raises(BadData, match="split test without queries") as error:
        load(options)
    assert len(error.value.problems) == 1
    assert "skip_bad" not in str(error.value)


def test_an_unlabelled_split_needs_no_queries(tmp_path):
    assert len(load(data_set(tmp_path, [*GOOD[:4], "t.jpg,test,,"]))) == 5


def test_a_split_with_one_image_and_no_roles_is_not_measured(tmp_path, warnings_of):
    """20-fashionai-fourth-column: splits by hashes may leave so few."""
    assert len(load(data_set(tmp_path, [*GOOD, "v.jpg,valid,,slim"]))) == 7
    told = [line for line in warnings_of() if "not measured on valid" in line]
    assert len(told) == 1 and told[0].endswith(": fit")


def test_names_that_cannot_be_served_are_refused_before_training(tmp_path):
    """27-names-that-reach-files-too-late."""
    options = data_set(tmp_path, GOOD)
    table = tmp_path / "manifest.csv"
    table.write_text(table.read_text().replace("role,fit", "role,tensor"))
    with pytest.raises(BadData, match=r"manifest\.csv: attribute 'tensor' cannot be served"):
        load(options)
    assert load(options, training=False).space.names == ("tensor",)


def test_training_needs_images(tmp_path):
    options = data_set(tmp_path, GOOD[4:])
    with pytest.raises(BadData, match="no images for training"):
        load(options)
    assert len(load(options, training=False)) == 2


def test_values_no_training_image_carries_are_warned_about(tmp_path, warnings_of):
    load(data_set(tmp_path, [*GOOD[:4], "q.jpg,test,query,wide", "c.jpg,test,candidate,wide"]))
    assert "1 values that no image for training carries: fit=wide" in warnings_of()


def test_an_image_in_two_splits_is_warned_about(tmp_path, warnings_of):
    load(data_set(tmp_path, [*GOOD, "a1.jpg,test,candidate,slim"]))
    assert "1 images are in train and test: a1.jpg" in warnings_of()


def test_an_image_twice_in_a_split_is_warned_about(tmp_path, warnings_of):
    load(data_set(tmp_path, [*GOOD, "c.jpg,test,candidate,slim"]))
    assert "1 images are in test twice: c.jpg" in warnings_of()


def test_queries_that_no_candidate_is_relevant_to_are_warned_about(tmp_path, warnings_of):
    rows = ["q1.jpg,test,query,loose", "q2.jpg,test,query,loose|slim", "q3.jpg,valid,query,slim"]
    load(data_set(tmp_path, [*GOOD, *rows, "c3.jpg,valid,candidate,loose"]))
    told = "queries of {} have no candidate that shares their value and will count 0"
    assert f"1 {told.format('valid')}: q3.jpg (fit=slim)" in warnings_of()
    assert f"1 {told.format('test')}: q1.jpg (fit=loose)" in warnings_of()


def test_a_data_set_of_triplets(tmp_path):
    folder = tmp_path / "ut-zap50k-images"
    folder.mkdir()
    (tmp_path / "tripletlists").mkdir()
    names = [f"{n}.jpg" for n in range(6)]
    for name in names:
        Image.new("RGB", (8, 8)).save(folder / name)
    (tmp_path / "filenames.json").write_text("\n".join(names))
    for condition in ("class", "closure", "gender", "heel"):
        for split, line in (("train", "0 1 2"), ("test", "3 4 5")):
            path = tmp_path / "tripletlists" / f"{condition}_tripletlist_{split}.txt"
            path.write_text(f"{line}\n")
    options = defaults().data
    options.update(format="zappos50k", root=str(tmp_path))
    assert len(load(options).triplets) == 8
    (folder / "4.jpg").write_bytes(b"rubbish")
    with pytest.raises(BadData, match=r"filenames\.json:5: .*4\.jpg: no image"):
        load(options)
    options.skip_bad = True
    assert len(load(options).triplets) == 4
    (folder / "2.jpg").unlink()
    with pytest.raises(BadData, match="no triplets for training"):
        load(options)
    assert len(load(options, training=False)) == 4


def test_wrong_options(tmp_path):
    options = data_set(tmp_path, GOOD, format="cvs")
    with pytest.raises(ValueError, match=r"unknown data format 'cvs'\. Did you mean 'csv'"):
        load(options)
    options.update(format="csv", check="fll")
    with pytest.raises(ValueError, match="Did you mean 'full'"):
        load(options)
    options.update(root="")
    with pytest.raises(ValueError, match=r"data\.root is empty"):
        load(options)


def test_max_pixels(tmp_path):
    with pytest.raises(BadData, match="declares 8 x 8 pixels"):
        load(data_set(tmp_path, GOOD, max_pixels=63))


def test_links_out_of_the_root(tmp_path):
    """39-linked-photographs."""
    root, store = tmp_path / "root", tmp_path / "store"
    root.mkdir(), store.mkdir()
    options = data_set(root, GOOD)
    for row in GOOD:
        name = row.split(",")[0]
        (root / name).rename(store / name)
        (root / name).symlink_to(store / name)
    with pytest.raises(BadData) as error:
        load(options)
    _, first, more, way, _ = str(error.value).splitlines()
    assert first == "manifest.csv:2: a0.jpg: a symbolic link leads out of the data root"
    assert more.startswith("... and 5 more") and "data.follow_links=true" in way
    options.follow_links = True
    assert len(load(options)) == 6


def test_columns_that_look_like_no_attribute_are_left_out(tmp_path, warnings_of):
    """08-columns-that-are-no-attributes."""
    options = data_set(tmp_path, [f"{n}.jpg,train,,{('slim', 'loose')[n % 2]}" for n in range(12)])
    rows = (tmp_path / "manifest.csv").read_text().split()
    table = [f"{rows[0]},title,price", *(f"{row},name {n},{n}.5" for n, row in enumerate(rows[1:]))]
    (tmp_path / "manifest.csv").write_text("\n".join(table))
    assert load(options).space.names == ("fit",)
    assert warnings_of()[0].startswith(
        "columns that look like no attribute are left out: title (12 values on 12 images), price "
    )
    assert load(options, training=False).space.names == ("fit", "title", "price")
    options.columns = ("title", "fit")
    assert load(options).space.names == ("title", "fit")
    options.columns = ("fits",)
    with pytest.raises(ValueError, match="column of manifest.csv in data.columns 'fits'.*'fit'"):
        load(options)


NUMBERED = {
    "csv": {"manifest.csv": "image,split,fit,color\na.jpg,train,slim,red\nb.jpg,train,,green\n"},
    "index_files": {
        "filenames_train.txt": "a.jpg\nb.jpg\n",
        "label_train.txt": "0 0 0 1 1\n1 1 0\n",
    },
}


@pytest.mark.parametrize("name", NUMBERED)
def test_attributes_that_are_named_are_learned_alone(tmp_path, name):
    """In every format, and where a file has the values: of color green and red."""
    for file, text in NUMBERED[name].items():
        (tmp_path / file).write_text(text)
    rows = "0,fit,slim|loose\n1,color,green|red\n"
    (tmp_path / "attributes.csv").write_text(f"index,attribute,values\n{rows}")
    options = defaults().data
    options.update(format=name, root=str(tmp_path), check="none", attributes_file="attributes.csv")
    options.columns = ("color", "fit")
    assert list(load(options).space) == ["color", "fit"]
    options.columns = ("color",)
    manifest = load(options)
    assert manifest.space.to_dict() == {"color": ["green", "red"]}
    assert manifest.labels[["image", "attribute", "value"]].tolist() == [(0, 0, 1), (1, 0, 0)]
    options.columns = ("colour",)
    with pytest.raises(ValueError, match="in data.columns 'colour'.*'color'"):
        load(options)


@pytest.mark.parametrize("name", ["csv", "index_files", "clothing_attributes"])
def test_the_real_data_set_in_every_format(name):
    root = SHARED / "clothing_attributes"
    if not root.is_dir():
        pytest.skip("the Clothing Attribute Dataset is not in shared/data")
    options = defaults().data
    options.update(format=name, root=str(root), check="exists")
    manifest = load(options)
    assert [len(manifest.rows(s)) for s in ("train", "valid", "test")] == [1299, 185, 372]
    assert len(manifest.space) == 9
