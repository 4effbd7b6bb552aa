"""What has to be set before libraries start: how much they say, and on how many threads.

Nothing here imports them. What the user has set in the environment stays.
"""

import os

_ENVIRONMENT = {
    # TensorFlow's C++ says at start which processor and which GPU libraries it found: 2 leaves
    # errors. Processes that this one starts inherit it.
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "GRPC_VERBOSITY": "ERROR",
}


def quiet() -> None:
    """TensorFlow and gRPC say only what went wrong; call it before they are imported."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
