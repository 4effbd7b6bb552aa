#!/bin/sh
# The interpreter of every Bazel test: the one of the virtual environment in the source tree.
python="$(dirname "$(readlink -f "$0")")/../.venv/bin/python"
[ -x "$python" ] || { echo "$python is missing: run 'make install' first" >&2; exit 1; }
exec "$python" "$@"
