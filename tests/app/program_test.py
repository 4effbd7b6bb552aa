"""`asen-app` as a program."""

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from asen_tf.cli.app import names

pytest.importorskip("faiss")

ROOT = Path(__file__).parents[2]


KEY = "0123456789abcdefghij"


def started(shop, *arguments, **variables):
    command = [sys.executable, "-m", "asen_tf.cli.app", f"--store=faiss:{shop}/store"]
    return subprocess.Popen(
        [*command, "--port=0", f"--images={shop}/photographs", *arguments],
        cwd=ROOT,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_it_serves_until_it_is_ended_while_the_models_server_is_away(shop):
    arguments = "--model=localhost:1", "--timeout=0.2", "--title=My shop"
    with started(shop, *arguments, ASEN_API_KEY=KEY) as process:
        try:
            line = process.stdout.readline()
            address = re.fullmatch(r"asen-app: (http://127\.0\.0\.1:\d+)\n", line)[1]
            with pytest.raises(urllib.error.HTTPError, match="401"):
                urllib.request.urlopen(address)
            headers = {"Authorization": f"Bearer {KEY}"}
            with urllib.request.urlopen(urllib.request.Request(address, None, headers)) as response:
                html = response.read().decode()
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
            assert "warning: The model server does not answer." in process.stderr.read()
        finally:
            process.kill()
    assert "<h1>My shop</h1>" in html and "were not found" not in html


def test_the_address_that_it_answers_at_is_a_name_to_ask_for_it_by():
    assert {"127.0.0.2", "localhost"} < set(names("127.0.0.2"))
    assert names("0.0.0.0") == ["*"]
    assert "*" not in names("::1")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model=localhost:1", "--store=faiss:nowhere"], "nowhere"),
        (["--model=localhost:1", "--images=nowhere"], "nowhere: no such folder"),
        (["--model=localhost:1", "--api_key_file=/dev/null"], "expected an API key of 16 or more"),
    ],
)
def test_wrong_use_is_explained(shop, arguments, message):
    with started(shop, "--timeout=0.2", *arguments) as process:
        try:
            output, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 1 and message in output + errors
    assert "Traceback" not in errors
