"""Answers that are the same for everybody who may see the same: made once, and given out again without Flask.

What a GET to the API or `/metrics` is answered with changes when prices do, or as time passes. However often it is asked for, it is made
at most once a flush (prices, symbols, states) or once a second (history, metrics); who asks meanwhile gets the one that is there.
"""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Mapping
from time import monotonic

from web.http.answer import Answer
from web.http.request import Environ

READ = "tickercast.read"
"""In the environment, left by a view: the symbols it was asked for (`None`: all), so that a repeated answer counts as interest too."""
READ_AGAIN_S = 1.0
OPEN_METRICS = "application/openmetrics-text"

MOST_ANSWERS, MOST_BYTES = 256, 33_554_432
LONGEST_QUERY = 2048
"""The answer to a longer query is not kept: hardly anybody asks the same again."""
_CONDITIONS = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_ORIGIN", "HTTP_RANGE", "CONTENT_LENGTH", "wsgi.input_terminated")
"""What makes an answer one to this very request."""


class _Kept:
    """An answer that was made."""

    def __init__(self, answer: Answer, version: int, made_s: float, read: Collection[str] | None, is_read: bool) -> None:
        headers = dict(answer.headers)
        self.answer = answer
        self.version = version
        self.made_s = made_s
        self.read = read
        self.read_s = made_s if is_read else None
        self.tag: str | None = headers.get("ETag")
        self.unchanged = Answer("304 NOT MODIFIED", [header for header in answer.headers if header[0] != "Content-Type"], b"")


class AnswerCache:
    """Asks `make(environ)` for what it does not have. `lasts_s`: how long an answer is good at most, by its route (`route_of`), if nothing
    changes that it shows; others are never kept. `window_s()`: a flush; `version(route)` changes with what its answers show.

    `read(symbols)` is told that somebody is interested in these (`None`: in all).
    """

    def __init__(
        self,
        make: Callable[[Environ], Answer | None],
        lasts_s: Mapping[str, float],
        window_s: Callable[[], float],
        version: Callable[[str], int],
        read: Callable[[Collection[str] | None], object],
    ) -> None:
        self._make = make
        self._lasts_s = lasts_s
        self._window_s = window_s
        self._version = version
        self._read = read
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()  # the latest used stand last
        self._bytes = 0
        self._making: dict[Hashable, threading.Event | None] = {}  # what is being made, and who waits for it

    def may_keep(self, environ: Environ) -> bool:
        """Whether the request asks for something that others may ask for too."""
        return (
            environ["REQUEST_METHOD"] in ("GET", "HEAD")
            and len(environ.get("QUERY_STRING", "")) <= LONGEST_QUERY
            and route_of(environ["PATH_INFO"]) in self._lasts_s
        )

    def answer(self, environ: Environ, sees: Hashable, counts_as_interest: bool) -> Answer | None:
        """The answer to a request that `may_keep`, from somebody who sees what `sees` stands for."""
        path = environ["PATH_INFO"]
        key = (path, environ.get("QUERY_STRING", ""), sees, path == "/metrics" and OPEN_METRICS in environ.get("HTTP_ACCEPT", ""))
        while (kept := self._fresh(key, route_of(path))) is None:
            if key not in self._making:
                made = self._made(key, environ)
                if made is None or isinstance(made, Answer):
                    return made
                kept = made
                break
            done = self._making[key] = self._making[key] or threading.Event()
            done.wait()  # somebody is at it, and lets others work meanwhile
        self._kept.move_to_end(key)
        now_s = monotonic()
        if counts_as_interest and kept.read_s is not None and now_s - kept.read_s >= READ_AGAIN_S:
            kept.read_s = now_s
            self._read(kept.read)
        wanted = environ.get("HTTP_IF_NONE_MATCH")
        return kept.unchanged if wanted is not None and kept.tag is not None and _names(wanted, kept.tag) else kept.answer

    def _fresh(self, key: Hashable, route: str) -> _Kept | None:
        kept = self._kept.get(key)
        if kept is None:
            return None
        age_s = monotonic() - kept.made_s
        is_good = age_s < self._window_s() or (kept.version == self._version(route) and age_s < self._lasts_s[route])
        return kept if is_good else None

    def _made(self, key: Hashable, environ: Environ) -> _Kept | Answer | None:
        """Make it, and keep it if all is well."""
        inner: Environ = {name: value for name, value in environ.items() if name not in _CONDITIONS}
        inner.update({"REQUEST_METHOD": "GET", "wsgi.input": io.BytesIO()})
        version, made_s = self._version(route_of(inner["PATH_INFO"])), monotonic()
        self._making[key] = None
        try:
            answer = self._make(inner)
        finally:
            if (done := self._making.pop(key)) is not None:
                done.set()
        if answer is None or not answer.status.startswith("200"):
            return answer
        kept = _Kept(answer, version, made_s, inner.get(READ), READ in inner)
        self._keep(key, kept)
        return kept

    def _keep(self, key: Hashable, kept: _Kept) -> None:
        self._drop(key)
        self._kept[key] = kept
        self._bytes += len(kept.answer.body)
        while len(self._kept) > 1 and (len(self._kept) > MOST_ANSWERS or self._bytes > MOST_BYTES):
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Hashable) -> None:
        if (kept := self._kept.pop(key, None)) is not None:
            self._bytes -= len(kept.answer.body)


def route_of(path: str) -> str:
    """The first two parts of `path`, by which it is known how long its answers last."""
    first, second, *_ = (*path.split("/", 3)[1:], "", "")
    return f"/{first}/{second}" if second else path


def _names(wanted: str, tag: str) -> bool:
    """Whether an If-None-Match names `tag` (weak comparison, RFC 9110 section 13.1.2)."""
    return wanted.strip() == "*" or any(one.strip().removeprefix("W/") == tag for one in wanted.split(","))
