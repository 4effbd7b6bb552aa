"""Every request ends with an answer or a code that says what to do, whatever its bytes are."""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import grpc
from absl import logging
from google.protobuf.message import DecodeError

from asen_tf.serving.server.arrivals import Arrivals

_KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")


class Guard(grpc.ServerInterceptor):
    """Refuses what is no message (INVALID_ARGUMENT); gRPC would log a traceback for each.

    Args:
      arrivals: give up a message that does not come.
    """

    def __init__(self, arrivals: Arrivals):
        self._arrivals = arrivals

    def intercept_service(self, continuation, handler_call_details):
        handler = continuation(handler_call_details)
        if handler is None:
            return None
        [kind] = [kind for kind in _KINDS if getattr(handler, kind)]
        # All methods take a stream, perhaps of one message, which is the same to clients: gRPC
        # waits for a single message before it asks anything of ours.
        make = getattr(grpc, f"stream_{kind.split('_')[1]}_rpc_method_handler")
        guarded = self._guarded(getattr(handler, kind), kind.startswith("stream"))
        return make(guarded, _parsed(handler.request_deserializer), handler.response_serializer)

    def _guarded(self, answer: Callable, takes_stream: bool) -> Callable:
        @functools.wraps(answer)
        def guarded(requests: Iterator[Any], context: grpc.ServicerContext, *rest: Any) -> Any:
            received = self._received(requests, context)
            if takes_stream:
                return answer(received, context, *rest)
            request = next(received, None)
            if request is None:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, "expected a message, received none")
            try:
                return answer(request, context, *rest)
            except Exception as error:
                if context.code() is None:  # nobody has refused it
                    logging.error("%s: %s: %s", answer.__name__, type(error).__name__, error)
                    context.abort(grpc.StatusCode.INTERNAL, "the server failed; its log says why")
                raise

        return guarded

    def _received(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        while True:
            with self._arrivals.expected(context.cancel):
                request = next(requests, None)
            if request is None:
                return
            if isinstance(request, _Malformed):
                message = "expected a message of this method, received other bytes"
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, message)
            yield request


class _Malformed:
    """Takes the place of a message that could not be read."""


def _parsed(parse: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    def parsed(content: bytes) -> Any:
        try:
            return parse(content)
        except (DecodeError, ValueError):
            return _Malformed()

    return parsed
