import io

import numpy as np
import pytest
import scipy.io

from asen_client.core.foreign import FormatError
from asen_tf.data.formats.matlab import read_column
from tests import bounded

COLUMN = np.array([1.0, 2.0, np.nan, 3.0, 200.0])


def saved(path, column=COLUMN[:, None], **options):
    scipy.io.savemat(path, {"other": np.ones((2, 3)), "GT": column}, **options)
    return path


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("kind", ["f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"])
def test_columns_of_every_kind(kind, compressed, tmp_path):
    expected = COLUMN if kind[0] == "f" else np.array([1, 2, 100])
    path = saved(tmp_path / "a.mat", expected.astype(kind)[:, None], do_compression=compressed)
    np.testing.assert_array_equal(read_column(path, "GT"), expected)
    np.testing.assert_array_equal(
        read_column(saved(tmp_path / "b.mat", expected.astype(kind)[None]), "GT"), expected
    )


def test_big_endian(tmp_path):
    def element(kind, content):
        padded = content + bytes(-len(content) % 8)
        return kind.to_bytes(4, "big") + len(content).to_bytes(4, "big") + padded

    numbers = element(9, np.array([2.0, 1.0], ">f8").tobytes())
    sizes = element(5, np.array([2, 1], ">i4").tobytes())
    matrix = element(6, bytes([0, 0, 0, 6, 0, 0, 0, 0])) + sizes + element(1, b"GT") + numbers
    path = tmp_path / "a.mat"
    path.write_bytes(bytes(124) + b"\1\0MI" + element(14, matrix))
    np.testing.assert_array_equal(read_column(path, "GT"), [2, 1])


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (np.ones((2, 2)), "2 x 2 numbers"),
        (np.ones((2, 1, 2)), "two axes"),
        (np.ones((2, 1)) * 1j, "not plain numbers"),
        (np.array([["ab"]]), "not plain numbers"),
        (np.array([["a"]], object), "not plain numbers"),
    ],
)
def test_what_is_no_column_of_numbers(column, message, tmp_path):
    with pytest.raises(FormatError, match=rf"a\.mat, byte \d+: .*column GT: .*{message}"):
        read_column(saved(tmp_path / "a.mat", column), "GT")


def test_other_files(tmp_path):
    path = saved(tmp_path / "a.mat", format="4")
    with pytest.raises(FormatError, match="save -v7"):
        read_column(path, "GT")
    with pytest.raises(FormatError, match="it holds other, GT"):
        read_column(saved(path), "PT")
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 1\n")
    with pytest.raises(FormatError, match="git lfs pull"):
        read_column(path, "GT")


def test_every_cut_and_every_changed_byte(tmp_path):
    """sec-07-matlab-segfault: such files ended the process."""
    file = io.BytesIO()
    scipy.io.savemat(file, {"GT": COLUMN[:, None]})
    whole = file.getvalue()
    damaged = [whole[:end] for end in range(len(whole))]
    for at in range(124, len(whole)):
        damaged += [
            whole[:at] + bytes([byte]) + whole[at + 1 :] for byte in (0, 9, 255, whole[at] ^ 64)
        ]
    (tmp_path / "files").mkdir()
    for n, raw in enumerate(damaged):
        (tmp_path / "files" / f"{n}.mat").write_bytes(raw)
    said = bounded.outcomes("tests.data.matlab_test:read_all", [tmp_path / "files"], seconds=20)
    assert said == ["read"]


def read_all(folder):
    """Reads all files of a folder, which are columns or refused."""
    from pathlib import Path

    for path in Path(folder).iterdir():
        try:
            read_column(path, "GT")
        except FormatError as error:
            assert error.source == str(path)
