"""What `fashion` finds in titles.

titles.csv is our own: titles as shops write them, with their truth (blank: the title does not say
it, or says two). Those of set 1 were written beside the vocabulary; those of the others after it,
and what the vocabulary said of them at first is in docs/labels.md.
"""

import csv
import itertools
from pathlib import Path

import pytest

from asen_tf.text import label

pytest.importorskip("ahocorasick", reason="needs asen_tf[text]")

TITLES = list(
    csv.DictReader(Path(__file__).with_name("titles.csv").read_text("utf-8").splitlines())
)


@pytest.fixture(scope="module")
def columns(fashion):
    return label([row["title"] for row in TITLES], fashion).columns


@pytest.mark.parametrize("attribute", ["category", "color", "gender", "pattern"])
def test_titles_by_hand(columns, attribute):
    found = columns[attribute]
    truth = [row[attribute] for row in TITLES]
    labelled = [(one, true) for one, true in zip(found, truth, strict=True) if one]
    said = [one for one, true in zip(found, truth, strict=True) if true]
    assert len(said) > 40
    assert sum(one == true for one, true in labelled) >= 0.9 * len(labelled)
    assert sum(map(bool, said)) >= 0.95 * len(said)


def test_what_is_excepted_is_not_said(fashion):
    texts = (
        "Anything but black",
        "Dress in everything but red",
        "Shirts except red, blue",
        "Neither red nor blue",
    )
    assert label(texts, fashion).columns["color"] == ["", "", "blue", ""]


BRANDS = ("Red Tape", "Gini and Jony", "Pepe Jeans", "Orange County", "Black Coffee", "Puma")
BRANDS += (
    "United Colors of Benetton",
    "Flying Machine",
    "Levi's",
    "Calvin Klein Jeans",
    "U.S. Polo Assn.",
)
COLORS = {"Black": "black", "Navy Blue": "navy blue", "Navy": "navy blue", "Off-White": "off white"}
COLORS |= {"Sea Green": "sea green", "Rose Gold": "rose gold", "Mushroom Brown": "mushroom brown"}
COLORS |= {"Gray": "grey", "Multi-Coloured": "multicolor", "Dark Blue": "blue", "Wine": "burgundy"}
TYPES = {"Shirt": "shirt", "T-shirts": "t-shirt", "Tshirt": "t-shirt", "Jeans": "jeans"}
TYPES |= {"Handbag": "handbag", "Flip-Flops": "flip flops", "Sports Shoes": "sports shoes"}
TYPES |= {"Shirt Dress": "dress", "Watches": "watch", "Sarees": "saree", "Lip Gloss": "lip gloss"}
TYPES |= {"Kurta": "kurta", "Dress Shoes": "formal shoes", "T-shirt Bra": "bra", "Socks": "socks"}
PEOPLE = {"Men": "men", "Women's": "women", "Boys": "boys", "Girls'": "girls", "Unisex": "unisex"}
ORDERS = ("{brand} {who} {color} {what}", "{color} {what} for {who} by {brand}")
ORDERS += ("{brand} {what} {color} - {who}", "{who} {what} in {color} with Black Logo, {brand}")


def test_titles_by_rule(fashion):
    """Brands, colours, types, people and orders that stand above: each seventh of all titles."""
    made = itertools.product(BRANDS, COLORS, TYPES, PEOPLE, ORDERS)
    made = itertools.islice(made, 0, None, 7)
    texts, truth = [], []
    for brand, color, what, who, order in made:
        texts.append(order.format(brand=brand, color=color, what=what, who=who))
        truth.append((COLORS[color], TYPES[what], PEOPLE[who]))
    columns = label(texts, fashion).columns
    found = zip(columns["color"], columns["category"], columns["gender"], strict=True)
    wrong = [
        (text, *one) for text, one, true in zip(texts, found, truth, strict=True) if one != true
    ]
    assert not wrong, f"{len(wrong)} of {len(texts)}: {wrong[:10]}"


def test_descriptions(fashion):
    """What else a description names is not the article's."""
    shirt = (
        "A crisp white shirt in pure cotton.\nPair it with blue jeans and brown loafers. "
        "Full sleeves; button-down collar, regular fit. The model wears size M."
    )
    found = {name: cells[0] for name, cells in label([shirt], fashion).columns.items() if cells[0]}
    assert found == {
        "category": "shirt",
        "color": "white",
        "material": "cotton",
        "sleeve_length": "long",
        "collar": "shirt",
        "fit": "regular",
    }
