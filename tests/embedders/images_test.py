"""What is done for each image of a caller's list."""

import pytest

from asen_tf.embedders import InvalidInputError, each


def test_a_bad_image_takes_no_other_with_it():
    calls = []

    def lengths(images):
        calls.append(len(images))
        for n, image in enumerate(images):
            if image.startswith(b"bad"):
                raise InvalidInputError(f"photograph {n}: it is bad", n, "it is bad")
        return [len(image) for image in images]

    images = [b"a", "no such file", b"bbb", b"bad", *[b"cc"] * 12]
    assert each(lengths, images) == [1, "no such file", 3, "it is bad", *[2] * 12]
    assert len(calls) < 10  # halves, not one by one
    assert each(lengths, ["no such file"]) == ["no such file"]


def test_other_errors_are_the_callers():
    def away(images):
        raise OSError("the server is away")

    with pytest.raises(OSError, match="away"):
        each(away, [b"a", b"b"])
