"""How this project's packages and tests are built; PyPI's packages come with .venv's Python."""

def library(name, deps = []):
    """A py_library of the module `name`, or of all modules below the folder `name`."""
    native.py_library(
        name = name,
        srcs = native.glob([name + ".py", name + "/**/*.py"]),
        data = native.glob([
            name + "/**/static/*",
            name + "/**/templates/*",
            name + "/**/*.csv",
            name + "/**/*.yaml",
        ]),
        deps = deps,
    )

def tests(name, deps, data = [], size = "medium"):
    """A py_test for each *_test.py below the folder `name`, and a test_suite of them all."""
    files = native.glob([name + "/**/*.py", "tests/*.py"])
    cases = [file for file in files if file.endswith("_test.py")]
    helpers = [file for file in files if not file.endswith("_test.py")]
    deps = deps + [core for core in [":asen_tf/core"] if core not in deps]  # of conftest.py
    for case in cases:
        native.py_test(
            name = case[:-len(".py")],
            size = size,
            srcs = ["bazel/pytest_main.py", case] + helpers,
            main = "bazel/pytest_main.py",
            args = ["$(location %s)" % case],
            data = ["pyproject.toml"] + data,
            deps = deps,
        )
    native.test_suite(
        name = name,
        tests = [case[:-len(".py")] for case in cases],
    )
