"""`asen-serve` as a process, from its configuration file to SIGTERM."""

import functools
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import urllib.request
from pathlib import Path

import grpc
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from tests import programs

CONFIG = """
model_config_list {{
  config {{
    name: "toy" base_path: "{folder}" model_platform: "tensorflow"
    model_version_policy {{ specific {{ versions: 1 versions: 2 }} }}
    version_labels {{ key: "stable" value: 1 }}
  }}
}}
"""
SLOW_SECONDS = 0.8


class Toy(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec((None,), tf.float32, "x")])
    def slow(self, x):
        # A batcher waits so long for a batch to fill.
        batched = tf.nondifferentiable_batch_function(1, 1000, int(SLOW_SECONDS * 1e6))
        return {"y": batched(lambda x: x + 1)(x)}


@pytest.fixture
def server(tmp_path, certificates):
    toy = Toy()
    for version in (1, 2, 3):
        folder = str(tmp_path / "toy" / str(version))
        tf.saved_model.save(toy, folder, signatures={"serving_default": toy.slow})
    (tmp_path / "models.config").write_text(CONFIG.format(folder=tmp_path / "toy"))
    command = [sys.executable, "-m", "asen_tf.cli.serve", "--host=127.0.0.1", "--port=0"]
    command += ["--rest_api_port=0", "--enable_batching"]
    command += [f"--ssl_certificate={certificates[0]}", f"--ssl_key={certificates[1]}"]
    command.append(f"--model_config_file={tmp_path / 'models.config'}")
    path = os.pathsep.join([programs.PATH, os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path}
    with open(tmp_path / "log", "w") as log:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment
        )
    yield process
    process.kill()
    process.wait()


def test_it_answers_over_tls_and_ends_its_requests_at_sigterm(server, tmp_path, certificates):
    line = server.stdout.readline()
    port = re.fullmatch(r"listening at (?:.+):(\d+), REST at 127\.0\.0\.1:(\d+)\n", line)
    assert port, line + (tmp_path / "log").read_text()
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "toy"
    request.model_spec.version_label = "stable"
    request.inputs["x"].CopyFrom(tf.make_tensor_proto([1.0]))
    trusted = grpc.ssl_channel_credentials(Path(certificates[0]).read_bytes())
    context = ssl.create_default_context(cafile=certificates[0])
    ask = functools.partial(urllib.request.urlopen, timeout=20, context=context)
    with grpc.secure_channel(f"localhost:{port[1]}", trusted) as channel:
        predict = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict
        answer = predict(request, timeout=20)
        assert answer.model_spec.version.value == 1
        assert list(answer.outputs["y"].float_val) == [2]
        rest = f"https://localhost:{port[2]}"
        url = f"{rest}/v1/models/toy/labels/stable:predict"
        with ask(url, b'{"instances": [1]}') as answer:
            assert json.load(answer) == {"predictions": [2]}
        with ask(f"{rest}/metrics") as answer:
            assert 'protocol="grpc"' in (text := answer.read().decode()) and "batch_rows" in text
        pending = predict.future(request, timeout=20)
        with pytest.raises(grpc.FutureTimeoutError):
            pending.result(SLOW_SECONDS / 4)
        # A process that has been stopped may get it in another thread than that which waits.
        for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGCONT):
            server.send_signal(number)
        assert list(pending.result().outputs["y"].float_val) == [2]
    assert server.wait(10) == 0
    assert server.stdout.read() == "stopping; requests have 30 s to end\n"
    log = (tmp_path / "log").read_text()
    assert "toy version 2: AVAILABLE" in log
    assert "toy version 3" not in log
    assert "Traceback" not in log
