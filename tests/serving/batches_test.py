"""Photographs in batches that an exported model takes."""

import io

import pytest
from PIL import Image

from asen_client.embedders.images import placed
from asen_client.images import kinds
from asen_client.serving import batches


@pytest.fixture
def photographs():
    """JPEG files of 40 x 30 pixels, and two that do not say how many they have."""
    file = io.BytesIO()
    Image.new("RGB", (40, 30)).save(file, "JPEG")
    return [*[file.getvalue()] * 5, kinds.JPEG, kinds.JPEG + b"cut"]


@pytest.mark.parametrize(
    ("pixels", "sizes"), [(6000, [5 + 2]), (2400, [2, 2, 1 + 2]), (1, [1, 1, 1, 1, 1, 2])]
)
def test_the_pixels_of_a_batch_are_bounded(monkeypatch, photographs, pixels, sizes):
    monkeypatch.setattr(batches, "CALL_PIXELS", pixels)
    found = list(batches.split(placed(photographs), 10, 10**6))
    assert [len(batch.images) for batch in found] == sizes
    assert [image for batch in found for image in batch.images] == photographs
