"""Names of photographs as tables have them, and what they may lead to."""

import unicodedata

import pytest

from asen_tf.data.root import LEADS_OUT, Root, clean_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("img/0.jpg", "img/0.jpg"),
        pytest.param("./img/0.jpg", "img/0.jpg", id="04-one-photograph-two-spellings"),
        ("img//0.jpg", "img/0.jpg"),
        ("img/././/0.jpg", "img/0.jpg"),
        ("cafe\u0301/0.jpg", "caf\u00e9/0.jpg"),
        pytest.param("img/0.jpg ", "img/0.jpg", id="19-paths-as-other-systems-write-them"),
        ("\timg/a b.jpg\u00a0", "img/a b.jpg"),
        ("../x.jpg", "../x.jpg"),
        ("//etc/x.jpg", "/etc/x.jpg"),
        ("a\\b.jpg", "a\\b.jpg"),
        (" ", ""),
    ],
)
def test_a_path_is_spelled_in_one_way(text, name):
    assert clean_name(text) == name


def test_backslashes_are_named(tmp_path):
    root = Root(tmp_path)
    assert root.file_problem("img\\0.jpg") == "no such file; write / instead of \\"
    assert root.file_problem("img/0.jpg") == "no such file"


@pytest.mark.parametrize(("stored", "named"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_either_unicode_form_finds_the_file(stored, named, tmp_path):
    (tmp_path / unicodedata.normalize(stored, "caf\u00e9.jpg")).write_bytes(b"x")
    root = Root(tmp_path)
    assert root.file_problem(unicodedata.normalize(named, "caf\u00e9.jpg")) is None


def test_links_lead_out_only_where_they_are_followed(tmp_path):
    """39-linked-photographs."""
    (tmp_path / "x.jpg").write_bytes(b"x")
    inside = tmp_path / "root"
    inside.mkdir()
    (inside / "x.jpg").symlink_to(tmp_path / "x.jpg")
    assert Root(inside).file_problem("x.jpg") == LEADS_OUT
    followed = Root(inside, follow_links=True)
    assert followed.file_problem("x.jpg") is None
    assert "leaves the data root" in followed.file_problem("../x.jpg")
