"""What lies in the place of a file."""

import pytest

from asen_client.core.foreign import stand_in_of


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "b.csv", "a symbolic link to 'b.csv'"),
        ("a.csv", "tables/b.CSV", "a symbolic link to 'tables/b.CSV'"),
        ("list.txt", "../list", "a symbolic link to '../list'"),
        ("list.txt", "a.jpg", None),  # a list of one name
        ("list.txt", "a.txt\n", None),
        ("a.csv", "image,split,color", None),
        ("a.csv", "<html>see a.csv", "a web page"),
    ],
)
def test_a_link_that_became_a_text_is_no_list(tmp_path, name, text, said):
    (tmp_path / name).write_text(text)
    found = stand_in_of(tmp_path / name)
    assert found is None if said is None else said in found
