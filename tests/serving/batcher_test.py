"""Requests that are computed together are answered as each alone would be."""

import concurrent.futures
import contextlib
import threading
import types

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings, strategies
from tensorflow.core.protobuf import meta_graph_pb2

from asen_tf.serving.server import Batching, Limits, Models
from asen_tf.serving.server.batcher import Batcher
from asen_tf.serving.server.limits import Admission
from asen_tf.serving.server.metrics import Metrics
from asen_tf.serving.server.refused import Refused
from tests.serving.toy import eventually


class Servable:
    """Doubles rows; notes how many it was given each time, and waits for `free` before."""

    def __init__(self):
        self.runs, self.free = [], threading.Event()
        self.free.set()
        self.signature_defs = {
            "double": described({"x": [-1, 2]}, {"y": [-1, 2]}),
            "shape": described({"x": [-1, 2]}, {"y": [2]}),
            "whole": described({"x": [-1, 2]}, {"y": [-1, 2]}),
        }

    def run(self, signature, inputs):
        self.runs.append(len(inputs["x"]))
        assert self.free.wait(60)
        x = tf.constant(inputs["x"])
        if np.any(inputs["x"] < 0):
            raise tf.errors.InvalidArgumentError(None, None, f"row {np.argmin(x[:, 0])} is bad")
        answers = {"double": 2 * x, "shape": tf.shape(x), "whole": x[:1]}
        return {"y": answers[signature]}


def described(inputs, outputs):
    signature = meta_graph_pb2.SignatureDef(method_name="predict")
    for described, shapes in ((signature.inputs, inputs), (signature.outputs, outputs)):
        for name, shape in shapes.items():
            described[name].tensor_shape.CopyFrom(tf.TensorShape(None).as_proto())
            described[name].tensor_shape.unknown_rank = False
            for size in shape:
                described[name].tensor_shape.dim.add(size=size)
    return signature


class Call:
    """A client that waits so long, or until `leave`."""

    def __init__(self, seconds=60.0):
        self.seconds, self.leave = seconds, None

    def time_remaining(self):
        return self.seconds

    def add_callback(self, callback):
        self.leave = callback
        return True


@contextlib.contextmanager
def batching(most=8, micros=10_000, threads=1):
    admission = Admission(threads, 100)
    metrics = Metrics(Models(lambda: [], Limits()))
    batcher = Batcher(Batching(most, micros), admission, threads, metrics)
    with concurrent.futures.ThreadPoolExecutor(32) as pool:

        def ask(servable, x, signature="double", call=None):
            inputs = {"x": np.array(x, np.float32).reshape(-1, 2)}
            return pool.submit(lambda: batcher.of(servable, call or Call())(signature, inputs)["y"])

        yield types.SimpleNamespace(ask=ask, batcher=batcher)
    batcher.stop()


def waiting(asked):
    return len(asked.batcher._tasks)


def test_rows_of_several_clients_run_together():
    servable = Servable()
    with batching(most=8, micros=60_000_000) as asked:
        calls = [asked.ask(servable, [[n, n]] * 2) for n in range(4)]
        for n, call in enumerate(calls):
            np.testing.assert_array_equal(call.result(), [[2 * n, 2 * n]] * 2)
    assert servable.runs == [8]  # nobody waited for a minute


def test_what_does_not_fit_goes_into_the_next():
    servable = Servable()
    with batching(most=4, micros=1000) as asked:
        calls = [asked.ask(servable, [[n, n]] * 3) for n in range(2)]
        large = asked.ask(servable, [[7, 7]] * 9)
        assert [len(call.result()) for call in [*calls, large]] == [3, 3, 9]
    assert sorted(servable.runs) == [3, 3, 9]


def test_they_gather_while_others_run():
    servable = Servable()
    servable.free.clear()
    with batching(most=8, micros=0) as asked:
        first = asked.ask(servable, [[1, 1]])
        eventually(lambda: servable.runs)
        calls = [asked.ask(servable, [[n, n]]) for n in range(5)]
        eventually(lambda: waiting(asked) == 5)
        servable.free.set()
        assert [len(call.result()) for call in [first, *calls]] == [1] * 6
    assert servable.runs == [1, 5]


