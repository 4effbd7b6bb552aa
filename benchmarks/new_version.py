"""How long `asen-serve` takes to answer from a new version, without clients and beside them.

    python benchmarks/new_version.py --global_backbone=resnet18 --local_backbone=resnet18 \\
        --size=112 --local_size=56 --json=benchmarks/results/new_version_resnet18.json

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


def measure(server: serving.Server) -> dict:
    """Seconds of each round, and how often the clients were answered."""
    images, done, answers = serving.photographs(), threading.Event(), []

    def ask():
        with Client(server.address) as client:
            while not done.is_set():
                client.embed_all(images[len(answers) % len(images)])
                answers.append(time.perf_counter())

    with Client(server.address) as client:
        idle = [ready_after(server.folder, client) for _ in range(_ROUNDS.value)]
        threads = [threading.Thread(target=ask) for _ in range(_CLIENTS.value)]
        for thread in threads:
            thread.start()
        busy = [ready_after(server.folder, client) for _ in range(_ROUNDS.value)]
        done.set()
        for thread in threads:
            thread.join()
    ratio = sum(busy) / sum(idle)
    clients = {"clients": _CLIENTS.value, "answers": len(answers)}
    return {"idle_seconds": idle, "busy_seconds": busy, "ratio": ratio, **clients}


def main(_) -> None:
    report(serving.with_server(measure), flags.FLAGS.json)


if __name__ == "__main__":
    app.run(main)
