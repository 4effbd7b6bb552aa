"""What export/ gives to a TensorFlow Serving host is what that program reads."""

import http.server
import json
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
import yaml
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
    wrappers_pb2,
)
from tensorflow_serving.config import model_server_config_pb2

from asen_client.serving import signatures

FOLDER = Path(__file__).parents[2] / "export"
COMPOSE = yaml.safe_load((FOLDER / "docker-compose.yml").read_text(encoding="utf-8"))
SERVING = COMPOSE["services"]["serving"]
Field = descriptor_pb2.FieldDescriptorProto

# tensorflow-serving-api ships no module for these two; name, number, type, repeated as in
# session_bundle_config.proto and monitoring_config.proto of TensorFlow Serving.
BATCHING = {
    "BatchingParameters": [
        ("max_batch_size", 1, ".google.protobuf.Int64Value", False),
        ("batch_timeout_micros", 2, ".google.protobuf.Int64Value", False),
        ("max_enqueued_batches", 3, ".google.protobuf.Int64Value", False),
        ("num_batch_threads", 4, ".google.protobuf.Int64Value", False),
        ("thread_pool_name", 5, ".google.protobuf.StringValue", False),
        ("allowed_batch_sizes", 6, Field.TYPE_INT64, True),
        ("pad_variable_length_inputs", 7, Field.TYPE_BOOL, False),
    ]
}
MONITORING = {
    "PrometheusConfig": [
        ("enable", 1, Field.TYPE_BOOL, False),
        ("path", 2, Field.TYPE_STRING, False),
    ],
    "MonitoringConfig": [("prometheus_config", 1, ".tensorflow.serving.PrometheusConfig", False)],
}


def message_class(name, messages):
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{name}.proto", package="tensorflow.serving", syntax="proto3"
    )
    file.dependency.append("google/protobuf/wrappers.proto")
    for message, fields in messages.items():
        declared = file.message_type.add(name=message)
        for field, number, kind, repeated in fields:
            added = declared.field.add(name=field, number=number)
            added.label = Field.LABEL_REPEATED if repeated else Field.LABEL_OPTIONAL
            added.type = Field.TYPE_MESSAGE if isinstance(kind, str) else kind
            if isinstance(kind, str):
                added.type_name = kind
    pool = descriptor_pool.DescriptorPool()
    wrappers = descriptor_pb2.FileDescriptorProto()
    wrappers_pb2.DESCRIPTOR.CopyToProto(wrappers)
    pool.Add(wrappers)
    pool.Add(file)
    descriptor = pool.FindMessageTypeByName(f"tensorflow.serving.{name}")
    return message_factory.GetMessageClass(descriptor)


def parsed(file, message):
    return text_format.Parse((FOLDER / file).read_text(encoding="utf-8"), message)


def options():
    """The server's options: name -> value."""
    return dict(re.fullmatch(r"--(\w+)=(.+)", option).groups() for option in SERVING["command"])


def test_two_versions_have_a_label_each():
    config = parsed("models.config", model_server_config_pb2.ModelServerConfig())
    (model,) = config.model_config_list.config
    assert model.name == signatures.MODEL_NAME
    assert model.model_platform == "tensorflow"
    assert list(model.model_version_policy.specific.versions) == [1, 2]
    assert dict(model.version_labels) == {"stable": 1, "canary": 2}


def test_batches_are_within_what_is_declared():
    batching = parsed("batching.config", message_class("BatchingParameters", BATCHING)())
    assert batching.max_batch_size.value == 32
    assert 0 < batching.batch_timeout_micros.value <= 20_000
    assert batching.max_enqueued_batches.value > 0 and batching.num_batch_threads.value > 0
    with pytest.raises(text_format.ParseError):
        text_format.Parse("max_batch { value: 3 }", type(batching)())


def test_prometheus_is_on():
    monitoring = parsed("monitoring.config", message_class("MonitoringConfig", MONITORING)())
    assert monitoring.prometheus_config.enable
    assert monitoring.prometheus_config.path.startswith("/monitoring/")


def test_compose_mounts_what_the_options_name():
    assert SERVING["image"].startswith("tensorflow/serving:")
    assert SERVING["ports"] == ["8500:8500", "8501:8501"]
    mounts = dict(volume.rsplit(":", 2)[:2][::-1] for volume in SERVING["volumes"])
    assert mounts == {"/models": "${ASEN_MODELS:-./models}", "/config": "."}
    named = [value for value in options().values() if value.startswith("/")]
    assert "/config/models.config" in named
    for path in named:
        assert path.startswith("/config/") and (FOLDER / Path(path).name).exists(), path
    config = parsed("models.config", model_server_config_pb2.ModelServerConfig())
    assert config.model_config_list.config[0].base_path == "/models/asen"
    # The first export makes version 1; without this the server would not start before version 2.
    assert options()["allow_version_labels_for_unavailable_models"] == "true"


@pytest.mark.skipif(not shutil.which("bash"), reason="the health check runs in bash")
@pytest.mark.parametrize("state", ["AVAILABLE", "LOADING", None])
def test_health_is_a_version_that_is_available(state):
    """The check itself, at another port, against what TensorFlow Serving would say."""
    kind, *command = SERVING["healthcheck"]["test"]
    assert kind == "CMD"
    server = http.server.HTTPServer(("127.0.0.1", 0), answering(state))
    command = [word.replace("/8501", f"/{server.server_port}") for word in command]
    thread = threading.Thread(target=server.serve_forever)
    if state:
        thread.start()
    else:
        server.server_close()
    try:
        result = subprocess.run(command, timeout=20, capture_output=True)
    finally:
        if state:
            server.shutdown()
            thread.join()
            server.server_close()
    assert (result.returncode == 0) == (state == "AVAILABLE"), result.stderr


def answering(state):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            status = {"version": "1", "state": state, "status": {"error_code": "OK"}}
            body = json.dumps({"model_version_status": [status]}, indent=1).encode()
            self.send_response(200 if self.path == "/v1/models/asen" else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return Handler


def test_the_readme_names_what_is_there():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    for file in ("models.config", "monitoring.config", "docker-compose.yml"):
        assert f"`{file}`" in text or f"export/{file}" in text
    # REST takes {"b64": ...} for strings; the names say bytes to those who read them.
    assert signatures.IMAGE_BYTES.endswith("_bytes")
    assert signatures.OTHER_IMAGE_BYTES.endswith("_bytes")
    for name in ("embed", "explain", "similarity"):
        assert f"`{getattr(signatures, name)('<attribute>')}`" in text
    for name in (signatures.SERVING_DEFAULT, signatures.EMBED_TENSOR, signatures.METADATA):
        assert f"`{name}`" in text
