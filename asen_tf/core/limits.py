"""Bounds that several packages share."""

# Of a photograph: one that declares more pixels is refused before it is decoded.
MAX_PIXELS = 100_000_000
