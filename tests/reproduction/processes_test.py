"""Processes that succeed, fail and die."""

import keras

from asen_tf.reproduction.processes import Task, run_all

KILLED = "__import__('os').kill(__import__('os').getpid(), 9)"


def test_a_failed_and_a_killed_process_are_told_and_the_others_go_on(tmp_path):
    tasks = [
        Task(name, eval, (expression,), tmp_path / "logs" / f"{name}.txt")
        for name, expression in (
            ("killed", KILLED),
            ("failed", "1 / 0"),
            ("done", "print('said')"),
        )
    ]
    ended = {task.name: failure for task, failure in run_all(tasks, at_once=2)}
    assert list(ended) and set(ended) == {"killed", "failed", "done"}
    assert ended["done"] == "" and tasks[2].log.read_text() == "said\n"
    assert "failed: ZeroDivisionError: division by zero; see" in ended["failed"]
    assert "killed: killed by signal 9; see" in ended["killed"]


def test_no_more_processes_at_once_than_asked(tmp_path):
    folder = str(tmp_path / "only one")
    os, time = "__import__('os')", "__import__('time')"
    alone = f"({os}.mkdir({folder!r}), {time}.sleep(0.2), {os}.rmdir({folder!r}))"
    tasks = [Task(str(n), eval, (alone,), tmp_path / f"{n}.txt") for n in range(3)]
    # Two at once would find the folder there already.
    assert [failure for _, failure in run_all(tasks, at_once=1)] == ["", "", ""]


def test_what_tensorflow_says_while_it_starts_is_not_on_the_terminal(tmp_path, capfd):
    log = tmp_path / "log.txt"
    (ended,) = run_all([Task("seeds", keras.utils.set_random_seed, (1,), log)])
    assert (ended[1], capfd.readouterr().err, log.read_text()) == ("", "", "")
