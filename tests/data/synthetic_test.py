"""The synthetic garments: what is drawn, and what the labels and boxes say of it."""

import itertools

import numpy as np
import pytest

from asen_tf.data.synthetic import SPACE, render
from asen_tf.data.synthetic.attributes import draw_labels

LOOKS = ("plain", "cluttered")


def centred_square(image):
    height, width = image.shape[:2]
    side = min(height, width)
    left, top = (width - side) / 2, (height - side) / 2
    return left, top, left + side, top + side


def cramers_v(a, b):
    """Association of two columns of names, 0 (independent) to 1, from the textbook formula."""
    _, a = np.unique(a, return_inverse=True)
    _, b = np.unique(b, return_inverse=True)
    observed = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(observed, (a, b), 1)
    expected = observed.sum(1, keepdims=True) * observed.sum(0) / len(a)
    chi2 = ((observed - expected) ** 2 / expected).sum()
    return np.sqrt(chi2 / len(a) / (min(observed.shape) - 1))


@pytest.mark.parametrize("look", LOOKS)
def test_the_same_photograph_every_time(look):
    first, again = render(3, 5, look), render(3, 5, look)
    np.testing.assert_array_equal(first.image, again.image)
    assert first.labels == again.labels and first.boxes == again.boxes


def test_seed_index_and_look_each_change_the_photograph():
    base = render(3, 5, "plain").image
    for other in (render(4, 5, "plain"), render(3, 6, "plain"), render(3, 5, "cluttered")):
        assert base.shape != other.image.shape or (base != other.image).any()


def test_photographs_are_rgb_of_different_sizes():
    shapes = {render(0, i).image.shape for i in range(20)}
    assert len(shapes) > 5
    assert all(min(h, w) >= 256 and max(h, w) <= 384 and c == 3 for h, w, c in shapes)


def test_labels_are_uniform():
    drawn = [draw_labels(11, i) for i in range(2000)]
    for name in SPACE:
        _, counts = np.unique([d[name] for d in drawn], return_counts=True)
        assert len(counts) == len(SPACE[name].values)
        share = 1 / len(counts)
        deviation = np.sqrt(share * (1 - share) / 2000)
        np.testing.assert_allclose(counts / 2000, share, atol=4.5 * deviation)


def test_attributes_are_independent():
    drawn = [draw_labels(11, i) for i in range(2000)]
    columns = {name: np.array([d[name] for d in drawn]) for name in SPACE}
    for a, b in itertools.combinations(SPACE, 2):
        assert cramers_v(columns[a], columns[b]) < 0.09, (a, b)
    assert cramers_v(columns["color"], columns["color"]) == pytest.approx(1)


def test_labels_do_not_depend_on_the_look():
    assert render(2, 9, "plain").labels == render(2, 9, "cluttered").labels == draw_labels(2, 9)


@pytest.mark.parametrize("look", LOOKS)
def test_every_part_lies_inside_the_centred_square_and_is_large_enough(look):
    for index in range(40):
        photograph = render(1, index, look)
        left, top, right, bottom = centred_square(photograph.image)
        assert set(photograph.boxes) == {n for n in SPACE if photograph.labels[n] != "none"}
        for name, box in photograph.boxes.items():
            assert left <= box[0] < box[2] <= right, (index, name)
            assert top <= box[1] < box[3] <= bottom, (index, name)
            assert min(box[2] - box[0], box[3] - box[1]) > 0.12 * (right - left), (index, name)


@pytest.mark.parametrize("look", LOOKS)
def test_parts_agree_with_the_attributes_boxes(look):
    for index in range(10):
        photograph = render(1, index, look)
        boxes, parts = photograph.boxes, photograph.parts
        arms = np.array([parts["left_sleeve"], parts["right_sleeve"]])
        around = (*arms[:, :2].min(0), *arms[:, 2:].max(0))
        np.testing.assert_allclose(around, boxes["sleeve_length"])
        assert arms[0, 0] < parts["torso"][0] and arms[1, 2] > parts["torso"][2]
        for name in {"collar", "fastening"} & set(boxes):
            assert parts[name] == boxes[name]
        assert set(parts) - set(boxes) >= {"torso", "chest", "left_sleeve", "right_sleeve"}
        assert parts["chest"][3] < parts["torso"][3]


def test_given_labels_replace_the_drawn_ones_and_nothing_else():
    base = render(1, 2)
    value = "maxi" if base.labels["hem_length"] != "maxi" else "crop"
    changed = render(1, 2, labels={"hem_length": value})
    assert changed.labels == {**base.labels, "hem_length": value}
    moved = {n for n in base.boxes if base.boxes[n] != changed.boxes[n]}
    assert moved == {"pattern", "color"}  # all cloth; the part itself is the legs, whatever is worn
    same = render(1, 2, labels=base.labels)
    np.testing.assert_array_equal(same.image, base.image)


LOCAL = ("neckline", "collar", "sleeve_length", "hem_length", "pocket", "fastening")


@pytest.mark.parametrize("attribute", LOCAL)
def test_a_changed_value_shows_inside_the_part_box(attribute):
    for index in range(3):
        base = render(8, index, "plain")
        for value in set(SPACE[attribute].values) - {base.labels[attribute]}:
            changed = render(8, index, "plain", {attribute: value})
            energy = (np.subtract(base.image, changed.image, dtype=float) ** 2).sum(-1)
            inside = np.zeros(energy.shape, bool)
            boxes = (p.boxes[attribute] for p in (base, changed) if attribute in p.boxes)
            for left, top, right, bottom in boxes:
                inside[int(top) : int(bottom) + 1, int(left) : int(right) + 1] = True
            assert energy[inside].sum() >= 0.8 * energy.sum(), (index, value)
            assert energy[inside].mean() > 50, (index, value)


@pytest.mark.parametrize("attribute", ["pattern", "color"])
def test_cloth_changes_inside_its_box(attribute):
    base = render(8, 1, "plain")
    left, top, right, bottom = map(int, base.boxes[attribute])
    for value in set(SPACE[attribute].values) - {base.labels[attribute]}:
        changed = render(8, 1, "plain", {attribute: value})
        energy = (np.subtract(base.image, changed.image, dtype=float) ** 2).sum(-1)
        assert energy[top : bottom + 1, left : right + 1].sum() > 0.95 * energy.sum()


def test_the_cluttered_look_hides_the_garment_from_whole_image_similarity():
    """Photographs that share a neckline are no nearer in pixels than those that do not."""
    photographs = [render(6, i) for i in range(100)]
    rows = np.arange(32)
    small = []
    for p in photographs:
        left, top, right, _ = map(int, centred_square(p.image))
        at = rows * (right - left) // 32
        small.append(p.image[top + at][:, left + at].astype(float).ravel())
    small = np.array(small)
    distance = np.sqrt(((small[:, None] - small) ** 2).mean(-1))
    necklines = np.array([p.labels["neckline"] for p in photographs])
    same = (necklines[:, None] == necklines) & ~np.eye(len(necklines), dtype=bool)
    other = necklines[:, None] != necklines
    assert distance[same].mean() == pytest.approx(distance[other].mean(), rel=0.03)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"look": "clutterd"}, "Did you mean 'cluttered'"),
        ({"seed": -1}, "seed must be 0 or more, got -1"),
        ({"index": -2}, "index must be 0 or more, got -2"),
        ({"labels": {"colour": "red"}}, "Did you mean 'color'"),
        ({"labels": {"color": "rad"}}, "Did you mean 'red'"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        render(**{"seed": 0, "index": 0, **arguments})
