import io
import os
import re
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from asen_client.core.attributes import AttributeSpace
from asen_tf.data.check import check_images
from asen_tf.data.manifest import LABEL, Manifest
from asen_tf.images import for_graph, graph, problem

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "clothing_attributes"
RAMP = np.linspace(0, 255, 48).astype(np.uint8)
PIXELS = np.stack(
    [np.tile(RAMP, (48, 1)), np.tile(RAMP[:, None], (1, 48)), np.full((48, 48), 90, np.uint8)], -1
)
PICTURE = Image.fromarray(PIXELS)
NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 255, (90, 70, 3), dtype=np.uint8))


def encoded(kind, picture=PICTURE, **options):
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def manifest_of(root, names):
    count = len(names)
    return Manifest(
        root=Path(root),
        space=AttributeSpace({"fit": ["slim"]}),
        images=np.array(names, np.str_),
        splits=np.zeros(count, np.int8),
        labels=np.zeros(0, LABEL),
        lines=np.arange(2, 2 + count, dtype=np.int32),
        source="manifest.csv",
    )


def check(root, names, level="full", **options):
    problems = check_images(manifest_of(root, names), level, **options)
    return {names[p.image]: (p.line, p.message) for p in problems}


def test_missing_empty_and_alien_files(tmp_path):
    (tmp_path / "good.jpg").write_bytes(encoded("JPEG"))
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("not a picture at all")
    (tmp_path / "cut.jpg").write_bytes(encoded("JPEG")[:-40])
    (tmp_path / "scan.jp2").write_bytes(encoded("JPEG2000"))
    (tmp_path / "folder.jpg").mkdir()
    names = ["good.jpg", "gone.jpg", "empty.jpg", "text.jpg", "cut.jpg", "scan.jp2", "folder.jpg"]
    found = check(tmp_path, names)
    expected = {
        "gone.jpg": (3, "gone.jpg: no such file"),
        "empty.jpg": (4, "empty.jpg: the file is empty"),
        "text.jpg": (5, "text.jpg: no image"),
        "cut.jpg": (6, "cut.jpg: broken or truncated"),
        "scan.jp2": (7, "scan.jp2: JPEG 2000 is not read; expected JPEG"),
        "folder.jpg": (8, "folder.jpg: not a file"),
    }
    assert list(found) == list(expected)
    for name, (line, message) in expected.items():
        assert found[name][0] == line
        assert found[name][1].startswith(message)
    assert list(check(tmp_path, names, "exists")) == ["gone.jpg", "empty.jpg", "folder.jpg"]
    assert check(tmp_path, names, "none") == {}


def test_unknown_level(tmp_path):
    with pytest.raises(ValueError, match="Did you mean 'full'"):
        check(tmp_path, [], "ful")


@pytest.mark.parametrize("level", ["full", "exists", "none"])
def test_paths_that_leave_the_root(tmp_path, level):
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "sub").mkdir(parents=True)
    outside.mkdir()
    for place in (root / "sub" / "in.jpg", outside / "out.jpg"):
        place.write_bytes(encoded("JPEG"))
    os.symlink(root / "sub" / "in.jpg", root / "link_in.jpg")
    os.symlink(outside / "out.jpg", root / "link_out.jpg")
    os.symlink(outside, root / "folder_out")
    os.symlink(root, tmp_path / "root_link")
    names = [
        "sub/in.jpg",
        "link_in.jpg",
        "link_out.jpg",
        "folder_out/out.jpg",
        "../outside/out.jpg",
        "sub/../sub/in.jpg",
        str(root / "sub" / "in.jpg"),
    ]
    for base in (root, tmp_path / "root_link"):
        found = check(base, names, level)
        assert list(found) == names[2:]
        assert [line for line, _ in found.values()] == [4, 5, 6, 7, 8]
        assert "symbolic link" in found["link_out.jpg"][1]
        assert "symbolic link" in found["folder_out/out.jpg"][1]
        assert "leaves the data root" in found["../outside/out.jpg"][1]


