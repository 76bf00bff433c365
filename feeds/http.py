"""One `requests` session a feed: a deadline for the whole call, a bounded body, and a `FeedError` for whatever the wire can do.

Nothing of the machine leaks into a call: `trust_env` is off, so neither `~/.netrc` (credentials meant for somebody else) nor
`HTTP_PROXY` (another host that would read our keys) is used, and cookies are neither stored nor sent, unless a feed brings a jar of
its own. What a provider echoes of our secrets is blanked before anybody sees the body.
"""

from __future__ import annotations

import http.client
import math
import os
import re
import socket
import ssl
import time
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from typing import NamedTuple
from urllib.parse import SplitResult, quote, urlencode, urljoin, urlsplit

import requests
import requests.adapters
import urllib3.exceptions
from pydantic import SecretStr

from feeds.cookies import Cookies
from ticker import __version__
from ticker.errors import FeedError
from ticker.runtime import DeadlineExceeded, Runtime
from ticker.settings import PolledSettings

MAX_BODY_BYTES = 8 * 1024 * 1024
"""After decompression. The longest honest answer known (all of Binance's tickers) is 2 MB."""
MAX_ERROR_BYTES = 64 * 1024
"""What is read of the body of an error: enough for any message."""
MAX_REDIRECTS = 3
MAX_CONNECTIONS = 4
"""Polls of a feed don't overlap, so one is the rule. A fifth call at a time waits, within its deadline, for a connection."""
CHUNK_BYTES = 64 * 1024

WIRE_ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError)
"""All that a connection can raise. Anything else is a bug of ours and surfaces."""
HUNG_UP = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)
"""How a server ends a connection that it no longer wants."""

RETRYABLE = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.IM_A_TEAPOT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
"""The 4xx that time mends. 418 is Binance's ban for ignoring a 429. Every other 4xx is about what we asked."""
ANY_STATUS = range(100, 600)
PHRASES = {status.value: status.phrase for status in HTTPStatus} | {418: "Banned"}

Form = tuple[tuple[str, str], ...]
"""The fields of a form, in order."""


