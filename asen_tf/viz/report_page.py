"""Pictures, tables and texts as one page for the browser."""

import base64
import dataclasses
import io
from collections.abc import Sequence

import jinja2
from matplotlib.figure import Figure
from PIL import Image

from asen_tf.viz import style

# Twice what a page is wide, for dense screens, and not much more than a phone sends in a second.
_WIDEST_PX = 1500
_FORMAT, _MIME = ".webp", "image/webp"
# Narrow screens show a picture at so many pixels an inch and scroll it: its text stays legible.
_LEAST_PX_AN_INCH = 96


@dataclasses.dataclass(frozen=True)
class PageImage:
    """A picture inside the page.

    Attributes:
      source: a data URI.
      alt: what it shows, without a full stop.
      width, height: in pixels of the page.
      least: width below which it is scrolled instead of reduced.
    """

    source: str
    alt: str
    width: int
    height: int
    least: int

    @classmethod
    def of(cls, figure: Figure, alt: str) -> "PageImage":
        """A figure as the page shows it."""
        inches = float(figure.get_figwidth())
        data = style.encode(figure, _FORMAT, min(_WIDEST_PX, round(inches * 150)))
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
        shown = min(width, round(110 * inches))
        return cls(
            f"data:{_MIME};base64,{base64.b64encode(data).decode()}",
            alt,
            shown,
            round(shown * height / width),
            min(shown, round(_LEAST_PX_AN_INCH * inches)),
        )


@dataclasses.dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
      caption: what it shows.
      header: names of the columns.
      rows: cells as text, the first of a row its name.
      totals: so many of the last rows are means or sums.
      percent: names of columns in percent, behind whose numbers a bar is drawn.
      words: whether the cells are words rather than numbers.
    """

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    totals: int = 0
    percent: Sequence[str] = ()
    words: bool = False

    def is_percent(self, column: int) -> bool:
        return self.header[column] in self.percent


@dataclasses.dataclass(frozen=True)
class Section:
    """A heading and what stands under it, in this order.

    Attributes:
      title: the heading.
      text: a paragraph; "": none.
      images: pictures.
      tables: tables.
      details: (summary, text) pairs that are unfolded on demand.
      commands: lines for a shell.
    """

    title: str
    text: str = ""
    images: Sequence[PageImage] = ()
    tables: Sequence[Table] = ()
    details: Sequence[tuple[str, str]] = ()
    commands: Sequence[str] = ()


def report_page(
    title: str,
    subtitle: str,
    numbers: Sequence[tuple[str, str]],
    sections: Sequence[Section],
    footer: str,
) -> str:
    """One self-contained page: nothing is loaded from anywhere, and no script runs.

    It reads in dark and light, on narrow screens, by keyboard and aloud.

    Args:
      title, subtitle: on top.
      numbers: (name, number) pairs, shown large.
      sections: what follows.
      footer: the last line.

    Returns:
      HTML.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("asen_tf.viz"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("report.html")
    return page.render(
        title=title, subtitle=subtitle, numbers=numbers, sections=sections, footer=footer
    )
