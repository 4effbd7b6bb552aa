"""An HTTP API to a catalogue, and a page that uses it: ASGI, the extra `[app]`, no TensorFlow."""

from asen_tf.app.keys import checked_key
from asen_tf.app.limits import Limits
from asen_tf.app.model import Model
from asen_tf.app.problems import Problem
from asen_tf.app.server import create_app

__all__ = ["Limits", "Model", "Problem", "checked_key", "create_app"]
