"""Numbers that several packages share."""

# Of a photograph: one that declares more pixels is refused before it is decoded.
MAX_PIXELS = 100_000_000

# Likewise of all photographs that are embedded in one call of an exported model.
CALL_PIXELS = 400_000_000

# Share of the sides of a garment's box that is added around it.
BOX_MARGIN = 0.1
