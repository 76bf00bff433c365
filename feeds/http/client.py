"""How every feed asks over HTTP: a deadline for the whole call, a bounded body, and a `FeedError` for whatever the wire can do.

Nothing of the machine leaks into a call: `trust_env` is off, so neither `~/.netrc` (credentials meant for somebody else) nor
`HTTP_PROXY` (another host that would read our keys) is used, and cookies are neither stored nor sent, unless a feed brings a jar of
its own. What a provider echoes of our secrets is blanked before anybody sees the body.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from http import HTTPStatus
from io import BytesIO
from typing import NamedTuple
from urllib.parse import quote, urlencode, urlsplit

import requests

from feeds.api_keys import blanked, spellings
from feeds.http.answers import MAX_BODY_BYTES
from feeds.http.cookies import Cookies
from feeds.http.decompress import pieces
from feeds.http.errors import CONNECTION_ERRORS, HUNG_UP, Trouble, causes, trouble
from feeds.http.limit_headers import LONGEST_BAN_S, LONGEST_WAIT_S, bounded_wait_s, clock_ahead_s, retry_after_s, server_time_s
from feeds.http.redirects import redirect
from feeds.http.transport import Content, ExtraHeaders, Form, HttpTransport
from ticker.errors import FeedError, said
from ticker.rate_limit import CALL, Cost, Gate, Usage
from ticker.runtime import DeadlineExceeded, Runtime
from ticker.settings import PolledSettings

log = logging.getLogger(__name__)
for _name in ("urllib3.connection", "urllib3.connectionpool"):  # they write whole addresses into the log, query and all
    logging.getLogger(_name).setLevel(logging.ERROR)

MAX_ERROR_BYTES = 64 * 1024
"""What is read of the body of an error: enough for any message."""
MAX_REDIRECTS = 3
KEEP_METHOD = (HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT)
"""The redirects that keep method and body; after any other a client asks by GET (RFC 9110 section 15.4), and what was asked is lost."""

RETRYABLE = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.IM_A_TEAPOT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
"""The 4xx that time mends. 418 is Binance's ban for ignoring a 429. Every other 4xx is about what we asked."""
UNSAID_BAN_S = 120.0
"""How long a 418 that does not say so is taken to last: Binance's shortest."""
ANY_STATUS = range(100, 1000)
PHRASES = {status.value: status.phrase for status in HTTPStatus} | {418: "Banned"}


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

    def error(self, limited_wait_s: float | None = None) -> FeedError:
        """What its status means: whether to ask again, and when (`Retry-After`). A 429 that does not say it means `limited_wait_s`."""
        banned = self.status == HTTPStatus.IM_A_TEAPOT
        longest_s = LONGEST_BAN_S if banned else LONGEST_WAIT_S
        wait_s = retry_after_s(self.headers.get("Retry-After"), server_time_s(self.headers), longest_s)
        if wait_s is None:
            wait_s = UNSAID_BAN_S if banned else limited_wait_s if self.status == HTTPStatus.TOO_MANY_REQUESTS else None
        return FeedError(
            f"{self.where}: HTTP {self.status} {PHRASES.get(self.status, '')}".rstrip(),
            payload=self.body,
            retryable=not 400 <= self.status <= 499 or self.status in RETRYABLE,
            retry_after_s=wait_s,
            status=self.status,
        )


ReadUsage = Callable[[Mapping[str, str], float], Iterable[Usage]]
"""Reads from an answer's headers, and the provider's epoch time, what they say of its limits."""


