import collections
import os
import pickle
import types
import zipfile

import numpy as np
import pytest

from asen_client.core.foreign import FormatError
from asen_tf.weights import read
from tests import bounded

VALUES = np.arange(24, dtype=np.float32)


def archive(path, pickled, storages=(), **entries):
    """An archive as torch.save writes it, of a given pickle and raw storages."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", pickled)
        for key, raw in enumerate(storages):
            file.writestr(f"archive/data/{key}", raw)
        for name, raw in entries.items():
            file.writestr(f"archive/{name}", raw)
    return path


def chain(path, pickled, storages=(), keys=None):
    """A file as torch.save wrote it before 1.6."""
    parts = [0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}]
    raw = [pickle.dumps(part, protocol=2) for part in parts]
    keys = list(map(str, range(len(storages)))) if keys is None else keys
    raw += [pickled, pickle.dumps(keys, protocol=2)]
    raw += [(len(numbers) // 4).to_bytes(8, "little") + numbers for numbers in storages]
    path.write_bytes(b"".join(raw))
    return path


each_format = pytest.mark.parametrize("write", [archive, chain])


def text(value):
    return b"X" + len(value).to_bytes(4, "little") + value.encode()


def number(value):
    return b"\x8a\x08" + value.to_bytes(8, "little", signed=True)


def tensor(shape, strides, offset=0, kind="FloatStorage", count=24, key="0"):
    """The pickle of one tensor, opcode by opcode."""
    return b"".join(
        [
            b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(",
            b"(" + text("storage") + b"ctorch\n" + kind.encode() + b"\n" + text(key),
            text("cpu") + number(count) + b"tQ",
            number(offset) + b"(" + b"".join(map(number, shape)) + b"t",
            b"(" + b"".join(map(number, strides)) + b"t",
            b"\x89ccollections\nOrderedDict\n)RtR.",
        ]
    )


def test_nested_values(save_torch, tmp_path):
    value = {
        "epoch": 3,
        "model": collections.OrderedDict(a=VALUES.reshape(2, 3, 4), b=np.array(7)),
        "lists": [1.5, None, True, ("x", b"y")],
    }
    save_torch(value, tmp_path / "a.pth")
    loaded = read(tmp_path / "a.pth")
    assert loaded["epoch"] == 3 and loaded["lists"] == [1.5, None, True, ("x", b"y")]
    np.testing.assert_array_equal(loaded["model"]["a"], VALUES.reshape(2, 3, 4))
    assert loaded["model"]["b"] == 7 and loaded["model"]["b"].dtype == np.int64


@pytest.mark.parametrize("score", [np.float64(0.625), np.float32(0.625), np.int64(5)])
def test_numpy_numbers(score, save_torch, tmp_path):
    save_torch({"mAP": score}, tmp_path / "a.pth")
    loaded = read(tmp_path / "a.pth")["mAP"]
    assert loaded == score and type(loaded) in (float, int)


@each_format
def test_strides_and_offset(write, tmp_path):
    """Transposed, and from the middle of its storage."""
    path = write(tmp_path / "a.pth", tensor((4, 3), (1, 4), offset=12), [VALUES.tobytes()])
    np.testing.assert_array_equal(read(path), VALUES[12:].reshape(3, 4).T)


def test_half_precision(tmp_path):
    half = archive(
        tmp_path / "half.pth",
        tensor((24,), (1,), kind="HalfStorage"),
        [VALUES.astype(np.float16).tobytes()],
    )
    # A bfloat16 is the upper half of a float32.
    upper = (VALUES.view(np.uint32) >> 16).astype(np.uint16)
    brain = archive(
        tmp_path / "brain.pth", tensor((24,), (1,), kind="BFloat16Storage"), [upper.tobytes()]
    )
    for path in (half, brain):
        loaded = read(path)
        assert loaded.dtype == np.float32
        np.testing.assert_array_equal(loaded, VALUES)


def test_big_endian(tmp_path):
    raw = VALUES.astype(">f4").tobytes()
    path = archive(tmp_path / "a.pth", tensor((24,), (1,)), [raw], byteorder=b"big")
    np.testing.assert_array_equal(read(path), VALUES)


@pytest.mark.parametrize(
    "pickled",
    [
        tensor((5, 5), (5, 1)),
        tensor((24,), (1,), offset=1),
        tensor((24,), (1,), offset=-1),
        tensor((2, 3), (-3, 1)),
        tensor((2, 3), (3,)),
        tensor((1000, 1000), (0, 0)),
        tensor((24,), (1,), count=25),
        tensor((24,), (1,), count=-1),
        tensor((24,), (1,), key="../1"),
        tensor((24,), (1,), key="1"),
        tensor((24,), (1,), kind="DoubleStorage"),
    ],
    ids=[
        "larger than the storage",
        "over its end",
        "before its start",
        "negative stride",
        "strides of another rank",
        "repeats without end",
        "counts more numbers than are there",
        "negative count",
        "leaves the archive",
        "no such storage",
        "wider numbers than are there",
    ],
)
@each_format
def test_numbers_that_do_not_fit(write, pickled, tmp_path):
    path = write(tmp_path / "a.pth", pickled, [VALUES.tobytes()])
    with pytest.raises(ValueError, match="a.pth"):
        read(path)


class Malicious:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


@each_format
def test_a_malicious_pickle_is_refused_and_not_run(write, tmp_path):
    marker = tmp_path / "executed"
    pickled = pickle.dumps({"model": {}, "epoch": Malicious(marker)}, protocol=2)
    path = write(tmp_path / "checkpoint.pth.tar", pickled)
    with pytest.raises(ValueError, match=r"refused: it names posix\.system"):
        read(path)
    assert not marker.exists()
    pickle.loads(pickled)
    assert marker.exists(), "the file would have done it"


@pytest.mark.parametrize(
    "name", ["builtins\neval", "builtins\ngetattr", "torch\nload", "numpy\nload", "os\nsystem"]
)
def test_unknown_names_are_refused(name, tmp_path):
    path = archive(tmp_path / "a.pth", b"\x80\x02c" + name.encode() + b"\n.")
    with pytest.raises(ValueError, match=name.replace("\n", r"\.")):
        read(path)


def test_known_names_cannot_be_changed(tmp_path):
    """The opcode BUILD would set attributes of the function."""
    change = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n}" + text("function") + b"Nsb."
    with pytest.raises(ValueError, match="changes"):
        read(archive(tmp_path / "a.pth", change))


def test_names_by_themselves_are_no_values(tmp_path):
    with pytest.raises(ValueError, match="no state dict"):
        read(archive(tmp_path / "a.pth", b"\x80\x02ctorch\nFloatStorage\n."))


def test_nesting_does_not_multiply(tmp_path):
    """Ten lists, each of ten times the one before: 10^10 items if each were made by itself."""
    value = [0]
    for _ in range(10):
        value = [value] * 10
    path = archive(tmp_path / "a.pth", pickle.dumps(value, protocol=2))
    assert len(read(path)) == 10


def pairs(depth):
    """The steps of a pair of one value twice, a pair of that twice, ...: of 2^depth leaves."""
    return b"Nq\0" + b"".join(b"h" + bytes([n]) + b"\x86q" + bytes([n + 1]) for n in range(depth))


HOSTILE = {
    "a table of 60 million": b"]r" + (60_000_000).to_bytes(4, "little") + b".",
    "nested pairs as a key": b"}" + pairs(40) + b"Ns.",
    "nested pairs as a key, by their number": b"](" + pairs(40) + b"Nd.",
    "nested pairs as a storage": pairs(40) + b"Q.",
    "nested pairs as a shape": tensor((1,), (1,))[2:].replace(b"(" + number(1) + b"t", pairs(40)),
    "nested pairs as a name": pairs(40) + b"\x8c\x01a\x93.",
    "nested pairs as a function": pairs(40) + b")R.",
    "nested pairs that are changed": pairs(40) + b"Nb.",
    "a number of 600 digits": b"\x8a\xff" + bytes([1]) * 255 + b".",
    "steps without end": b"N0" * 600_000 + b"N.",
}


def test_time_and_memory_are_bounded(tmp_path):
    """sec-05-pth-memory-and-hang."""
    paths = [tmp_path / f"{name}.pth" for name in HOSTILE]
    for path, steps in zip(paths, HOSTILE.values(), strict=True):
        archive(path, b"\x80\x02" + steps, [VALUES.tobytes()])
    found = bounded.outcomes("asen_tf.weights:read", paths, seconds=10)
    for path, said in zip(paths, found, strict=True):
        assert said.startswith(f"{path}: ") and len(said) < 500 + len(str(path)), said


def test_entries_that_share_their_bytes(tmp_path):
    """Many names for one place of the file."""
    path = archive(tmp_path / "a.pth", pickle.dumps({}, protocol=2), [bytes(1 << 16)])
    with zipfile.ZipFile(path, "a") as file:
        shared = file.getinfo("archive/data/0")
        for n in range(1, 100):
            entry = zipfile.ZipInfo(f"archive/data/{n}")
            for field in ("header_offset", "file_size", "compress_size", "CRC"):
                setattr(entry, field, getattr(shared, field))
            file.filelist.append(entry)
        file._didModify = True
    with pytest.raises(FormatError, match="larger than the file"):
        read(path)


def test_archives_with_wrong_numbers(tmp_path):
    """sec-06-pth-wrong-exception: zipfile raises RuntimeError and OSError without a path."""
    whole = archive(tmp_path / "whole.pth", tensor((24,), (1,)), [VALUES.tobytes()]).read_bytes()
    directory = whole.index(b"PK\1\2")
    places = {"encrypted": (directory + 8, 1), "before the file": (whole.index(b"PK\5\6") + 16, 2)}
    for name, (at, byte) in places.items():
        raw = bytearray(whole)
        raw[at + (1 if byte == 2 else 0)] ^= byte
        (tmp_path / f"{name}.pth").write_bytes(raw)
        with pytest.raises(FormatError, match=rf"{name}\.pth: "):
            read(tmp_path / f"{name}.pth")


def test_compressed_entries_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.pth", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("archive/data.pkl", pickle.dumps({}, protocol=2))
    with pytest.raises(ValueError, match="compressed"):
        read(tmp_path / "a.pth")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_truncated_files(share, save_torch, tmp_path):
    save_torch({"a": VALUES, "b": VALUES}, tmp_path / "whole.pth")
    whole = (tmp_path / "whole.pth").read_bytes()
    (tmp_path / "a.pth").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ValueError, match=r"a\.pth: damaged"):
        read(tmp_path / "a.pth")


def test_a_flipped_bit_is_found(save_torch, tmp_path):
    save_torch({"a": VALUES}, tmp_path / "a.pth")
    raw = bytearray((tmp_path / "a.pth").read_bytes())
    raw[raw.find(VALUES.tobytes()) + 10] ^= 1
    (tmp_path / "a.pth").write_bytes(raw)
    with pytest.raises(ValueError, match="damaged"):
        read(tmp_path / "a.pth")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is empty"),
        (b"\n<!DOCTYPE html><html>Sign in</html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d\n", "git lfs pull"),
        (b"\x89HDF\r\n\x1a\n", "begins with"),
    ],
)
def test_other_files(content, message, tmp_path):
    (tmp_path / "a.pth").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read(tmp_path / "a.pth")


def test_other_archives(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.pth", "w") as file:
        file.writestr("photographs/1.jpg", b"")
    with pytest.raises(ValueError, match=r"one data\.pkl, found 0"):
        read(tmp_path / "a.pth")


def test_nonsense_in_the_pickle(tmp_path):
    for pickled in (b"", b"\x80\x02", b"\x80\x02}R.", b"\x80\x02K\x01b.", b"\x80\x02]q\x00h\x00a."):
        with pytest.raises(ValueError, match=r"a\.pth"):
            read(archive(tmp_path / "a.pth", pickled))


@pytest.mark.parametrize(
    ("storages", "keys", "message"),
    [
        ([VALUES.tobytes()[:-4]], None, "another size than is said"),
        ([VALUES.tobytes()], ["1"], "not those that it names"),
        ([VALUES.tobytes()], ["0", "0"], "not those that it names"),
        ([VALUES.tobytes()], {"0": 1}, "not those that it names"),
        ([], None, "not those that it names"),
    ],
)
def test_storages_that_do_not_fit(storages, keys, message, tmp_path):
    path = chain(tmp_path / "a.pth", tensor((24,), (1,)), storages, keys)
    with pytest.raises(ValueError, match=rf"a\.pth: .*{message}"):
        read(path)


def test_two_storages_of_one_name(tmp_path):
    """One of which would be read with the other's numbers."""
    one, other = (tensor((6,), (1,), kind=f"{of}Storage")[2:-1] for of in ("Float", "Int"))
    path = chain(tmp_path / "a.pth", b"\x80\x02" + one + other + b"\x86.", [VALUES.tobytes()])
    with pytest.raises(ValueError, match="names two storages 0"):
        read(path)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9, 0.999])
