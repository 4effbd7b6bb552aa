"""The flags about photographs behind URLs."""

from absl import flags

from asen_tf.core.remote import Remote

_GB = 1024**3


def define_flags() -> None:
    """Defines flags for what `asen_tf.photographs.Remote` says."""
    usual = Remote()
    flags.DEFINE_bool(
        "allow_private_addresses",
        usual.allow_private,
        "Whether URLs may lead to this machine and to private networks, or through a proxy.",
    )
    flags.DEFINE_integer("url_threads", usual.threads, "Photographs that are read at once.", 1)
    flags.DEFINE_float("url_seconds", usual.seconds, "Seconds that a URL may take.", 0.001)
    flags.DEFINE_integer("url_attempts", usual.attempts, "How often a URL is asked at most.", 1)
    flags.DEFINE_string(
        "url_cache", None, "Folder for photographs of URLs; default: in the user's cache."
    )
    flags.DEFINE_float("url_cache_gb", usual.cache_bytes / _GB, "Size of it; 0: none.", 0.0)


def given_by(given: flags.FlagValues) -> Remote:
    """What these flags say."""
    return Remote(
        threads=given.url_threads,
        seconds=given.url_seconds,
        attempts=given.url_attempts,
        allow_private=given.allow_private_addresses,
        cache=given.url_cache,
        cache_bytes=int(given.url_cache_gb * _GB),
    )
