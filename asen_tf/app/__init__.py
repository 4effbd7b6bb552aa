"""A page on which a catalogue can be tried: ASGI, needs the extra `[app]` and no TensorFlow."""

from asen_tf.app.limits import Limits
from asen_tf.app.model import Model
from asen_tf.app.problems import Problem
from asen_tf.app.server import create_app

__all__ = ["Limits", "Model", "Problem", "create_app"]
