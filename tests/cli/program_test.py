"""How programs end: the exit status, one line for what a user can cause, nothing for terminals."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import programs

ROOT = Path(__file__).parents[2]
CODE = """
import signal, sys, time
from absl import app, flags, logging
from ml_collections import config_flags
from asen_client.cli import program
from asen_client.core.errors import Failed
from asen_tf.core import experiment_files
from asen_tf.core.progress import Progress, say
from asen_client.core.terminal import printable

def main():
    {main}

flags.DEFINE_string("store", None, "Where.")
flags.DEFINE_string("needed", None, "What.")
flags.DEFINE_float("share", 0.5, "How much.", 0.0, 1.0)
flags.mark_flag_as_required("needed")
config_flags.DEFINE_config_file("config", None, "Experiment.")
program.run(main, goes_on=True, checks={{"config": experiment_files.check}})
"""
ENVIRONMENT = {**os.environ, "PYTHONPATH": programs.PATH, "HOME": "/home/somebody"}


def command(main):
    return [sys.executable, "-c", CODE.format(main=main), "--needed=1"]


def ended(main, *flags, **settings):
    environment = {**ENVIRONMENT, **settings}
    done = subprocess.run([*command(main), *flags], env=environment, capture_output=True)
    assert b"Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout.decode("latin-1"), done.stderr.decode("latin-1")


@pytest.mark.parametrize(
    ("main", "status", "said"),
    [
        ("return None", 0, ""),
        ("return 1", 1, ""),
        ("logging.warning('%s is odd', 'red')", 0, "warning: red is odd\n"),
        ("raise ValueError('no red')", 1, "error: no red\n"),
        ("raise Failed('diverged')", 1, "error: diverged\n"),
        ("raise MemoryError", 1, "error: not enough memory\n"),
        ("open('/no/such')", 1, "error: /no/such: No such file or directory\n"),
        ("raise app.UsageError('give one')", 2, "error: give one. --help lists the flags\n"),
        ("raise KeyboardInterrupt", 130, "stopped; the same command goes on\n"),
    ],
)
def test_the_status_and_one_line_say_how_it_ended(main, status, said):
    assert ended(main) == (status, "", said)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--stroe=x"], "Unknown command line flag 'stroe'"),
        (["more"], "unexpected arguments: more"),
        (["--needed="], None),
        (["--config=no/such.py"], "no/such.py: no such experiment file; installed in"),
        # 28-values-of-keys-unchecked
        *((["--share", number], "expected a finite number") for number in ("nan", "-NaN")),
        (["--share=inf"], "--share"),
        ([f"--config={ROOT}/configs/asen/csv.py", "--config.train.batchsize=4"], "batch_size"),
        ([f"--config={ROOT}/configs/asen/csv.py", "--config.train.batch_size=many"], "many"),
    ],
)
def test_wrong_use_is_status_2_and_one_line(flags, said):
    status, output, errors = ended("return None", *flags)
    if said is None:
        assert (status, output, errors) == (0, "", "")
    else:
        assert status == 2 and output == "" and said in errors and errors.count("\n") == 1
        assert errors.startswith("error: ") and "\\'" not in errors


def test_a_missing_flag_is_named():
    code = CODE.format(main="return None")
    done = subprocess.run(
        [sys.executable, "-c", code], env=ENVIRONMENT, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr == "error: --needed is required. --help lists the flags\n"


def test_a_bug_shows_its_traceback():
    done = subprocess.run(command("{}[1]"), env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.rstrip().endswith("KeyError: 1")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_tidily_and_say_where_it_was(number, tmp_path):
    main = f"""
    with Progress("counting", 9, "sheep") as meter:
        meter.update(4)
        try:
            print(flush=True)
            time.sleep(60)
        finally:
            open({str(tmp_path / "tidied")!r}, "w").close()
    """
    with subprocess.Popen(
        command(main), env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.readline()
        process.send_signal(number)
        _, errors = process.communicate()
    assert process.returncode == 128 + number and (tmp_path / "tidied").exists()
    said = "stopped while counting, at 4 of 9 sheep; the same command goes on"
    assert errors.splitlines()[-1] == said and "Traceback" not in errors


def test_a_reader_that_has_enough_ends_it_silently():
    """40-small-surprises."""
    main = "[print('x' * 1000) for _ in range(1000)]"
    with subprocess.Popen(
        command(main), env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 128 + signal.SIGPIPE


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_said():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command("print(1)"), env=ENVIRONMENT, stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert done.stderr.startswith("error: No space left on device. Make room")


def test_names_steer_no_terminal():
    evil = r"'red\x1b[2J\x07\x9b1m\r\u202eder\x7f'"
    escaped = r"red\x1b[2J\x07\x9b1m\r\u202eder\x7f"
    _, output, errors = ended(f"print({evil}); say({evil}); raise ValueError({evil})")
    assert output == f"{escaped}\n" and errors == f"{escaped}\nerror: {escaped}\n"
    _, output, _ = ended(r"print(printable('one\ntwo\tthree'), 'four\nfive')")
    assert output == "one\\ntwo\\tthree four\nfive\n"


def test_bars_may_move_the_cursor():
    main = "\n    ".join(
        ["meter = Progress('counting', 2, 'sheep')", "meter.delay = 0", "meter.update(1)"]
    )
    _, _, errors = ended(f"{main}\n    meter.refresh()\n    meter.close()")
    assert "\rcounting" in errors


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_any_terminal_can_show_any_name(encoding):
    status, output, errors = ended(
        r"print('caf\xe9 \u54c1 \udcff'); say('\u54c1')", PYTHONIOENCODING=encoding
    )
    assert status == 0 and output.startswith("caf") and output.count("\n") == 1
    assert errors in ("\\u54c1\n", "\u54c1".encode().decode("latin-1") + "\n")


def test_a_folder_of_somebody_is_found():
    """40-small-surprises."""
    _, output, _ = ended("print(flags.FLAGS.store)", "--store=faiss:~/st")
    assert output == "faiss:/home/somebody/st\n"
    _, output, _ = ended("print(flags.FLAGS.store)", "--store=~x/a~b")
    assert output == "~x/a~b\n"
