"""Calling a class or function with what a configuration names."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from asen_client.core.errors import unknown_name


def call_with_known(
    target: Callable, where: str, arguments: Mapping[str, object], **offered: object
) -> Any:
    """Calls `target` with keyword arguments of a configuration.

    Args:
      target: a class or function.
      where: the key of the configuration, for messages.
      arguments: what stands there.
      offered: what is given as well, if the target takes it and `arguments` does not have it.

    Raises:
      ValueError: an argument that the target does not take, naming the nearest, or one that it
        needs and does not get.
    """
    known = parameters_of(target)
    for name in arguments:
        if name not in known:
            raise ValueError(f"{where}: {unknown_name('key', name, known)}")
    given = {**{k: v for k, v in offered.items() if k in known}, **arguments}
    required = [n for n, p in known.items() if p.default is p.empty and n not in given]
    if required:
        raise ValueError(f"{where} lacks the key {', '.join(required)}: {target.__name__} needs it")
    return target(**given)


def parameters_of(target: Callable) -> dict[str, inspect.Parameter]:
    """By name, those of base classes too where a class hands **kwargs on."""
    found, inherited = {}, False
    initializers = (
        [vars(kind)["__init__"] for kind in target.__mro__ if "__init__" in vars(kind)]
        if inspect.isclass(target)
        else [target]
    )
    for initializer in initializers:
        parameters = inspect.signature(initializer).parameters.values()
        kinds = {parameter.kind for parameter in parameters}
        for parameter in parameters:
            if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                # What a class without *args needs of its base, it gives itself.
                given = {"default": None} if inherited else {}
                found.setdefault(parameter.name, parameter.replace(**given))
        inherited = inherited or inspect.Parameter.VAR_POSITIONAL not in kinds
        # What takes nothing is a mixin, such as Keras's trainer.
        if len(parameters) > 1 and inspect.Parameter.VAR_KEYWORD not in kinds:
            break
    found.pop("self", None)
    return found
