"""Kinds of image files, known by their first bytes."""

from asen_client.core.foreign import stand_in

# Those that are read, by Pillow's names.
PILLOW_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
# The same in messages; the first four are read inside graphs as well.
KINDS = ("JPEG", "PNG", "WebP", "BMP", "GIF", "TIFF", "AVIF")
GRAPH_KINDS = KINDS[:4]

# How files begin. The first two are decoded in the graph in training as well.
JPEG, PNG = DECODED_IN_GRAPH = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
RIFF, BMP = b"RIFF", b"BM"

# Where the bytes stand, the bytes, and the kind: other kinds that people have.
SIGNATURES = (
    (0, b"GIF8", "GIF"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (4, b"ftypavif", "AVIF"),
    (4, b"ftypavis", "AVIF"),
    (4, b"ftyphei", "HEIC"),
    (4, b"ftyphev", "HEIC"),
    (4, b"ftypmif1", "HEIC"),
    (4, b"ftypmsf1", "HEIC"),
    (4, b"jP  ", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (0, b"\xff\x0a", "JPEG XL"),
    (4, b"JXL ", "JPEG XL"),
    (0, b"8BPS", "Photoshop"),
    (0, b"%PDF", "PDF"),
)


def refusal(head: bytes) -> str:
    """Why a file that begins like this is not read."""
    if not head:
        return "it is empty"
    if found := stand_in(head):
        return f"no image: {found}"
    for start, mark, kind in SIGNATURES:
        if head[start:].startswith(mark) and kind not in KINDS:
            return f"{kind} is not read; expected {', '.join(KINDS)}"
    return f"no image, or its header is broken; expected {', '.join(KINDS)}"
