import pytest

from asen_tf.text import Vocabulary


@pytest.fixture
def vocabulary(tmp_path):
    """A function: YAML of files, the later ones extending the earlier -> the vocabulary."""

    def load(*texts):
        paths = [tmp_path / f"{number}.yaml" for number, _ in enumerate(texts)]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text, encoding="utf-8")
        return Vocabulary.load(*paths)

    return load


@pytest.fixture(scope="session")
def fashion():
    return Vocabulary.load("fashion")
