"""What type checkers read: the names that are imported only when they are used."""

from asen_client import AsyncClient as AsyncClient
from asen_client import Client as Client
from asen_client import InvalidInputError as InvalidInputError
from asen_client import ServingError as ServingError
from asen_tf.serving.files import FileModel as FileModel
from asen_tf.serving.saved_model import SavedModel as SavedModel
