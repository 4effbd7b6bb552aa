"""Which versions are loaded, handed out and unloaded, with servables that are only names."""

import threading
import time

import grpc
import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow_serving.apis import get_model_status_pb2, model_pb2

from asen_tf.serving.server import Limits, Models, config
from asen_tf.serving.server.folders import Policy, choose, find
from asen_tf.serving.server.limits import Admission
from asen_tf.serving.server.refused import Refused, from_tensorflow
from asen_tf.serving.server.versions import Versions

STATE = get_model_status_pb2.ModelVersionStatus.State


class Disk:
    """A base path, and a loader that reads what a version is called from its file."""

    def __init__(self, folder):
        self.folder = folder
        self.loads = []

    def write(self, number, name):
        folder = self.folder / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "name").write_text(name)

    def load(self, folder):
        self.loads.append(folder.name)
        name = (folder / "name").read_text()
        if name == "broken":
            raise tf.errors.DataLossError(None, None, "truncated")
        return name

    def wanted(self, *numbers):
        return {number: self.folder / str(number) for number in numbers}


@pytest.fixture
def disk(tmp_path):
    return Disk(tmp_path / "asen")


@pytest.fixture
def versions(disk):
    return Versions("asen", disk.load)


def spec(version=None, label=None):
    message = model_pb2.ModelSpec(name="asen", version_label=label)
    if version is not None:
        message.version.value = version
    return message


def served(versions, **choice):
    with versions.use(spec(**choice)) as handle:
        return handle


@pytest.mark.parametrize("inside", [(), ("v1", ".export-12345678")])
def test_a_folder_without_versions_is_said_once(inside, tmp_path, caplog):
    """40-small-surprises."""
    for name in inside:
        (tmp_path / name).mkdir()
    models = Models(lambda: config.one("asen", str(tmp_path)), Limits())
    for _ in range(2):
        models.look()
    said = f"asen: no version (a folder with a number as its name) under {tmp_path} yet"
    assert [record.getMessage() for record in caplog.records] == [said]


def refusal(versions, **choice):
    with pytest.raises(Refused) as refused:
        served(versions, **choice)
    return refused.value.code, refused.value.message


def states(versions):
    return {status.version: STATE.Name(status.state) for status in versions.status()}


def test_the_newest_version_answers(versions, disk):
    disk.write(2, "two")
    disk.write(10, "ten")
    versions.update(disk.wanted(2, 10), {"stable": 2, "gone": 7})
    assert served(versions) == (10, "ten")
    assert served(versions, version=2) == (2, "two")
    assert served(versions, label="stable") == (2, "two")
    assert refusal(versions, version=3) == (
        grpc.StatusCode.NOT_FOUND,
        "Servable not found for request: Specific(asen, 3)",
    )
    assert refusal(versions, label="gone")[0] == grpc.StatusCode.NOT_FOUND
    assert refusal(versions, label="unheard") == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "Unrecognized servable version label: unheard",
    )


def test_a_version_stays_until_its_requests_are_done(versions, disk):
    disk.write(1, "one")
    versions.update(disk.wanted(1), {})
    disk.write(2, "two")
    with versions.use(spec()) as handle:
        versions.update(disk.wanted(2), {})
        assert states(versions) == {1: "UNLOADING", 2: "AVAILABLE"}
        assert served(versions) == (2, "two")
        assert refusal(versions, version=1)[0] == grpc.StatusCode.NOT_FOUND
        assert handle == (1, "one")
    versions.update(disk.wanted(2), {})
    assert states(versions) == {1: "END", 2: "AVAILABLE"}
    # Back to the version that was unloaded.
    versions.update(disk.wanted(1), {})
    assert served(versions) == (1, "one")
    assert states(versions) == {1: "AVAILABLE", 2: "END"}


