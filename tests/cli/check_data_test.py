import pytest
from PIL import Image

from tests import programs

CONFIG = """
from asen_tf.core.config import defaults
get_config = defaults
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "config.py").write_text(CONFIG)
    rows = ["a.jpg,train,,slim,red", "b.jpg,train,,loose,", "q.jpg,test,query,slim,red|blue"]
    rows += ["c.jpg,test,candidate,slim,", "d.jpg,test,candidate,loose,blue"]
    (tmp_path / "manifest.csv").write_text("\n".join(["image,split,role,fit,color", *rows]))
    for row in rows:
        Image.new("RGB", (8, 8)).save(tmp_path / row.split(",")[0])

    def run(*flags):
        data = [f"--config={tmp_path / 'config.py'}", f"--config.data.root={tmp_path}"]
        return programs.run("check_data", *data, *flags)

    return run


def test_good_data_is_summed_up(run):
    done = run()
    assert done.returncode == 0, done.stderr
    images, _, *rows = done.stdout.splitlines()
    assert images == "images: train 2, valid 0, test 3"
    # values, train, valid queries, valid candidates, test queries, test candidates
    assert rows[0].split() == ["fit", "2", "2", "0", "0", "1", "2"]
    assert rows[1].split() == ["color", "2", "1", "0", "0", "1", "1"]


def test_bad_data_is_listed(run, tmp_path):
    (tmp_path / "b.jpg").write_bytes(b"rubbish")
    (tmp_path / "c.jpg").unlink()
    done = run()
    assert done.returncode == 1
    assert "manifest.csv:3: b.jpg: no image" in done.stdout
    assert "manifest.csv:5: c.jpg: no such file" in done.stdout
    assert "2 problems" in done.stdout
    assert "Traceback" not in done.stderr
    skipped = run("--config.data.skip_bad=true")
    assert skipped.returncode == 0
    assert "train 1, valid 0, test 2" in skipped.stdout
    assert "manifest.csv:3: b.jpg" in skipped.stderr


def test_a_wrong_table_is_one_message(run, tmp_path):
    (tmp_path / "manifest.csv").write_text("imgae,split,fit\na.jpg,train,x\n")
    done = run()
    assert done.returncode == 1
    assert "is 'imgae' meant?" in done.stderr
    assert "Traceback" not in done.stderr


def test_data_for_evaluation_alone(run, tmp_path):
    text = (tmp_path / "manifest.csv").read_text().splitlines()
    (tmp_path / "manifest.csv").write_text("\n".join(text[:1] + text[3:]))
    assert run().returncode == 1
    assert run("--notraining").returncode == 0
