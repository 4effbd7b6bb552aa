"""Tables, lists and labels of data sets, as people bring them."""

import io
from pathlib import Path

import numpy as np

from asen_tf.api.check_data import summary
from asen_tf.core.config import defaults
from asen_tf.data import formats
from asen_tf.data.catalogue_table import read_catalogue
from asen_tf.data.formats import attributes_file, clothing_attributes
from asen_tf.data.formats.fashionai import SPACE
from asen_tf.data.load import BadData
from asen_tf.data.manifest import with_default_roles
from tests.fuzz.target import Target, of_files

_F = "asen_tf.data.formats."
_MANIFEST = (
    "image,split,role,id,x1,y1,x2,y2,color,fit\n"
    'a.jpg,train,,1,0,0,9,9,red,slim\n"b,b.jpg",train,,2,,,,,red|green,loose\n'
    "c.jpg,valid,query,3,1,1,4,4,red,slim\nd.jpg,valid,candidate,4,,,,,red,slim\n"
    "e.jpg,test,query,5,1,1,4,4,red,slim\nf.jpg,test,candidate,6,,,,,red,slim\n"
)
_ATTRIBUTES = "index,attribute,values\n0,color,red|green\n1,fit,slim|loose\n"
_CLOTH = "5\nattribute_name  attribute_type\na 1\nb b 2\nc 3\nd 4\ne 5\n"
_INDEX = {
    "splits/attributes.csv": _ATTRIBUTES,
    "splits/filenames_train.txt": "a.jpg\nb.jpg\n",
    "splits/label_train.txt": "0 0 1 1 1\n1 1 0 1 1\n",
    "splits/filenames_test.txt": "c.jpg\nd.jpg\ne.jpg\n",
    "splits/query_test.txt": "2 0 1\n",
    "splits/candidate_test.txt": "0 0 1\n1\t0\t0\n2 1 0\n",
    "splits/label_test.txt": "0\t1\t2\n1\t1\t0\n2\t1\t2\t2\t1\n1 2 3\n",
}
_ZAPPOS = {
    "filenames.json": "a/1.jpg\na/2.jpg\nb/3.jpg\nb/4.jpg\n",
    **{
        f"tripletlists/{name}_tripletlist_{split}.txt": "0 1 2\n3 2 1\n"
        for name in ("class", "closure", "gender", "heel")
        for split in ("train", "val", "test")
    },
}
_DEEPFASHION = {
    "Anno_coarse/list_attr_cloth.txt": _CLOTH,
    "Anno_coarse/list_attr_img.txt": "3\nimage_name attribute_labels\n"
    "img/a.jpg  1 -1  0 1 -1\nimg/b.jpg -1 1 1 0 0\nimg/c.jpg 1 1 1 1 1\n",
    "Eval/list_eval_partition.txt": "3\nimage_name evaluation_status\n"
    "img/a.jpg train\nimg/b.jpg  val\nimg/c.jpg test\n",
}
_PARTS = ("train", "val", "test")
_FINE = {
    "Anno_fine/list_attr_cloth.txt": "6\nattribute_name attribute_type\n"
    + "".join(f"{name} {n}\n" for n, name in enumerate("abcdef", 1)),
    **{
        f"Anno_fine/{part}.txt": f"img/{part}.jpg\nimg/b.jpg\n" for part in ("train", "val", "test")
    },
    **{
        f"Anno_fine/{part}_attr.txt": "1 0 1 0 1 0\n0 1 0 1 0 1\n"
        for part in ("train", "val", "test")
    },
}
_SHOPPING = {
    "Attributes/collar.txt": "m/1.jpg 3\nm/2.jpg 10\n",
    "Attributes/color.txt": "m/1.jpg, red\nm/2.jpg, blue\n",
    "splits/imgs_train.txt": "m/1.jpg\n",
    "splits/imgs_test.txt": "m/2.jpg\n",
}
_FASHIONAI = "".join(
    f"Images/{name}_labels/{n}.jpg,{name}_labels,{'n' * n}y{'m' * (count - n - 1)}\n"
    for name, count in list(zip(SPACE, SPACE.value_counts, strict=True))[:4]
    for n in range(3)
)


def _loads(format_name, **options):
    def read(folder: Path):
        data = defaults().data
        data.update(format=format_name, root=str(folder), check="none", **options)
        manifest, problems = formats.read(data)
        if problems:
            raise BadData(problems)
        return summary(with_default_roles(manifest))

    return read


