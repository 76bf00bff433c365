"""What Yahoo wants before it quotes: a cookie, in Europe a click on "agree", and a crumb that goes with the cookie.

1. `GET https://fc.yahoo.com/`, or any page of Yahoo's: 404, or whatever; what counts is `Set-Cookie: A3=…; Domain=.yahoo.com`.
2. From Europe, instead, a redirect (307) to `guce.yahoo.com/consent?…`, on to `consent.yahoo.com/v2/collectConsent?sessionId=…`, whose
   form holds hidden fields (`csrfToken`, `sessionId`, `originalDoneUrl`, `namespace`). Sent back with `agree`, it leads to
   `guce.yahoo.com/copyConsent?…`, which sets the cookies.
3. `GET /v1/test/getcrumb` with the cookies: eleven characters of `text/plain`, `haT3oykhHqZ`. Or `Too Many Requests`, HTML, nothing.
"""

from __future__ import annotations

import html
import logging
import re
import threading
import time
from collections.abc import Collection, Sequence
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from feeds.http.client import Http, Response
from feeds.http.cookies import Cookies
from feeds.http.limit_headers import bounded_wait_s
from feeds.http.transport import Form
from ticker.errors import BudgetSpent, FeedError
from ticker.source import reason

log = logging.getLogger(__name__)

MAX_PAGES = 10
"""A session may take so many steps from the first page to the last cookie: seven, where everything is asked for."""
MAX_PAGE_BYTES = 1024 * 1024
"""What is looked through of a page for a form. The consent page has 100 KB."""

