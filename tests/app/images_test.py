"""The images and the compose file of export/, as far as that can be seen without Docker."""

import http.server
import json
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "export"
SERVICES = yaml.safe_load((FOLDER / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
OURS = {"app": "asen_tf.cli.app", "index": "asen_tf.cli.index"}

# Starts a program where nothing is to be had but some distributions and what they need.
ALONE = """
import importlib, importlib.metadata as metadata, re, sys


def plain(name):
    return re.sub("[-_.]+", "-", name).lower()


allowed, open_ = {"asen-client", "asen-tf"}, [plain(name) for name in sys.argv.pop(1).split()]
while open_:
    allowed.add(name := open_.pop())
    for needed in metadata.requires(name) or ():
        needed, _, marker = needed.partition(";")
        found = plain(re.match(r"[\\w.-]+", needed)[0])
        if "extra" not in marker and found not in allowed:
            try:
                metadata.version(found)
            except metadata.PackageNotFoundError:
                continue  # of another system
            open_.append(found)
named = metadata.packages_distributions()
refused = {top for top, of in named.items() if not allowed & set(map(plain, of))}


class Refused:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in refused:
            raise ModuleNotFoundError(f"{name} is not in export/app.txt", name=name)


sys.meta_path.insert(0, Refused())
importlib.import_module(sys.argv.pop(1)).run()
"""


@pytest.fixture
def names():
    text = (FOLDER / "app.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.Dockerfile")), ids=lambda path: path.name)
def test_dockerfiles_are_what_hadolint_wants(file):
    linter = shutil.which("hadolint", path=Path(sys.executable).parent) or shutil.which("hadolint")
    if linter is None:
        pytest.skip("no hadolint; it comes with asen_tf[dev]")
    result = subprocess.run([linter, file], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.Dockerfile")), ids=lambda path: path.name)
def test_what_is_copied_into_an_image_is_there_and_not_ignored(file):
    text = (ROOT / ".dockerignore").read_text(encoding="utf-8")
    kept = {line[1:] for line in text.splitlines() if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", file.read_text(encoding="utf-8"), re.M)
    places = {place for line in copied for place in line.split()}
    assert {"asen_tf", "client", "setup.py"} < places
    for place in places:
        assert (ROOT / place).exists() and place in kept, place


def test_the_image_holds_versions_that_are_tested(names):
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned = {name.lower().replace("_", "-") for name in re.findall(r"^([\w.-]+)==", lock, re.M)}
    assert names == sorted(names) and {name.replace("_", "-") for name in names} <= pinned


def alone(names, module, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", ALONE, " ".join(names), module, "--model=localhost:1", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_api_needs_no_more_than_its_image_holds(shop, names):
    arguments = [f"--store=faiss:{shop}/store", "--timeout=0.2", "--port=0", f"--images={shop}"]
    with alone(names, OURS["app"], *arguments) as process:
        try:
            line = process.stdout.readline()
            process.terminate()
            errors = process.stderr.read()
        finally:
            process.kill()
    assert line.startswith("asen-app: http://"), errors


def test_indexing_needs_no_more_than_its_image_holds(names, tmp_path):
    (tmp_path / "manifest.csv").write_text("image,color\n1.jpg,red\n")
    places = f"--store=faiss:{tmp_path}/store", f"--manifest={tmp_path}/manifest.csv"
    with alone(names, OURS["index"], *places, "--timeout=0.2") as process:
        _, errors = process.communicate(timeout=100)
    assert errors.startswith("error: no answer from localhost:1"), errors


@pytest.mark.parametrize(("service", "module"), OURS.items())
def test_the_flags_of_the_compose_file_are_the_programs(service, module):
    command = [sys.executable, "-m", module, "--help"]
    known = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout
    for flag in SERVICES[service]["command"]:
        assert re.search(rf"--(\[no\])?{flag[2:].partition('=')[0]}\b", known), flag


def test_services_are_reached_by_their_names():
    for service in OURS:
        options = dict(option[2:].split("=", 1) for option in SERVICES[service]["command"])
        hosts = re.findall(r"(\w+):\d+", f"{options['store']} {options['model']}")
        assert set(hosts) == {"milvus", "serving"} == SERVICES[service]["depends_on"].keys()
    assert (FOLDER.parent / SERVICES["app"]["build"]["dockerfile"]).exists()
    mounted = SERVICES["milvus"]["environment"]["ETCD_CONFIG_PATH"]
    assert yaml.safe_load((FOLDER / Path(mounted).name).read_text(encoding="utf-8"))
    # Neither encrypts, and Milvus knows no passwords.
    for service in ("app", "milvus"):
        assert all(port.startswith("127.0.0.1:") for port in SERVICES[service]["ports"])


@pytest.mark.parametrize("status", [200, 503])
def test_health_is_that_of_the_api(status):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status if self.path == "/v1/health" else 404)
            self.end_headers()

        def log_message(self, *_):
            pass

    text = (FOLDER / "app.Dockerfile").read_text(encoding="utf-8")
    command = json.loads(re.search(r"^HEALTHCHECK .*CMD \\\n\s*(\[.*\])$", text, re.M)[1])
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.handle_request).start()
        command = [word.replace(":8080", f":{server.server_port}") for word in command]
        result = subprocess.run([sys.executable, *command[1:]], capture_output=True, timeout=60)
    assert (result.returncode == 0) == (status == 200), result.stderr
