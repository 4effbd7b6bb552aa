"""The main program of every Bazel test: pytest on the files given as arguments."""

import os
import sys

import pytest

if __name__ == "__main__":
    options = [
        f"--basetemp={os.environ['TEST_TMPDIR']}/pytest",
        f"--junitxml={os.environ['XML_OUTPUT_FILE']}",
        "-pno:cacheprovider",  # the source tree is read-only in Bazel's sandbox
    ]
    sys.exit(pytest.main(options + sys.argv[1:]))
