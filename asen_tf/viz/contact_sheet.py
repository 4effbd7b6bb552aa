"""What a search finds, as a page for the browser."""

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

import numpy as np
from PIL import Image

from asen_tf.viz import style

_LONGEST_SIDE_PX = 288  # two pixels for each of the page's
_JPEG = {"format": "JPEG", "quality": 80, "optimize": True}

# Nothing is loaded from anywhere, and no script runs, whatever the catalogue's texts hold.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

_CSS = """
:root { color-scheme: light dark; --ink: #1f2328; --quiet: #59636e; --line: #d0d7de;
  --mat: #eff1f3; --page: #fff; --bar: #0072b2; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --quiet: #9aa4af; --line: #3a424b;
  --mat: #1c2128; --page: #0f1318; --bar: #56b4e9; } }
* { box-sizing: border-box; margin: 0; }
body { font: 14px/1.4 system-ui, sans-serif; color: var(--ink); background: var(--page);
  padding: 1.5rem; max-width: 90rem; margin: auto; }
header { display: flex; gap: 1.25rem; align-items: center; padding-bottom: 1.25rem;
  margin-bottom: 1.25rem; border-bottom: 1px solid var(--line); }
header img, header .missing { width: 6.5rem; flex: none; }
h1 { font-size: 1.25rem; }
dl { display: grid; grid-template-columns: max-content auto; gap: 0 .75rem; margin-top: .5rem; }
dt, .quiet { color: var(--quiet); }
ol { list-style: none; padding: 0; display: grid; gap: 1.25rem;
  grid-template-columns: repeat(auto-fill, minmax(11.5rem, 1fr)); }
img, .missing { display: block; width: 100%; height: auto; aspect-ratio: 4 / 5;
  object-fit: contain; background: var(--mat); border-radius: 6px; }
.missing { display: grid; place-items: center; color: var(--quiet); }
.head { display: flex; gap: .5rem; align-items: baseline; margin-top: .4rem; }
.head b { font-size: 1.05rem; font-variant-numeric: tabular-nums; }
.name { overflow-wrap: anywhere; font-size: .85rem; }
table { width: 100%; border-collapse: collapse; font-size: .85rem; margin-top: .2rem; }
th, td { padding: .05rem 0; text-align: left; font-weight: normal; vertical-align: top; }
th { color: var(--quiet); padding-right: .5rem; }
td:last-child { text-align: right; font-variant-numeric: tabular-nums; width: 3.2rem; }
.bar { display: block; height: 3px; background: var(--mat); border-radius: 2px; }
.bar i { display: block; height: 100%; background: var(--bar); border-radius: 2px; }
"""


class Card(NamedTuple):
    """One item of a page.

    Attributes:
      name: what it is called.
      image: uint8 [H, W, 3]; None where the photograph is not at hand.
      score: how well it fits, -1 to 1; None: not shown.
      cosines: attribute -> how alike it is in that respect, -1 to 1; these are listed, in order.
      values: attribute -> its value in words, where it is known.
    """

    name: str
    image: np.ndarray | None = None
    score: float | None = None
    cosines: Mapping[str, float] = {}
    values: Mapping[str, str] = {}


def contact_sheet(
    title: str,
    results: Sequence[Card],
    query: Card | None = None,
    facts: Mapping[str, str] | None = None,
    first: int = 1,
) -> str:
    """A page with the results in order, best first; small pictures, one file, no scripts.

    It reads in dark and light, on narrow screens, and aloud: every photograph has a text.

    Args:
      title: heading of the page.
      results: what was found.
      query: what was asked for; None: no photograph in the heading.
      facts: name -> text, listed under the title.
      first: rank of the first result.

    Returns:
      HTML.

    Raises:
      ValueError: an image is no photograph.
    """
    found = "\n".join(_result(card, rank) for rank, card in enumerate(results, first))
    listed = f'<ol start="{first}">\n{found}\n</ol>' if results else "<p>Nothing was found.</p>"
    picture = _picture(query, f"The query: {query.name}") if query else ""
    rows = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in (facts or {}).items())
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{escape(title)}</title>
<style>{_CSS}</style>
</head>
<body>
<header>
{picture}
<div><h1>{escape(title)}</h1><dl>{rows}</dl></div>
</header>
<main>
{listed}
</main>
</body>
</html>
"""


def _result(card: Card, rank: int) -> str:
    score = "" if card.score is None else f"<b>{card.score:.2f}</b>"
    lines = "".join(_line(card, name) for name in card.cosines)
    described = "; ".join(f"{_words(name)}: {_words(value)}" for name, value in card.values.items())
    alt = f"Result {rank}: {card.name}" + (f". {described}" if described else "")
    return (
        f"<li><article>{_picture(card, alt)}"
        f'<p class="head"><span class="quiet">{rank}</span>{score}'
        f'</p><p class="name">{escape(card.name)}</p>'
        f"<table>{lines}</table></article></li>"
    )


def _line(card: Card, attribute: str) -> str:
    """A row of the table: attribute, value, cosine, and under the value a bar as long."""
    cosine = card.cosines[attribute]
    bar = f'<span class="bar"><i style="width:{100 * max(0.0, cosine):.0f}%"></i></span>'
    value = escape(_words(card.values.get(attribute, "")))
    return (
        f'<tr><th scope="row">{escape(_words(attribute))}</th>'
        f"<td>{value}{bar}</td><td>{cosine:.2f}</td></tr>"
    )


def _picture(card: Card, alt: str) -> str:
    if card.image is None:
        return f'<div class="missing" role="img" aria-label="{escape(alt)}">no photograph</div>'
    image = Image.fromarray(style.check_image(card.image))
    image.thumbnail((_LONGEST_SIDE_PX, _LONGEST_SIDE_PX), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    image.save(file, **_JPEG)
    data = base64.b64encode(file.getvalue()).decode()
    return (
        f'<img src="data:image/jpeg;base64,{data}" alt="{escape(alt)}" '
        f'width="{image.width}" height="{image.height}">'
    )


def _words(name: str) -> str:
    return name.replace("_", " ")
