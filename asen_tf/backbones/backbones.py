"""Backbones: networks from images to feature maps, by name or given as a Keras model."""

import collections
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import keras

from asen_client.core.errors import unknown_name
from asen_tf.backbones import efficientnet_lite, preprocessing
from asen_tf.backbones.fused import fuse
from asen_tf.backbones.tokens import TokensToGrid
from asen_tf.core import presets
from asen_tf.core.registries import BACKBONES
from asen_tf.weights import SUFFIXES
from asen_tf.weights.torch_backbone import load_backbone


def resolve(backbone: str | Mapping | keras.Model) -> tuple[str | dict, str | dict]:
    """What `build` takes, in a form that JSON keeps, and how pixels become its input.

    Args:
      backbone: a name of `BACKBONES`; a KerasHub preset (its name, or a local folder as
        "./my_preset"), whose architecture is taken, without its weights, of one for images and
        texts, such as CLIP, what sees the images; a model; or a model as
        `keras.saving.serialize_keras_object` gives it.

    Returns:
      The name or the serialised model; a name of `PREPROCESSING` or a dict of its kind. That of
      a preset is the preset's, a model gets pixels as they are.
    """
    if isinstance(backbone, str):
        if backbone in BACKBONES:
            lite = backbone in efficientnet_lite.NAMES
            return backbone, "efficientnet_lite" if lite else "imagenet"
        network = _preset(backbone, load_weights=False)
        return _serialize(network), preprocessing.of_preset(backbone)
    if isinstance(backbone, keras.Model):
        return _serialize(backbone), "none"
    if not isinstance(backbone, Mapping) or "class_name" not in backbone:
        raise ValueError(
            f"a backbone must be a name, a KerasHub preset or a keras.Model, got {backbone!r}"
        )
    return dict(backbone), "none"


# Names of layers, or levels of the pyramid (as "P4"); None: see `build`.
Levels = str | Sequence[str] | None


def build(backbone: str | Mapping | keras.Model, size: int, levels: Levels = None) -> keras.Model:
    """A backbone with new weights, under the global dtype policy.

    Args:
      backbone: see `resolve`.
      size: side of the square input in pixels.
      levels: names of the layers, or levels of the pyramid (as "P3"), that give the feature maps;
        None: level P4, of stride 16, of a network that has it, else what the network gives, or
        where that is one vector, the last map or tokens before it.

    Returns:
      Functional model from float [B, size, size, 3] to a feature map [B, h, w, C] for each level: a
      tensor where there is one level, else a list. Tokens of a vision transformer become a map.

    Raises:
      ValueError: an unknown backbone or level; a network for images of another size, or without a
        feature map there.
    """
    config, _ = resolve(backbone)
    network = BACKBONES[config](size) if isinstance(config, str) else _deserialize(config, size)
    if _is_functional(network):
        network = _cut(fuse(network), levels)
    maps = [_as_map(output) for output in keras.tree.flatten(network.output)]
    for at in maps:
        if len(at.shape) != 4 or None in at.shape[1:]:
            raise ValueError(
                f"backbone {network.name} must give a feature map [B, h, w, C] or tokens "
                f"[B, n, C], got {at}: name other levels than {levels!r}"
            )
    return keras.Model(network.input, maps[0] if len(maps) == 1 else maps, name=network.name)


def _as_map(output):
    return TokensToGrid()(output) if len(output.shape) == 3 else output


def load_weights(backbone: keras.Model, source: str | keras.Model, levels: Levels = None) -> None:
    """Copies weights into a backbone that `build` made, layer by layer.

    Args:
      backbone: its layers are matched with the source's by name.
      source: the state dict of torchvision's ResNet or AlexNet, of AlexNet as it was in 2012, or of
        an EfficientNet-Lite, in a file .pth, .pt or .tar of PyTorch; a KerasHub preset: its name
        (downloaded by KerasHub) or a local folder; or a model.
      levels: at which `build` cut the backbone, for presets and models.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: a layer that one of the two lacks, or has in another shape; the backbone is then
        as it was.
    """
    if isinstance(source, keras.Model):
        _copy_layers(source, backbone, levels, f"model {source.name}")
    elif Path(source).suffix in SUFFIXES:
        load_backbone(backbone, source)
    else:
        _copy_layers(_preset(source, load_weights=True), backbone, levels, f"preset {source!r}")


