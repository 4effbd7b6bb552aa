"""`asen_tf.visualize`, and figures of one's own: through the function and through the program."""

import matplotlib.figure
import pytest
from PIL import Image

import asen_tf
from asen_tf.figures import FIGURES, Picture
from asen_tf.figures.registry import Figure
from tests import programs

OWN = """
from matplotlib.figure import Figure

from asen_tf.figures import Picture, figure


@figure("colours", title="My colours", text="Of my own.")
def draw(source):
    page = Figure((2, 1))
    page.text(0, 0, f"{len(source.sample(3))} photographs")
    yield Picture("colours", page, "Nothing but text", ".png")
"""
ENTRY_POINT = "[asen_tf.figures]\ncolours = my_figures:draw\n"


@pytest.fixture(scope="module")
def own_package(tmp_path_factory):
    """A folder with an installed package that is not ours."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "my_figures.py").write_text(OWN)
    info = folder / "my_figures-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-figures\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINT)
    return folder


def test_pictures_are_written_or_given(opened, tmp_path):
    run = opened[0].path
    (file,) = asen_tf.visualize(run, ["channels"], tmp_path / "new")
    assert file == tmp_path / "new" / "channels.png"
    with Image.open(file) as written:
        assert min(written.size) > 100
    pictures = asen_tf.visualize(opened[0], ["curves"], data=opened[2])
    assert [picture.name for picture in pictures] == ["learning_curve", "loss_curve"]
    assert all(picture.figure.axes and picture.alt for picture in pictures)


def test_names_of_attributes_are_no_paths(opened, tmp_path, monkeypatch):
    """27-names-that-reach-files-too-late."""
    names = ["retrieval_a/b", "retrieval_/../../x", "retrieval_" + "x" * 300]

    def draw(source):
        yield from (Picture(name, matplotlib.figure.Figure((2, 1)), "Nothing") for name in names)

    monkeypatch.setitem(FIGURES._registered, "astray", Figure(draw, "astray", "", "", False))
    files = asen_tf.visualize(opened[0].path, ["astray"], tmp_path / "out")
    assert len(files) == 3 and sorted(files) == sorted((tmp_path / "out").iterdir())
    assert [*tmp_path.iterdir()] == [tmp_path / "out"]


def test_by_default_the_quick_ones_and_without_what_a_run_has_nothing_for(begun, tmp_path, capsys):
    run, _ = begun(tmp_path / "run", "triplet_net")
    names = {picture.name for picture in asen_tf.visualize(run.path)}
    assert names == {
        *("retrieval_color", "retrieval_side", "reranking_color"),
        *("learning_curve", "loss_curve"),
    }
    said = capsys.readouterr().err
    assert "no figure attention: TripletNet has no attention to show" in said
    assert "no figure channels: " in said
    with pytest.raises(ValueError, match="has no attention to show"):
        asen_tf.visualize(run.path, ["attention"])


def test_unknown_names_are_refused_before_anything_is_opened():
    with pytest.raises(ValueError, match="Did you mean 'tsne'"):
        asen_tf.visualize("nowhere", ["attention", "tsn"])


def test_a_figure_of_ones_own_is_drawn_by_the_function(opened, own_package, monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(own_package)
    files = asen_tf.visualize(
        opened[0].path, ["colours"], tmp_path, report=tmp_path / "report.html"
    )
    assert files == [tmp_path / "colours.png", tmp_path / "report.html"]
    text = files[-1].read_text()
    assert "My colours" in text and "Of my own." in text and text.count("<img") == 1


def test_a_figure_of_ones_own_is_drawn_by_the_program(opened, own_package, tmp_path):
    flags = ["--figures=colours", f"--workdir={opened[0].path}", f"--output={tmp_path}"]
    result = programs.run("visualize", *flags, path=[own_package])
    assert result.returncode == 0, result.stderr
    assert not [noise for noise in programs.NOISE if noise in result.stderr], result.stderr
    assert result.stdout == f"{tmp_path / 'colours.png'}\n"
    assert (tmp_path / "colours.png").exists()
