"""The API: what may be requested where, and which limits hold there."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.params import Depends
from fastapi.responses import Response

from asen_tf.app import problems, queries, replies
from asen_tf.app.answers import Answers
from asen_tf.app.bodies import Bodies
from asen_tf.app.limits import Limits
from asen_tf.app.web import ConcurrencyLimit

HEALTH = "/v1/health"

# Photographs and other requests that may be in memory.
_UPLOADS, _REQUESTS = 16, 512

_PHOTOGRAPH = {
    "requestBody": {
        "description": "The file of a photograph, as it is. Its Content-Type does not matter.",
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
_JPEG = {200: {"description": "The picture.", "content": {"image/jpeg": {}}}}


def api(
    answers: Answers, limits: Limits, small: ConcurrencyLimit, needs: Sequence[Depends]
) -> APIRouter:
    """The routes.

    Args:
      answers: to them.
      limits: for their bodies and how many there are at once.
      small: for what comes in dozens and takes milliseconds.
      needs: what all of them depend on, but for the health.
    """
    of_store = ConcurrencyLimit(limits.at_once, limits.waiting)
    # A model that hangs holds up nobody else.
    of_model = ConcurrencyLimit(limits.at_once, limits.waiting)
    of_health = ConcurrencyLimit(limits.at_once, limits.waiting)

    bodies = Bodies(limits, limits.body_bytes, _REQUESTS, "The request")
    uploads = Bodies(limits, limits.upload_bytes, _UPLOADS, "The photograph")
    gets, open_to_all = APIRouter(), APIRouter()
    posts = APIRouter(route_class=bodies.route())
    sent = APIRouter(route_class=uploads.route())

    # What a search leaves out is left out of the answer.
    @posts.post("/v1/search", response_model=replies.Found, response_model_exclude_unset=True)
    async def search(request: Request, given: queries.Search) -> Any:
        """Finds the items that are most similar, in what counts."""
        return await of_store.run(request, answers.search, given)

    @posts.post("/v1/compare")
    async def compare(request: Request, given: queries.Comparison) -> replies.Compared:
        """Compares two photographs attribute by attribute, beside pairs of the catalogue."""
        return await of_store.run(request, answers.compare, given)

    @posts.post("/v1/predict")
    async def predict(request: Request, given: queries.Prediction) -> replies.Predictions:
        """Says which value of each attribute a photograph shows most probably."""
        return await of_model.run(request, answers.predict, given)

    @posts.post("/v1/regions")
    async def regions(request: Request, given: queries.Look) -> replies.Looks:
        """Says where the model looks in photographs."""
        return await of_model.run(request, answers.regions, given)

    @posts.post("/v1/cut")
    async def cut(request: Request, given: queries.Cut) -> replies.Cut:
        """Says which garment in a photograph is meant: gives a name for that."""
        return await of_model.run(request, answers.cut, given)

    @sent.post("/v1/photographs", status_code=201, openapi_extra=_PHOTOGRAPH)
    async def photographs(request: Request) -> replies.Received:
        """Takes a photograph: gives a name to search with. The oldest ones are forgotten."""
        return await of_model.run(request, answers.receive, await request.body())

    @gets.get("/v1/items")
    async def items(
        request: Request, given: Annotated[queries.Items, Query()]
    ) -> replies.SomeItems:
        """Lists some of the items, and says how many there are."""
        return await of_store.run(request, answers.items, given)

    @gets.get("/v1/picture", response_class=Response, responses=_JPEG)
    async def picture(request: Request, given: Annotated[queries.Picture, Query()]) -> Response:
        """Shows an item's photograph, or one that was sent, as a small JPEG."""
        found = await small.run(request, answers.picture, given)
        return Response(found, 200, {"Cache-Control": "private, max-age=300"}, "image/jpeg")

    @open_to_all.get(HEALTH)
    async def health(request: Request) -> replies.Health:
        """Says whether the store and the model answer; needs no key."""
        return await of_health.run(request, answers.health)

    every = APIRouter(responses=problems.documented("4XX", "5XX"))
    for router in (posts, sent, gets):
        every.include_router(router, dependencies=needs)
    every.include_router(open_to_all)
    return every
