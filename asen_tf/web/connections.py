"""Connections on which nothing is requested, or whose answers nobody takes, are closed."""

from uvicorn.protocols.http.auto import AutoHTTPProtocol

# A connection on which no request began between two looks is closed.
_LOOK_EVERY_S = 5.0


class Protocol(AutoHTTPProtocol):
    """uvicorn's own, which waits forever for a first request, and for the end of its header."""

    look_every = _LOOK_EVERY_S

    def connection_made(self, transport) -> None:
        super().connection_made(transport)
        self._last = None
        self._unsent = 0
        self._look = self.loop.call_later(self.look_every, self._end_if_idle)

    def connection_lost(self, exc: Exception | None) -> None:
        self._look.cancel()
        super().connection_lost(exc)

    def _end_if_idle(self) -> None:
        unsent = self.transport.get_write_buffer_size()
        if unsent and unsent >= self._unsent > 0:
            self.transport.abort()  # closing would wait until it is sent
            return
        is_answering = self.cycle is not None and not self.cycle.response_complete
        if not (is_answering or unsent) and self.cycle is self._last:
            self.transport.close()
            return
        self._last, self._unsent = self.cycle, unsent
        self._look = self.loop.call_later(self.look_every, self._end_if_idle)
