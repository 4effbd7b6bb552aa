"""A store as versions before 0.2 wrote it, byte by byte."""

import json
import struct
import zlib

import numpy as np

VECTORS = np.eye(4, dtype="<f4")
METADATA = {"price": 7, "image_version": "9-1", "box": "0 0 9 9"}
FINGERPRINT = {
    "attributes": [
        {"name": "color", "values": ["red", "green"]},
        {"name": "fit", "values": ["slim"]},
    ],
    "dimension": 4,
    "version": "v1",
    "fingerprint": [],
}


def entry(content: dict, vectors: np.ndarray) -> bytes:
    """An entry of the log."""
    text = json.dumps(content).encode()
    text += b" " * (-len(text) % 4)
    body = text + vectors.tobytes()
    head = struct.pack("<4sQQI", b"ASL1", len(text), vectors.nbytes, zlib.crc32(body))
    return head + struct.pack("<I", zlib.crc32(head)) + body


def files() -> dict[str, bytes]:
    """A segment of a, b and c, then b replaced, c deleted, d written: path -> content."""
    rows = [[name, {"color": ["red"]}, {"price": n}] for n, name in enumerate("abc")]
    items = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    vectors = np.stack([VECTORS[:3], VECTORS[1:]])  # [A, N, D]
    deleted, checks = b"[]", json.dumps([zlib.crc32(one) for one in vectors]).encode()
    check = zlib.crc32(checks, zlib.crc32(deleted, zlib.crc32(items)))
    segment = "old/segment-000003"
    log = entry({"put": [["b", {}, METADATA], ["d", {}, {}]]}, VECTORS.reshape(2, 2, 4))
    store = {
        "settings": {},
        "segments": [["segment-000003", check]],
        "log": "log-000004",
        "next": 5,
        "format": 1,
        "identity": FINGERPRINT,
    }
    return {
        "old/store.json": json.dumps(store).encode(),
        "old/log-000004": log + entry({"delete": ["c", "nobody"]}, np.empty(0, "<f4")),
        f"{segment}/items.jsonl": items,
        f"{segment}/deleted.json": deleted,
        f"{segment}/checks.json": checks,
        f"{segment}/vectors.f32": vectors.tobytes(),
    }
