"""The same network of other layers."""

from collections.abc import Callable

import keras


def rebuild(
    network: keras.Model, change: Callable[[keras.Layer], keras.Layer | None]
) -> keras.Model:
    """The functional network once more, with new weights.

    Args:
      network: may have levels of a pyramid, `pyramid_outputs`, which the new one then has as well.
      change: a layer -> what takes its place, not built yet; None: another one like it.
    """

    def clone(layer):
        changed = change(layer)
        return type(layer).from_config(layer.get_config()) if changed is None else changed

    pyramid = getattr(network, "pyramid_outputs", {})
    plain = keras.Model(network.inputs, [*network.outputs, *pyramid.values()])
    copy = keras.models.clone_model(plain, clone_function=clone)
    count = len(network.outputs)
    inputs, outputs = (x[0] if len(x) == 1 else x for x in (copy.inputs, copy.outputs[:count]))
    rebuilt = keras.Model(inputs, outputs, name=network.name)
    rebuilt.pyramid_outputs = dict(zip(pyramid, copy.outputs[count:], strict=True))
    return rebuilt