def test_many_images_keep_their_order(tmp_path):
    names = [f"{n}.jpg" for n in range(700)]
    for name in names[::2]:
        (tmp_path / name).write_bytes(b"x")
    assert list(check(tmp_path, names, "exists")) == names[1::2]


def png_header(width, height):
    """A PNG that declares a size and holds no pixels."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def test_declared_size_is_checked_before_decoding(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(encoded("PNG"))
    assert problem(path, 48 * 48) is None
    assert "declares 48 x 48 pixels" in problem(path, 48 * 48 - 1)
    path.write_bytes(png_header(10_000, 10_001))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = check(tmp_path, ["a.png"])
    assert "declares 10000 x 10001 pixels" in found["a.png"][1]
    path.write_bytes(png_header(60_000, 60_000))
    assert "declares hundreds of millions of pixels" in problem(path)


RGBA = Image.fromarray(np.dstack([PIXELS, np.full((48, 48), 200, np.uint8)]))
OTHER = Image.fromarray(255 - PIXELS)
READABLE = {
    "jpeg": encoded("JPEG"),
    "jpeg progressive": encoded("JPEG", NOISE, progressive=True),
    "jpeg gray": encoded("JPEG", PICTURE.convert("L")),
    "jpeg cmyk": encoded("JPEG", PICTURE.convert("CMYK")),
    "jpeg with more behind": encoded("JPEG") + b"\0\xff\xda\1\2\3",
    "mpo": encoded("MPO", save_all=True, append_images=[OTHER]),
    "png": encoded("PNG"),
    "png alpha": encoded("PNG", RGBA),
    "png palette": encoded("PNG", PICTURE.convert("P")),
    "png one bit": encoded("PNG", PICTURE.convert("1")),
    "png 16 bits": encoded("PNG", Image.fromarray(PIXELS[..., 0].astype(np.uint16) * 257)),
    "gif": encoded("GIF"),
    "gif animated": encoded("GIF", save_all=True, append_images=[OTHER]),
    "bmp": encoded("BMP"),
    "bmp gray": encoded("BMP", PICTURE.convert("L")),
    "bmp 32 bits": encoded("BMP", RGBA),
    "webp": encoded("WEBP"),
    "webp lossless": encoded("WEBP", lossless=True),
    "bmp one bit": encoded("BMP", PICTURE.convert("1")),
    "bmp with more behind": encoded("BMP") + bytes(2),
    "webp animated": encoded("WEBP", save_all=True, append_images=[OTHER]),
    "webp transparent": encoded("WEBP", RGBA),
    "tiff": encoded("TIFF"),
}
UNREADABLE = {
    "jpeg 2000": encoded("JPEG2000"),
    "jpeg without its end": encoded("JPEG", NOISE)[:-2],
    "png without its end": encoded("PNG", NOISE)[:-4],
    "png with a flipped bit": (lambda d: d[:-30] + bytes([d[-30] ^ 1]) + d[-29:])(
        encoded("PNG", NOISE)
    ),
    **{
        f"{name}, {share:.1%} of it": READABLE[name][: int(len(READABLE[name]) * share)]
        for name in (
            "jpeg",
            "jpeg progressive",
            "jpeg cmyk",
            "png",
            "png palette",
            "gif",
            "bmp",
            "webp",
        )
        for share in (0.1, 0.5, 0.9, 0.99)
    },
}


@tf.function(input_signature=[tf.TensorSpec((), tf.string)])
def decode(data):
    return graph.decode(data)


@pytest.mark.parametrize("name", [*READABLE, *UNREADABLE])
def test_agrees_with_the_decoder_of_the_pipeline(tmp_path, name):
    data = READABLE.get(name) or UNREADABLE[name]
    (tmp_path / "image").write_bytes(data)
    try:
        decode(tf.constant(data))
        readable = True
    except tf.errors.OpError:
        readable = False
    assert readable == (name in READABLE)
    assert (problem(tmp_path / "image") is None) == readable


WHOLE = encoded("JPEG", NOISE)
LOOKS_WHOLE = {
    "a resumed download": WHOLE[: len(WHOLE) * 6 // 10] + b"\xff\xd9",
    "sent as text": WHOLE.replace(b"\n", b"\r\n"),
    "a byte more": WHOLE[: len(WHOLE) // 2] + b"a" + WHOLE[len(WHOLE) // 2 :],
    "progressive, resumed": encoded("JPEG", NOISE, progressive=True)[:-300] + b"\xff\xd9",
}


@pytest.mark.parametrize("name", LOOKS_WHOLE)
def test_what_libjpeg_only_warns_of(tmp_path, name):
    """41-pictures-that-only-look-whole: decoders make gray of what is missing."""
    (tmp_path / "a.jpg").write_bytes(LOOKS_WHOLE[name])
    (tmp_path / "b.jpg").write_bytes(WHOLE)
    line, message = check(tmp_path, ["b.jpg", "a.jpg"])["a.jpg"]
    assert line == 3 and message.startswith("a.jpg: broken or truncated")


def test_bytes_behind_a_bmp_that_is_called_a_jpeg(tmp_path):
    """41-pictures-that-only-look-whole: it was checked, and then ended the training."""
    data = encoded("BMP") + bytes(2)
    (tmp_path / "a.jpg").write_bytes(data)
    assert check(tmp_path, ["a.jpg"]) == {}
    np.testing.assert_array_equal(decode(tf.constant(data)), PIXELS)


def png_of(*chunks):
    """A PNG of these of the chunks of another, by name."""
    whole, at, found = encoded("PNG", PICTURE.convert("P")), 8, {}
    while at < len(whole):
        end = at + 12 + int.from_bytes(whole[at : at + 4], "big")
        found[whole[at + 4 : at + 8].decode()] = whole[at:end]
        at = end
    return whole[:8] + b"".join(found[name] for name in chunks)


@pytest.mark.parametrize(
    "chunks",
    [
        ("IHDR", "IDAT", "IEND"),
        ("IHDR", "IHDR", "PLTE", "IDAT", "IEND"),
        ("IHDR", "IDAT", "PLTE", "IEND"),
        ("IHDR", "PLTE", "PLTE", "IDAT", "IEND"),
    ],
)
def test_chunks_of_a_png_in_a_wrong_order(tmp_path, chunks):
    """Pillow takes them, libpng does not."""
    (tmp_path / "a.png").write_bytes(png_of(*chunks))
    with pytest.raises(tf.errors.OpError):
        decode(tf.constant(png_of(*chunks)))
    assert "a.png: broken or truncated" in check(tmp_path, ["a.png"])["a.png"][1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
            "pointer of Git LFS",
            id="35-failed-start-blocks-the-folder",
        ),
        pytest.param(
            "../../store/00.jpg",
            "link to '../../store/00.jpg' that was copied as a text",
            id="39-linked-photographs",
        ),
        pytest.param("/annex/objects/SHA256E-s6--4d7a.jpg\n", "git annex get", id="git-annex"),
        (".git/annex/objects/X1/f7/SHA256E-s6--4d7a/SHA256E-s6--4d7a", "git annex get"),
        (r"..\.git\annex\objects\X1\f7\SHA256E-s6--4d7a\SHA256E-s6--4d7a", "git annex get"),
        ("00.jpg", "link to '00.jpg' that was copied as a text"),
        (r"front view\l'été.PNG", "that was copied as a text"),
        ("store/00.jpg", "link to 'store/00.jpg' that was copied as a text"),
    ],
)
def test_what_stands_in_for_a_photograph_is_named(tmp_path, text, message):
    (tmp_path / "a.jpg").write_text(text, encoding="utf-8")
    assert message in check(tmp_path, ["a.jpg"])["a.jpg"][1]
    with pytest.raises(ValueError, match=re.escape(message)):  # sent to a served model
        for_graph(tmp_path / "a.jpg")


def test_real_photographs_are_good():
    if not SHARED.is_dir():
        pytest.skip("the Clothing Attribute Dataset is not in shared/data")
    names = sorted(f"images/{path.name}" for path in (SHARED / "images").iterdir())[:300]
    assert check(SHARED, names) == {}
