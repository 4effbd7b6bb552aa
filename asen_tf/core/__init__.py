"""What everything else stands on; imports nothing else of this library."""

from asen_tf.core.attributes import Attribute, AttributeSpace

__all__ = ["Attribute", "AttributeSpace"]
