"""Photographs at http:// and https://, from public addresses alone.

The address that a host's name stands for is looked up and judged once, and that one is connected
to: a name that changes its address afterwards leads nowhere else. Each redirection is a connection
of its own, and judged alike.
"""

import contextlib
import socket
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from http.client import IncompleteRead

import urllib3

from asen_client.core.addresses import is_this_machine
from asen_client.version import __version__
from asen_tf.core.remote import Remote
from asen_tf.photographs.addresses import public_addresses
from asen_tf.photographs.fetched import Fetched, Unreachable, too_large

_REDIRECTIONS = 5
_MOVED = {301, 302, 303, 307, 308}
_LATE = "it is not there in the time that a photograph may take"
_LATER = {408, 425, 429, 500, 502, 503, 504}
_SAID = {401: "the server asks for a login", 403: "the server refuses it", 404: "no such file"}
_SAID[410] = "it is gone"

_CHUNK = 64 * 1024
_LEAST_WAIT = 0.01
_LONGEST_VALIDATOR = 256
_MOST_WAITED = 30.0


class Http:
    """Reads photographs by their URLs; threads may share it."""

    def __init__(self, settings: Remote):
        self._settings = settings
        self._proxies: dict[str, urllib3.PoolManager] = {}
        self._direct = self._kept(urllib3.PoolManager)

    def fetch(self, url: str, validator: str = "") -> Fetched | None:
        """A photograph, None where it is still the one of this validator.

        Raises:
          ValueError: there is no such photograph, or it may not be read.
          Unreachable: there is no answer, or none now.
        """
        until = time.monotonic() + self._settings.seconds
        try:
            for _ in range(_REDIRECTIONS + 1):
                with self._asked(url, validator, until) as response:
                    if response.status not in _MOVED:
                        return self._answer(response, validator, until)
                    url = _moved(url, response.headers.get("location", ""))
        except urllib3.exceptions.LocationParseError as error:
            raise ValueError(f"no URL: {error}") from error
        except urllib3.exceptions.HTTPError as error:
            raise _unreachable(error, time.monotonic() >= until) from error
        raise ValueError(f"more than {_REDIRECTIONS} redirections")

    @contextlib.contextmanager
    def _asked(self, url: str, validator: str, until: float) -> Iterator:
        headers = {"User-Agent": f"asen_tf/{__version__}", "Accept": "image/*,*/*;q=0.5"}
        headers["Accept-Encoding"] = "identity"
        if validator:
            is_tag = validator.endswith('"')
            headers["If-None-Match" if is_tag else "If-Modified-Since"] = validator
        left = max(_LEAST_WAIT, until - time.monotonic())
        response = self._pools(url).request(
            "GET",
            url,
            headers=headers,
            redirect=False,
            retries=False,
            preload_content=False,
            timeout=urllib3.Timeout(connect=left, read=left),
        )
        try:
            with _ended(response.shutdown, until - time.monotonic()):
                yield response
        finally:
            response.close()

    def _answer(self, response, validator: str, until: float) -> Fetched | None:
        status, headers = response.status, response.headers
        if status == 304 and validator:
            return None
        if status in _LATER:
            raise Unreachable(f"the server answers {status}", after=_seconds(headers))
        if status != 200:
            raise ValueError(_SAID.get(status, f"the server answers {status}"))
        most, declared = self._settings.max_bytes, headers.get("content-length", "")
        if declared.isdigit() and int(declared) > most:
            raise too_large(int(declared), most)
        content = bytearray()
        while part := response.read1(_CHUNK):
            content += part
            if len(content) > most:
                raise too_large(None, most)
        if time.monotonic() >= until:  # what was cut off may look whole
            raise Unreachable(_LATE)
        found = headers.get("etag") or headers.get("last-modified") or ""
        usable = len(found) <= _LONGEST_VALIDATOR and found.isascii() and found.isprintable()
        return Fetched(bytes(content), found if usable else "")

    def _pools(self, url: str) -> urllib3.PoolManager:
        """Who connects to a URL's host."""
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"expected a URL http:// or https:// with a host, got {url}")
        proxy = urllib.request.getproxies().get(parts.scheme)
        host = parts.hostname
        if not proxy or is_this_machine(host) or urllib.request.proxy_bypass(host):
            return self._direct
        if not self._settings.allow_private:
            raise ValueError(
                f"the proxy of {parts.scheme}_proxy hides the address of {host}; "
                "--allow_private_addresses asks it, or name the host in no_proxy"
            )
        if proxy not in self._proxies:
            self._proxies[proxy] = self._kept(urllib3.ProxyManager, proxy_url=proxy)
        return self._proxies[proxy]

    def _kept(self, kind: type, **settings) -> urllib3.PoolManager:
        found = kind(num_pools=64, maxsize=self._settings.threads, **settings)
        found.pool_classes_by_scheme = _TIMED if self._settings.allow_private else _CHECKED
        return found


