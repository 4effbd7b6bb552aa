"""What long work says on stderr: how far it is."""

import functools
import sys

from tqdm.auto import tqdm

_SILENT_SECONDS = 2.0
_TERMINAL_SECONDS = 1.0
_FILE_SECONDS = 30.0


class Progress(tqdm):
    """A tqdm bar, also in notebooks; nothing in the first two seconds, and in files few updates.

    Args:
      what: what is being done, for example "decoding".
      total: how much there is to do.
      unit: of what is counted, for example "images".
      disable: say nothing.
    """

    monitor_interval = 0  # no thread that looks after bars

    def __init__(self, what: str, total: int, unit: str, disable: bool = False):
        seconds = _TERMINAL_SECONDS if sys.stderr.isatty() else _FILE_SECONDS
        super().__init__(
            desc=what,
            total=total,
            unit=f" {unit}",
            delay=_SILENT_SECONDS,
            mininterval=seconds,
            maxinterval=2 * seconds,
            dynamic_ncols=True,
            disable=disable,
        )

    def __exit__(self, *error) -> None:
        if isinstance(error[1], KeyboardInterrupt) and not error[1].args and not self.disable:
            error[1].args = (f"while {self.desc}, at {self.n} of {self.total}{self.unit}",)
        super().__exit__(*error)


Quiet = functools.partial(Progress, disable=True)  # says nothing


def say(text: str) -> None:
    """Writes a line to stderr, above the bars that are shown."""
    tqdm.write(text, file=sys.stderr)
    sys.stderr.flush()


def duration(seconds: float) -> str:
    """Seconds as people read them: 8 s, 3:07 min, 2:05 h."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    if minutes < 60:
        return f"{minutes}:{rest:02d} min"
    return f"{minutes // 60}:{minutes % 60:02d} h"
