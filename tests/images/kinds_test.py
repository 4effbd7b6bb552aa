"""Every kind of file by every route: the pixels of the picture that was drawn, upright, on white.

Case image-kinds.

The ids are the table of docs/images.md: `kind-route`.
"""

import functools
import io
import struct
import tempfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from asen_client.core.attributes import AttributeSpace
from asen_client.embedders.images import placed
from asen_client.serving.batches import split
from asen_tf import images
from asen_tf.app import photographs as uploads
from asen_tf.bulk.photographs import reader
from asen_tf.data.image_cache import open_images
from asen_tf.data.manifest import LABEL, Manifest
from asen_tf.evaluation import published
from asen_tf.images import graph
from asen_tf.serving.export.photographs import read_images, rows

# Blocks of one colour each, which JPEG keeps; no turn and no mirror image is like another.
COLORS = np.random.default_rng(3).integers(0, 256, (4, 6, 3)).astype(np.uint8)
HEIGHT, WIDTH = 64, 96
DRAWN = np.kron(COLORS, np.ones((16, 16, 1), np.uint8))
PICTURE = Image.fromarray(DRAWN)
OTHER = Image.fromarray(255 - DRAWN)
LEVELS = 2

TURN = Image.Transpose
# Orientation -> how a camera that notes it has stored the picture.
STORED = {
    2: TURN.FLIP_LEFT_RIGHT,
    3: TURN.ROTATE_180,
    4: TURN.FLIP_TOP_BOTTOM,
    5: TURN.TRANSPOSE,
    6: TURN.ROTATE_90,
    7: TURN.TRANSVERSE,
    8: TURN.ROTATE_270,
}
EXACT = {
    "JPEG": {"quality": 100, "subsampling": 0},
    "WEBP": {"lossless": True},
    "AVIF": {"quality": 100, "subsampling": "4:4:4"},
}


def encoded(form, picture=PICTURE, **options):
    file = io.BytesIO()
    picture.save(file, form, **{**EXACT.get(form, {}), **options})
    return file.getvalue()


