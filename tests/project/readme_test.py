"""What README.md shows works: its Python code runs, its commands exist and take its flags."""

import csv
import dataclasses
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests import programs

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
SHELLS = {"bash", "console", "sh", "shell"}

FENCED = re.compile(
    r"(?:^<!-- test: skip (?P<skip>.+?) -->\n+)?^```(?P<language>\w+)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
INLINE_COMMAND = re.compile(r"`(asen-(?!tf\b)[a-z-]+[^`\n]*)`")
ASSIGNMENT = re.compile(r"[A-Z_]+=")
CONSOLE_SCRIPT = re.compile(r'"?(asen-[a-z-]+)(?:=| = ")([\w.]+:\w+)"')

# Runs a program with an absl that stops after parsing the command line, so unknown flags, values
# of the wrong type and unknown fields of a configuration fail; only whole commands must give the
# required flags. Prints command line -> complaint as JSON.
PARSE = """
import importlib, json, sys
from absl import app, flags
from absl.testing import flagsaver
module, function = sys.argv[1].split(":")
program = getattr(importlib.import_module(module), function)
app.define_help_flags()


def parse_only(*_, **__):
    flags.FLAGS(sys.argv)
    for value in flags.FLAGS.flag_values_dict().values():
        hasattr(value, "keys")  # a configuration whose file is missing raises when looked at


app.run = parse_only
complaints = {}
for sys.argv, whole in json.loads(sys.argv[2]):
    with flagsaver.flagsaver():
        try:
            program()
        except SystemExit:
            pass  # --help shows the usage and leaves
        except Exception as error:
            if whole or not isinstance(error, flags.IllegalFlagValueError):
                complaints[" ".join(sys.argv)] = str(error)
print(json.dumps(complaints))
"""


@dataclasses.dataclass(frozen=True)
class Block:
    """A fenced block; `line` is the number of its first line of code, `skip` the reason if any."""

    language: str
    code: str
    line: int
    skip: str | None


def blocks(text: str) -> list[Block]:
    return [
        Block(m["language"], m["code"], text.count("\n", 0, m.start("code")) + 1, m["skip"])
        for m in FENCED.finditer(text)
    ]


def command_lines(text: str) -> list[tuple[list[str], bool]]:
    """The `asen-*` commands as (words, whole): whole in shell blocks, mentions in inline code."""
    shell = "".join(b.code for b in blocks(text) if b.language in SHELLS and not b.skip)
    lines = [(line, True) for line in shell.replace("\\\n", " ").splitlines() if "asen-" in line]
    lines += [(line, False) for line in INLINE_COMMAND.findall(FENCED.sub("", text))]
    return [(command, whole) for line, whole in lines for command in asen_commands(line)]


def asen_commands(line: str) -> list[list[str]]:
    """`$ A=1 .venv/bin/asen-x --y=z | tee log` -> [["asen-x", "--y=z"]]."""
    lexer = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    commands = [[]]
    for word in lexer:
        if set(word) <= set("();<>|&"):
            commands.append([])
        elif commands[-1] or not ASSIGNMENT.match(word):
            commands[-1].append(word)
    named = [[Path(command[0]).name, *command[1:]] for command in commands if command]
    return [command for command in named if command[0].startswith("asen-")]


TEXT = README.read_text(encoding="utf-8") if README.exists() else ""
PYTHON_BLOCKS = [block for block in blocks(TEXT) if block.language == "python"]
COMMANDS = command_lines(TEXT)
PACKAGING = [ROOT / "setup.py", ROOT / "client/pyproject.toml"]
PROGRAMS = dict(
    CONSOLE_SCRIPT.findall("".join(file.read_text(encoding="utf-8") for file in PACKAGING))
)


@pytest.fixture(scope="module")
def namespace() -> dict:
    """The names that the blocks define for the blocks below them."""
    return {"__name__": "__main__"}


@pytest.mark.parametrize("block", PYTHON_BLOCKS, ids=lambda block: f"line{block.line}")
def test_python_code_runs(block, demo, namespace, monkeypatch):
    if block.skip:
        pytest.skip(block.skip)
    # Where a reader is after `make demo`.
    monkeypatch.chdir(demo)
    # Empty lines before the code let tracebacks show README's own line numbers.
    exec(compile("\n" * (block.line - 1) + block.code, README, "exec"), namespace)


def test_triplets_stay_together():
    """Keras's `fit` shuffles arrays row by row unless it is told not to."""
    code = "".join(block.code for block in PYTHON_BLOCKS)
    calls = re.findall(r"\.fit\(([^\n]*)\)\n", code)
    assert len(calls) >= 2
    for call in calls:
        assert call.startswith("batches") or "shuffle=False" in call, call


@pytest.mark.parametrize("program", sorted({words[0] for words, _ in COMMANDS}))
def test_commands_parse(program):
    assert program in PROGRAMS, f"no console script {program} in {PACKAGING}"
    lines = [(words, whole) for words, whole in COMMANDS if words[0] == program]
    result = subprocess.run(
        [sys.executable, "-c", PARSE, PROGRAMS[program], json.dumps(lines)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout.splitlines()[-1]) == {}


def test_titles_lead_to_a_search_by_collar(demo, tmp_path):
    """The commands of README, but that the model is the one that the tests have trained."""
    pytest.importorskip("ahocorasick")
    pytest.importorskip("faiss")
    data = demo / "demo" / "data"
    with open(data / "manifest.csv", newline="") as file:
        rows = {row["image"]: row for row in csv.DictReader(file)}
    table = [("image", "split", "title")]
    for image, row in rows.items():
        title = f"{row['color']} shirt, {row['collar']} collar, {row['sleeve_length']} sleeves"
        table.append((image, row["split"], title))
    with open(data / "products.csv", "w", newline="") as file:
        csv.writer(file).writerows(table)
    section = TEXT[TEXT.index("## From titles to a search by collar") :]
    section = section[: section.index("\n## ")]
    places = {"/data/shop": data, "shop/run": demo / "demo" / "run", "photos/0001.jpg": min(rows)}
    places["shop/store"] = tmp_path / "store"
    done = {}
    for name, *flags in (words for words, whole in command_lines(section) if whole):
        for place, other in places.items():
            flags = [flag.replace(place, str(other)) for flag in flags]
        if name != "asen-demo":
            done[name] = programs.run(name.removeprefix("asen-"), *flags)
            assert done[name].returncode == 0, done[name].stderr
    assert list(done) == ["asen-label", "asen-index", "asen-search"]
    assert "understood: collar=mandarin\n" in done["asen-search"].stderr
    flags = f"--store=faiss:{tmp_path}/store", "--text=mandarin collar, not red"
    found = programs.run("search", *flags).stdout.splitlines()
    asked = [r["collar"] == "mandarin" and r["color"] != "red" for r in rows.values()]
    assert len(found) == min(20, sum(asked)) > 0
    assert {line.split()[2] for line in found} <= {
        image for image, is_asked in zip(rows, asked, strict=True) if is_asked
    }


def test_blocks_know_their_line_and_reason():
    text = "a\n```python\nx = 1\n```\n<!-- test: skip needs a GPU -->\n```sh\nls\n```\n"
    assert blocks(text) == [
        Block("python", "x = 1\n", 3, None),
        Block("sh", "ls\n", 7, "needs a GPU"),
    ]


def test_command_lines_are_found_in_shell_blocks_and_inline_code():
    text = (
        "Run `asen-demo --output=demo` after `pip install asen-tf`.\n"
        "```bash\n$ CUDA=0 .venv/bin/asen-train --config=a.py \\\n  --config.b=1 | tee log\n"
        "pip install asen-tf && asen-evaluate 'a b'  # asen-none\n```\n"
        "```python\n'asen-none'\n```\n"
    )
    assert command_lines(text) == [
        (["asen-train", "--config=a.py", "--config.b=1"], True),
        (["asen-evaluate", "a b"], True),
        (["asen-demo", "--output=demo"], False),
    ]
