"""What everything else stands on; imports nothing else of this library."""

from asen_client.core.attributes import Attribute, AttributeSpace

__all__ = ["Attribute", "AttributeSpace"]