def exif(orientation, order="<"):
    """An EXIF block with one tag; cameras write their numbers in either order."""
    head = {"<": b"II*\0", ">": b"MM\0*"}[order]
    return head + struct.pack(f"{order}IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def turned(form, orientation, order="<", **options):
    stored = PICTURE.transpose(STORED[orientation])
    return encoded(form, stored, exif=b"Exif\0\0" + exif(orientation, order), **options)


def ycck():
    """CMYK as Photoshop stores it: inverted, three channels as luma and chroma."""
    luma = np.asarray(Image.fromarray(255 - DRAWN).convert("YCbCr"))
    inks = 255 - np.dstack([luma, np.full((HEIGHT, WIDTH), 255, np.uint8)])
    whole = encoded("JPEG", Image.fromarray(inks, "CMYK"))
    at = whole.index(b"Adobe") + 11
    assert whole[at] == 0
    return whole[:at] + b"\2" + whole[at + 1 :]


def chunk(name, data):
    """Of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def with_exif_behind(png, orientation):
    """The chunk may stand behind the pixels."""
    return png[:-12] + chunk(b"eXIf", exif(orientation)) + png[-12:]


def png_of_16_bits():
    lines = b"".join(b"\0" + (line.astype(">u2") * 257).tobytes() for line in DRAWN)
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 16, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(lines))
        + chunk(b"IEND", b"")
    )


ALPHA = np.tile(np.repeat(np.array([0, 60, 255, 128], np.uint8), WIDTH // 4), (HEIGHT, 1))
VEILED = Image.fromarray(np.dstack([DRAWN, ALPHA]))
ON_WHITE = 255 - (255 - DRAWN.astype(float)) * ALPHA[..., None] / 255
GRAY = DRAWN[..., 0]
GRAYS = np.repeat(GRAY[..., None], 3, axis=2)
KEYED = np.where((DRAWN[0, 0] == DRAWN).all(-1, keepdims=True), 255, DRAWN)
PALETTE = PICTURE.quantize(64)

# Kind -> the file, and what it shows.
KINDS = {
    "jpeg": (encoded("JPEG"), DRAWN),
    "jpeg progressive": (encoded("JPEG", progressive=True), DRAWN),
    "jpeg gray": (encoded("JPEG", Image.fromarray(GRAY), subsampling=-1), GRAYS),
    "jpeg CMYK": (encoded("JPEG", PICTURE.convert("CMYK")), DRAWN),
    "jpeg YCCK": (ycck(), DRAWN),
    "jpeg with profile": (encoded("JPEG", icc_profile=bytes(3000)), DRAWN),
    **{f"jpeg EXIF {n}": (turned("JPEG", n), DRAWN) for n in STORED},
    "jpeg EXIF 6, big-endian": (turned("JPEG", 6, ">"), DRAWN),
    "jpeg EXIF 8 after profile": (turned("JPEG", 8, icc_profile=bytes(3000)), DRAWN),
    "mpo": (encoded("MPO", save_all=True, append_images=[OTHER], **EXACT["JPEG"]), DRAWN),
    "png": (encoded("PNG"), DRAWN),
    "png palette": (encoded("PNG", PALETTE), DRAWN),
    "png palette, one clear": (
        encoded("PNG", PICTURE, transparency=tuple(map(int, DRAWN[0, 0]))),
        KEYED,
    ),
    "png gray": (encoded("PNG", Image.fromarray(GRAY)), GRAYS),
    "png gray 16 bit": (encoded("PNG", Image.fromarray(GRAY.astype(np.uint16) * 257)), GRAYS),
    "png 16 bit": (png_of_16_bits(), DRAWN),
    "png alpha": (encoded("PNG", VEILED), ON_WHITE),
    "png EXIF 6": (turned("PNG", 6), DRAWN),
    "png EXIF 3, behind": (
        with_exif_behind(encoded("PNG", PICTURE.transpose(TURN.ROTATE_180)), 3),
        DRAWN,
    ),
    "webp": (encoded("WEBP"), DRAWN),
    "webp EXIF 6": (turned("WEBP", 6), DRAWN),
    "webp alpha": (encoded("WEBP", VEILED, exact=True), ON_WHITE),
    "webp animated": (encoded("WEBP", save_all=True, append_images=[OTHER]), DRAWN),
    "bmp": (encoded("BMP"), DRAWN),
    "bmp and more behind": (encoded("BMP") + b"\0\0", DRAWN),
    "bmp gray": (encoded("BMP", Image.fromarray(GRAY)), GRAYS),
    "bmp palette": (encoded("BMP", PALETTE), DRAWN),
    "gif": (encoded("GIF", PALETTE), DRAWN),
    "gif animated": (
        encoded("GIF", PALETTE, save_all=True, append_images=[OTHER.quantize(64)]),
        DRAWN,
    ),
    "tiff": (encoded("TIFF"), DRAWN),
    "tiff gray 16 bit": (encoded("TIFF", Image.fromarray(GRAY.astype(np.uint16) * 257)), GRAYS),
    "tiff EXIF 6": (turned("TIFF", 6), DRAWN),
    "avif": (encoded("AVIF"), DRAWN),
    "avif EXIF 6": (turned("AVIF", 6), DRAWN),
}
# What an exported model says of those that it does not read; clients convert them.
NOT_IN_GRAPHS = {
    "webp alpha": "a WebP with transparency",
    "webp animated": "an animated WebP",
    "bmp palette": "a BMP with a palette",
    "gif": "it is GIF, expected JPEG",
    "gif animated": "it is GIF, expected JPEG",
    "tiff": "it is TIFF",
    "tiff gray 16 bit": "it is TIFF",
    "tiff EXIF 6": "it is TIFF",
    "avif": "it is AVIF",
    "avif EXIF 6": "it is AVIF",
}


def cropped(pixels):
    margin = (WIDTH - HEIGHT) // 2
    return pixels[:, margin : margin + HEIGHT]


def manifest_of(paths):
    return Manifest(
        root=paths[0].parent,
        space=AttributeSpace({"fit": ["slim"]}),
        images=np.array([path.name for path in paths], np.str_),
        splits=np.zeros(len(paths), np.int8),
        labels=np.zeros(0, LABEL),
        lines=np.arange(2, 2 + len(paths), dtype=np.int32),
        source="manifest.csv",
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """All kinds as files."""
    folder = tmp_path_factory.mktemp("kinds")
    for kind, (content, _) in KINDS.items():
        (folder / kind).write_bytes(content)
    return folder


@functools.cache
def all_squares(folder, cache):
    """Kind -> the square that training gets, read in one go."""
    paths = [folder / kind for kind in KINDS]
    load = open_images(manifest_of(paths), np.arange(len(paths)), HEIGHT, cache)
    rows = tf.data.Dataset.from_tensors(tf.range(len(paths), dtype=tf.int64))
    return dict(zip(KINDS, next(iter(rows.map(load))).numpy(), strict=True))


@functools.cache
def exported():
    """A session with what an exported model does before its network."""

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, "image_bytes")])
    def prepare(encoded):
        squares, sizes = read_images(
            encoded, rows("photograph", tf.size(encoded)), HEIGHT, images.MAX_PIXELS
        )
        return {"squares": squares, "sizes": sizes}

    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(tf.Module(), folder, {"serving_default": prepare})
        session = tf.compat.v1.Session(graph=tf.Graph())
        with session.graph.as_default():
            loaded = tf.compat.v1.saved_model.loader.load(session, ["serve"], folder)
    return session, loaded.signature_def["serving_default"]


def by_export(encoded):
    session, signature = exported()
    names = [signature.outputs[name].name for name in ("squares", "sizes")]
    feed = {signature.inputs["image_bytes"].name: [encoded]}
    [square], [size] = session.run(names, feed)
    assert tuple(size) == (HEIGHT, WIDTH)
    return square


def by_client(path):
    [batch] = split(placed([path]), 8, 2**20)
    return by_export(batch.images[0])


def by_page(path):
    received = uploads.received(path.read_bytes(), images.MAX_PIXELS)
    assert (received.width, received.height) == (WIDTH, HEIGHT)
    return graph.read(received.encoded)


# Route -> from a path to pixels: those of the photograph or of the square in its centre.
ROUTES = {
    "path": lambda path: graph.read(path),
    "bytes": lambda path: graph.read(path.read_bytes()),
    "PIL": lambda path: graph.read(Image.open(path)),
    "array": lambda path: graph.read(images.read(path)),
    "figures": images.read,
    "training": lambda path: all_squares(path.parent, "none")[path.name],
    "cache": lambda path: all_squares(path.parent, "memory")[path.name],
    "published": lambda path: np.asarray(published.open_fn(manifest_of([path]))([0])[0]),
    "page": by_page,
    "client": by_client,
    "bulk": lambda path: by_export(reader(str(path.parent))(path.name).content),
}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_same_pixels(kind, route, folder):
    _, expected = KINDS[kind]
    found = np.asarray(ROUTES[route](folder / kind))
    if found.shape[1] == HEIGHT:
        expected = cropped(expected)
    assert found.dtype == np.uint8 and found.shape == expected.shape
    assert np.abs(found - expected.astype(float)).max() <= LEVELS


@pytest.mark.parametrize("kind", KINDS)
def test_exported_models_read_it_or_name_it(kind):
    content, expected = KINDS[kind]
    if kind in NOT_IN_GRAPHS:
        with pytest.raises(tf.errors.InvalidArgumentError, match=NOT_IN_GRAPHS[kind]):
            by_export(content)
    else:
        assert np.abs(by_export(content) - cropped(expected).astype(float)).max() <= LEVELS


@pytest.mark.parametrize("kind", KINDS)
def test_checked_and_measured(kind, folder):
    path = folder / kind
    assert images.problem(path) is None
    images.check_whole(path.read_bytes())
    assert images.size_of(path) == images.size_of(KINDS[kind][0]) == (HEIGHT, WIDTH)
    small = Image.open(io.BytesIO(images.thumbnail(path, 48)))
    assert small.size == (48, 32)


REFUSED = {
    "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100),
    "JPEG 2000": encoded("JPEG2000"),
    "PDF": b"%PDF-1.7\n",
    "no image": b"<html></html>",
    "empty": b"",
}


@pytest.mark.parametrize("kind", REFUSED)
def test_refusals_name_the_kind(kind, tmp_path):
    path = tmp_path / "photograph"
    path.write_bytes(REFUSED[kind])
    assert kind in images.problem(path)
    for form in (path, REFUSED[kind]):
        with pytest.raises(ValueError, match=kind):
            graph.read(form)
    with pytest.raises(tf.errors.InvalidArgumentError, match=kind):
        by_export(REFUSED[kind])


WHOLE = encoded("JPEG")
ONLY_LOOK_WHOLE = {
    "resumed": WHOLE[: len(WHOLE) * 6 // 10] + b"\xff\xd9",
    "sent as text": WHOLE.replace(b"\n", b"\r\n"),
}


@pytest.mark.parametrize("damage", ONLY_LOOK_WHOLE)
def test_what_decoders_would_fill_up_with_gray_is_named(damage, tmp_path):
    """41-pictures-that-only-look-whole."""
    (tmp_path / "photograph").write_bytes(ONLY_LOOK_WHOLE[damage])
    said = images.problem(tmp_path / "photograph")
    assert said.startswith("broken or truncated (")
    assert reader(str(tmp_path))("photograph") == said
    with pytest.raises(ValueError, match="broken or truncated"):
        images.check_whole(ONLY_LOOK_WHOLE[damage])


def test_training_on_files_that_nobody_checked_names_the_kind(tmp_path):
    path = tmp_path / "photograph"
    path.write_bytes(REFUSED["HEIC"])
    load = open_images(manifest_of([path]), np.arange(1), HEIGHT, "none")
    with pytest.raises(tf.errors.OpError, match="HEIC"):
        list(tf.data.Dataset.from_tensors(tf.constant([0])).map(load))


@pytest.mark.parametrize(
    "note",
    [b"", b"II*\0", b"MM\0*" + b"\xff" * 30, b"II*\0\x08\0\0\0\xff\xff", bytes(40)],
    ids=["empty", "header alone", "beyond its end", "too many entries", "zeros"],
)
def test_notes_that_make_no_sense_turn_nothing(note):
    whole = encoded("JPEG", exif=b"Exif\0\0" + note)
    for pixels in (images.read(whole), graph.read(whole), graph.decode_in_graph(whole)):
        assert np.abs(np.asarray(pixels) - DRAWN.astype(float)).max() <= LEVELS


def test_32_bits_are_refused(tmp_path):
    path = Path(tmp_path / "depth.tiff")
    Image.fromarray(DRAWN[..., 0].astype(np.float32)).save(path)
    assert "32 bits a pixel" in images.problem(path)
