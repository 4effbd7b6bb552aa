"""Joins what `gpu.sh` measured, a file a case, into one JSON and a table.

    python benchmarks/gpu_table.py FOLDER benchmarks/results/gpu.json

Needs no TensorFlow. Cases stand in the order in which they were measured; what all of them share
stands once.
"""

import json
import sys
from pathlib import Path

_SHARED = ("machine", "versions", "date")
_COLUMNS = {
    "case": "case",
    "precision": "computes in",
    "jit": "XLA",
    "replicas": "replicas",
    "batch": "batch",
    "images_per_sec": "images/s",
    "images_per_sec_at_hand": "at hand",
    "fraction_of_peak": "of peak",
    "gpu_peak_mb": "GPU MB",
    "peak_memory_mb": "MB",
}


def of_server(result: dict) -> dict:
    """What `serving.py` measured, as a case: 16 clients that ask for all attributes."""
    rate = result["all_attributes"][-1]["images_per_sec"]
    memory = {"gpu_peak_mb": result["gpu_mb"], "peak_memory_mb": result["server_memory_mb"]}
    return {"case": "serve", "images_per_sec": rate, **memory, **result}


def joined(folder: Path) -> dict:
    """All cases of a folder; `failed` are the names of those without a result."""
    files = sorted(folder.glob("*.json"), key=lambda file: file.stat().st_mtime)
    cases = [json.loads(file.read_text()) for file in files]
    cases = [case if "case" in case else of_server(case) for case in cases]
    shared = {name: case[name] for case in reversed(cases) for name in _SHARED if name in case}
    for case in cases:
        for name in _SHARED:
            case.pop(name, None)
    failed = sorted(
        log.stem for log in folder.glob("*.log") if not log.with_suffix(".json").exists()
    )
    return {**shared, "failed": failed, "cases": cases}


def cell(value: object) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.2f}" if value < 1 else f"{value:.0f}"


def table(cases: list[dict]) -> str:
    """Of Markdown."""
    rows = [[*_COLUMNS.values()], ["---"] * len(_COLUMNS)]
    rows += [[cell(case.get(key)) for key in _COLUMNS] for case in cases]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main(folder: str, output: str) -> None:
    result = joined(Path(folder))
    Path(output).write_text(json.dumps(result, indent=1) + "\n")
    machine = result.get("machine", {})
    print(
        ", ".join(machine.get("gpus", []))
        or "no GPU: " + machine.get("processor", "nothing measured")
    )
    print(table(result["cases"]))
    if result["failed"]:
        print("failed: " + ", ".join(result["failed"]))


if __name__ == "__main__":
    main(*sys.argv[1:])