class Response(NamedTuple):
    """An answer that arrived. `where` is host and path; `headers` are found in any case; `body` is decompressed."""

    where: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether its status is 2xx."""
        return 200 <= self.status <= 299

    def error(self) -> FeedError:
        """What its status means: whether to ask again, and when (`Retry-After`)."""
        return FeedError(f"{self.where}: HTTP {self.status} {PHRASES.get(self.status, '')}".rstrip(), payload=self.body,
                         retryable=not 400 <= self.status <= 499 or self.status in RETRYABLE,
                         retry_after_s=retry_after_s(self.headers.get("Retry-After"), _server_time_s(self.headers)))


class Http:
    """GET requests below `settings.base_url`, each within `settings.timeout_s`. `headers` replace ours; `cookies` go with every
    request and take in what the answers set.
    """

    def __init__(self, settings: PolledSettings, runtime: Runtime, headers: Mapping[str, str] | None = None,
                 cookies: Cookies | None = None) -> None:
        self._base = str(settings.base_url).rstrip("/")
        self._timeout_s = settings.timeout_s
        self._runtime = runtime
        self._secrets = _secret_values(settings)
        self._kept_alive = False
        self._cookies = cookies
        self._session = _Session()
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self._session.headers.update({"User-Agent": f"tickercast/{__version__}", "Accept": "application/json", **(headers or {})})
        adapter = requests.adapters.HTTPAdapter(pool_connections=1, pool_maxsize=MAX_CONNECTIONS, pool_block=True)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def get(self, path: str, params: Mapping[str, str] | None = None, *, accept: Collection[int] = (),
            until_s: float = math.inf) -> Response:
        """Ask for `base_url` + `path` (percent-encoded by the caller, starts with `/`) and return the answer.

        A status other than 2xx raises unless it is in `accept`, for a caller that wants to read the error, or to see the redirect,
        itself. The call ends within `settings.timeout_s` in all (name, connection, headers, redirects, a body that drips), and
        before `time.monotonic()` is `until_s`, for a poll that takes several calls.
        Raises `FeedError` for everything that can go wrong out there; a status that arrived outranks what became of its body,
        so a 429 keeps its `Retry-After`. Messages name host and path and never the query.
        """
        url = self._base + path
        if params:
            url += "?" + urlencode(params, quote_via=quote, safe=",")
        return self._call(url, None, accept, until_s)

    def visit(self, url: str, form: Form | None = None, *, until_s: float = math.inf) -> Response:
        """As `get`, but for an address that the caller vouches for, on whatever host: GET, or POST of `form`. No status raises, and a
        redirect is an answer like any other (its body is not read): where it leads is for the caller to judge.
        """
        return self._call(url, form, ANY_STATUS, until_s)

    def close(self) -> None:
        """Close the idle connections."""
        self._session.close()

    def _call(self, url: str, form: Form | None, accept: Collection[int], until_s: float) -> Response:
        parts = urlsplit(url)
        where = f"{parts.hostname}{parts.path}"
        arriving = _Arriving()
        problem = self._receive(url, form, accept, arriving, min(self._timeout_s, until_s - time.monotonic()))
        self._kept_alive = problem is None
        answer = Response(where, arriving.status, arriving.headers, self._blank(bytes(arriving.body)))
        if answer.status and not answer.ok and (problem is not None or answer.status not in accept):
            raise answer.error()
        if problem is not None:
            raise FeedError(f"{where}: {problem}", payload=answer.body)
        return answer

    def _receive(self, url: str, form: Form | None, accept: Collection[int], arriving: _Arriving, timeout_s: float) -> str | None:
        """Fill `arriving` with what arrives of it; return what went wrong, or `None`."""
        if timeout_s <= 0:
            return "no time left for it"
        try:
            with self._runtime.deadline(timeout_s):
                return self._follow(url, form, accept, arriving, timeout_s)
        except DeadlineExceeded:
            return f"no full answer within {timeout_s:.3g} s"
        except WIRE_ERRORS as error:
            return _reason(error)

    def _follow(self, url: str, form: Form | None, accept: Collection[int], arriving: _Arriving, timeout_s: float) -> str | None:
        for _ in range(MAX_REDIRECTS + 1):
            response = self._ask(url, form, timeout_s)
            try:
                if not response.is_redirect or response.status_code in accept:
                    return _read(response, arriving)
                elsewhere = _redirected(url, response.headers["Location"])
            finally:
                response.close()
            if elsewhere is None:
                return "redirects to another place, which is not followed"
            url = elsewhere
        return f"redirects more than {MAX_REDIRECTS} times"

    def _ask(self, url: str, form: Form | None, timeout_s: float) -> requests.Response:
        """Send the request and wait for the headers.

        A server may close an idle connection at the very moment we use it again. Nobody is to blame for that, so one such
        failure on a connection that worked is repeated at once on a new one. A form is not: it may have arrived.
        """
        try:
            return self._send(url, form, timeout_s)
        except requests.ConnectionError as error:
            if form is not None or not self._kept_alive or not any(isinstance(cause, HUNG_UP) for cause in _causes(error)):
                raise
            self._kept_alive = False
        return self._send(url, form, timeout_s)

    def _send(self, url: str, form: Form | None, timeout_s: float) -> requests.Response:
        cookie = None if self._cookies is None else self._cookies.header()
        headers = None if cookie is None else {"Cookie": cookie}
        if form is None:
            response = self._session.get(url, headers=headers, timeout=timeout_s, stream=True, allow_redirects=False)
        else:
            response = self._session.post(url, form, headers=headers, timeout=timeout_s, stream=True, allow_redirects=False)
        if self._cookies is not None:
            self._cookies.take(response.raw.headers.getlist("Set-Cookie"))
        return response

    def _blank(self, body: bytes) -> bytes:
        for secret in self._secrets:
            body = body.replace(secret, b"***")
        return body


class _Session(requests.Session):
    """Follows no redirect, and does not look where one leads: told not to follow it, `requests` still reads all of its body and
    fails on an address that is none.
    """

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None


class _Arriving:
    """As much of an answer as has arrived; `status` 0 until its headers have."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.body = bytearray()