def test_a_request_that_fails_does_not_keep_its_version(versions, disk):
    disk.write(1, "one")
    versions.update(disk.wanted(1), {})
    with pytest.raises(ZeroDivisionError), versions.use(spec()):
        raise ZeroDivisionError
    versions.update({}, {})
    assert states(versions) == {1: "END"}


def test_a_broken_version_leaves_the_old_one_serving(versions, disk):
    disk.write(1, "one")
    versions.update(disk.wanted(1), {})
    disk.write(2, "broken")
    for _ in range(3):
        versions.update(disk.wanted(2), {})
    assert disk.loads == ["1", "2"], "not tried again while its files are the same"
    assert served(versions) == (1, "one")
    newest, oldest = versions.status()
    assert (newest.version, newest.state) == (2, STATE.Value("END"))
    assert newest.error.code is grpc.StatusCode.DATA_LOSS
    assert newest.error.message == "truncated"
    assert oldest.error is None
    disk.write(2, "mended")
    versions.update(disk.wanted(2), {})
    assert served(versions) == (2, "mended")
    assert versions.status()[0].error is None


def test_a_half_written_version_is_served_when_it_is_whole(versions, disk):
    (disk.folder / "1").mkdir(parents=True)
    versions.update(disk.wanted(1), {})
    (status,) = versions.status()
    assert (STATE.Name(status.state), status.error.code) == ("END", grpc.StatusCode.NOT_FOUND)
    assert not versions.serves()
    disk.write(1, "whole")
    versions.update(disk.wanted(1), {})
    assert versions.serves()
    assert served(versions) == (1, "whole")


def test_a_version_that_loads_is_seen_and_does_not_answer(disk):
    loading, go_on = threading.Event(), threading.Event()

    def load(folder):
        loading.set()
        assert go_on.wait(10)
        return "slow"

    versions = Versions("asen", load)
    thread = threading.Thread(target=versions.update, args=(disk.wanted(1), {}))
    thread.start()
    assert loading.wait(10)
    assert states(versions) == {1: "LOADING"}
    assert refusal(versions) == (
        grpc.StatusCode.NOT_FOUND,
        "Servable not found for request: Latest(asen)",
    )
    go_on.set()
    thread.join()
    assert states(versions) == {1: "AVAILABLE"}


def test_only_folders_named_by_a_number_are_versions(tmp_path):
    for name in ("1", "0012", ".export-x", "3.partial", "-4", "٣", str(2**63), "9" * 23, "9" * 250):
        (tmp_path / name).mkdir()
    (tmp_path / "5").write_text("a file")
    assert find(tmp_path) == {1: tmp_path / "1", 12: tmp_path / "0012"}


@pytest.mark.parametrize(
    ("policy", "chosen"),
    [
        ("", {9}),
        ("latest {}", {9}),
        ("latest { num_versions: 2 }", {5, 9}),
        ("latest { num_versions: 9 }", {1, 5, 9}),
        ("all {}", {1, 5, 9}),
        ("specific { versions: [1, 5, 6] }", {1, 5}),
    ],
)
def test_policies(policy, chosen):
    assert choose(text_format.Parse(policy, Policy()), {9, 1, 5}) == chosen


def test_no_versions_no_choice():
    assert choose(Policy(), {}) == set()


def models_config(folder, policy="", labels=""):
    return (
        f'model_config_list {{ config {{ name: "asen" base_path: "{folder}" '
        f'model_platform: "tensorflow" {policy} {labels} }} }}'
    )


