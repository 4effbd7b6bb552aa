"""`python -m tests.fuzz [COUNT [NAME ...]]`: feeds the targets, and prints what became of it."""

import sys

from tests.fuzz import harness
from tests.fuzz.registry import targets


def main(count: str = "20000", *names: str) -> int:
    """Feeds the targets whose names begin so, all without names; 1 where one failed.

    Those of the same name before the colon are a row of the table.
    """
    rows = {}
    for target in targets().values():
        if not names or target.name.startswith(names):
            rows.setdefault(target.name.partition(":")[0], []).append(target)
    failed = False
    print("| reader | tried | refused | accepted | failed |\n|---|---|---|---|---|")
    for name, chosen in sorted(rows.items(), key=lambda row: row[1][0].tensorflow):
        results = harness.run(chosen, int(count))
        found = results.values()
        failures = [f"{where}: {what}" for where, r in results.items() for what in r.failures]
        numbers = (sum(getattr(r, key) for r in found) for key in ("tried", "refused", "accepted"))
        print(f"| {' | '.join(map(str, (name, *numbers, len(failures))))} |", flush=True)
        for failure in failures:
            print(f"    {failure}")
        failed |= bool(failures)
    return failed


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
