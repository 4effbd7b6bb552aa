"""The tensors of a PyTorch model, taken one by one."""

import re
from collections.abc import Mapping

import numpy as np

# Names of a Keras layer's weights -> how PyTorch calls them.
_NAMES = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
    "embeddings": "weight",
}
_WRAPPER = "module."  # of torch.nn.DataParallel

# Pattern of a name -> why its tensor is not needed.
Reasons = Mapping[str, str]
COUNTERS = {r".*\.num_batches_tracked": "counts training steps, which nothing computes with"}


class StateDict:
    """Named tensors, each of which is taken, or ignored for a reason.

    Args:
      tensors: name -> array; the prefix that torch.nn.DataParallel adds to all of them is removed.
      source: where they come from, for messages.

    Raises:
      ValueError: something in it is no tensor.
    """

    def __init__(self, tensors: Mapping[str, np.ndarray], source: str):
        if not isinstance(tensors, Mapping) or not tensors:
            raise ValueError(f"{source}: expected tensors by name, got {type(tensors).__name__}")
        for name, tensor in tensors.items():
            if not isinstance(name, str) or not isinstance(tensor, np.ndarray):
                raise ValueError(f"{source}: {name!r} is no tensor but {type(tensor).__name__}")
        wrapped = all(name.startswith(_WRAPPER) for name in tensors)
        self.source = source
        self._tensors = {
            name.removeprefix(_WRAPPER) if wrapped else name: tensor
            for name, tensor in tensors.items()
        }
        self._taken: set[str] = set()

    def __contains__(self, name: object) -> bool:
        return name in self._tensors

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._tensors)

    def shape(self, name: str, rank: int) -> tuple[int, ...]:
        """A tensor's shape, which has so many axes, none of them empty."""
        shape = self._get(name).shape
        if len(shape) != rank or 0 in shape:
            raise ValueError(
                f"{self.source}: {name} must have {rank} axes, none empty, got shape {list(shape)}"
            )
        return shape

    def take(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """A tensor as float32, which counts as used from now on.

        Raises:
          ValueError: there is none of that name, it has another shape, or a number in it is not
            finite.
        """
        tensor = self._get(name)
        if tensor.shape != tuple(shape):
            raise ValueError(
                f"{self.source}: {name} must have shape {list(shape)}, got {list(tensor.shape)}"
            )
        if not np.isfinite(tensor).all():
            raise ValueError(f"{self.source}: {name} has numbers that are NaN or infinite")
        self._taken.add(name)
        return tensor.astype(np.float32)

    def take_layer(self, layer, name: str, pointwise: bool = False) -> list[np.ndarray]:
        """The weights of a Keras layer, for its `set_weights`; raises ValueError as `take`.

        Args:
          layer: a built dense, convolution, depthwise convolution, batch normalisation or embedding
            layer.
          name: of the module in PyTorch that does the same.
          pointwise: the module is a 1x1 convolution where the layer is dense.
        """
        depthwise = hasattr(layer, "depth_multiplier")
        return [
            self._weight(variable.name, tuple(variable.shape), name, pointwise, depthwise)
            for variable in layer.weights
        ]

    def _weight(self, kind, shape, name, pointwise, depthwise):
        name = f"{name}.{_NAMES[kind]}"
        if kind != "kernel":
            return self.take(name, shape)
        if len(shape) == 2:
            inputs, outputs = shape
            window = (1, 1) if pointwise else ()
            return self.take(name, (outputs, inputs, *window)).reshape(outputs, inputs).T
        height, width, inputs, outputs = shape
        if depthwise:  # outputs of each input; in PyTorch each is a group
            groups = self.take(name, (inputs * outputs, 1, height, width))
            return groups.reshape(inputs, outputs, height, width).transpose(2, 3, 0, 1)
        return self.take(name, (outputs, inputs, height, width)).transpose(2, 3, 1, 0)

    def ignored(self, reasons: Reasons) -> dict[str, str]:
        """Name -> reason of every tensor that was not taken.

        Raises:
          ValueError: no reason is known for one.
        """
        left = {
            name: next((why for known, why in reasons.items() if re.fullmatch(known, name)), None)
            for name in self._tensors
            if name not in self._taken
        }
        unknown = [name for name, reason in left.items() if reason is None]
        if unknown:
            raise ValueError(
                f"{self.source}: {len(unknown)} tensors of unknown purpose: "
                f"{', '.join(unknown[:10])}{', ...' if len(unknown) > 10 else ''}. "
                "Is it another network?"
            )
        return left

    def _get(self, name):
        if name not in self._tensors:
            raise ValueError(f"{self.source}: the tensor {name} is missing")
        return self._tensors[name]
