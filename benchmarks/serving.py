"""Latency and images a second of `asen-serve`, called by the client over gRPC.

    python benchmarks/serving.py --global_backbone=resnet50 --local_backbone=resnet34 \\
        --size=224 --local_size=112 --json=benchmarks/results/serving_resnet50_resnet34.json

One photograph a request, for one attribute and for all; 1, 4 and 16 clients. Beside these, what the
server adds: its answer for all attributes, in turn with the call of the same signature in this
process; wanted is at most 1.15 times that call's time. --cases has one of the two. The model has
random weights: only its sizes matter here. `load.py` has junk among the requests.
"""

import concurrent.futures
import itertools
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from absl import app, flags, logging

from asen_client.serving import signatures
from asen_tf.benchmarks.report import report
from asen_tf.core.choices import PRECISIONS
from asen_tf.data.synthetic import render
from asen_tf.serving import Client

_GLOBAL = flags.DEFINE_string("global_backbone", "resnet50", "Of the global branch.")
_LOCAL = flags.DEFINE_string("local_backbone", "resnet34", "Of the local branch.")
_SIZE = flags.DEFINE_integer("size", 224, "Side of the global branch's input in pixels.")
_LOCAL_SIZE = flags.DEFINE_integer("local_size", 112, "Likewise of the local branch.")
_ATTRIBUTES = flags.DEFINE_integer("attributes", 9, "Attributes of the model.")
_PRECISION = flags.DEFINE_enum("precision", "float32", PRECISIONS, "What the model computes in.")
_JIT = flags.DEFINE_bool("jit", False, "Whether XLA compiles the backbones.")
_MODELS = flags.DEFINE_string("models", "", "Folder of an export to serve; default: made anew.")
_SERVE = flags.DEFINE_multi_string(
    "serve", [], "A flag of asen-serve, such as --serve=--enable_batching."
)
_CASES = flags.DEFINE_multi_enum("cases", ["load", "bare"], ["load", "bare"], "What to measure.")
_SECONDS = flags.DEFINE_float("seconds", 20.0, "How long to measure each case.")
_JSON = flags.DEFINE_string("json", "", "File to write the result to.")


_OF_MODEL = tuple(
    flag.name for flag in (_GLOBAL, _LOCAL, _SIZE, _LOCAL_SIZE, _ATTRIBUTES, _PRECISION, _JIT)
)


def export(folder: str) -> None:
    """A model of these sizes, in a process of its own, so that its memory is not counted here."""
    from asen_tf.benchmarks import network
    from asen_tf.benchmarks.setting import Setting
    from asen_tf.serving.export import export_model

    setting = Setting(**{name: flags.FLAGS[name].value for name in _OF_MODEL})
    space = setting.space()
    export_model(network.build(setting.config(""), space), space, folder, verified=False)


class Server:
    """An `asen-serve` of its own."""

    def __init__(self, folder: str):
        self.folder = folder
        command = [sys.executable, "-m", "asen_tf.cli.serve", f"--model_base_path={folder}"]
        began = time.perf_counter()
        self._process = subprocess.Popen(
            [*command, "--port=0", "--rest_api_port=0", "--host=127.0.0.1", *_SERVE.value],
            stdout=subprocess.PIPE,
            text=True,
        )
        line = self._process.stdout.readline()
        self.address, self.rest_address = re.findall(r"127\.0\.0\.1:\d+", line)
        while "AVAILABLE" not in Client(self.address).status().values():
            time.sleep(0.2)
        self.start_up_seconds = time.perf_counter() - began

    def memory_mb(self) -> float:
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024

    def gpu_mb(self) -> float | None:
        """What is used of the first GPU, by whomever; None without `nvidia-smi`."""
        asked = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
        if not shutil.which(asked[0]):
            return None
        return float(subprocess.check_output(asked, text=True).split()[0])

    def stop(self) -> int:
        self._process.terminate()
        return self._process.wait()


def photographs(count: int = 16) -> list[bytes]:
    """JPEG files."""
    import io

    from PIL import Image

    files = []
    for index in range(count):
        file = io.BytesIO()
        Image.fromarray(render(0, index).image).save(file, "JPEG", quality=92)
        files.append(file.getvalue())
    return files


