"""Every request ends with an answer or a code that says what to do, whatever its bytes are."""

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import grpc
from absl import logging
from google.protobuf.message import DecodeError

_KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")


class Guard(grpc.ServerInterceptor):
    """Refuses what is no message (INVALID_ARGUMENT); gRPC would log a traceback for each."""

    def intercept_service(self, continuation, handler_call_details):
        handler = continuation(handler_call_details)
        if handler is None:
            return None
        [kind] = [kind for kind in _KINDS if getattr(handler, kind)]
        make = getattr(grpc, f"{kind}_rpc_method_handler")
        guarded = _guarded(getattr(handler, kind), kind.startswith("stream"))
        return make(guarded, _parsed(handler.request_deserializer), handler.response_serializer)


class _Malformed:
    """Takes the place of a message that could not be read."""


def _parsed(parse: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    def parsed(content: bytes) -> Any:
        try:
            return parse(content)
        except (DecodeError, ValueError):
            return _Malformed()

    return parsed


def _guarded(answer: Callable, takes_stream: bool) -> Callable:
    @functools.wraps(answer)
    def guarded(request: Any, context: grpc.ServicerContext, *rest: Any) -> Any:
        if takes_stream:
            return answer(_checked(request, context), context, *rest)
        [request] = _checked([request], context)
        try:
            return answer(request, context, *rest)
        except Exception as error:
            if context.code() is None:  # nobody has refused it
                logging.error("%s: %s: %s", answer.__name__, type(error).__name__, error)
                context.abort(grpc.StatusCode.INTERNAL, "the server failed; its log says why")
            raise

    return guarded


def _checked(requests: Iterable[Any], context: grpc.ServicerContext) -> Iterator[Any]:
    for request in requests:
        if isinstance(request, _Malformed):
            message = "expected a message of this method, received other bytes"
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, message)
        yield request
