"""A catalogue of vectors by attribute: kept, brought up to date, searched. Needs no TensorFlow."""

from asen_tf.catalogue.catalogue import Catalogue
from asen_tf.catalogue.engine import Engine
from asen_tf.catalogue.items import Hits, Items, Match, Query, Record, Similarity
from asen_tf.catalogue.store import open_store
from asen_tf.catalogue.words import Understood, Unknown

__all__ = [
    "Catalogue",
    "Engine",
    "Hits",
    "Items",
    "Match",
    "Query",
    "Record",
    "Similarity",
    "Understood",
    "Unknown",
    "open_store",
]
