"""A catalogue of vectors by attribute: kept, brought up to date, searched. Needs no TensorFlow."""

from asen_tf.catalogue.catalogue import Catalogue, Embedder, identity_of
from asen_tf.catalogue.engine import Engine
from asen_tf.catalogue.finder import Finder
from asen_tf.catalogue.identity import Identity
from asen_tf.catalogue.items import Hits, Items, Record
from asen_tf.catalogue.results import Likeness, Match, Query
from asen_tf.catalogue.store import open_store

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
