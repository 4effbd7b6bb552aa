"""Names that people give, as names of files."""

import pytest

from asen_tf.core.file_names import file_name

AWKWARD = [
    "a/b",
    "/../../x",
    "..",
    ".",
    "",
    " a ",
    "a\\b",
    "c:x",
    'w?*"<>|',
    "line\nbreak",
    "nul\0",
    "\x1b[31m",
    "x" * 300,
    "\u8272" * 300,
    "half a sign \ud800",
]


@pytest.mark.parametrize("text", ["color", "neck type", "\u00e9", "\u8272", "a=b", "1st", "a.b"])
def test_what_is_fit_stays(text):
    assert file_name(text) == text


@pytest.mark.parametrize("text", AWKWARD)
def test_what_is_not_becomes_one_file_of_the_folder(text, tmp_path):
    """27-names-that-reach-files-too-late."""
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / f"retrieval_{file_name(text)}.jpg").write_bytes(b"x")
    (tmp_path / "inside" / file_name(text)).write_bytes(b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["inside"]
    assert all(path.is_file() for path in (tmp_path / "inside").iterdir())


def test_two_texts_have_two_names():
    texts = [*AWKWARD, "a_b", "a:b", "a?b", "x" * 301, "x" * 100, "_.._.._x", "a"]
    assert len({file_name(text) for text in texts}) == len(texts)
