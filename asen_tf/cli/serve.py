"""Serves exported models as TensorFlow Serving does: for development and small deployments; a fleet
is TensorFlow Serving's business, and clients cannot tell them apart.

asen-serve --model_base_path=export/models/asen --port=8500 --rest_api_port=8501
asen-serve --model_config_file=models.config --port=8500

It speaks gRPC, and with --rest_api_port REST, where /metrics is for Prometheus. A new version in
the folder is served within seconds and the old one unloaded when its requests are done. SIGTERM
lets requests end (--grace_seconds).
"""

import functools
import gc
import os
import signal
import sys
import threading
from collections.abc import Callable

from absl import flags, logging

from asen_client.cli import program
from asen_client.core import addresses
from asen_client.serving.signatures import MODEL_NAME


def main() -> int | None:
    given = flags.FLAGS
    addresses.check_free(given.host, given.port)
    if given.rest_api_port is not None:
        addresses.check_free(given.host, given.rest_api_port)
    # TensorFlow and gRPC take seconds to load; --help needs neither.
    from asen_tf.serving.server import Batching, Limits, Models, Server, config
    from asen_tf.serving.server.tls import credentials

    # What was imported stays; collecting garbage after a version would look through it for long.
    gc.freeze()
    limits = Limits(
        message_bytes=given.max_message_mb << 20,
        batch=given.max_batch,
        concurrent=given.max_concurrent,
        waiting=given.max_waiting,
        rest_seconds=given.rest_api_timeout_in_ms / 1000,
    )
    rest = _rest(given)
    tls = credentials(given.ssl_certificate, given.ssl_key, given.ssl_client_ca)
    if given.model_config_file:
        configuration = functools.partial(config.read, given.model_config_file)
    else:
        configuration = functools.partial(config.one, given.model_name, given.model_base_path)
    config.check_folders(configuration())
    models = Models(configuration, limits)
    models.look()
    batching = None
    if given.enable_batching:
        batching = Batching(given.max_batch_size, given.batch_timeout_micros)
    server = Server(models, limits, given.host, given.port, tls, batching, rest)
    server.start(given.poll_seconds)
    beside = f", REST at {given.host}:{server.beside.port}" if server.beside else ""
    print(f"listening at {given.host}:{server.port}{beside}", flush=True)
    _wait_for_signal()
    print(f"stopping; requests have {given.grace_seconds:g} s to end", flush=True)
    if not server.stop(given.grace_seconds):
        print("error: requests were cut off", file=sys.stderr)
        # The interpreter would wait for the threads that still run them.
        sys.stderr.flush()
        os._exit(1)
    return None


def _rest(given: flags.FlagValues) -> Callable | None:
    """Makes the server of REST, see `Server`; None where it is not wanted."""
    if given.rest_api_port is None:
        return None
    try:
        from asen_tf.serving.server.rest import RestServer
    except ImportError as error:
        raise ValueError(f'--rest_api_port needs pip install "asen_tf[rest]" ({error})') from error
    return functools.partial(
        RestServer,
        host=given.host,
        port=given.rest_api_port,
        certificate=given.ssl_certificate,
        key=given.ssl_key,
        client_ca=given.ssl_client_ca,
    )


def _wait_for_signal() -> None:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    # Another thread may get the signal, as after SIGSTOP: a wait without end would not notice.
    while not stop.wait(1.0):
        pass


def run() -> None:
    flags.DEFINE_string("model_base_path", None, "Folder that has a folder for each version.")
    flags.DEFINE_string("model_name", MODEL_NAME, "Name under which clients ask for that model.")
    flags.DEFINE_string(
        "model_config_file",
        None,
        "File with a ModelServerConfig in text form, for several models, versions and labels, "
        "instead of --model_base_path; it is read again when it changes.",
    )
    flags.DEFINE_string("host", "0.0.0.0", "Address to listen at; 127.0.0.1: this machine alone.")
    flags.DEFINE_integer("port", 8500, "Port to listen at; 0: a free one.", 0, 65535)
    flags.DEFINE_integer(
        "rest_api_port", None, "Port for REST and metrics; 0: a free one; none: no REST.", 0, 65535
    )
    flags.DEFINE_integer(
        "rest_api_timeout_in_ms", 30_000, "Milliseconds of a REST request at most.", 1
    )
    flags.DEFINE_bool(
        "enable_batching", False, "Computes requests of several clients together: pays on a GPU."
    )
    flags.DEFINE_integer("max_batch_size", 32, "Photographs that are computed together.", 1)
    flags.DEFINE_integer(
        "batch_timeout_micros", 1000, "Microseconds that a request waits for others.", 0
    )
    flags.DEFINE_integer("max_message_mb", 64, "Largest request or answer, in megabytes.", 1, 2047)
    flags.DEFINE_integer("max_batch", 128, "Most photographs of a request.", 1)
    flags.DEFINE_integer("max_concurrent", os.cpu_count() or 1, "Requests that run at one time.", 1)
    flags.DEFINE_integer("max_waiting", 32, "Requests that wait; more get RESOURCE_EXHAUSTED.", 0)
    flags.DEFINE_float("poll_seconds", 1.0, "Seconds between two looks for new versions.", 0.01)
    flags.DEFINE_float("grace_seconds", 30.0, "Seconds that requests have to end after SIGTERM.", 0)
    flags.DEFINE_string("ssl_certificate", "", "PEM file of the server's certificate: TLS is on.")
    flags.DEFINE_string("ssl_key", "", "PEM file of that certificate's private key.")
    flags.DEFINE_string("ssl_client_ca", "", "Authorities (PEM); clients need a certificate.")
    flags.mark_flags_as_mutual_exclusive(["model_base_path", "model_config_file"], required=True)
    program.run(main, verbosity=logging.INFO)


if __name__ == "__main__":
    run()
