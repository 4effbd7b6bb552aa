"""`--help` of every program: what it is for and all of its flags, at once.

Case 23-help-without-flags.
"""

import ast
import importlib.util
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGING = [ROOT / "setup.py", ROOT / "client/pyproject.toml"]
SCRIPT = re.compile(r'"?(asen-[a-z-]+)(?:=| = ")(\w+\.cli\.\w+):run"')
PROGRAMS = dict(SCRIPT.findall("".join(file.read_text(encoding="utf-8") for file in PACKAGING)))

# Starts a program as its installed script does, and says what was imported on the way.
START = """
import sys
from {module} import run
sys.argv = ["asen-program", *sys.argv[1:]]
try:
    run()
finally:
    print(*sorted({{name.split(".")[0] for name in sys.modules}}), file=sys.stderr)
"""
HEAVY = {"tensorflow", "keras", "numpy", "PIL", "matplotlib", "grpc", "faiss", "apache_beam"}


def source(module):
    return Path(importlib.util.find_spec(module).origin).read_text(encoding="utf-8")


def check(said, module):
    own = ast.get_docstring(ast.parse(source(module)), clean=False)
    assert said.startswith(own)
    named = re.findall(r'DEFINE_\w+\(\s*"(\w+)"', source(module))
    assert named
    for name in named:
        assert re.search(rf"^  --(\[no\])?{name}:", said, re.MULTILINE), name
    assert "absl" not in said


@pytest.mark.parametrize("flag", ["--help", "--helpshort", "-h"])
@pytest.mark.parametrize("module", PROGRAMS.values())
def test_help_loads_nothing_heavy(module, flag):
    code = START.format(module=module)
    done = subprocess.run(
        [sys.executable, "-c", code, flag], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    check(done.stdout, module)
    assert not HEAVY & set(done.stderr.split())


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_of_the_installed_script(program, tmp_path):
    script = Path(sys.executable).with_name(program)
    if not script.exists():
        pytest.skip(f"{script} is not installed")
    bare = [sys.executable, "-c", "import absl.app, ml_collections"]
    seconds = {}
    for command in (bare, [script, "--help"]):
        began = time.perf_counter()
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        seconds[command[0]] = time.perf_counter() - began
    assert (done.returncode, done.stderr) == (0, "")
    check(done.stdout, PROGRAMS[program])
    # 0.1 s on an idle machine; TensorFlow would take 5.
    assert seconds[script] < 3 * seconds[sys.executable] + 1


def test_help_is_sentences():
    """What a flag is for, not the rest of its name: "Of a photograph." says nothing."""
    fragments = ("Of ", "In ", "For ", "To ", "Likewise", "Instead", "Such as", "With ")
    for module in PROGRAMS.values():
        for call in ast.walk(ast.parse(source(module))):
            if isinstance(call, ast.Call) and getattr(call.func, "attr", "").startswith("DEFINE"):
                for text in (a.value for a in call.args[2:] if isinstance(a, ast.Constant)):
                    if isinstance(text, str) and " " in text:
                        assert text.endswith(".") and not text.startswith(fragments), text
