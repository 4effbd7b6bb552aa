"""`--help` of every program: what it is for and all of its flags, at once.

Case 23-help-without-flags.
"""

import ast
import importlib.util
import os
import re
import subprocess
import sys
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
    print(*sys.modules, file=sys.stderr)
"""
HEAVY = {"tensorflow", "keras", "numpy", "PIL", "matplotlib", "grpc", "faiss", "apache_beam"}
# Each takes a tenth of the time that --help takes, or more.
HEAVY |= {"asyncio", "filelock", "tqdm", "urllib.request"}


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
    environment = {**os.environ, "PYTHONPROFILEIMPORTTIME": "1"}  # a line on stderr a module
    done = subprocess.run(
        [script, "--help"], cwd=tmp_path, capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    check(done.stdout, PROGRAMS[program])
    imported = re.findall(r"^import time: .*\| +(\S+)$", done.stderr, re.MULTILINE)
    assert PROGRAMS[program] in imported
    assert not HEAVY & set(imported)
    assert len(imported) + 1 == done.stderr.count("\n")  # nothing but these lines and their head


def test_help_is_sentences():
    """What a flag is for, not the rest of its name: "Of a photograph." says nothing."""
    fragments = ("Of ", "In ", "For ", "To ", "Likewise", "Instead", "Such as", "With ")
    for module in PROGRAMS.values():
        for call in ast.walk(ast.parse(source(module))):
            if isinstance(call, ast.Call) and getattr(call.func, "attr", "").startswith("DEFINE"):
                for text in (a.value for a in call.args[2:] if isinstance(a, ast.Constant)):
                    if isinstance(text, str) and " " in text:
                        assert text.endswith(".") and not text.startswith(fragments), text