class Http:
    """GET requests below `settings.base_url`, each within `settings.timeout_s`. `headers` replace ours; `cookies` go with every
    request and take in what the answers set. Each request goes through `gate`, one that follows a redirect too, and what `usage`
    finds in the headers of its answer is told there. `ahead_s`: by how much our clock was ahead of the provider's at the last answer
    that told the time.
    """

    def __init__(
        self,
        settings: PolledSettings,
        runtime: Runtime,
        headers: Mapping[str, str] | None = None,
        cookies: Cookies | None = None,
        gate: Gate | None = None,
        usage: ReadUsage | None = None,
    ) -> None:
        self._base = str(settings.base_url).rstrip("/")
        self._timeout_s = settings.timeout_s
        self._runtime = runtime
        self._secrets = spellings(settings)
        self.ahead_s: float | None = None
        self._kept_alive = False
        self._cookies = cookies
        self._gate = gate
        self._usage = usage
        self._hosts = settings.hosts
        self._transport = HttpTransport(headers or {}, settings.ca_file)

    def get(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        headers: ExtraHeaders = (),
        accept: Collection[int] = (),
        until_s: float = math.inf,
        cost: Cost = CALL,
    ) -> Response:
        """Ask for `base_url` + `path` (percent-encoded by the caller, starts with `/`) and return the answer.

        A status other than 2xx raises unless it is in `accept`, for a caller that wants to read the error, or to see the redirect,
        itself. The call ends within `settings.timeout_s` in all (name, connection, headers, redirects, a body that drips), and
        before `time.monotonic()` is `until_s`, for a poll that takes several calls.
        Raises `FeedError` for everything that can go wrong out there; a status that arrived outranks what became of its body,
        so a 429 keeps its `Retry-After`. Messages name host and path and never the query. Raises `BudgetSpent` where the provider's
        limits leave no room for `cost` in that time. `headers` are of this call, besides all others or in their place.
        """
        url = self._base + path
        if params:
            url += "?" + urlencode(params, quote_via=quote, safe=",")
        return self._call(_Request(url, None, accept, cost, headers), until_s)

    def post(self, path: str, body: bytes, *, headers: ExtraHeaders = (), until_s: float = math.inf, cost: Cost = CALL) -> Response:
        """As `get`, by POST of `body`: a question that takes one, and may be asked twice."""
        return self._call(_Request(self._base + path, body, (), cost, headers), until_s)

    def visit(self, url: str, form: Form | None = None, *, until_s: float = math.inf) -> Response:
        """As `get`, but for an address that the caller vouches for, on whatever host: GET, or POST of `form`. No status raises, and a
        redirect is an answer like any other (its body is not read): where it leads is for the caller to judge.
        """
        return self._call(_Request(url, form, ANY_STATUS, CALL), until_s)

    def close(self) -> None:
        """Close the idle connections."""
        self._transport.close()

    def _call(self, request: _Request, until_s: float) -> Response:
        parts = urlsplit(request.url)
        where = self._blank(f"{parts.hostname}{parts.path}".encode()).decode()
        arriving = _Arriving()
        began_s = time.monotonic()
        problem = self._receive(request, arriving, min(self._timeout_s, until_s - time.monotonic()))
        self._kept_alive = problem is None
        self.ahead_s = self.ahead_s if arriving.ahead_s is None else arriving.ahead_s
        answer = Response(where, arriving.status, arriving.headers, self._blank(arriving.body.getvalue()))
        took_ms, why = (time.monotonic() - began_s) * 1000, "" if problem is None else f": {problem.words}"
        log.debug("%s: %s, %d bytes in %.0f ms%s", _Place(request), answer.status or "no status", len(answer.body), took_ms, why)
        told = self._hear(answer)
        if answer.status and not answer.ok and (problem is not None or answer.status not in request.accept):
            error = answer.error(told)
            if self._gate is not None and error.retry_after_s is not None:
                self._gate.pause(error.retry_after_s)  # here, so that it holds for calls too that a feed can do without
            raise error
        if problem is not None:
            raise FeedError(f"{where}: {problem.words}", payload=answer.body, fault=problem.fault)
        return answer

    def _hear(self, answer: Response) -> float | None:
        """Take in what an answer says of the limits; returns how long a 429 means to wait that does not say so itself."""
        if self._gate is None:
            return None
        usages = list(self._usage(answer.headers, server_time_s(answer.headers))) if self._usage is not None else []
        for usage in usages:
            self._gate.hear(usage)
        return max((usage.reset_in_s for usage in usages if usage.left == 0), default=bounded_wait_s(self._gate.budget.usual_window_s()))

    def _receive(self, request: _Request, arriving: _Arriving, timeout_s: float) -> Trouble | None:
        """Fill `arriving` with what arrives of it; return what went wrong, or `None`."""
        if timeout_s <= 0:
            return Trouble("no time left for it", "slow")
        try:
            with self._runtime.deadline(timeout_s):
                return self._follow(request, arriving, timeout_s)
        except DeadlineExceeded:
            return Trouble(f"no full answer within {timeout_s:.3g} s", "slow")
        except CONNECTION_ERRORS as error:
            return trouble(error)

    def _follow(self, request: _Request, arriving: _Arriving, timeout_s: float) -> Trouble | None:
        for _ in range(MAX_REDIRECTS + 1):
            response = self._ask(request, timeout_s)
            try:
                if not response.is_redirect or response.status_code in request.accept:
                    return _read(response, arriving)
                keeps = request.content is None or response.status_code in KEEP_METHOD
                there = redirect(request.url, response.headers["Location"], self._hosts, keeps_method=keeps)
            finally:
                response.close()
            if there.url is None:
                return Trouble(there.refused, "redirect")
            following = request._replace(url=there.url)
            log.debug("%s: %d, followed by %s", _Place(request), response.status_code, _Place(following))
            request = following
        return Trouble(f"redirects more than {MAX_REDIRECTS} times", "redirect")

    def _ask(self, request: _Request, timeout_s: float) -> requests.Response:
        """Send the request and wait for the headers.

        A server may close an idle connection at the very moment we use it again. Nobody is to blame for that, so one such
        failure on a connection that worked is repeated at once on a new one. A form is not: it may have arrived; a question may be
        asked twice.
        """
        try:
            return self._send(request, timeout_s)
        except requests.ConnectionError as error:
            hung_up = any(isinstance(cause, HUNG_UP) for cause in causes(error))
            if isinstance(request.content, tuple) or not self._kept_alive or not hung_up:
                raise
            self._kept_alive = False
            log.debug("%s: the kept connection was closed, so it is asked for on a new one", _Place(request))
        return self._send(request, timeout_s)

    def _send(self, request: _Request, timeout_s: float) -> requests.Response:
        cookie = None if self._cookies is None else self._cookies.header()
        with self._passing(request.cost, timeout_s):
            response = self._transport.send(request.url, request.content, cookie, timeout_s, request.headers)
        if self._cookies is not None:
            self._cookies.take(response.raw.headers.getlist("Set-Cookie"))
        return response

    def _passing(self, cost: Cost, timeout_s: float) -> AbstractContextManager[None]:
        """Through the gate, in half of the time at most: the call needs some too."""
        return nullcontext() if self._gate is None else self._gate.passing(cost, time.monotonic() + timeout_s / 2)

    def _blank(self, body: bytes) -> bytes:
        return blanked(body, self._secrets)


