"""The pages of the documentation site, a hook of MkDocs: README.md, what it links to, and the API.

Files keep the places that they have in the repository, so that links hold here and there.
"""

import ast
import os
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"\]\((?!\w+:)([^)#]+)")


def on_config(config: MkDocsConfig):
    config.nav.insert(-1, {"API": list(api_pages())})


def on_files(files: Files, config: MkDocsConfig):
    for file in [file for file in files if file.src_dir == config.docs_dir]:
        files.remove(file)
    for place in linked_from("README.md"):
        files.append(File(place, str(ROOT), config.site_dir, config.use_directory_urls))
    for place, content in api_pages().items():
        files.append(File.generated(config, place, content=content))


def linked_from(start: str) -> list[str]:
    """`start`, the files that it links to, the files that these link to, and so on."""
    found = [start]
    for place in found:
        if place.endswith(".md"):
            for link in LINK.findall((ROOT / place).read_text(encoding="utf-8")):
                target = os.path.normpath(os.path.join(os.path.dirname(place), link))
                if target not in found and (ROOT / target).is_file():
                    found.append(target)
    return found


def api_pages() -> dict[str, str]:
    """Place -> Markdown, of each package with public names."""
    pages = {f"api/{name}.md": page(name, lazy(name)) for name in ("asen_client", "asen_tf")}
    for path in sorted(ROOT.glob("asen_tf/*/__init__.py")):
        if "__all__" in path.read_text(encoding="utf-8"):
            package = f"asen_tf.{path.parent.name}"
            names = lazy(package) if package == "asen_tf.serving" else {package: ""}
            pages[f"api/{package}.md"] = page(package, names)
    return pages


def lazy(package: str) -> dict[str, str]:
    """Where it is defined -> its public name, of what is imported only when it is used.

    The constant _NAMES of the package says so, in the source: nothing is imported.
    """
    folder = ROOT / "client" if package == "asen_client" else ROOT
    source = folder.joinpath(*package.split("."), "__init__.py").read_text(encoding="utf-8")
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_NAMES":
            names = sorted(ast.literal_eval(node.value).items())
            return {f"{module}.{name}": f"{package}.{name}" for name, module in names}
    raise ValueError(f"{package} has no _NAMES")


def page(title: str, objects: dict[str, str]) -> str:
    """Objects as they are found -> the heading of each, blank for none."""
    blocks = [f"# {title}"]
    for place, heading in objects.items():
        # What other packages have on their pages is to be linked to there.
        options = f"{{heading: {heading}, skip_local_inventory: true}}"
        options = options if heading else "{show_root_heading: false}"
        blocks.append(f"::: {place}\n    options: {options}")
    return "\n\n".join(blocks) + "\n"