def test_a_changed_configuration_is_followed(disk, tmp_path, monkeypatch):
    disk.write(1, "one")
    disk.write(2, "two")
    monkeypatch.setattr("asen_tf.serving.server.models.LoadedModel", disk.load)
    file = tmp_path / "models.config"
    labels = 'version_labels { key: "stable" value: 1 }'
    specific = "model_version_policy { specific { versions: [1, 2, 3] } }"
    file.write_text(models_config(disk.folder, specific, labels))
    models = Models(lambda: config.read(file), Limits())
    assert not models.serve()
    models.look()
    assert models.serve()
    assert served(models) == (2, "two")
    assert served(models, label="stable") == (1, "one")

    file.write_text(models_config(disk.folder, specific, labels.replace("1", "2")))
    models.look()
    assert served(models, label="stable") == (2, "two")

    file.write_text("model_config_list {")
    models.look()
    assert served(models) == (2, "two"), "a broken configuration changes nothing"

    file.write_text(models_config(disk.folder).replace("asen", "other", 1))
    models.look()
    assert refusal(models)[0] == grpc.StatusCode.NOT_FOUND
    assert states(models.get("asen")) == {1: "END", 2: "END"}
    assert models.serve(), "the model that was taken out does not count"


def test_a_base_path_that_goes_away_changes_nothing(disk, monkeypatch):
    disk.write(1, "one")
    monkeypatch.setattr("asen_tf.serving.server.models.LoadedModel", disk.load)
    models = Models(lambda: config.one("asen", str(disk.folder)), Limits())
    models.look()
    disk.folder.rename(disk.folder.with_name("moved"))
    models.look()
    assert served(models) == (1, "one")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rubbish", "is no ModelServerConfig"),
        ("", "expected model_config_list"),
        (models_config("/x").replace("tensorflow", "onnx"), "needs model_platform: 'tensorflow'"),
        (models_config("/x").replace("asen", ""), "needs a name of its own"),
    ],
)
def test_a_wrong_configuration_says_so(tmp_path, text, message):
    file = tmp_path / "models.config"
    file.write_text(text)
    with pytest.raises(ValueError, match=message):
        config.read(file)


def test_a_wrong_base_path_says_so(disk):
    with pytest.raises(ValueError, match="the base path of asen is no folder"):
        config.check_folders(config.one("asen", str(disk.folder)))
    disk.write(1, "one")
    config.check_folders(config.one("asen", str(disk.folder)))
    (disk.folder / "1" / "saved_model.pb").touch()
    with pytest.raises(ValueError, match="is a SavedModel: .* Expected the folder above it"):
        config.check_folders(config.one("asen", str(disk.folder / "1")))


def test_turns_are_bounded():
    admission = Admission(concurrent=1, waiting=1)
    entered, leave = threading.Event(), threading.Event()

    def hold():
        with admission.turn(10):
            entered.set()
            leave.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    assert entered.wait(10)
    with pytest.raises(Refused) as refused, admission.turn(0.01):
        pass
    assert refused.value.code is grpc.StatusCode.DEADLINE_EXCEEDED
    waiter = threading.Thread(target=hold)
    waiter.start()
    while admission._admitted < 2:
        time.sleep(0.01)
    with pytest.raises(Refused) as refused, admission.turn(10):
        pass
    assert refused.value.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert not admission.close(0.01), "one runs, one waits"
    leave.set()
    assert admission.close(10)
    with pytest.raises(Refused) as refused, admission.turn(10):
        pass
    assert refused.value.code is grpc.StatusCode.UNAVAILABLE
    holder.join()
    waiter.join()


def test_no_deadline_is_no_limit():
    with Admission(concurrent=1, waiting=0).turn(float("inf")):
        pass


def test_messages_of_tensorflow_lose_the_graph():
    error = tf.errors.InvalidArgumentError(
        None,
        None,
        "Graph execution error:\n\nDetected at node Assert/Assert defined at (most recent call "
        "last):\n<stack traces unavailable>\nassertion failed: [photograph 3: is no "
        "\\'kr\\303\\241g\\'] [2]\n\t [[{{node Assert/Assert}}]] "
        "[Op:__inference_signature_wrapper_429]",
    )
    refused = from_tensorflow(error)
    assert refused.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refused.message == "photograph 3: is no 'krág' 2"


def test_messages_fit_a_header():
    assert len(Refused(grpc.StatusCode.INTERNAL, "é" * 5000).message.encode()) == 2000
