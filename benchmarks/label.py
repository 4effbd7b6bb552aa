"""How long labels of titles take, beside a regular expression of all phrases.

    python benchmarks/label.py --titles=100000 --json=benchmarks/results/label.json

Titles are drawn from words of the vocabulary and unknown ones. The regular expression is what one
writes without a library: all phrases, the longest first, between ends of words. It finds phrases
alone: neither negations nor parts of a text, and of phrases that overlap always the first.
"""

import random
import re
import time

from absl import app, flags

from asen_tf.benchmarks import machine
from asen_tf.benchmarks.report import report
from asen_tf.text import Matcher, Vocabulary
from asen_tf.text.phrases import table

_TITLES = flags.DEFINE_integer("titles", 100_000, "How many are labelled.", 1)
_REGULAR = flags.DEFINE_integer("regular", 1_000, "How many the regular expression reads.", 1)
_VOCABULARY = flags.DEFINE_list("vocabulary", ["fashion"], "What is looked for.")
_JSON = flags.DEFINE_string("json", "", "File to write the result to, beside printing it.")


def titles(vocabulary: Vocabulary, number: int) -> list[str]:
    """Eight to fourteen words each, half of them the vocabulary's."""
    draw = random.Random(0)
    values = [one for attribute in vocabulary.attributes.values() for one in attribute.values]
    made = ["".join(draw.choices("abdeiklmnorstu", k=draw.randint(4, 8))) for _ in range(5000)]
    return [
        " ".join(draw.choice(values if at % 3 == 1 else made) for at in range(draw.randint(6, 10)))
        for _ in range(number)
    ]


def seconds(work) -> tuple[float, object]:
    """Of processor time, and what came out."""
    began = time.process_time()
    found = work()
    return time.process_time() - began, found


def main(_) -> None:
    reading, vocabulary = seconds(lambda: Vocabulary.load(*_VOCABULARY.value))
    building, matcher = seconds(lambda: Matcher(vocabulary))
    texts = titles(vocabulary, _TITLES.value)
    labelling, found = seconds(lambda: [matcher.label(text) for text in texts])
    phrases = [key.strip("<>").replace("><", " ") for key in table(vocabulary)]
    phrases = sorted(filter(str.isascii, phrases), key=len, reverse=True)
    compiling, pattern = seconds(
        lambda: re.compile(rf"\b(?:{'|'.join(map(re.escape, phrases))})\b")
    )
    some = texts[: _REGULAR.value]
    regular, _ = seconds(lambda: [pattern.findall(text.casefold()) for text in some])
    result = {
        "titles": len(texts),
        "phrases": len(phrases),
        "labels_a_title": sum(len(cells) for cells, _ in found) / len(texts),
        "reading_seconds": reading,
        "building_seconds": building,
        "seconds": labelling,
        "titles_a_second": len(texts) / labelling,
        "regular_expression_building_seconds": compiling,
        "regular_expression_titles_a_second": len(some) / regular,
    }
    report({**result, **machine.description()}, _JSON.value)


if __name__ == "__main__":
    app.run(main)
