"""What the library leaves behind is written whole, by `core/files.py`.

A kill or a full disk in the midst of writing would leave half a file in place of the one before.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WRITERS = {"write_text", "write_bytes", "open_memmap", "TFRecordWriter", "touch"}
WRITERS_OF = {("np", "save"), ("np", "savez"), ("np", "savetxt"), ("json", "dump")}
WRITERS_OF |= {("Image", "save"), ("figure", "savefig"), ("saved_model", "save")}

# Module -> why it may write in place.
ELSEWHERE = {
    "bulk.catalogue": "a copy in a temporary folder",
    "catalogue.storage.durable": "a database's log says which of these files count",
    "core.lock": "the number of a process, for a message",
    "data.feature_cache": "in a folder that is renamed once it is whole",
    "data.synthetic.dataset": "in a folder that is renamed once it is whole",
    "data.synthetic.index_files": "in that folder",
    "evaluation.storage": "a file of this process alone",
    "reproduction.processes": "a log, to which lines are added",
    "serving.export.litert": "a draft that one_file.py renames once it is verified",
    "serving.export.onnx": "likewise",
    "serving.export.warmup": "in a folder that is renamed once it is whole",
    "serving.export.write": "in that folder",
    "workdir": "a log, to which lines are added; one that was cut off is left out",
}


def names_in(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def drafts(tree: ast.AST) -> set[str]:
    """What stands for the files that `written_whole` gives."""
    return {
        item.optional_vars.id
        for node in ast.walk(tree)
        if isinstance(node, ast.With)
        for item in node.items
        if isinstance(item.context_expr, ast.Call)
        and ast.unparse(item.context_expr.func).endswith("written_whole")
        and isinstance(item.optional_vars, ast.Name)
    }


def writes(call: ast.Call) -> bool:
    if isinstance(call.func, ast.Name):
        if call.func.id != "open":
            return False
        modes = [*call.args[1:2], *(word.value for word in call.keywords if word.arg == "mode")]
        return any(not isinstance(m, ast.Constant) or set(m.value) & set("wax+") for m in modes)
    if not isinstance(call.func, ast.Attribute) or ast.unparse(call.func.value) == "files":
        return False
    name, owner = call.func.attr, ast.walk(call.func.value)
    of = {getattr(node, key, "") for node in owner for key in ("id", "attr")}
    return name in WRITERS or any((one, name) in WRITERS_OF for one in of)


def in_place(source: str) -> Iterator[str]:
    tree = ast.parse(source)
    whole = drafts(tree)
    memory = {
        node.target.id if isinstance(node, ast.NamedExpr) else node.targets[0].id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.NamedExpr)
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func) == "io.BytesIO"
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and writes(node) and not names_in(node) & (whole | memory):
            yield f"line {node.lineno}: {ast.unparse(node)[:80]}"


def modules() -> dict[str, str]:
    """Name below asen_tf, or in the client -> source, of all but that which writes whole files."""
    found = {
        ".".join(path.relative_to(ROOT / "asen_tf").with_suffix("").parts): path
        for path in sorted(ROOT.glob("asen_tf/**/*.py"))
    }
    client = ROOT / "client" / "asen_client"
    found |= {f"client {path.relative_to(client)}": path for path in client.glob("**/*.py")}
    del found["core.files"]
    return {name: path.read_text(encoding="utf-8") for name, path in found.items()}


def test_nothing_is_written_in_place():
    found = {name: list(in_place(source)) for name, source in modules().items()}
    found = {name: lines for name, lines in found.items() if lines}
    new = {name: lines for name, lines in found.items() if name not in ELSEWHERE}
    assert not new, "write by core/files.py, or say in ELSEWHERE why not"
    assert found.keys() == ELSEWHERE.keys()


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("path.write_text(text)", True),
        ("Path(path).write_bytes(b)", True),
        ("(folder / 'a').write_text(text)", True),
        ("open(path, 'w')", True),
        ("open(path, mode='r+b')", True),
        ("open(path, mode)", True),
        ("np.savetxt(path, x)", True),
        ("Image.fromarray(x).save(path)", True),
        ("files.write_text(path, text)", False),
        ("open(path)", False),
        ("open(path, 'rb')", False),
        ("with files.written_whole(p) as draft:\n  np.save(draft, x)", False),
        ("with written_whole(p) as draft, open(draft, 'w') as file:\n  pass", False),
        ("file = io.BytesIO()\nImage.fromarray(x).save(file)", False),
    ],
)
def test_what_counts_as_writing_in_place(source, found):
    assert bool(list(in_place(source))) == found
