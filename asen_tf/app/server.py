"""The page and the API over HTTP."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from fastapi.templating import Jinja2Templates
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from asen_client.version import __version__
from asen_tf.app import problems, queries, routes
from asen_tf.app.answers import Answers
from asen_tf.app.keys import KeyNeeded
from asen_tf.app.limits import MEGABYTE, Limits
from asen_tf.app.metrics import Metrics
from asen_tf.app.model import Model
from asen_tf.app.own_site import OwnSite
from asen_tf.app.web import ConcurrencyLimit, Headers
from asen_tf.catalogue import Catalogue
from asen_tf.photographs import Source

_LOG = logging.getLogger(__name__)
_FOLDER = Path(__file__).parent

# Small pictures come in dozens and take milliseconds.
_SMALL_AT_ONCE, _SMALL_WAITING = 2, 1024

_DESCRIPTION = "Search by attribute in a catalogue of photographs. What went wrong is told as \
[RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) has it, with a `code` for programs."


def create_app(
    catalogue: Catalogue,
    model: Model,
    images: Source,
    *,
    title: str = "Find by attribute",
    hosts: Sequence[str] = ("localhost", "127.0.0.1", "[::1]"),
    limits: Limits | None = None,
    key: str | None = None,
    vocabulary: Sequence[str] = ("fashion",),
) -> ASGIApp:
    """The page and the API, as an ASGI application.

    Args:
      catalogue: opened to be read; the caller closes it.
      model: that filled it.
      images: where its photographs lie.
      title: heading.
      hosts: names by which it may be requested; `*` for any. Others are refused, so that no other
        site can read the page through a name of its own; see `OwnSite` for what else is.
      limits: none: `Limits()`.
      key: that every request but those for the health has to bring, see `KeyNeeded`.
      vocabulary: names or files that say which value the words of a search say.

    Raises:
      OSError: the store does not answer.
    """
    limits = limits or Limits()
    answers = Answers(catalogue, model, images, limits, vocabulary)
    small = ConcurrencyLimit(_SMALL_AT_ONCE, _SMALL_WAITING)
    metrics = Metrics(lambda: len(answers.overview.now().ids))

    async def measured(request: Request) -> Response:
        return await small.run(request, metrics.answer, request)

    needs_key = [Middleware(KeyNeeded, key=key, open_to_all=[routes.HEALTH])] if key else []
    app = FastAPI(
        title=title,
        version=__version__,
        description=_DESCRIPTION,
        docs_url=None,  # its scripts are another site's
        redoc_url=None,
        generate_unique_id_function=_name,
        routes=[
            Route("/", _page(answers, title, limits, small)),
            Mount("/static", StaticFiles(directory=_FOLDER / "static")),
            Route("/metrics", measured),
        ],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=[*hosts], www_redirect=False),
            Middleware(OwnSite, hosts=hosts),
            *needs_key,
        ],
        exception_handlers={
            problems.Problem: _problem,
            RequestValidationError: _bad_values,
            HTTPException: _http,
            Exception: _unexpected,
        },
    )
    # Tells of the key; a missing one was refused before.
    told = [Depends(HTTPBearer(auto_error=False))] if key else []
    app.include_router(routes.api(answers, limits, small, told))
    # Outermost: middleware of Starlette sees no answer to what is unexpected.
    return metrics.around(Headers(app))


def _page(answers: Answers, title: str, limits: Limits, small: ConcurrencyLimit) -> Callable:
    templates = Jinja2Templates(_FOLDER / "templates")

    def context() -> dict:
        contents = answers.overview.now()
        choices = [field.name for field in contents.fields if field.kind == "choice"]
        return {
            "title": title,
            "attributes": answers.attributes,
            "labelled": contents.labelled,
            "fields": contents.fields,
            "facets": [*contents.labelled, *choices][: queries.MOST_FACETS],
            "count": len(contents.ids),
            "upload_bytes": limits.upload_bytes,
            "upload_megabytes": f"{limits.upload_bytes / MEGABYTE:g}",
            "has_photographs": answers.has_photographs(),
        }

    async def page(request: Request) -> Response:
        known = await small.run(request, context)
        return templates.TemplateResponse(request, "page.html", known)

    return page


def _name(route: APIRoute) -> str:
    """In the documentation, and in clients that are made from it."""
    return route.name


async def _problem(_: Request, error: problems.Problem) -> Response:
    return error.response()


async def _bad_values(_: Request, error: RequestValidationError) -> Response:
    return problems.bad_values(error.errors()).response()


async def _http(_: Request, error: HTTPException) -> Response:
    advice = "What there is stands in /openapi.json."
    problem = problems.Problem(error.status_code, "http", f"{error.detail}.", advice)
    return problem.response(error.headers)


async def _unexpected(_: Request, error: Exception) -> Response:
    _LOG.error("unexpected", exc_info=error)
    title, advice = "Something went wrong on the server.", "Its log says what; try again."
    return problems.Problem(500, "unexpected", title, advice).response()
