"""How long `asen-serve` takes to answer from a new version, without clients and beside them.

    python benchmarks/new_version.py --global_backbone=resnet18 --local_backbone=resnet18 \\
        --size=64 --local_size=32 --attributes=2 --json=benchmarks/results/new_version_resnet18.json

A version appears in the folder as an export writes it; the seconds count until it is available.
`--clients` ask as fast as they are answered meanwhile. Wanted is at most twice the time without.
"""

import shutil
import threading
import time
from pathlib import Path

import serving
from absl import app, flags

from asen_tf.benchmarks.report import report
from asen_tf.serving import Client

_CLIENTS = flags.DEFINE_integer("clients", 1, "Clients that ask meanwhile.", 1)
_ROUNDS = flags.DEFINE_integer("rounds", 2, "Versions without clients, and as many beside them.", 1)


def ready_after(folder: str, client: Client) -> float:
    """Seconds until a copy of the newest version is available."""
    newest = max(int(path.name) for path in Path(folder).glob("[0-9]*"))
    aside = shutil.copytree(Path(folder, str(newest)), Path(folder, ".copy"))
    began = time.perf_counter()
    aside.rename(Path(folder, str(newest + 1)))
    while client.status().get(newest + 1) != "AVAILABLE":
        time.sleep(0.1)
    return time.perf_counter() - began


def beside_clients(server: serving.Server, client: Client) -> tuple[float, int]:
    """`ready_after` while clients ask, and how often they were answered."""
    images, done, answers = serving.photographs(), threading.Event(), []

    def ask():
        with Client(server.address) as own:
            while not done.is_set():
                own.embed_all(images[len(answers) % len(images)])
                answers.append(time.perf_counter())

    threads = [threading.Thread(target=ask) for _ in range(_CLIENTS.value)]
    for thread in threads:
        thread.start()
    seconds = ready_after(server.folder, client)
    done.set()
    for thread in threads:
        thread.join()
    return seconds, len(answers)


def measure(server: serving.Server) -> dict:
    """Seconds of each round; one without clients and one beside them take turns."""
    idle, busy, answers = [], [], 0
    with Client(server.address) as client:
        for _ in range(_ROUNDS.value):
            idle.append(ready_after(server.folder, client))
            seconds, count = beside_clients(server, client)
            busy.append(seconds)
            answers += count
    ratio = sum(busy) / sum(idle)
    clients = {"clients": _CLIENTS.value, "answers": answers}
    return {"idle_seconds": idle, "busy_seconds": busy, "ratio": ratio, **clients}


def main(_) -> None:
    report(serving.with_server(measure), flags.FLAGS.json)


if __name__ == "__main__":
    app.run(main)