class _Request(NamedTuple):
    """What to ask for and with what, which statuses are answers, and what it takes of the provider's limits."""

    url: str
    content: Content | None
    accept: Collection[int]
    cost: Cost
    headers: ExtraHeaders = ()


class _Place(NamedTuple):
    """A request as the log may show it: method, host and path, never the query. Put into words only where a line is written."""

    request: _Request

    def __str__(self) -> str:
        parts = urlsplit(self.request.url)
        return said(f"{'GET' if self.request.content is None else 'POST'} {parts.hostname}{parts.path}")


class _Arriving:
    """An answer as far as it has arrived; its `status` is 0 until its headers have."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.ahead_s: float | None = None
        self.body = BytesIO()  # hands on what it holds without a copy


def _read(response: requests.Response, arriving: _Arriving) -> Trouble | None:
    arriving.status, arriving.headers = response.status_code, response.headers
    arriving.ahead_s = clock_ahead_s(response.headers, time.time())
    if response.is_redirect:
        return None
    limit = MAX_ERROR_BYTES if response.status_code >= 400 else MAX_BODY_BYTES
    for piece in pieces(response.raw):
        arriving.body.write(piece)
        if arriving.body.tell() > limit:
            return Trouble(f"the answer is longer than {limit // 1024} KiB", None)
    return None
