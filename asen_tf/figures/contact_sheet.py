"""What a search finds, as a page for the browser."""

import io
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from asen_tf.figures import html, style

_LONGEST_SIDE_PX = 288  # two pixels for each of the page's


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


class _Photograph(NamedTuple):
    source: str
    width: int
    height: int


def contact_sheet(
    title: str,
    results: Sequence[Card],
    query: Card | None = None,
    facts: Mapping[str, str] | None = None,
    first: int = 1,
) -> str:
    """A page (HTML) of the results, best first: one file, no scripts; ValueError for bad images.

    It reads in dark and light, on narrow screens, and aloud: every photograph has a text.

    Args:
      query: what was searched with; None: no photograph in the heading.
      facts: name -> text, listed under the title.
      first: rank of the first result.
    """
    return html.render(
        "contact_sheet.html",
        title=title,
        results=[(card, _photograph(card)) for card in results],
        query=query and (query, _photograph(query)),
        facts=facts or {},
        first=first,
    )


def _photograph(card: Card) -> _Photograph | None:
    if card.image is None:
        return None
    image = Image.fromarray(style.check_image(card.image))
    image.thumbnail((_LONGEST_SIDE_PX, _LONGEST_SIDE_PX), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    image.save(file, format="JPEG", quality=80, optimize=True)
    return _Photograph(html.data_uri("image/jpeg", file.getvalue()), image.width, image.height)
