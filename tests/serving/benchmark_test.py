"""The process that `asen-benchmark --case=export_start` starts."""

import json

from asen_tf.benchmarks import start


def test_a_start_is_told_in_phases_and_answers(served, jpegs, tmp_path, capsys):
    photograph = tmp_path / "photograph.jpg"
    photograph.write_bytes(jpegs[0])
    start.main(str(served / "1"), str(photograph), "2", "0")
    phases, measured = map(json.loads, capsys.readouterr().out.splitlines())
    assert set(phases) == {"import_seconds", "load_seconds", "first_call_seconds"}
    assert min(phases.values()) >= 0 < phases["first_call_seconds"]
    assert measured["images_per_sec"] > 0
