"""What SavedModels answer in the session loader of the TensorFlow at hand, as TensorFlow Serving
asks them; needs nothing else, so that an older TensorFlow can run it.

    python session.py FOLDER ...

A folder has a SavedModel, and `requests.pickle`: signature -> input -> list, or (bytes, dtype,
shape). Its answers go to `answers.pickle`: signature -> output -> the same.
"""

import pickle
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf


def pack(array):
    """What any NumPy can read again."""
    array = np.asarray(array)
    if array.dtype == object:
        return array.tolist()
    return array.tobytes(), array.dtype.str, array.shape


def unpack(packed):
    """The array that was packed."""
    if isinstance(packed, tuple):
        content, dtype, shape = packed
        return np.frombuffer(content, dtype).reshape(shape)
    return np.array(packed, object)


def main(*folders):
    for folder in map(Path, folders):
        requests = pickle.loads((folder / "requests.pickle").read_bytes())
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            loaded = tf.compat.v1.saved_model.loader.load(session, ["serve"], str(folder))
            answers = {}
            for name, inputs in requests.items():
                signature = loaded.signature_def[name]
                fetches = {key: info.name for key, info in signature.outputs.items()}
                given = {signature.inputs[key].name: unpack(inputs[key]) for key in inputs}
                found = session.run(fetches, given)
                answers[name] = {key: pack(array) for key, array in found.items()}
        (folder / "answers.pickle").write_bytes(pickle.dumps(answers, protocol=4))


if __name__ == "__main__":
    print(tf.__version__)
    main(*sys.argv[1:])
