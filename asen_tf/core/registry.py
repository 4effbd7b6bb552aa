"""Things by name: our own, those that a decorator registers, those of other packages."""

import importlib
from collections.abc import Callable, Mapping

from asen_client.core.errors import unknown_name


class Registry:
    """Names that a configuration may use, and what they stand for.

    A name is looked up among what `register` was given, then among our own, which are imported
    then, then among the entry points of other packages.

    Args:
      kind: what messages call one of them, such as "model".
      group: entry-point group that other packages fill, such as "asen_tf.models".
      builtin: name -> "module:attribute".
    """

    def __init__(self, kind: str, group: str, builtin: Mapping[str, str] | None = None):
        self.kind, self._group = kind, group
        self._builtin, self._registered = dict(builtin or {}), {}

    def register(self, name: str) -> Callable:
        """A decorator that gives a class or function this name.

        Our own may carry it too; it then only says what `builtin` says.

        Raises:
          ValueError: something else has the name.
        """

        def add(registered):
            known = self._registered.get(name)
            # A module that is run again registers the same thing anew.
            same = known is not None and known.__qualname__ == registered.__qualname__
            ours = f"{registered.__module__}:{registered.__qualname__}" == self._builtin.get(name)
            if (name in self._builtin and not ours) or (known is not None and not same):
                raise ValueError(f"there is a {self.kind} {name!r} already: choose another name")
            self._registered[name] = registered
            return registered

        return add

    def __getitem__(self, name: str):
        """What the name stands for; raises ValueError naming the nearest known one."""
        if name in self._registered:
            return self._registered[name]
        if name in self._builtin:
            module, attribute = self._builtin[name].split(":")
            return getattr(importlib.import_module(module), attribute)
        for point in self._entry_points():
            if point.name == name:
                return point.load()
        raise ValueError(unknown_name(self.kind, name, self.names()))

    def named(self, settings: Mapping[str, object], where: str) -> tuple:
        """What `name` of the settings stands for, and the other settings.

        Raises:
          ValueError: no name, or an unknown one; the message says `where`, the configuration's key.
        """
        arguments = dict(settings)
        if "name" not in arguments:
            known = ", ".join(self.names())
            raise ValueError(f"{where} lacks the key name, which says what {self.kind}: {known}")
        return self[arguments.pop("name")], arguments

    def __contains__(self, name: object) -> bool:
        return name in self.names()

    def names(self) -> tuple[str, ...]:
        """All names, ours first."""
        others = [point.name for point in self._entry_points()]
        return tuple(dict.fromkeys([*self._builtin, *self._registered, *others]))

    def _entry_points(self):
        import importlib.metadata  # --help does not wait for it

        return importlib.metadata.entry_points(group=self._group)
