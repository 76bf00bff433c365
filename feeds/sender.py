"""Puts requests on the wire: one `requests` session that leaks nothing of the machine, follows nothing, makes each request once."""

from __future__ import annotations

from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy

import requests

from feeds.reading import BoundedAdapter
from feeds.unpacking import ACCEPTED
from ticker import __version__

MAX_CONNECTIONS = 4
"""Polls of a feed don't overlap, so one is the rule. A fifth call at a time waits, within its deadline, for a connection."""
MAX_MADE = 1000
"""So many requests are kept for the next poll, which asks the same again: to make one takes longer than to send it."""

Form = tuple[tuple[str, str], ...]
"""The fields of a form, in order."""


class Sender:
    """Sends requests with `headers` besides ours, or in place of them."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._session = _Session()
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self._session.headers.update({"User-Agent": f"tickercast/{__version__}", "Accept": "application/json", "Accept-Encoding": ACCEPTED,
                                      **headers})
        adapter = BoundedAdapter(pool_connections=1, pool_maxsize=MAX_CONNECTIONS, pool_block=True)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        self._made: dict[tuple[str, str | None], requests.PreparedRequest] = {}

    def send(self, url: str, form: Form | None, cookie: str | None, timeout_s: float) -> requests.Response:
        """GET `url`, or POST `form` to it, and wait for the headers of the answer. Raises what `requests` raises."""
        request = self._get(url, cookie) if form is None else self._make("POST", url, form, cookie)
        return self._session.send(request, timeout=timeout_s, stream=True, allow_redirects=False)

    def close(self) -> None:
        """Close the idle connections."""
        self._session.close()

    def _get(self, url: str, cookie: str | None) -> requests.PreparedRequest:
        request = self._made.get((url, cookie))
        if request is None:
            if len(self._made) >= MAX_MADE:
                self._made.clear()
            request = self._made[url, cookie] = self._make("GET", url, None, cookie)
        return request

    def _make(self, method: str, url: str, form: Form | None, cookie: str | None) -> requests.PreparedRequest:
        headers = None if cookie is None else {"Cookie": cookie}
        return self._session.prepare_request(requests.Request(method, url, headers, data=form))


class _Session(requests.Session):
    """Follows no redirect, and does not look where one leads: told not to follow it, `requests` still reads all of its body and
    fails on an address that is none.
    """

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None
