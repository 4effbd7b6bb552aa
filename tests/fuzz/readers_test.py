"""A reader of bytes from outside, or a parser of what users write, has a fuzz target."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz.registry import targets

ROOT = Path(__file__).parents[2]

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
    "photographs.cache": "photographs that it wrote, with a digest, which asen_tf.images reads",
    "photographs.source": "photographs, which asen_tf.images reads",
    "serving.client.base": "certificates that the user names, read by gRPC",
    "serving.server.tls": "certificates that the user names, read by gRPC",
    "data.fingerprint": "digests, made in the same function",
    "evaluation.storage": "an anonymous file of this process",
    "core.lock": "the number of a process, for a message",
    "core.presets": "tables in the source of the installed KerasHub",
    "figures.report": "pictures that it drew, and a copy by way of JSON",
    "reproduction.published": "the papers' numbers, which the library brings along",
    "reproduction.processes": "logs of processes that it started",
    "benchmarks.cases": "what its own processes print",
    "benchmarks.machine": "what the kernel says of the machine",
    "cli.app": "a key, whose form is checked and which is compared",
    "cli.reproduce": "the table that the same command wrote",
    "backbones.feature_extractor": "a copy by way of JSON",
    "backbones.backbones": "a copy by way of JSON",
    "data.feature_cache": "what the same run keeps beside it",
    "training.frozen": "a copy by way of JSON",
    "bulk.output": "shards that the same program wrote",
    "bulk.catalogue": "rows that the same program wrote",
    "bulk.tags": "tags that the same program wrote",
    "bulk.vector_file": "vectors that the same program wrote, and writes anew where damaged",
    "serving.export.litert": "the archive that it writes",
    "serving.export.verify": "the export that the same command wrote",
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
    for path in sorted(ROOT.glob("asen_tf/**/*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        tree = ast.parse(path.read_text(encoding="utf-8"))
        parsers = {n.name for n in tree.body if isinstance(n, ast.FunctionDef)} & set(_PARSERS)
        if calls := {*reads_of(path), *parsers}:
            found[module.removesuffix(".__init__")] = calls
    return found


def covered() -> set[str]:
    return {module for target in targets().values() for module in target.modules}


@pytest.mark.parametrize("module", readers())
def test_every_reader_has_a_target(module):
    known = covered() | {f"asen_tf.{name}" for name in _ELSEWHERE}
    assert module in known, (
        f"{module} reads with {', '.join(sorted(readers()[module]))} and no target of "
        "tests/fuzz covers it: add one, or say in _ELSEWHERE who does"
    )


def test_formats_of_data_sets_have_targets():
    from asen_tf.data.formats import FORMATS

    made = {"synthetic"}  # written by the library, and read as csv
    assert {f"asen_tf.data.formats.{name}" for name in set(FORMATS.names()) - made} <= covered()


def test_targets_cover_what_is_there():
    there = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in ROOT.glob("asen_tf/**/*.py")
    }
    assert covered() <= there
    assert {f"asen_tf.{name}" for name in _ELSEWHERE} <= set(readers())
