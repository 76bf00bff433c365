"""Answers that stand ready: made once, however many ask; never older than they may be."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest

from web.api.route import lasts_s
from web.app import ROUTES
from web.http import cache as module
from web.http.answer import Answer
from web.http.cache import LONGEST_QUERY, MOST_ANSWERS, READ, AnswerCache
from web.runtime import EventletRuntime


class Kitchen:
    """Makes answers, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.read: list[Collection[str] | None] = []
        self.version = 0
        self.status = "200 OK"
        self.busy = False
        self.size = 10
        self.cache = AnswerCache(self._make, lasts_s(ROUTES), lambda: 0.05, lambda route: self.version, self.read.append)

    def ask(self, path: str, query: str = "", sees: Any = None, interest: bool = True, **headers: str) -> Answer | None:
        """A GET."""
        environ: dict[str, Any] = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": query, **headers}
        assert self.cache.may_keep(environ)
        return self.cache.answer(environ, sees, interest)

    def _make(self, environ: dict[str, Any]) -> Answer:
        assert not environ.keys() & {"HTTP_IF_NONE_MATCH", "HTTP_ORIGIN"}
        environ[READ] = ["A"]
        self.made.append(environ["PATH_INFO"])
        if self.busy:
            EventletRuntime().sleep(0)
        return Answer(self.status, [("Content-Type", "application/json"), ("ETag", f'"{len(self.made)}"')], b"x" * self.size)


@pytest.fixture
def now() -> list[float]:
    """The clock: the test sets it."""
    return [100.0]


@pytest.fixture
def kitchen(now: list[float], monkeypatch: pytest.MonkeyPatch) -> Kitchen:
    """A cache and who makes answers for it."""
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    return Kitchen()


@pytest.mark.parametrize(("path", "longest_s"), [
    ("/api/quotes", None), ("/api/quotes/BTC/USD", None), ("/api/symbols", None), ("/api/sparkline", 1.0), ("/api/candles/A", 1.0),
    ("/api/status", 1.0), ("/metrics", 1.0)])  # fmt: skip
def test_at_most_once_a_flush_or_second(kitchen: Kitchen, now: list[float], path: str, longest_s: float | None) -> None:
    """Made again when what it shows has changed, a flush later at the soonest; and where time changes it, after a second."""
    first = kitchen.ask(path)
    kitchen.version += 1
    now[0] += 0.049
    assert kitchen.ask(path) is first
    now[0] += 0.002
    second = kitchen.ask(path)
    assert second is not first
    now[0] += 0.9
    assert kitchen.ask(path) is second
    now[0] += 1000.0
    assert (kitchen.ask(path) is second) is (longest_s is None)


def test_what_is_kept_apart(kitchen: Kitchen) -> None:
    """By address, by who sees what, and by the format of metrics."""
    answers = [kitchen.ask("/api/quotes"), kitchen.ask("/api/quotes", "symbols=A"), kitchen.ask("/api/quotes", sees="some"),
               kitchen.ask("/api/quotes/A"), kitchen.ask("/metrics"), kitchen.ask("/metrics", HTTP_ACCEPT="application/openmetrics-text")
    ]  # fmt: skip
    assert len(set(map(id, answers))) == len(kitchen.made) == 6
    assert kitchen.ask("/api/quotes", HTTP_ACCEPT="application/openmetrics-text", HTTP_ORIGIN="http://a") is answers[0]


@pytest.mark.parametrize(
    ("wanted", "is_known"), [('"1"', True), ('W/"1"', True), ('"0", "1"', True), ("*", True), ('"2"', False), ("1", False), ("", False)]
)
def test_who_has_it_already_is_told_so(kitchen: Kitchen, wanted: str, is_known: bool) -> None:
    """304 without a body, from the same answer."""
    kitchen.ask("/api/quotes")
    answer = kitchen.ask("/api/quotes", HTTP_IF_NONE_MATCH=wanted)
    assert answer is not None
    assert (answer.status[:3], answer.body) == (("304", b"") if is_known else ("200", b"x" * 10))
    assert (b"Content-Length" in answer.encoded(b"")) is not is_known


def test_what_failed_is_not_kept(kitchen: Kitchen) -> None:
    """The next one may be better."""
    kitchen.status = "404 NOT FOUND"
    assert kitchen.ask("/api/quotes/NOPE") is not kitchen.ask("/api/quotes/NOPE")


def test_while_one_is_made_the_others_wait_for_it(kitchen: Kitchen) -> None:
    """However many ask at once; also where it fails, one of them tries after the other."""
    runtime, got = EventletRuntime(), []
    kitchen.busy = True
    for _ in range(50):
        runtime.spawn(lambda: got.append(kitchen.ask("/metrics")))
    while len(got) < 50:
        runtime.sleep(0)
    assert kitchen.made == ["/metrics"]
    assert set(map(id, got)) == {id(got[0])}


def test_interest_is_told_though_nothing_is_made(kitchen: Kitchen, now: list[float]) -> None:
    """Once a second; and not where somebody else's page asks."""
    for _ in range(5):
        kitchen.ask("/api/quotes")
        now[0] += 0.5
        kitchen.ask("/api/quotes", interest=False)
    assert kitchen.read == [["A"], ["A"]]


@pytest.mark.parametrize(("method", "path", "query", "expected"), [
    ("GET", "/api/quotes", "", True), ("HEAD", "/api/quotes", "", True), ("POST", "/api/symbols", "", False),
    ("GET", "/api/quotesx", "", False), ("GET", "/api/quotes", "x" * (LONGEST_QUERY + 1), False), ("GET", "/", "", False),
    ("GET", "/api", "", False), ("GET", "/api/symbols/A", "", True), ("GET", "/healthz", "", True),
    ("GET", "/readyz", "", False), ("OPTIONS", "/api/quotes", "", False),
    ("GET", "//api/quotes", "", False), ("GET", "/assets/a.js", "", False)])  # fmt: skip
def test_what_may_be_kept(kitchen: Kitchen, method: str, path: str, query: str, expected: bool) -> None:
    """What others may ask for too."""
    assert kitchen.cache.may_keep({"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query}) is expected


def test_memory_is_bounded(kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch) -> None:
    """In answers and in bytes; what was asked for last stays, also where it alone is too much."""
    for number in range(MOST_ANSWERS + 50):
        kitchen.ask("/api/quotes", f"symbols=S{number}")
        kitchen.ask("/api/quotes", "symbols=S0")
    assert len(kitchen.cache._kept) == MOST_ANSWERS
    assert kitchen.made.count("/api/quotes") == MOST_ANSWERS + 50
    monkeypatch.setattr(module, "MOST_BYTES", 100)
    kitchen.size = 150
    kitchen.ask("/api/symbols")
    assert (len(kitchen.cache._kept), kitchen.cache._bytes) == (1, 150)
