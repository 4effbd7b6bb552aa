"""The vectors of a whole catalogue, by any embedder, on Apache Beam (extra `[beam]`)."""

try:
    import apache_beam  # noqa: F401
except ImportError as error:
    raise ImportError('bulk embedding needs Apache Beam: pip install "asen_tf[beam]"') from error

from asen_tf.bulk.embed import Summary, embed_catalogue

__all__ = ["Summary", "embed_catalogue"]
