"""A reader of bytes from outside, or a parser of what users write, has a fuzz target."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz.registry import targets

ROOT = Path(__file__).parents[2]
FILES = {
    ".".join(path.relative_to(folder).with_suffix("").parts): path
    for folder, package in ((ROOT, "asen_tf"), (ROOT / "client", "asen_client"))
    for path in sorted(folder.glob(f"{package}/**/*.py"))
}

# What makes values of bytes: in functions of these names something may go wrong with any input.
_READS = {
    *("read_bytes", "read_text", "loads", "FromString", "ParseFromString", "Parse", "genops"),
    *("frombuffer", "fromfile", "memmap", "loadmat", "ZipFile", "read_index", "load_model"),
    *("InferenceSession", "Interpreter"),
    *("decompress", "decompressobj", "text_lines", "decode_jpeg", "decode_png", "decode_image"),
    *("ParquetFile", "load_workbook", "open_file", "open_stream", "read_message"),
}
_READS_OF = {("json", "load"), ("csv", "reader"), ("Image", "open"), ("np", "load")}
_READS_OF |= {
    ("yaml", "parse"),
    ("saved_model", "load"),
    ("loader", "load"),
    ("tf", "make_ndarray"),
}
_PARSERS = ("parse", "read_catalogue", "cells_of")

# Module -> why it has no target of its own.
_ELSEWHERE = {
    "asen_tf.photographs.cache": "photographs that it wrote, which asen_tf.images reads",
    "asen_tf.photographs.source": "photographs, which asen_tf.images reads",
    "asen_client.serving.base": "certificates that the user names, read by gRPC",
    "asen_tf.serving.server.tls": "certificates that the user names, read by gRPC",
    "asen_tf.data.fingerprint": "digests, made in the same function",
    "asen_tf.evaluation.storage": "an anonymous file of this process",
    "asen_tf.core.lock": "the number of a process, for a message",
    "asen_tf.core.presets": "tables in the source of the installed KerasHub",
    "asen_tf.figures.report": "pictures that it drew, and a copy by way of JSON",
    "asen_tf.reproduction.published": "the papers' numbers, which the library brings along",
    "asen_tf.reproduction.processes": "logs of processes that it started",
    "asen_tf.benchmarks.cases": "what its own processes print",
    "asen_tf.benchmarks.machine": "what the kernel says of the machine",
    "asen_tf.cli.app": "a key, whose form is checked and which is compared",
    "asen_tf.cli.reproduce": "the table that the same command wrote",
    "asen_tf.backbones.feature_extractor": "a copy by way of JSON",
    "asen_tf.backbones.backbones": "a copy by way of JSON",
    "asen_tf.data.feature_cache": "what the same run keeps beside it",
    "asen_tf.training.frozen": "a copy by way of JSON",
    "asen_tf.bulk.output": "shards that the same program wrote",
    "asen_tf.bulk.catalogue": "rows that the same program wrote",
    "asen_tf.bulk.tags": "tags that the same program wrote",
    "asen_tf.bulk.vector_file": "vectors that the same program wrote",
    "asen_tf.serving.export.litert": "the archive that it writes",
    "asen_tf.serving.export.verify": "the export that the same command wrote",
}


def reads_of(path: Path) -> Iterator[str]:
    """The functions above that a module calls, or hands to others that do."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        name = getattr(node, "attr", getattr(node, "id", ""))
        owner = getattr(node, "value", None)
        owner = getattr(owner, "id", getattr(owner, "attr", ""))
        if name in _READS or (owner, name) in _READS_OF:
            yield f"{owner}.{name}" if owner else name


def readers() -> dict[str, set[str]]:
    found = {}
    for module, path in FILES.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        parsers = {n.name for n in tree.body if isinstance(n, ast.FunctionDef)} & set(_PARSERS)
        if calls := {*reads_of(path), *parsers}:
            found[module.removesuffix(".__init__")] = calls
    return found


def covered() -> set[str]:
    return {module for target in targets().values() for module in target.modules}


@pytest.mark.parametrize("module", readers())
def test_every_reader_has_a_target(module):
    known = covered() | set(_ELSEWHERE)
    assert module in known, (
        f"{module} reads with {', '.join(sorted(readers()[module]))} and no target of "
        "tests/fuzz covers it: add one, or say in _ELSEWHERE who does"
    )


def test_formats_of_data_sets_have_targets():
    from asen_tf.data.formats import FORMATS

    made = {"synthetic"}  # written by the library, and read as csv
    assert {f"asen_tf.data.formats.{name}" for name in set(FORMATS.names()) - made} <= covered()


def test_targets_cover_what_is_there():
    assert covered() <= set(FILES)
    assert set(_ELSEWHERE) <= set(readers())
