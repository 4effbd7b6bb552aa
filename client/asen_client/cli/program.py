"""How every program of ours starts, shows its help and ends.

The exit status is 0 where the job was done, 1 where it failed, 2 for wrong use, and 128 + N after
signal N: 130 for Ctrl-C, 143 for SIGTERM.
"""

import itertools
import math
import os
import re
import signal
import sys
from collections.abc import Callable, Mapping
from logging import Formatter
from types import MappingProxyType

from absl import app, flags, logging

from asen_client.core import signals, startup, terminal
from asen_client.core.errors import NO_ROOM, Failed

FAILED, WRONG_USE = 1, 2

_HELP = {"help", "helpshort", "helpfull", "h", "?"}
_HOME = re.compile(r"(-+[\w.]+=(?:\w+:)?)(~(?:/.*)?)\Z", re.DOTALL)
_MISSING = re.compile(r"flag --(\w+)=None: Flag --\1 must have a value other than None\.")
_ONE_OF = re.compile(r"flags [^:]*: Exactly one of \((\w+), (\w+)\) must have a value.*")
_AGAIN = {True: "goes on", False: "starts anew"}


def run(
    main: Callable[..., int | None],
    positional: bool = False,
    verbosity: int = logging.WARNING,
    goes_on: bool = False,
    checks: Mapping[str, Callable[[str], None]] = MappingProxyType({}),
) -> None:
    """Parses the command line and calls `main`, whose result is the exit status.

    What is no flag is refused, or given to `main` as a list if it takes `positional` arguments.
    --help shows the docstring of `main`'s module and the flags that were defined for it. What is
    logged below `verbosity` is not shown: programs say how far they are on their own.

    Whatever a user can cause (a command line or configuration that makes no sense, ValueError,
    OSError, `Failed`, too little memory, a signal) ends the program with a message and without a
    traceback; anything else is a bug and shows one.

    Args:
      main: the program.
      positional: see above.
      verbosity: see above.
      goes_on: whether a stopped program goes on where it was when it is started again.
      checks: flag -> what raises for a value before absl, which would not say what is wrong.
    """

    def called(arguments):
        if len(arguments) > 1 and not positional:
            raise app.UsageError(f"unexpected arguments: {' '.join(arguments[1:])}")
        logging.set_verbosity(verbosity)
        return main(arguments[1:]) if positional else main()

    def parsed(arguments):
        found = []
        if status := _status(lambda: found.extend(_parsed(arguments, checks)), WRONG_USE):
            sys.exit(status)
        return found

    startup.quiet()
    terminal.guard()
    log = logging.get_absl_handler()
    log.python_handler.stream = sys.stderr
    if verbosity == logging.WARNING:  # of servers the time and place matter, too
        log.setFormatter(Formatter("warning: %(message)s"))
    signals.raise_stopped()
    _describe(main)
    sys.argv[1:] = [_HOME.sub(_at_home, word) for word in sys.argv[1:]]
    app.run(
        lambda arguments: _status(lambda: called(arguments), FAILED, goes_on), flags_parser=parsed
    )


def _status(work: Callable[[], int | None], failed: int, goes_on: bool = False) -> int:
    """Does the work and gives the exit status; `failed` for what else a user can cause."""
    try:
        status = work() or 0
        sys.stdout.flush()
        return status
    except (app.UsageError, flags.Error) as error:
        said = _MISSING.sub(r"--\1 is required", str(error))
        said = _ONE_OF.sub(r"expected either --\1 or --\2", said).replace("\n", "; ")
        return _said(f"error: {said.rstrip('.')}. --help lists the flags", WRONG_USE)
    except BrokenPipeError:  # whoever read has seen enough, as `head` does
        _give_up_stdout()
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt as stop:
        number = getattr(stop, "number", signal.SIGINT)
        where = "".join(f" {where}" for where in stop.args)
        again = "" if ";" in where else f"; the same command {_AGAIN[goes_on]}"
        return _said(f"stopped{where}{again}", 128 + number)
    except (ValueError, OSError, Failed, MemoryError, NotImplementedError) as error:
        return _said(f"error: {_text(error)}", failed)
    except Exception as error:
        if type(error).__name__ != "ResourceExhaustedError":  # TensorFlow's, which may not be there
            raise
        first = str(error).partition("\n")[0]
        return _said(f"error: not enough memory: {first}. Smaller batches need less", failed)


def _give_up_stdout() -> None:
    """Python would try to write the rest at its end, and fail with a status of its own."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _said(text: str, status: int) -> int:
    print(text, file=sys.stderr)
    try:
        sys.stdout.flush()
    except OSError:
        _give_up_stdout()
    return status


def _text(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        advice = ". Make room and give the same command again" if error.errno in NO_ROOM else ""
        place = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
        return f"{place}{error.strerror}{advice}"
    return str(error) or ("not enough memory" if isinstance(error, MemoryError) else repr(error))


def _describe(main: Callable) -> None:
    """Names text and flags for --help: absl takes both from the script that was started."""
    sys.modules["__main__"].__doc__ = sys.modules[main.__module__].__doc__
    for module, defined in flags.FLAGS.flags_by_module_dict().items():
        if module.startswith(("asen_client.", "asen_tf.")):
            for flag in defined:
                flags.FLAGS.register_key_flag_for_module(sys.argv[0], flag)


def _at_home(found: re.Match) -> str:
    """`--flag=~/x`, in which shells do not expand the sign."""
    return found[1] + os.path.expanduser(found[2])


def _parsed(arguments: list[str], checks: Mapping[str, Callable[[str], None]]) -> list[str]:
    words = arguments[1 : arguments.index("--")] if "--" in arguments else arguments[1:]
    wanted = _HELP.intersection(word.lstrip("-") for word in words if word.startswith("-"))
    if wanted:  # absl would leave with status 1
        app.usage(shorthelp="helpfull" not in wanted, writeto_stdout=True, exitcode=0)
    for name, value in itertools.zip_longest(words, words[1:], fillvalue=""):
        name, given, after = name.lstrip("-").partition("=")
        if name in checks:
            checks[name](after if given else value)
    try:
        left = flags.FLAGS(arguments)
        _check_numbers()
        return left
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(_unknown_key(error)) from error


def _check_numbers() -> None:
    """No bound of absl's keeps NaN out; keys of configurations are checked with the others."""
    for name, value in flags.FLAGS.flag_values_dict().items():
        if isinstance(value, float) and not math.isfinite(value) and "." not in name:
            raise flags.IllegalFlagValueError(f"--{name}={value}: expected a finite number")


def _unknown_key(error: Exception) -> str:
    """What ml_collections says of a key that a configuration lacks, without quotes of quotes."""
    cause = error.args[0] if error.args and isinstance(error.args[0], KeyError) else error
    if not isinstance(cause, KeyError):
        return str(error)
    listed = re.compile(r' Other fields present: ".*?"(?=\nDid|\Z)', re.DOTALL)
    said = listed.sub("", str(cause.args[0]))
    return f"the configuration has no such key: {said}".replace(".\n", "\n").replace("\n", ". ")
