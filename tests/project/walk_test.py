"""A shop's day and the next: README's tables and commands, beside a server of the pictures."""

import http.server
import json
import re
import shlex
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import zlib
from pathlib import Path

import pytest

from tests import programs

pytest.importorskip("faiss")
pytest.importorskip("fastapi")
pytest.importorskip("urllib3")

README = Path(__file__).parents[2] / "README.md"
WALK = re.compile(r"^### A shop's day, and the next\n(.*?)^##", re.MULTILINE | re.DOTALL)


class Pictures(http.server.BaseHTTPRequestHandler):
    """Answers with what is `there`; `sent` has the names of what went out."""

    def do_GET(self):
        name = self.path[1:]
        content = self.server.there.get(name)
        tag = f'"{zlib.crc32(content or b"")}"'
        status = 404 if not content else 304 if self.headers["If-None-Match"] == tag else 200
        self.send_response(status)
        self.send_header("ETag", tag)
        self.end_headers()
        if status == 200:
            self.server.sent.append(name)
            self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def pictures():
    """The server, on this machine."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pictures) as server:
        server.there, server.sent = {}, []
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


def blocks(kind, text):
    """The lines of each fenced block; an indented one belongs to the line above."""
    found = re.findall(rf"^```{kind}\n(.*?)\n```$", text, re.MULTILINE | re.DOTALL)
    return [re.split(r"\n(?! )", block.replace("\\\n", "")) for block in found]


def asked(place, headers=None, body=None):
    """Status and body of the answer."""
    data = body and body.encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(place, data, headers or {})) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def address(process, stdout, stderr):
    """Where `asen-app` answers, once it does."""
    while not stdout.exists() or not (said := stdout.read_text()).endswith("\n"):
        assert process.is_alive(), stderr.read_text()
        time.sleep(0.05)
    return said.split()[-1]


def products(answer):
    """Product -> price, and its photographs, the best first or not."""
    status, body = answer
    assert status == 200, body
    return {
        hit["product"]: (hit["metadata"]["price"], {hit["id"], *hit["others"]})
        for hit in json.loads(body)["results"]
    }


def test_a_shops_day_and_the_next(pictures, workdir, jpegs, tmp_path):
    at = f"127.0.0.1:{pictures.server_port}"
    text = WALK.search(README.read_text(encoding="utf-8"))[1].replace("pim.local", at)
    monday, said_on_monday, tuesday, said_on_tuesday = blocks("text", text)
    [_, index], [make_key, app], [curl], [index_again] = blocks("sh", text)
    (tmp_path / "monday.csv").write_text("\n".join(monday))
    (tmp_path / "tuesday.csv").write_text("\n".join(tuesday))
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "asen_shop").symlink_to(workdir)
    where = {"cwd": tmp_path, "XDG_CACHE_HOME": str(tmp_path / "cache")}

    def indexed(command):
        program, *flags = shlex.split(command)
        assert program == "asen-index"
        result = programs.run("index", *flags, **where)
        assert result.returncode == 0, result.stderr
        return {*result.stdout.splitlines(), *result.stderr.splitlines()}

    def photographs(product, *views):
        return {f"http://{at}/{product}-{view}.jpg" for view in views or ("front", "back")}

    names = sorted(set(re.findall(r"\d+-\w+\.jpg", text)))
    there = pictures.there = dict(zip(names, jpegs, strict=False))
    del there["1004-detail.jpg"]
    there["1003-back.jpg"] = b"<html>Please log in</html>"
    assert {*said_on_monday} <= indexed(index)

    subprocess.run(make_key, shell=True, check=True, cwd=tmp_path)
    key = {"Authorization": f"Bearer {(tmp_path / 'key.txt').read_text().strip()}"}
    program, *flags = shlex.split(app)
    assert program == "asen-app"
    with programs.running("app", *flags, "--port=0", **where) as running:
        page = address(*running)
        words = shlex.split(curl)
        search = words[2].replace("http://localhost:8080", page), words[words.index("-d") + 1]
        kind = dict(word.split(": ") for word in words if word.startswith("Content-Type"))
        picture = urllib.parse.quote(f"http://{at}/1003-front.jpg", safe="")
        picture = f"{page}/v1/picture?item={picture}"

        def found():
            return products(asked(search[0], key | kind, search[1]))

        assert asked(page)[0] == asked(search[0], kind, search[1])[0] == 401
        html = asked(page, key)[1].decode()
        filters = re.findall(r'data-field="(\w+)"', html)
        assert filters == ["color", "brand", "price", "product", "stock"]
        assert re.findall(r'"least" placeholder="([\d.]+)"', html) == ["24.5", "1"]
        assert re.findall(r'"most" placeholder="([\d.]+)"', html) == ["1249.0", "12"]
        assert "<option>Maison</option>" in html
        assert found() == {"1001": (39.9, photographs("1001")), "1004": (49, photographs("1004"))}
        shown = asked(picture, key)

        there["1003-front.jpg"], there["1003-back.jpg"] = jpegs[-2:]
        del there["1004-front.jpg"]
        pictures.sent.clear()
        assert {*said_on_tuesday} <= indexed(index_again)
        new = photographs("1003") | photographs("1005")
        assert sorted(f"http://{at}/{name}" for name in pictures.sent) == sorted(new)
        assert found() == {"1001": (29.9, photographs("1001")), "1005": (19.9, photographs("1005"))}
        assert shown[0] == asked(picture, key)[0] == 200 and shown != asked(picture, key)