def _copy_layers(network, backbone, levels, name):
    if _is_functional(network):
        network = _cut(network, levels)
    source = _layers_with_weights(network)
    target = _layers_with_weights(backbone)
    for at, layer in target.items():
        if at not in source:
            raise ValueError(f"{name}: no weights for layer {at} of {backbone.name}")
        expected, received = [[w.shape for w in of.weights] for of in (layer, source[at])]
        if expected != received:
            raise ValueError(
                f"{name}: layer {at} needs weights of shapes {expected}, it has {received}: is it "
                f"another network than {backbone.name}, or for images of another size?"
            )
    more = [at for at in source if at not in target]
    if more:
        raise ValueError(
            f"{name} has a layer {more[0]}, which {backbone.name} lacks: is it another network?"
        )
    for at, layer in target.items():
        layer.set_weights(source[at].get_weights())


def _layers_with_weights(network):
    layers = network.layers if _is_functional(network) else [network]
    # Some of KerasHub's put their own name, if they were given one, before those of their layers.
    prefix = f"{network.name}_"
    return {layer.name.removeprefix(prefix): layer for layer in layers if layer.weights}


def _is_functional(network: keras.Model) -> bool:
    return getattr(network, "inputs", None) is not None


def _preset(name: str, **kwargs) -> keras.Model:
    import keras_hub

    try:
        network = keras_hub.models.Backbone.from_preset(name, **kwargs)
        return getattr(network, "vision_encoder", None) or network
    except (ValueError, FileNotFoundError) as error:
        known = [*BACKBONES.names(), *presets.names()]
        if "/" not in name and name not in known:
            raise ValueError(unknown_name("backbone or preset", name, known)) from error
        reason = str(error).partition("\n")[0]
        raise ValueError(f"preset {name!r} cannot be read: {reason}") from error


def _serialize(network: keras.Model) -> dict:
    config = keras.saving.serialize_keras_object(network)
    config.pop("compile_config", None)
    return config


def _deserialize(config: dict, size: int) -> keras.Model:
    """The serialised network for images of this size, under the global dtype policy.

    Layers follow that policy if theirs is the one that most of the network's had; others, as one
    that is kept in float32 on purpose, keep theirs.
    """
    config = json.loads(json.dumps(config))
    policies = list(_policies(config))
    usual = collections.Counter(policy["name"] for policy in policies).most_common(1)
    for policy in policies:
        if policy["name"] == usual[0][0]:
            policy["name"] = keras.config.dtype_policy().name
    arguments, shape = config["config"], [size, size, 3]
    for key in {"image_shape", "input_shape"} & set(arguments):  # of KerasHub's backbones
        arguments[key] = shape
    for layer in arguments.get("layers", ()):
        if layer["class_name"] == "InputLayer":
            its_shape = layer["config"]["batch_shape"][1:]
            if any(of not in (None, at) for of, at in zip(its_shape, shape, strict=False)):
                raise ValueError(
                    f"backbone {arguments['name']} takes inputs {its_shape}, not images {shape}: "
                    "build it for that size, or with keras.Input((None, None, 3))"
                )
            layer["config"]["batch_shape"] = [None, *shape]
    network = keras.saving.deserialize_keras_object(config)
    if _is_functional(network):
        return network
    images = keras.Input(shape)
    return keras.Model(images, network(images), name=f"{network.name}_of_images")


def _policies(config) -> Iterator[dict]:
    """The configurations of all dtype policies in that of a model."""
    if isinstance(config, dict) and config.get("class_name") == "DTypePolicy":
        yield config["config"]
    elif isinstance(config, dict | list):
        for value in config.values() if isinstance(config, dict) else config:
            yield from _policies(value)


def _cut(network: keras.Model, levels: Levels) -> keras.Model:
    """The functional network until there."""
    pyramid = getattr(network, "pyramid_outputs", {})
    if levels is None:
        outputs = [pyramid["P4"]] if "P4" in pyramid else _before_pooling(network)
    else:
        names = [levels] if isinstance(levels, str) else levels
        outputs = [_output_at(network, pyramid, name) for name in names]
    inputs, outputs = (x[0] if len(x) == 1 else x for x in (network.inputs, outputs))
    return keras.Model(inputs, outputs, name=network.name)


def _before_pooling(network):
    """What the network gives; where that is one vector, the last map or tokens before it."""
    if any(len(output.shape) != 2 for output in network.outputs):
        return network.outputs
    layers = [layer for layer in network.layers if not isinstance(layer, keras.layers.InputLayer)]
    outputs = [output for layer in layers for output in keras.tree.flatten(layer.output)]
    return [output for output in outputs if len(output.shape) in (3, 4)][-1:] or network.outputs


def _output_at(network, pyramid, level):
    if level in pyramid:
        return pyramid[level]
    names = [layer.name for layer in network.layers]
    if level not in names:
        raise ValueError(unknown_name(f"level of {network.name}", level, [*pyramid, *names]))
    return network.get_layer(level).output