_CRUMB = re.compile(rb"[!#-;=?-z|~]{1,64}")  # visible ASCII without the double quote, <, > and braces
_INPUT = re.compile(r"<input\b([^>]{0,8000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([a-z-]{1,40})\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)


REQUEST_DENIED = 999
"""A status of Yahoo's own, for who asks too much."""


class Crumb(NamedTuple):
    """The word that goes with the cookies, and the how manieth it is: a new session may well get the same one."""

    text: str
    number: int


class Limit:
    """Yahoo's "too many requests". It hardly ever says how long to wait, and its bans last: two intervals, doubled each time running,
    to 15 minutes.
    """

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._running = 0
        self._until_s = 0.0

    @staticmethod
    def is_one(response: Response) -> bool:
        """Whether an answer says by its status that we ask too much, or when to come back."""
        return response.status in {HTTPStatus.TOO_MANY_REQUESTS, REQUEST_DENIED} or (
            response.status >= 400 and response.error().retry_after_s is not None
        )

    def reached(self, response: Response) -> FeedError:
        """What is said of an answer that is one; until its time is over, `check` raises."""
        self._running += 1
        wait_s = response.error().retry_after_s or bounded_wait_s(self._interval_s * 2.0 ** min(self._running, 30))
        self._until_s = time.monotonic() + wait_s
        return FeedError(f"{response.where}: Yahoo limits us (HTTP {response.status})", payload=response.body, retry_after_s=wait_s)

    def check(self) -> None:
        """Raises `FeedError` with the time that is left to wait, if any is."""
        left_s = self._until_s - time.monotonic()
        if left_s > 0:
            raise FeedError("Yahoo limits us: it is too early to ask again", retry_after_s=bounded_wait_s(left_s))

    def good(self) -> None:
        """Yahoo answered: the next limit counts from one again."""
        self._running = 0


class YahooSession:
    """Cookies and crumb, kept for as long as Yahoo takes them.

    `pages` are tried in turn until one sets Yahoo's cookie. Redirects are followed to `hosts` and to where we ask anyhow, nowhere
    else. A session that could not be had is left alone for `rest_s`, doubled by each failure that follows, to 15 minutes.
    """

    def __init__(
        self, http: Http, cookies: Cookies, limit: Limit, *, base_url: str, pages: Sequence[str], hosts: Collection[str], rest_s: float
    ) -> None:
        self._http = http
        self._cookies = cookies
        self._limit = limit
        self._crumb_url = base_url.rstrip("/") + "/v1/test/getcrumb"
        self._pages = pages
        self._hosts = {host.lower() for host in hosts} | {urlsplit(url).netloc.lower() for url in (base_url, *pages)}
        self._rest_s = rest_s
        self._one_at_a_time = threading.Lock()
        self._crumb: Crumb | None = None
        self._renewals = 0
        self._failures = 0
        self._failure = ""
        self._rest_until_s = 0.0

    def crumb(self, until_s: float, refused: Crumb | None = None) -> Crumb:
        """The crumb; a new one where there is none, or where the one that there is was `refused`.

        However many ask at a time, one renews the session and the others wait, until `until_s`, for what comes of it.
        Raises `FeedError`: with `retry_after_s` where Yahoo wants to be left alone, without it where there just is no crumb; and
        `BudgetSpent` where our own limits allow no call.
        """
        crumb = self._crumb
        if crumb is not None and crumb != refused:
            return crumb
        if not self._one_at_a_time.acquire(timeout=min(max(until_s - time.monotonic(), 0.0), 3600.0)):
            raise FeedError("no time left to wait for a session with Yahoo")
        try:
            if self._crumb is None or self._crumb == refused:
                self._crumb = None
                self._crumb = self._renewed(until_s)
            return self._crumb
        finally:
            self._one_at_a_time.release()

    def _renewed(self, until_s: float) -> Crumb:
        if time.monotonic() < self._rest_until_s:
            raise FeedError(f"no session with Yahoo for now: {self._failure}")
        try:
            self._cookies.clear()
            self._collect_cookies(until_s)
            text = self._crumb_text(until_s)
        except BudgetSpent:  # we did not even ask
            raise
        except FeedError as error:
            self._failure = reason(error)
            self._failures += 1
            # Where Yahoo limits us we come back when that is over, and then do without a session for as long again.
            rest_s = max(self._rest_s * 2.0 ** min(self._failures - 1, 30), 2 * (error.retry_after_s or 0.0))
            self._rest_until_s = time.monotonic() + bounded_wait_s(rest_s)
            raise
        self._failures = 0
        self._renewals += 1
        return Crumb(text, self._renewals)

    def _collect_cookies(self, until_s: float) -> None:
        for page in self._pages:
            now_s = time.monotonic()
            try:
                # Half of the time at most: ad blockers know some of these hosts, and swallow what is sent there.
                self._walk(page, now_s + (until_s - now_s) / 2)
            except BudgetSpent:
                raise
            except FeedError as error:
                if error.retry_after_s is not None:
                    raise
                log.info("no cookie from %s: %s", page, error)
            if "A3" in self._cookies:
                return

    def _crumb_text(self, until_s: float) -> str:
        response, agreed = self._walk(self._crumb_url, until_s)
        if agreed:
            response, _ = self._walk(self._crumb_url, until_s)
        word = response.body.strip()
        if not response.ok or not _CRUMB.fullmatch(word):
            raise FeedError(f"{response.where}: no crumb", payload=response.body or b"(empty)")
        return word.decode()

    def _walk(self, url: str, until_s: float) -> tuple[Response, bool]:
        """Visit `url` and whatever page of Yahoo's it leads to; the last one, and whether we agreed to something on the way."""
        form: Form | None = None
        agreed = False
        for _ in range(MAX_PAGES):
            response = self._http.visit(url, form, until_s=until_s)
            if self._limit.is_one(response):
                raise self._limit.reached(response)
            location = response.headers.get("Location") if 300 <= response.status <= 399 else None
            following = (location, None) if location else None if agreed else consent_form(response.body)
            if following is None or (target := self._allowed(url, following[0])) is None:
                return response, agreed
            url, form = target, following[1]
            agreed = agreed or form is not None
        raise FeedError(f"{response.where}: Yahoo's pages lead in circles")

    def _allowed(self, url: str, target: str) -> str | None:
        """The address that `target` on page `url` is, or `None` where it is not Yahoo's, or would drop TLS."""
        try:
            there = urljoin(url, target)
            parts = urlsplit(there)
            ours = parts.netloc.lower() in self._hosts or parts.hostname in self._hosts
            secured = parts.scheme == "https" or parts.scheme == urlsplit(url).scheme == "http"
        except ValueError:  # an address that can't be one
            return None
        return there if ours and secured and "@" not in parts.netloc else None


def consent_form(page: bytes) -> tuple[str, Form] | None:
    """Where to send what, to agree on a consent page of Yahoo's; `None` for any other page. An action of `""` is the page itself."""
    text = page[:MAX_PAGE_BYTES].decode("utf-8", "replace")
    if "csrfToken" not in text:
        return None
    for opened in re.split(r"<form\b", text, flags=re.IGNORECASE)[1:]:
        tag, _, inside = opened.partition(">")
        hidden = {}
        for match in _INPUT.finditer(inside.partition("</form")[0]):
            attributes = _attributes(match[1])
            if attributes.get("type", "").lower() == "hidden" and "name" in attributes:
                hidden[attributes["name"]] = attributes.get("value", "")
        if "csrfToken" in hidden:
            fields = {"namespace": "yahoo"} | {name: value for name, value in hidden.items() if name not in {"agree", "reject"}}
            return _attributes(tag).get("action", ""), (*fields.items(), ("agree", "agree"), ("agree", "agree"))
    return None


def _attributes(tag: str) -> dict[str, str]:
    return {name.lower(): html.unescape(double or single or bare) for name, double, single, bare in _ATTRIBUTE.findall(tag)}