def test_other_signatures_versions_and_shapes_stay_apart():
    busy, one, other = Servable(), Servable(), Servable()
    busy.free.clear()
    with batching(most=8, micros=0) as asked:
        first = asked.ask(busy, [[0, 0]])
        eventually(lambda: busy.runs)
        calls = [asked.ask(servable, [[1, 2]]) for servable in (one, other) for _ in range(2)]
        # One output has no rows.
        shapes = [asked.ask(one, [[1, 2]] * n, "shape") for n in (1, 3)]
        eventually(lambda: waiting(asked) == 6)
        busy.free.set()
        for call in (first, *calls):
            assert len(call.result()) == 1
        assert [call.result().numpy().tolist() for call in shapes] == [[1, 2], [3, 2]]
    assert sorted(one.runs) == [1, 2, 3] and other.runs == [2]


def test_the_fault_of_one_is_told_to_nobody_else():
    servable = Servable()
    with batching(most=4, micros=60_000_000) as asked:
        calls = [asked.ask(servable, [[n, n]]) for n in (1, -1, 2, -2)]
        for n, call in ((1, calls[0]), (2, calls[2])):
            np.testing.assert_array_equal(call.result(), [[2 * n, 2 * n]])
        for call in (calls[1], calls[3]):
            with pytest.raises(tf.errors.InvalidArgumentError, match="row 0 is bad"):
                call.result()
    assert servable.runs == [4, 1, 1, 1, 1]


def test_outputs_without_a_row_for_each_are_computed_alone():
    servable = Servable()
    with batching(most=2, micros=60_000_000) as asked:
        calls = [asked.ask(servable, [[n, n]], "whole") for n in range(2)]
        assert [call.result().numpy().tolist() for call in calls] == [[[0, 0]], [[1, 1]]]
    assert servable.runs == [2, 1, 1]


def test_who_left_is_not_run_and_the_others_are():
    servable = Servable()
    servable.free.clear()
    with batching(most=8, micros=0) as asked:
        first = asked.ask(servable, [[1, 1]])
        eventually(lambda: servable.runs)
        stays, leaves = Call(), Call()
        kept, gone = (asked.ask(servable, [[2, 2]], call=call) for call in (stays, leaves))
        late = asked.ask(servable, [[3, 3]], call=Call(0.05))
        eventually(lambda: stays.leave and leaves.leave)
        with pytest.raises(Refused) as refused:
            late.result()
        assert refused.value.code.name == "DEADLINE_EXCEEDED"
        eventually(lambda: waiting(asked) == 2)
        leaves.leave()
        with pytest.raises(Refused) as refused:
            gone.result()
        assert refused.value.code.name == "CANCELLED"
        servable.free.set()
        assert len(first.result()) == len(kept.result()) == 1
    assert servable.runs == [1, 1]


def test_a_fault_of_the_server_ends_no_thread():
    servable, broken = Servable(), Servable()
    broken.run = lambda *_: 1 / 0
    with batching() as asked:
        with pytest.raises(ZeroDivisionError):
            asked.ask(broken, [[1, 1]]).result()
        assert len(asked.ask(servable, [[1, 1]]).result()) == 1


@settings(max_examples=25, deadline=None)
@given(
    counts=strategies.lists(strategies.integers(0, 5), min_size=1, max_size=12),
    most=strategies.integers(1, 8),
    threads=strategies.integers(1, 3),
    bad=strategies.sets(strategies.integers(0, 11)),
)
def test_answers_are_those_of_each_alone(counts, most, threads, bad):
    servable = Servable()
    with batching(most, 1000, threads) as asked:
        rows = [[[(-1 if n in bad else 1) * (n + 1)] * 2] * count for n, count in enumerate(counts)]
        calls = [asked.ask(servable, one) for one in rows]
        for n, (call, one) in enumerate(zip(calls, rows, strict=True)):
            if n in bad and one:
                assert isinstance(call.exception(60), tf.errors.InvalidArgumentError)
            else:
                given = np.array(one, np.float32).reshape(-1, 2)
                np.testing.assert_array_equal(call.result(60), 2 * given)
