"""The page over HTTP."""

import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates
from starlette.types import ASGIApp

from asen_tf.app import problems, queries
from asen_tf.app.answers import Answers
from asen_tf.app.bodies import Bodies
from asen_tf.app.limits import MEGABYTE, Limits
from asen_tf.app.model import Model
from asen_tf.app.own_site import OwnSite
from asen_tf.app.web import ConcurrencyLimit, Headers
from asen_tf.catalogue import Catalogue
from asen_tf.data.root import Root

_LOG = logging.getLogger(__name__)
_FOLDER = Path(__file__).parent

# Small pictures come in dozens and take milliseconds.
_PICTURES_AT_ONCE, _PICTURES_WAITING = 2, 1024

# Photographs and other requests that may be in memory.
_UPLOADS, _REQUESTS = 16, 512

Query = TypeVar("Query", bound=BaseModel)


def create_app(
    catalogue: Catalogue,
    model: Model,
    images: Root,
    *,
    title: str = "Find by attribute",
    hosts: Sequence[str] = ("localhost", "127.0.0.1", "[::1]"),
    limits: Limits | None = None,
) -> ASGIApp:
    """The page and what it requests, as an ASGI application.

    Args:
      catalogue: opened to be read; the caller closes it.
      model: that filled it.
      images: folder of its photographs.
      title: heading.
      hosts: names by which it may be requested; `*` for any. Others are refused, so that no other
        site can read the page through a name of its own; see `OwnSite` for what else is.
      limits: none: `Limits()`.

    Raises:
      OSError: the store does not answer.
    """
    limits = limits or Limits()
    answers = Answers(catalogue, model, images, limits)
    app = Starlette(
        routes=[
            Route("/", _page(answers, title, limits)),
            Mount("/static", StaticFiles(directory=_FOLDER / "static")),
            *_api(answers, limits),
            Route("/picture", _picture(answers)),
        ],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=[*hosts], www_redirect=False),
            Middleware(OwnSite, hosts=hosts),
        ],
        exception_handlers={
            problems.Problem: _problem,
            HTTPException: _http,
            Exception: _unexpected,
        },
    )
    # Outermost: middleware of Starlette sees no answer to what is unexpected.
    return Headers(app)


def _page(answers: Answers, title: str, limits: Limits) -> Callable:
    templates = Jinja2Templates(_FOLDER / "templates")
    context = {
        "title": title,
        "attributes": answers.attributes,
        "labelled": answers.labelled,
        "fields": answers.fields,
        "count": len(answers),
        "upload_bytes": limits.upload_bytes,
        "upload_megabytes": f"{limits.upload_bytes / MEGABYTE:g}",
        "has_photographs": answers.has_photographs(),
    }

    async def page(request: Request) -> Response:
        return templates.TemplateResponse(request, "page.html", context)

    return page


def _api(answers: Answers, limits: Limits) -> list[Route]:
    store_limit = ConcurrencyLimit(limits.at_once, limits.waiting)
    # A model that hangs holds up nobody else.
    model_limit = ConcurrencyLimit(limits.at_once, limits.waiting)
    bodies = Bodies(limits, limits.body_bytes, _REQUESTS, "The request")
    uploads = Bodies(limits, limits.upload_bytes, _UPLOADS, "The photograph")

    def post(path, query, answer, limit=store_limit) -> Route:
        async def answered(request: Request) -> Response:
            async with bodies.read(request) as body:
                given = _checked(query, _json(body))
                return JSONResponse(await limit.run(request, answer, given))

        return Route(path, answered, methods=["POST"])

    async def receive(request: Request) -> Response:
        async with uploads.read(request) as body:
            return JSONResponse(await model_limit.run(request, answers.receive, body), 201)

    async def model(request: Request) -> Response:
        await model_limit.run(request, answers.check_model)
        return JSONResponse({"model": "ready"})

    async def items(request: Request) -> Response:
        given = _checked(queries.Items, dict(request.query_params))
        return JSONResponse({"items": answers.some_items(given)})

    return [
        post("/api/search", queries.Search, answers.search),
        post("/api/compare", queries.Comparison, answers.compare),
        post("/api/regions", queries.Look, answers.regions, model_limit),
        post("/api/tags", queries.Tags, answers.tags, model_limit),
        post("/api/cut", queries.Cut, answers.cut, model_limit),
        Route("/api/photographs", receive, methods=["POST"]),
        Route("/api/model", model),
        Route("/api/items", items),
    ]


def _picture(answers: Answers) -> Callable:
    limit = ConcurrencyLimit(_PICTURES_AT_ONCE, _PICTURES_WAITING)

    async def picture(request: Request) -> Response:
        given = _checked(queries.Picture, dict(request.query_params))
        found = await limit.run(request, answers.picture, given)
        return Response(found, 200, {"Cache-Control": "private, max-age=300"}, "image/jpeg")

    return picture


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        advice = "Load the page again, then try again."
        raise problems.Problem(400, "query", "Expected JSON.", advice) from error


def _checked(query: type[Query], given: Any) -> Query:
    try:
        return query.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise problems.bad_query(f"{place}: {first['msg']}.") from error


async def _problem(_: Request, error: problems.Problem) -> Response:
    return error.response()


async def _http(_: Request, error: HTTPException) -> Response:
    advice = "Go back to the page."
    return problems.Problem(error.status_code, "http", f"{error.detail}.", advice).response()


async def _unexpected(_: Request, error: Exception) -> Response:
    _LOG.error("unexpected", exc_info=error)
    title, advice = "Something went wrong on the server.", "Its log says what; try again."
    return problems.Problem(500, "unexpected", title, advice).response()
