"""What is fuzzed: readers of bytes from outside and parsers of what users write."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

# What a reader may raise on any input. Errors of Python's own decoders name no file.
REFUSALS = (ValueError, FileNotFoundError)
NOT_OURS = ("UnicodeDecodeError", "UnicodeEncodeError", "JSONDecodeError", "ParseError")


@dataclasses.dataclass(frozen=True)
class Target:
    """One reader.

    Attributes:
      name: of the target.
      modules: of the library that it covers.
      read: takes a folder that `prepare` filled and an input; raises one of `refusals`, and
        AssertionError where what it read breaks a promise.
      seeds: good inputs, which are damaged, or what makes them where that takes long; or
      strategy: of hypothesis, for what is generated from a grammar.
      prepare: fills an empty folder.
      mentions: a refusal has to name one of them.
      refusals: what it may raise.
      tensorflow: it needs TensorFlow, whose start takes seconds.
      share: it gets one of so many inputs, where reading takes long.
      seconds: of processor time for one input.
    """

    name: str
    modules: Sequence[str]
    read: Callable[[Path, Any], Any]
    seeds: Sequence[bytes] | Callable[[], Sequence[bytes]] = ()
    strategy: Callable[[], Any] | None = None
    prepare: Callable[[Path], None] = lambda folder: None
    mentions: Sequence[str] = ()
    refusals: tuple[type[Exception], ...] = REFUSALS
    tensorflow: bool = False
    share: int = 1
    seconds: float = 2.0


def of_files(
    name: str,
    modules: Sequence[str],
    read: Callable[[Path], Any],
    files: Mapping[str, bytes | str],
    damaged: Sequence[str] | None = None,
    **options: Any,
) -> list[Target]:
    """A target for each file of a folder that is read as a whole.

    Args:
      read: reads the folder.
      files: path -> content of what lies in it.
      damaged: those that are to be damaged; None: all.
    """
    content = {k: v.encode() if isinstance(v, str) else v for k, v in files.items()}

    def prepare(folder: Path) -> None:
        for file, raw in content.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_bytes(raw)

    def reader(file: str) -> Callable[[Path, bytes], Any]:
        def read_with(folder: Path, raw: bytes) -> Any:
            (folder / file).write_bytes(raw)
            return read(folder)

        return read_with

    return [
        Target(
            f"{name}: {file}" if len(files) > 1 else name,
            modules,
            reader(file),
            seeds=[content[file]],
            prepare=prepare,
            **{"mentions": [Path(known).name for known in files], **options},
        )
        for file in damaged or files
    ]
