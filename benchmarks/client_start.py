"""How soon a fresh process with the client has its first answer, by phase.

    python -m venv build/alone && build/alone/bin/pip install ./client
    python benchmarks/client_start.py --python=build/alone/bin/python \\
        --json=benchmarks/results/client_start.json

Importing gRPC, NumPy and Pillow; then connecting, asking for the model's attributes, and embedding
one photograph. The server answers at once, without a model, so that only the client counts. Wanted
is less than half a second after the import.
"""

import concurrent.futures
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import grpc
import numpy as np
from absl import app, flags
from PIL import Image

from asen_client import Metadata
from asen_client.serving import signatures, tensors, wire
from asen_tf.benchmarks.report import report
from asen_tf.data.synthetic import render

_PYTHON = flags.DEFINE_string("python", sys.executable, "Of an environment with asen-client.")
_PROCESSES = flags.DEFINE_integer("processes", 20, "Processes that are started in turn.", 1)
_JSON = flags.DEFINE_string("json", "", "File to write the result to.")

_MODEL = Metadata({"collar": ["polo", "mandarin"]}, 1024, {}, "", 10**8)

# Prints the seconds of each phase, on the clock, and of both on the processor.
_FIRST = """
import json, sys, time
began, used = time.perf_counter(), time.process_time()
from asen_client import Client
imported = time.perf_counter()
with Client(sys.argv[1]) as client:
    client.embed(sys.argv[2], next(iter(client.attributes)))
    answered = time.perf_counter()
phases = {"import_seconds": imported - began, "first_answer_seconds": answered - imported}
print(json.dumps({**phases, "processor_seconds": time.process_time() - used}))
"""


def predict(request: wire.PredictRequest, _) -> wire.PredictResponse:
    """What a served model says of itself, or vectors of zeros."""
    response = wire.PredictResponse()
    if request.model_spec.signature_name == signatures.METADATA:
        outputs = {signatures.JSON: np.array(_MODEL.to_json().encode(), object)}
    else:
        count = request.inputs[signatures.IMAGE_BYTES].tensor_shape.dim[0].size
        outputs = {signatures.EMBEDDING: np.zeros((count, _MODEL.dimension), np.float32)}
    for name, array in outputs.items():
        response.outputs[name].CopyFrom(tensors.to_proto(array))
    return response


def measure(address: str) -> dict:
    """Of each phase the shortest, the median and the longest of all processes."""
    with tempfile.NamedTemporaryFile(suffix=".jpg") as photograph:
        Image.fromarray(render(0, 0).image).save(photograph, "JPEG", quality=92)
        photograph.flush()
        command = [_PYTHON.value, "-c", _FIRST, address, photograph.name]
        found = [json.loads(subprocess.check_output(command)) for _ in range(_PROCESSES.value)]
    phases = {name: [one[name] for one in found] for name in found[0]}
    return {
        name: {"shortest": min(times), "median": statistics.median(times), "longest": max(times)}
        for name, times in phases.items()
    }


def main(_) -> None:
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    _, service, method = wire.PREDICT.path.split("/")
    handler = grpc.unary_unary_rpc_method_handler(
        predict, wire.PREDICT.request.FromString, wire.PREDICT.response.SerializeToString
    )
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler(service, {method: handler})]
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    result = {
        **measure(f"127.0.0.1:{port}"),
        "processes": _PROCESSES.value,
        "load_average": os.getloadavg()[0],
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "date": time.strftime("%Y-%m-%d"),
    }
    server.stop(None)
    report(result, _JSON.value)


if __name__ == "__main__":
    app.run(main)