def _column(**options) -> bytes:
    import scipy.io

    file = io.BytesIO()
    scipy.io.savemat(file, {"GT": np.array([[1.0], [2.0], [np.nan], [1.0]])}, **options)
    return file.getvalue()


def _matlab(compressed: bool) -> list[Target]:
    columns = np.hstack([*clothing_attributes.COLUMNS.values()]).tolist()
    return of_files(
        f"clothing_attributes{', compressed' * compressed}",
        [f"{_F}clothing_attributes", f"{_F}matlab"],
        _loads("clothing_attributes"),
        {f"labels/{name}_GT.mat": _column(do_compression=compressed) for name in columns},
        ["labels/collar_GT.mat"],
        mentions=["GT.mat"],
    )


def _table(folder: Path):
    return read_catalogue(folder / "manifest.csv", ["color", "fit"], folder / "boxes.csv")


def _table_alone(folder: Path):
    return read_catalogue(folder / "manifest.csv", ["color", "fit"])


_WITHOUT_BOXES = "image,split,color,fit\na.jpg,train,red,slim\nb.jpg,test,red|green,loose\n"
_BOXES = "image,attribute,left,top,right,bottom\na.jpg,color,0,0,9.5,9\nb.jpg,fit,1,1,2,2\n"
_GARMENTS = "image,x1,y1,x2,y2\na.jpg,0,0,9.5,9\nb.jpg,1,1,3,3\n"
_BOTH = {"manifest.csv": _WITHOUT_BOXES, "boxes.csv": _BOXES, "garments.csv": _GARMENTS}

TARGETS = [
    *of_files(
        "csv",
        [f"{_F}csv", f"{_F}attributes_file", "asen_client.core.foreign"],
        _loads("csv", manifest="manifest.csv", attributes_file="attributes.csv"),
        {"manifest.csv": _MANIFEST, "attributes.csv": _ATTRIBUTES},
    ),
    *of_files(
        "boxes",
        [f"{_F}boxes_file", f"{_F}garment_boxes", "asen_client.images.boxes"],
        _loads("csv", manifest="manifest.csv", boxes="boxes.csv", garment_boxes="garments.csv"),
        _BOTH,
    ),
    *of_files(
        "index files",
        [f"{_F}index_files", f"{_F}number_lines", f"{_F}all_values"],
        _loads("index_files"),
        {**_INDEX, "splits/list_attr_cloth.txt": "4\nname type\na 1\nb 2\nc 1\nd 2\n"},
    ),
    *of_files("zappos50k", [f"{_F}zappos50k"], _loads("zappos50k"), _ZAPPOS, list(_ZAPPOS)[:2]),
    *of_files(
        "deepfashion",
        [f"{_F}deepfashion", f"{_F}deepfashion_attributes"],
        _loads("deepfashion"),
        _DEEPFASHION,
    ),
    *of_files(
        "deepfashion_fine",
        [f"{_F}deepfashion_fine"],
        _loads("deepfashion_fine"),
        _FINE,
        list(_FINE)[::3],
    ),
    *of_files("shopping100k", [f"{_F}shopping100k"], _loads("shopping100k"), _SHOPPING),
    *of_files(
        "fashionai",
        [f"{_F}fashionai"],
        _loads("fashionai", label_files=("**/*.csv",)),
        {"train/Annotations/label.csv": _FASHIONAI},
    ),
    *_matlab(False),
    *_matlab(True),
    *of_files(
        "catalogue table",
        ["asen_tf.data.catalogue_table"],
        _table_alone,
        {"manifest.csv": "image,id,price,brand,color\na.jpg,1,3.5,x,red\nb.jpg,2,9,y z,red|b\n"},
        mentions=["manifest.csv", "catalogue"],
    ),
    *of_files(
        "catalogue table with boxes",
        ["asen_tf.data.catalogue_table"],
        _table,
        {"manifest.csv": "image,price\na.jpg,1\nb.jpg,2\n", "boxes.csv": _GARMENTS},
        ["boxes.csv"],
    ),
    *of_files(
        "attributes file",
        [f"{_F}attributes_file"],
        lambda folder: attributes_file.read(folder, "a.csv"),
        {"a.csv": _ATTRIBUTES},
    ),
]
