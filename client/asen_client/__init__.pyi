"""What type checkers read: the names that are imported only when they are used."""

from asen_client.core.attributes import Attribute as Attribute
from asen_client.core.attributes import AttributeSpace as AttributeSpace
from asen_client.embedders.fingerprint import Fingerprint as Fingerprint
from asen_client.embedders.images import InvalidInputError as InvalidInputError
from asen_client.images.boxes import Boxed as Boxed
from asen_client.images.inputs import Photograph as Photograph
from asen_client.serving.async_client import AsyncClient as AsyncClient
from asen_client.serving.client import Client as Client
from asen_client.serving.errors import ServingError as ServingError
from asen_client.serving.signatures import Metadata as Metadata
from asen_client.version import __version__ as __version__
