"""Feeds targets with inputs in a process of its own, whose time and memory are limited.

A reader that ends the process, or does not end itself, is named with the input; the others go on.
"""

import dataclasses
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tests import programs
from tests.fuzz.mutations import mutated
from tests.fuzz.target import NOT_OURS, Target

ROOT = Path(__file__).parents[2]
_STATE = struct.Struct("<4q")  # target, input, refused, accepted
_PATIENCE = 120.0
_MEGABYTES = {False: 300, True: 1500}
_MOST_FAILURES = 5


@dataclasses.dataclass
class Result:
    """What became of the inputs of a target; `failures` are in words."""

    tried: int = 0
    refused: int = 0
    accepted: int = 0
    failures: list[str] = dataclasses.field(default_factory=list)


def run(targets: Sequence[Target], count: int) -> dict[str, Result]:
    """Feeds each target with its share of so many inputs.

    Args:
      targets: of the registry, all with or all without TensorFlow.
      count: inputs of a target whose share is 1.
    """
    results = {target.name: Result() for target in targets}
    names, at, start = [target.name for target in targets], 0, 0
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder, "state")
        while at < len(targets):
            state.write_bytes(_STATE.pack(at, start, 0, 0))
            ending = _child(names[at:], count, start, state, results)
            reached, number, refused, accepted = _STATE.unpack(state.read_bytes())
            if ending == "done":
                break
            result = results[names[at + reached]]
            result.tried += refused + accepted + 1
            result.refused, result.accepted = result.refused + refused, result.accepted + accepted
            result.failures.append(f"input {number}: {ending}")
            at, start = at + reached, number + 1
            if len(result.failures) >= _MOST_FAILURES:
                at, start = at + 1, 0
    return results


def _child(names, count, start, state, results) -> str:
    command = [sys.executable, "-m", "tests.fuzz.harness", str(count), str(start), str(state)]
    environment = {**os.environ, "PYTHONPATH": programs.PATH, "TF_CPP_MIN_LOG_LEVEL": "3"}
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        child = subprocess.Popen(
            [*command, *names], cwd=ROOT, env=environment, stdout=output, stderr=errors
        )
        seen, since = b"", time.monotonic()
        while (status := child.poll()) is None:
            time.sleep(0.05)
            if (now := state.read_bytes()) != seen:
                seen, since = now, time.monotonic()
            elif time.monotonic() - since > _PATIENCE:
                child.kill()
        output.seek(0)
        for line in output:
            name, one = json.loads(line)
            result = results[name]
            for key in ("tried", "refused", "accepted"):
                setattr(result, key, getattr(result, key) + one[key])
            result.failures += one["failures"]
        if status == 0:
            return "done"
        errors.seek(0)
        return f"the process ended with status {status}: {errors.read()[-1500:]}"


def feed(target: Target, count: int, start: int, note: Callable[[int, Result], None]) -> Result:
    """Feeds a target in this process, from the input of number `start`."""
    result = Result()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        target.prepare(folder)
        for number, given in _inputs(target, max(1, count // target.share), start):
            note(number, result)
            begin = time.process_time()
            failure = _try(target, folder, given(), result)
            spent = time.process_time() - begin
            if not failure and spent > target.seconds:
                failure = f"took {spent:.1f} s"
            result.tried += 1
            if failure and len(result.failures) < _MOST_FAILURES:
                result.failures.append(f"input {number}: {failure}")
    return result


def _try(target: Target, folder: Path, given: Any, result: Result) -> str | None:
    try:
        target.read(folder, given)
    except target.refusals as error:
        result.refused += 1
        named = any(name in str(error) for name in target.mentions) or not target.mentions
        if type(error).__name__ in NOT_OURS or not named:
            return f"{type(error).__name__} that names no place: {error!s:.200}"
        if len(str(error)) > 20_000:
            return f"a message of {len(str(error))} letters"
        return None
    except Exception as error:
        return f"{type(error).__name__}: {error!s:.300}"
    result.accepted += 1
    return None


def _inputs(target: Target, count: int, start: int) -> Iterator[tuple[int, Callable[[], Any]]]:
    if target.strategy is None:
        seeds = target.seeds() if callable(target.seeds) else target.seeds
        for number in range(start, max(count, len(seeds))):
            yield number, lambda number=number: mutated(target.name, number, seeds)
        return
    import hypothesis

    made = []

    @hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(target.strategy())
    def collect(given):
        made.append(given)

    collect()
    yield from ((number, lambda given=given: given) for number, given in enumerate(made[start:]))


def _limit_memory(megabytes: int) -> None:
    """Allows so much more than is taken now."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (ImportError, OSError):  # elsewhere than on Linux
        return
    most = pages * resource.getpagesize() + (megabytes << 20)
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))


def _main(count: str, start: str, state: str, *names: str) -> None:
    from tests.fuzz.registry import by_name

    targets = [by_name(name) for name in names]
    for module in {module for target in targets for module in target.modules}:
        __import__(module)
    file = os.open(state, os.O_WRONLY)
    for at, target in enumerate(targets):

        def note(number, result, at=at):
            os.pwrite(file, _STATE.pack(at, number, result.refused, result.accepted), 0)

        _limit_memory(_MEGABYTES[target.tensorflow])
        result = feed(target, int(count), int(start) if not at else 0, note)
        print(json.dumps([target.name, dataclasses.asdict(result)]), flush=True)


if __name__ == "__main__":
    _main(*sys.argv[1:])
