"""Numbers that several packages share."""

# Of a photograph: one that declares more pixels is refused before it is decoded.
MAX_PIXELS = 100_000_000

# Likewise of all photographs that are embedded in one call of an exported model.
CALL_PIXELS = 400_000_000

# Share of the sides of a garment's box that is added around it.
BOX_MARGIN = 0.1

# Share of a catalogue's items that `prune` may delete: a table that was cut off lacks many.
MAX_PRUNED = 0.5

# Version of how files become pixels; caches of what was decoded by another one are made anew.
DECODING = 1
