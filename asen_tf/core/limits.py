"""Numbers that several packages share, beside those of `asen_client.core.limits`."""

# Share of a catalogue's items that `prune` may delete: a table that was cut off lacks many.
MAX_PRUNED = 0.5

# Version of how files become pixels; caches of what was decoded by another one are made anew.
DECODING = 1
