"""What a figure gives: pictures, with a text for those who do not see them."""

from typing import NamedTuple

from matplotlib.figure import Figure


class Picture(NamedTuple):
    """One picture.

    Attributes:
      name: of the file, without its suffix.
      figure: what to write, see `asen_tf.viz.save`.
      alt: what it shows, in a sentence.
      suffix: the file format that suits it, ".jpg" for photographs or ".png".
    """

    name: str
    figure: Figure
    alt: str
    suffix: str = ".jpg"