@contextlib.contextmanager
def _ended(end: Callable[[], None], seconds: float) -> Iterator[None]:
    """Calls `end` where a server that sends a byte at a time has taken so long."""

    def quietly() -> None:
        with contextlib.suppress(Exception):  # what has ended already
            end()

    timer = threading.Timer(max(_LEAST_WAIT, seconds), quietly)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


class _Timed:
    """Waits for all headers together as long as urllib3 would wait for each line."""

    def getresponse(self):
        with _ended(lambda: self.sock.shutdown(socket.SHUT_RDWR), self.timeout):
            return super().getresponse()


class _Checked(_Timed):
    """Connects to public addresses alone."""

    def _new_conn(self) -> socket.socket:
        host = self._dns_host
        try:
            addresses = public_addresses(host, self.port)
        except OSError as error:
            raise urllib3.exceptions.NameResolutionError(host, self, error) from error
        except UnicodeError as error:
            raise urllib3.exceptions.LocationParseError(host) from error
        failure, until = None, time.monotonic() + self.timeout
        for self._dns_host in addresses:
            try:
                return super()._new_conn()
            except urllib3.exceptions.HTTPError as error:
                failure = error
            finally:
                self._dns_host = host  # whose certificate is asked for
            self.timeout = max(_LEAST_WAIT, until - time.monotonic())
        raise failure


def _pools_of(kind: type) -> dict[str, type]:
    """Pools of such connections, for urllib3."""
    found = {}
    for scheme, pool in urllib3.poolmanager.pool_classes_by_scheme.items():
        connection = type(kind.__name__, (kind, pool.ConnectionCls), {})
        found[scheme] = type(kind.__name__, (pool,), {"ConnectionCls": connection})
    return found


_TIMED, _CHECKED = _pools_of(_Timed), _pools_of(_Checked)


def _moved(url: str, location: str) -> str:
    if not location:
        raise ValueError("the server redirects to nowhere")
    return urllib.parse.urljoin(url, location)


def _seconds(headers) -> float:
    """How long a server wants to be left alone; dates are left to the usual pauses."""
    said = headers.get("retry-after", "")
    return min(float(said), _MOST_WAITED) if said.isdigit() else 0.0


def _unreachable(error: urllib3.exceptions.HTTPError, late: bool) -> Exception:
    """What is said of a failure of the network."""
    errors = urllib3.exceptions
    if isinstance(error, errors.SSLError) and "CERTIFICATE" in str(error):
        return ValueError("the server's certificate cannot be trusted")
    if isinstance(error, errors.NameResolutionError):
        return Unreachable("no such host")
    if isinstance(error, errors.NewConnectionError) and not late:
        return Unreachable("nothing answers there")
    if late or isinstance(error, errors.TimeoutError):
        return Unreachable(_LATE)
    if any(isinstance(one, IncompleteRead) for one in (error, *error.args)):
        return Unreachable("the file was cut off")
    return Unreachable("the connection broke off")
