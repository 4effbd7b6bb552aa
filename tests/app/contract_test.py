"""The API does what its documentation says, whatever is requested."""

import itertools

import pytest

pytest.importorskip("schemathesis", reason="needs asen_tf[dev]")

import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig

load_all_checks()
# Also 413, which is not among its own: what breaks the form may be too large, and is told first.
_CONFIG = SchemathesisConfig.from_dict(
    {"checks": {"negative_data_rejection": {"expected-statuses": ["4xx"]}}}
)
# What the documentation allows may still be of an item that is not there.
_LEFT_OUT = [CHECKS.get_one("positive_data_acceptance")]
_GOOD, _BAD = GenerationMode.POSITIVE, GenerationMode.NEGATIVE

_NAMES = ("search", "compare", "predict", "regions", "cut", "items", "picture")
TWO_WAYS = [f"/v1/{name}" for name in _NAMES]
# All bytes are as good, and nothing can be said at all.
ONE_WAY = [("/v1/photographs", _GOOD), ("/v1/health", _GOOD)]


@pytest.fixture
def documented(page):
    """The documentation, and the page behind it."""
    return schemathesis.openapi.from_asgi(
        "/openapi.json", page, config=_CONFIG, headers={"Host": "testserver"}
    )


@pytest.mark.parametrize(("path", "mode"), [*itertools.product(TWO_WAYS, (_GOOD, _BAD)), *ONE_WAY])
def test_whatever_is_requested_is_answered_as_documented(documented, path, mode):
    [operation] = [one.ok() for one in documented.get_all_operations() if one.ok().path == path]
    answers = []

    @settings(
        max_examples=24,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def request(case):
        answers.append(case.call(base_url="http://testserver"))
        case.validate_response(answers[-1], excluded_checks=_LEFT_OUT)

    request()
    assert answers


def test_every_route_is_tried(documented):
    paths = {one.ok().path for one in documented.get_all_operations()}
    assert paths == {*TWO_WAYS, *(path for path, _ in ONE_WAY)}


ITEMS = {"item": "garment-1"}, {"item": "garment-2"}


@pytest.mark.parametrize(
    ("method", "path", "request_of", "status"),
    [
        ("post", "/v1/search", {"body": {"query": ITEMS[0], "liked": [["garment-4"]]}}, 200),
        ("post", "/v1/search", {"body": {"text": "red, not striped, velcro"}}, 200),
        ("post", "/v1/compare", {"body": {"left": ITEMS[0], "right": ITEMS[1]}}, 200),
        ("post", "/v1/predict", {"body": {"photograph": ITEMS[0]}}, 200),
        (
            "post",
            "/v1/regions",
            {"body": {"photographs": [*ITEMS, {"item": "garment-29"}], "attributes": ["color"]}},
            200,
        ),
        ("post", "/v1/photographs", {}, 201),
        ("get", "/v1/items", {"query": {"spread": "true", "condition": "price<90"}}, 200),
        ("get", "/v1/picture", {"query": ITEMS[0]}, 200),
        ("get", "/v1/health", {}, 200),
    ],
)
def test_answers_have_the_form_that_is_documented(
    documented, jpegs, method, path, request_of, status
):
    given = request_of or ({"body": jpegs[0]} if method == "post" else {})
    case = documented[path][method].Case(**given)
    response = case.call(base_url="http://testserver")
    assert response.status_code == status, response.text
    case.validate_response(response)
