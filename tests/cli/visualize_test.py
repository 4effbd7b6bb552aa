"""`asen-visualize` on the run of a tiny demo."""

from PIL import Image

from asen_tf.figures import visualize


def test_chosen_figures_alone_are_written(demo, tmp_path, monkeypatch):
    monkeypatch.chdir(demo)
    files = visualize("demo/run", ["tsne", "similarity"], tmp_path, attributes=["color", "collar"])
    assert [file.name for file in files] == ["tsne.png", "tsne_color.jpg", "similarity.jpg"]
    for file in files:
        with Image.open(file) as picture:
            assert min(picture.size) > 200


def test_report_is_one_page_with_the_demos_scores(demo, tmp_path, monkeypatch):
    monkeypatch.chdir(demo)
    names = ["attention", "curves", "projector"]
    files = visualize("demo/run", names, report=tmp_path / "report.html")
    assert files[0].name == "projector_config.pbtxt" and files[-1].name == "report.html"
    text = files[-1].read_text(encoding="utf-8")
    for words in ("Where the model looks", "both MAP", "pointing", "sleeve length"):
        assert words in text
    assert text.count("<img") == 3 == text.count("data:image/webp;base64,")