def test_truncated_old_files(share, tmp_path):
    whole = chain(tmp_path / "a.pth", tensor((24,), (1,)), [VALUES.tobytes()]).read_bytes()
    (tmp_path / "a.pth").write_bytes(whole[: max(16, int(share * len(whole)))])
    with pytest.raises(ValueError, match=r"a\.pth: .*(damaged|truncated)"):
        read(tmp_path / "a.pth")


@pytest.fixture(scope="module")
def torch() -> types.ModuleType:
    return pytest.importorskip("torch", reason="compares with torch, which is not installed")


@pytest.mark.parametrize("new_format", [True, False], ids=["archive", "old format"])
def test_what_torch_writes(torch, new_format, tmp_path):
    base = torch.arange(24, dtype=torch.float32)
    tensors = {
        "transposed": base.reshape(4, 6).T,
        "middle": base[5:9],
        "half": base.half(),
        "brain": base.bfloat16(),
        "whole": torch.tensor([True, False]),
        "bytes": torch.tensor([1, 255], dtype=torch.uint8),
        "empty": torch.zeros(0, 3),
        "scalar": torch.tensor(3),
        "parameter": torch.nn.Parameter(base),
    }
    state = torch.nn.BatchNorm2d(3).state_dict()
    value = {**tensors, "state": state}
    torch.save(value, tmp_path / "a.pth", _use_new_zipfile_serialization=new_format)
    loaded = read(tmp_path / "a.pth")
    loaded |= loaded.pop("state")
    assert loaded.keys() == {**tensors, **state}.keys()
    for name, expected in {**tensors, **state}.items():
        np.testing.assert_array_equal(loaded[name], expected.detach().float().numpy(), err_msg=name)


def test_the_old_format_is_not_run_either(torch, tmp_path):
    marker = tmp_path / "executed"
    value = {"epoch": Malicious(marker)}
    torch.save(value, tmp_path / "a.pth", _use_new_zipfile_serialization=False)
    with pytest.raises(ValueError, match=r"refused: it names posix\.system"):
        read(tmp_path / "a.pth")
    assert not marker.exists()