def latency(address: str, clients: int, call, seconds: float) -> dict:
    """Latencies of so many clients that ask as fast as they are answered."""
    images = photographs()

    def one(number):
        times = []
        with Client(address) as client:
            call(client, images[number % len(images)])
            began = time.perf_counter()
            while time.perf_counter() - began < seconds:
                start = time.perf_counter()
                call(client, images[(number + len(times)) % len(images)])
                times.append(time.perf_counter() - start)
            return times, time.perf_counter() - began

    with concurrent.futures.ThreadPoolExecutor(clients) as threads:
        done = list(threads.map(one, range(clients)))
    times = np.concatenate([times for times, _ in done])
    p50, p99 = 1000 * np.percentile(times, (50, 99))
    rate = sum(len(times) / wall for times, wall in done)
    return {"clients": clients, "p50_ms": p50, "p99_ms": p99, "images_per_sec": rate}


def latencies(server: Server) -> dict:
    with Client(server.address) as client:
        names = list(client.attributes)
    calls = {
        "one_attribute": lambda client, image: client.embed(image, names[0]),
        "all_attributes": lambda client, image: client.embed_all(image),
    }
    cases = {
        name: [latency(server.address, n, call, _SECONDS.value) for n in (1, 4, 16)]
        for name, call in calls.items()
    }
    each = latency(
        server.address,
        1,
        lambda client, image: [client.embed(image, name) for name in names],
        _SECONDS.value,
    )
    ratio = each["p50_ms"] / cases["all_attributes"][0]["p50_ms"]
    return {**cases, "single_requests_for_all": each, "one_request_is_faster_by": ratio}


def beside_bare(server: Server) -> dict:
    """Latencies of one client and, in turn with it, of the signature in this process."""
    from asen_tf.serving.loaded import LoadedModel

    newest = max(Path(server.folder).glob("[0-9]*"), key=lambda path: int(path.name))
    model = LoadedModel(newest)

    def bare(image):
        inputs = {signatures.IMAGE_BYTES: np.array([image], object)}
        found = model.run(signatures.SERVING_DEFAULT, inputs)
        return {name: tensor.numpy() for name, tensor in found.items()}

    with Client(server.address) as client:
        calls = {"server": client.embed_all, "bare": bare}
        times = {name: [] for name in calls}
        images = photographs()
        for call in calls.values():  # which are warm then
            list(map(call, images))
        began = time.perf_counter()
        while time.perf_counter() - began < _SECONDS.value:
            image = images[len(times["bare"]) % len(images)]
            for name, call in calls.items():
                start = time.perf_counter()
                call(image)
                times[name].append(time.perf_counter() - start)
    found = {f"{name}_p50_ms": 1000 * float(np.median(of)) for name, of in times.items()}
    ratio = found["server_p50_ms"] / found["bare_p50_ms"]
    return {"beside_bare_call": {**found, "ratio": ratio, "answers": len(times["bare"])}}


def measure(server: Server) -> dict:
    """The --cases."""
    cases = {"load": latencies, "bare": beside_bare}
    return dict(itertools.chain(*(cases[name](server).items() for name in _CASES.value)))


def with_server(measure: Callable[[Server], dict]) -> dict:
    """What is measured on a server of --models, or of a model made anew, and the circumstances."""
    with tempfile.TemporaryDirectory() as made:
        folder = _MODELS.value or made
        if not any(Path(folder).glob("[0-9]*")):
            with concurrent.futures.ProcessPoolExecutor(1) as process:
                process.submit(_exported, folder, flags.FLAGS.flag_values_dict()).result()
        server = Server(folder)
        try:
            measured = measure(server)
            measured["start_up_seconds"] = server.start_up_seconds
            measured["server_memory_mb"] = server.memory_mb()
            measured["gpu_mb"] = server.gpu_mb()
        finally:
            measured_exit = server.stop()
    return {
        **{name: flags.FLAGS[name].value for name in _OF_MODEL},
        "serve": _SERVE.value,
        **measured,
        "server_exit": measured_exit,
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "date": time.strftime("%Y-%m-%d"),
    }


def main(_) -> None:
    report(with_server(measure), _JSON.value)


def _exported(folder, values):
    flags.FLAGS(["serving"])
    logging.set_verbosity(logging.WARNING)
    for name in _OF_MODEL:
        flags.FLAGS[name].value = values[name]
    export(folder)


if __name__ == "__main__":
    app.run(main)
