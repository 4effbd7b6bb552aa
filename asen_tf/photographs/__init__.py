"""Where the photographs of a catalogue lie, and reading them: under a folder, or behind URLs."""

from asen_tf.core.remote import Remote
from asen_tf.photographs.source import Found, Read, Source, boxed, mark_of

__all__ = ["Found", "Read", "Remote", "Source", "boxed", "mark_of"]
