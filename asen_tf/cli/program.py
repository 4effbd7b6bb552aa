"""How every program of this library starts, shows its help and fails."""

import re
import sys
from collections.abc import Callable

from absl import app, flags, logging

from asen_tf.core import startup

_HELP = {"help", "helpshort", "helpfull", "h", "?"}


def run(
    main: Callable[..., int | None], positional: bool = False, verbosity: int = logging.WARNING
) -> None:
    """Parses the command line and calls `main`, whose result is the exit status.

    What is no flag is refused, or given to `main` as a list if it takes `positional` arguments.
    --help shows the docstring of `main`'s module and the flags that were defined for it. What is
    logged below `verbosity` is not shown: programs say how far they are on their own.

    Bad input (a key that the configuration lacks, ValueError, OSError) ends the program with a
    message and status 1, without a traceback; anything else is a bug and shows one.
    """

    def checked(arguments):
        if len(arguments) > 1 and not positional:
            raise app.UsageError(f"unexpected arguments: {' '.join(arguments[1:])}")
        logging.set_verbosity(verbosity)
        try:
            return main(arguments[1:]) if positional else main()
        except (ValueError, OSError) as error:
            return _failed(error)

    startup.quiet()
    _describe(main)
    app.run(checked, flags_parser=_parsed)


def _describe(main: Callable) -> None:
    """Names text and flags for --help: absl takes both from the script that was started."""
    sys.modules["__main__"].__doc__ = sys.modules[main.__module__].__doc__
    for module, defined in flags.FLAGS.flags_by_module_dict().items():
        if module.startswith("asen_tf."):
            for flag in defined:
                flags.FLAGS.register_key_flag_for_module(sys.argv[0], flag)


def _parsed(arguments: list[str]) -> list[str]:
    words = arguments[1 : arguments.index("--")] if "--" in arguments else arguments[1:]
    wanted = _HELP.intersection(word.lstrip("-") for word in words if word.startswith("-"))
    if wanted:  # absl would leave with status 1
        app.usage(shorthelp="helpfull" not in wanted, writeto_stdout=True, exitcode=0)
    try:
        return app.parse_flags_with_usage(arguments)
    except (AttributeError, KeyError, TypeError, ValueError, OSError) as error:
        sys.exit(_failed(_unknown_key(error)))


def _unknown_key(error: Exception) -> Exception | str:
    """What ml_collections says of a key that a configuration lacks, without quotes of quotes."""
    cause = error.args[0] if error.args and isinstance(error.args[0], KeyError) else error
    if not isinstance(cause, KeyError):
        return error
    listed = re.compile(r' Other fields present: ".*?"(?=\nDid|\Z)', re.DOTALL)
    said = listed.sub("", str(cause.args[0]))
    return f"the configuration has no such key: {said}".replace(".\n", "\n").replace("\n", ". ")


def _failed(error: Exception | str) -> int:
    print(f"error: {error}", file=sys.stderr)
    return 1
