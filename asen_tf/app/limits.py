"""What a visitor may request, and what is kept in memory."""

import dataclasses

from asen_client.core.limits import MAX_PIXELS

MEGABYTE = 1_000_000


@dataclasses.dataclass(frozen=True)
class Limits:
    """Bounds of the page.

    Attributes:
      upload_bytes: of a photograph that a visitor sends.
      pixels: a photograph that declares more is not decoded.
      body_bytes: of any other request.
      at_once: searches under way at the same time, and as many requests to the model.
      waiting: that may wait for these; more are refused.
      seconds: that a request may take to arrive.
      slow_seconds, least_rate: after so many seconds it arrives with so many bytes a second.
      seen_seconds: that what is known of the catalogue as a whole is used for, see `Overview`.
      kept_upload_bytes: photographs that visitors sent; the oldest are forgotten.
      kept_picture_bytes: thumbnails of the catalogue.
      kept_regions: of photographs, one an attribute.
    """

    upload_bytes: int = 20 * MEGABYTE
    pixels: int = MAX_PIXELS
    body_bytes: int = MEGABYTE // 4
    at_once: int = 4
    waiting: int = 64
    seconds: float = 60.0
    slow_seconds: float = 5.0
    least_rate: float = 8000.0
    seen_seconds: float = 5.0
    kept_upload_bytes: int = 256 * MEGABYTE
    kept_picture_bytes: int = 128 * MEGABYTE
    kept_regions: int = 100_000
