"""How every program of this library starts and fails."""

import sys
from collections.abc import Callable

from absl import app, logging


def run(main: Callable[..., int | None], positional: bool = False) -> None:
    """Parses the command line and calls `main`, whose result is the exit status.

    What is no flag is refused, or given to `main` as a list if it takes `positional` arguments.

    Bad input (a key that the configuration lacks, ValueError, OSError) ends the program with a
    message and status 1, without a traceback; anything else is a bug and shows one.
    """

    def checked(arguments):
        if len(arguments) > 1 and not positional:
            raise app.UsageError(f"unexpected arguments: {' '.join(arguments[1:])}")
        # Programs say how far they are on their own; what TensorFlow logs beside is noise.
        logging.set_verbosity(logging.WARNING)
        try:
            return main(arguments[1:]) if positional else main()
        except (ValueError, OSError) as error:
            return _failed(error)

    app.run(checked, flags_parser=_parsed)


def _parsed(arguments: list[str]) -> list[str]:
    try:
        return app.parse_flags_with_usage(arguments)
    except (AttributeError, TypeError, ValueError, OSError) as error:
        # ml_collections' own errors, which name the nearest key.
        sys.exit(_failed(error))


def _failed(error: Exception) -> int:
    print(f"error: {error}", file=sys.stderr)
    return 1
