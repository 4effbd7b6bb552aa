"""Programs under faults: after each the same call ends as if undisturbed."""

import functools
import re
import shutil

import numpy as np
import pytest

from asen_client.core.errors import Failed
from tests.faults import processes
from tests.faults.programs import PROGRAMS, Mean
from tests.full_disk import full_disk


@pytest.fixture(scope="module")
def undisturbed(catalogue, tmp_path_factory):
    """A function from a program to a place that it has filled."""

    @functools.cache
    def fill(name):
        place = tmp_path_factory.mktemp("undisturbed") / "place"
        PROGRAMS[name].work(catalogue, place)
        return place

    return fill


def available(name):
    """The program, where the extras that it needs are installed."""
    for module in PROGRAMS[name].needs:
        pytest.importorskip(module)
    return PROGRAMS[name]


def files_of(place):
    """What lies in a place, without locks, which stay."""
    found = sorted(path for path in place.rglob("*") if path.is_file())
    return [path for path in found if path.name not in (".lock", "LOCK") and path.suffix != ".lock"]


def killed(program, catalogue, place):
    assert processes.killed(program.work, catalogue, place, times=3, longest=program.longest)


def full(program, catalogue, place):
    for most in (0, 1200):
        with full_disk(most), pytest.raises((OSError, Failed), match=program.full):
            program.work(catalogue, place)


def twice(program, catalogue, place):
    ended = processes.twice(program.work, catalogue, place)
    refused = [error for error in ended if error]
    assert len(refused) < 2
    for error in refused:
        assert isinstance(error, BlockingIOError) and re.search(program.second, str(error))


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("fault", [killed, full, twice])
def test_the_same_call_goes_on(fault, name, undisturbed, catalogue, tmp_path):
    program, place = available(name), tmp_path / "place"
    fault(program, catalogue, place)
    program.work(catalogue, place)
    expected = undisturbed(name)
    np.testing.assert_equal(program.read(catalogue, place), program.read(catalogue, expected))
    # Nothing half-written is left.
    assert not [file for file in place.rglob("*") if file.name.endswith((".draft", ".part"))]


def test_an_export_that_has_no_room_for_the_requests_beside_it(tmp_path, monkeypatch):
    monkeypatch.setattr(Mean, "image_size", 400)  # a request of a photograph: 480 kB
    with full_disk(300_000), pytest.raises(OSError, match="cannot be written"):
        PROGRAMS["exporting"].work(None, tmp_path)
    assert not list(tmp_path.iterdir())


def removed(file):
    file.unlink()


def cut_off(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def bit_flipped(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("name", [name for name, of in PROGRAMS.items() if of.mends])
@pytest.mark.parametrize("fault", [removed, cut_off, bit_flipped])
def test_a_file_that_is_damaged_is_made_anew_or_named(
    fault, name, undisturbed, catalogue, tmp_path
):
    program, whole = available(name), undisturbed(name)
    expected, files = program.read(catalogue, whole), files_of(whole)
    kinds = {(file.parent.name.rstrip("0123456789"), file.suffix): file for file in files}
    assert kinds
    for number, file in enumerate(kinds.values()):
        place = shutil.copytree(whole, tmp_path / f"place{number}")
        damaged = place / file.relative_to(whole)
        fault(damaged)
        before = {path: path.read_bytes() for path in files_of(place)}
        try:
            program.work(catalogue, place)
            found = program.read(catalogue, place)
        except ValueError as error:
            named = str(damaged), str(damaged.parent), damaged.name
            assert any(name in str(error) for name in named), (damaged, error)
            assert {path: path.read_bytes() for path in files_of(place)} == before
        else:
            np.testing.assert_equal(found, expected, err_msg=damaged.name)