def retry_after_s(value: str | None, now_s: float) -> float | None:
    """The wait that a `Retry-After` header asks for (RFC 9110 section 10.2.3: seconds, or a date), bounded to 1 … 900 s.

    `now_s` is the epoch time to count a date from. Fractions and negative numbers are seen in the wild and are read;
    `None` where the header is absent or says nothing that can be read.
    """
    text = (value or "").strip()
    seconds = float(text) if re.fullmatch(r"[+-]?[0-9]{1,300}(\.[0-9]{0,300})?", text) else None
    if seconds is None and (date_s := _http_date_s(text)) is not None:
        seconds = date_s - now_s
    if seconds is None:
        return None
    return bounded_wait_s(seconds)


def bounded_wait_s(seconds: float) -> float:
    """A wait that a provider asks for, bounded to 1 … 900 s: what is longer is asked for again then."""
    return min(max(seconds, 1.0), 900.0)


def _read(response: requests.Response, arriving: _Arriving) -> str | None:
    arriving.status, arriving.headers = response.status_code, response.headers
    if response.is_redirect:
        return None
    limit = MAX_ERROR_BYTES if response.status_code >= 400 else MAX_BODY_BYTES
    for chunk in response.iter_content(CHUNK_BYTES):
        arriving.body += chunk
        if len(arriving.body) > limit:
            return f"the answer is longer than {limit // 1024} KiB"
    return None


def _redirected(url: str, target: str) -> str | None:
    """Where a redirect leads, or `None` where it leaves the host (or drops TLS): nobody but the provider is to see our requests."""
    try:
        there = urljoin(url, target)
        old, new = urlsplit(url), urlsplit(there)
        same = _origin(old) == _origin(new)
        secured = old.scheme == "http" and new.scheme == "https" and old.hostname == new.hostname
    except ValueError:  # urllib: an address or a port that can't be one
        return None
    return there if same or secured else None


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _server_time_s(headers: Mapping[str, str]) -> float:
    """The provider's clock, which a `Retry-After` date is read against, so that a difference to ours costs nothing."""
    date_s = _http_date_s(headers.get("Date", ""))
    return time.time() if date_s is None else date_s


def _http_date_s(text: str) -> float | None:
    """Epoch seconds of an HTTP date, or `None`. One that names no zone is UTC, as RFC 9110 section 5.6.7 has it."""
    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, TypeError):
        return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """`error` and what it was raised from, outermost first."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _reason(error: Exception) -> str:
    """What happened, in a few words, from the innermost exception that knows; never a URL (they carry keys)."""
    reason = ""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = f"TLS: {cause.verify_message}"
        elif isinstance(cause, ssl.SSLError):
            reason = f"TLS: {cause.reason or 'handshake failed'}"
        elif isinstance(cause, socket.gaierror | urllib3.exceptions.NameResolutionError):
            reason = "the host name is not known"
        elif isinstance(cause, http.client.RemoteDisconnected):
            reason = "the connection was closed without an answer"
        elif isinstance(cause, urllib3.exceptions.IncompleteRead | urllib3.exceptions.InvalidChunkLength | http.client.IncompleteRead):
            reason = "the answer broke off"
        elif isinstance(cause, urllib3.exceptions.DecodeError):
            reason = "the answer can't be decompressed"
        elif isinstance(cause, TimeoutError | urllib3.exceptions.TimeoutError) and not reason:
            reason = "no answer in time"
        elif isinstance(cause, OSError) and cause.errno:
            reason = os.strerror(cause.errno).lower()  # its own text depends on who raised it
    return reason or f"the connection failed ({type(error).__name__})"


def _secret_values(settings: PolledSettings) -> list[bytes]:
    values = (getattr(settings, name) for name in settings.secrets)
    return [value.get_secret_value().encode() for value in values if isinstance(value, SecretStr) and value.get_secret_value()]
