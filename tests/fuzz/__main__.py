"""`python -m tests.fuzz [COUNT [NAME ...]]`: feeds the targets, and prints what became of it."""

import sys

from tests.fuzz import harness
from tests.fuzz.registry import targets


def main(count: str = "20000", *names: str) -> int:
    """Feeds the targets whose names begin so, all without names; 1 where one failed."""
    chosen = [t for t in targets().values() if not names or t.name.startswith(names)]
    failed = False
    print("| reader | tried | refused | accepted | failed |\n|---|---|---|---|---|")
    for target in sorted(chosen, key=lambda target: target.tensorflow):
        result = harness.run([target], int(count))[target.name]
        failed |= bool(result.failures)
        numbers = result.tried, result.refused, result.accepted, len(result.failures)
        print(f"| {' | '.join(map(str, (target.name, *numbers)))} |", flush=True)
        for failure in result.failures:
            print(f"    {failure}")
    return failed


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
