.DELETE_ON_ERROR:
.PHONY: demo test lowest fuzz install lint types format docs lock bazel-test clean

export PIP_DISABLE_PIP_VERSION_CHECK := 1

VENV := .venv
INSTALLED := $(VENV)/installed
SUITABLE := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
CANDIDATES := python3 python3.13 python3.12 python3.11

# The first suitable interpreter; `make PYTHON=...` names another.
PYTHON ?= $(or $(shell for python in $(CANDIDATES); do \
	$$python -c '$(SUITABLE)' 2> /dev/null && echo $$python && break; done),python3)

demo: $(INSTALLED)
	$(VENV)/bin/asen-demo --output=demo

test: $(INSTALLED)
	$(VENV)/bin/pytest -q -n 2 --dist loadfile --no-loadscope-reorder

# What touches each dependency and is quick, with the lowest versions that setup.py allows.
LOWEST := build/lowest
QUICK := layers losses text app/api catalogue/faiss_index catalogue/finder \
	catalogue/vector_folder data/manifest data/tables evaluation/label_errors figures/similarity \
	photographs/source serving/files serving/rest serving/server training/fit
lowest: $(LOWEST)/installed
	$(LOWEST)/bin/python -m pytest -q -n 2 --dist loadfile \
		$(wildcard $(QUICK:%=tests/%) $(QUICK:%=tests/%_test.py)) \
		tests/bulk/bulk_test.py::test_every_good_photograph_has_its_vectors

# Damaged inputs for every reader; `make fuzz INPUTS=1000 READERS="torch 'index files'"` for a few.
INPUTS ?= 20000
fuzz: $(INSTALLED)
	$(VENV)/bin/python -m tests.fuzz $(INPUTS) $(READERS)

install: $(INSTALLED)

lint: $(INSTALLED)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

# What type checkers say of the names that users import.
types: $(INSTALLED)
	$(VENV)/bin/mypy

format: $(INSTALLED)
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

# site/index.html; a warning, such as a link that leads nowhere, is an error.
docs: $(VENV)/docs_installed
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --quiet --strict

RESOLVE = echo ./client | UV_CUSTOM_COMPILE_COMMAND="make lock" $(VENV)/bin/uv pip compile setup.py - \
	--quiet --upgrade --python-version 3.11 --no-python-downloads --extra all --no-emit-package asen-client
lock: $(VENV)/bin/python
	$(VENV)/bin/pip install --quiet uv
	$(RESOLVE) --universal --output-file requirements.lock
	$(RESOLVE) --resolution lowest-direct --output-file requirements.lowest.lock

bazel-test: $(INSTALLED)
	@command -v bazel > /dev/null || { \
		echo "make bazel-test needs Bazel 4.2, which is not on the PATH." >&2; \
		echo "On Debian and Ubuntu: sudo apt-get install bazel-bootstrap" >&2; exit 1; }
	bazel test //...

clean:
	rm -rf $(VENV) demo site .hypothesis .mypy_cache .pytest_cache .ruff_cache
	rm -rf build dist *.egg-info client/build client/dist client/*.egg-info
	find asen_tf client configs tests -name __pycache__ -prune -exec rm -rf {} +

$(INSTALLED): requirements.lock setup.py pyproject.toml client/pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/pip install --quiet --requirement requirements.lock
	$(VENV)/bin/pip install --quiet --no-deps --no-build-isolation --editable .
	# Second: an asen-tf of before had asen-query, which goes with it.
	$(VENV)/bin/pip install --quiet --no-deps --no-build-isolation --editable ./client
	touch $@

# Some of the lowest have no wheels for a later Python.
IS_3_11 := import sys; sys.exit(sys.version_info[:2] != (3, 11))
$(LOWEST)/installed: requirements.lowest.lock
	$$(for python in $(PYTHON) python3.11; do \
		$$python -c '$(IS_3_11)' 2> /dev/null && break; done; echo $$python) -m venv --clear $(LOWEST)
	$(LOWEST)/bin/pip install --quiet --no-deps --requirement requirements.lowest.lock
	touch $@

$(VENV)/docs_installed: $(INSTALLED)
	$(VENV)/bin/pip install --quiet --constraint requirements.lock --no-build-isolation --editable ".[docs]"
	touch $@

$(VENV)/bin/python:
	@$(PYTHON) -c '$(SUITABLE)' || { \
		echo "asen_tf needs Python 3.11 to 3.13, but $(PYTHON) is $$($(PYTHON) --version 2>&1)." >&2; \
		echo "Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { \
		echo "$(PYTHON) cannot make virtual environments: it lacks ensurepip." >&2; \
		echo "On Debian and Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
