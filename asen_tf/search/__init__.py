"""A catalogue of vectors by attribute: kept, brought up to date, searched. Needs no TensorFlow."""

from asen_tf.search.catalogue import Catalogue, Embedder, identity_of
from asen_tf.search.engine import Engine
from asen_tf.search.finder import Finder
from asen_tf.search.identity import Identity
from asen_tf.search.items import Hits, Items, Record
from asen_tf.search.results import Likeness, Match, Query
from asen_tf.search.store import open_store

__all__ = [
    "Catalogue",
    "Embedder",
    "Engine",
    "Finder",
    "Hits",
    "Identity",
    "Items",
    "Likeness",
    "Match",
    "Query",
    "Record",
    "identity_of",
    "open_store",
]
