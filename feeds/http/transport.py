"""Puts requests on the wire: one `requests` session that leaks nothing of the machine, follows nothing, makes each request once."""

from __future__ import annotations

from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy

import requests

from feeds.http.answers import BoundedAdapter
from feeds.http.decompress import ACCEPTED
from ticker import __version__

MAX_CONNECTIONS = 4
"""Polls of a feed don't overlap, so one is the rule. A fifth call at a time waits, within its deadline, for a connection."""
MAX_MADE = 1000
"""So many prepared requests are kept for the next poll, which asks the same again: to prepare one takes longer than to send it."""

ExtraHeaders = tuple[tuple[str, str], ...]
"""The headers of one call, besides those of all calls or in their place."""
Form = tuple[tuple[str, str], ...]
"""The fields of a form, in order."""
Content = Form | bytes
"""What is sent by POST: a form, or what a header says that it is."""


class HttpTransport:
    """Sends requests with `headers` besides ours, or in place of them. `ca_file`: who signs for the server, in place of those that
    everybody trusts.
    """

    def __init__(self, headers: Mapping[str, str], ca_file: str | None = None) -> None:
        self._session = _Session()
        self._session.verify = ca_file or True
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self._session.headers.update(
            {"User-Agent": f"tickercast/{__version__}", "Accept": "application/json", "Accept-Encoding": ACCEPTED, **headers}
        )
        adapter = BoundedAdapter(pool_connections=1, pool_maxsize=MAX_CONNECTIONS, pool_block=True)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        self._made: dict[tuple[str, str | None, ExtraHeaders], requests.PreparedRequest] = {}

    def send(
        self, url: str, content: Content | None, cookie: str | None, timeout_s: float, headers: ExtraHeaders = ()
    ) -> requests.Response:
        """GET `url`, or POST `content` to it, and wait for the headers of the answer. Raises what `requests` raises."""
        request = self._get(url, cookie, headers) if content is None else self._make("POST", url, content, cookie, headers)
        return self._session.send(request, timeout=timeout_s, stream=True, allow_redirects=False)

    def close(self) -> None:
        """Close the idle connections."""
        self._session.close()

    def _get(self, url: str, cookie: str | None, headers: ExtraHeaders = ()) -> requests.PreparedRequest:
        request = self._made.get((url, cookie, headers))
        if request is None:
            if len(self._made) >= MAX_MADE:
                self._made.clear()
            request = self._made[url, cookie, headers] = self._make("GET", url, None, cookie, headers)
        return request

    def _make(self, method: str, url: str, content: Content | None, cookie: str | None, headers: ExtraHeaders) -> requests.PreparedRequest:
        own = dict(headers) if cookie is None else {**dict(headers), "Cookie": cookie}
        return self._session.prepare_request(requests.Request(method, url, own, data=content))


class _Session(requests.Session):
    """Follows no redirect, and does not look where one leads: told not to follow it, `requests` still reads all of its body and
    fails on an address that is none.
    """

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None
