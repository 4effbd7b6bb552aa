"""The versions of a model on disk, and which of them to serve."""

from collections.abc import Collection
from pathlib import Path

from tensorflow_serving.config import file_system_storage_path_source_pb2 as source

from asen_tf.core.versions import is_version

Policy = source.FileSystemStoragePathSourceConfig.ServableVersionPolicy
# Relative path, bytes, time of change of each file.
Fingerprint = list[tuple[str, int, int]]


def find(base_path: Path) -> dict[int, Path]:
    """Number -> folder of each version; other names are left out."""
    return {
        int(path.name): path
        for path in base_path.iterdir()
        if is_version(path.name) and path.is_dir()
    }


def choose(policy: Policy, versions: Collection[int]) -> set[int]:
    """Those that a policy wants served; without a policy the latest."""
    kind = policy.WhichOneof("policy_choice")
    if kind == "all":
        return set(versions)
    if kind == "specific":
        return set(versions).intersection(policy.specific.versions)
    return set(sorted(versions)[-(policy.latest.num_versions or 1) :])


def fingerprint(folder: Path) -> Fingerprint:
    """Changes when a file below the folder does."""
    found = []
    for path in folder.rglob("*"):
        try:
            status = path.stat()
        except FileNotFoundError:  # it is being replaced
            continue
        found.append((str(path.relative_to(folder)), status.st_size, status.st_mtime_ns))
    return sorted(found)
