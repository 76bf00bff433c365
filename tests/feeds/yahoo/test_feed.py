"""The Yahoo feed against a server that speaks its wire, sessions, limits and refusals included."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from feeds.yahoo.feed import CHARTS_A_CALL, COOKIE_PAGES, Yahoo, YahooSettings
from tests.feeds.support import complaint, subscribe, well_formed
from tests.providers.client import RunningProvider, running
from ticker.errors import BadTick, BudgetSpent, FeedError
from ticker.quote import MarketSession, Tick
from ticker.rate_limit import Usage
from ticker.runtime import Runtime

GETCRUMB, QUOTES, CHART = "/v1/test/getcrumb", "/v7/finance/quote", "/v8/finance/chart"


class Clock:
    """A monotonic clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The feed's clock."""
    clock = Clock()
    monkeypatch.setattr("feeds.yahoo.feed.time.monotonic", clock)
    return clock


def settings(**keys: Any) -> YahooSettings:
    """Settings as a file would give them."""
    return YahooSettings.model_validate({"kind": "yahoo", **keys})


@pytest.fixture
def feed(yahoo: RunningProvider, runtime: Runtime) -> Iterator[Yahoo]:
    """A feed on the local server."""
    feed = Yahoo("y", settings(base_url=yahoo.url), runtime)
    yield feed
    feed.close()


def ticks(feed: Yahoo, *symbols: str) -> dict[str, Tick]:
    """One poll in which every symbol has a price."""
    answer = {symbol: tick for symbol, tick in feed.poll(subscribe(Yahoo, *symbols)).items() if isinstance(tick, Tick)}
    assert answer.keys() == set(symbols)
    assert all(map(well_formed, answer.values()))
    return answer


def count(yahoo: RunningProvider) -> Counter[str]:
    """How often each path was asked for."""
    return Counter(yahoo.paths())


def test_a_poll_gets_a_session_and_then_all_in_one_call(feed: Yahoo, yahoo: RunningProvider) -> None:
    """From then on it is the one call. It looks like a browser, and writes `=`, `^` and the crumb so that they arrive."""
    symbols = ("AAPL", "^GSPC", "EURUSD=X", "BTC-USD", "BRK.B", "VOD.L")
    first, second = ticks(feed, *symbols), ticks(feed, *symbols)
    assert yahoo.paths() == ["/", GETCRUMB, QUOTES, QUOTES]
    assert yahoo.requests()[-1]["query"]["symbols"] == "AAPL,^GSPC,EURUSD=X,BTC-USD,BRK-B,VOD.L"
    assert all(request["headers"]["user-agent"].startswith("Mozilla/5.0 ") for request in yahoo.requests())
    assert first["AAPL"] != second["AAPL"]
    assert (first["VOD.L"].currency, first["VOD.L"].delay_min) == ("GBP", 15.0)
    assert first["^GSPC"].bid is first["BTC-USD"].bid is None
    stock = first["AAPL"]
    assert None not in {stock.bid, stock.ask, stock.open, stock.high, stock.low, stock.prev_close, stock.volume, stock.change_pct}
    assert stock.price == round(stock.price, 2)
    assert stock.prev_close is not None
    assert stock.change == pytest.approx(stock.price - stock.prev_close, abs=1e-9)


@pytest.mark.parametrize(
    ("state", "session", "has_ext"), [("PRE", "pre", True), ("REGULAR", "regular", False), ("POSTPOST", "closed", True)]
)
def test_the_price_outside_the_hours_stays_apart(
    feed: Yahoo, yahoo: RunningProvider, state: str, session: MarketSession, has_ext: bool
) -> None:
    """`price` is the regular one."""
    yahoo.set(switches={"market_state": state})
    tick = ticks(feed, "AAPL")["AAPL"]
    assert tick.session == session
    assert (tick.ext_price is not None, tick.ext_time is not None) == (has_ext, has_ext)
    if tick.ext_price is not None:
        assert round(tick.ext_price - tick.price, 4) == 0.04


@pytest.mark.parametrize(
    ("state", "night", "difference"),
    [("OVERNIGHT", "now", -0.06), ("POSTPOST", "now", -0.06), ("PRE", "over", 0.04), ("POSTPOST", None, 0.04)],
)
def test_the_night_is_asked_for_and_the_newest_price_counts(
    feed: Yahoo, yahoo: RunningProvider, state: str, night: str | None, difference: float
) -> None:
    """Where it has one, and until there is a newer one."""
    yahoo.set(switches={"market_state": state, "night": night})
    tick = ticks(feed, "AAPL")["AAPL"]
    assert yahoo.requests()[-1]["query"]["overnightPrice"] == "true"
    assert tick.ext_price is not None
    assert round(tick.ext_price - tick.price, 4) == difference


def test_a_fund_has_the_price_of_the_day(feed: Yahoo, yahoo: RunningProvider) -> None:
    """From quotes and from charts."""
    tick = ticks(feed, "VFIAX")["VFIAX"]
    assert (tick.cadence, tick.session, tick.bid, tick.high, tick.volume) == ("day", None, None, None, None)
    yahoo.set(switches={"refuse": "gone"})
    assert ticks(feed, "VFIAX")["VFIAX"].cadence == "day"


@pytest.mark.parametrize("shape", ["", "none", "no_price"])
def test_a_hundred_symbols_with_three_unknown_ones_have_ninety_seven_prices(feed: Yahoo, yahoo: RunningProvider, shape: str) -> None:
    """In one call."""
    symbols = [f"T{number:03}" for number in range(100)]
    yahoo.set(unknown=["T007", "T050", "T099"], switches={"unknown_as": shape})
    answer = feed.poll(subscribe(Yahoo, *symbols))
    errors = {symbol: error for symbol, error in answer.items() if isinstance(error, FeedError)}
    assert errors.keys() == {"T007", "T050", "T099"}
    assert all(error.rejects_symbol for error in errors.values())
    assert len(answer) == 100
    assert count(yahoo)[QUOTES] == 1


def test_where_nothing_is_known_any_more_no_symbol_is_blamed(feed: Yahoo, yahoo: RunningProvider) -> None:
    """An answer without rows is a hiccup if there were rows before, and a symbol that never was if there were none."""
    yahoo.set(unknown=["AAPL", "MSFT"])
    answer = feed.poll(subscribe(Yahoo, "AAPL", "MSFT"))
    assert all(isinstance(error, FeedError) and error.rejects_symbol for error in answer.values())
    yahoo.set(unknown=[])
    ticks(feed, "AAPL", "MSFT")
    yahoo.set(unknown=["AAPL", "MSFT"])
    error = complaint(lambda: feed.poll(subscribe(Yahoo, "AAPL", "MSFT")))
    assert (error.rejects_symbol, error.retryable) == (False, True)


@pytest.mark.parametrize("lost", [{"crumb": "n3w"}, {"cookie": "new"}, {"crumb": "n3w", "cookie": "new"}])
def test_a_lost_session_is_renewed_within_the_poll(feed: Yahoo, yahoo: RunningProvider, lost: dict[str, str]) -> None:
    """One 401, one renewal, one more call; and the next poll is one call again."""
    ticks(feed, "AAPL")
    yahoo.forget()
    yahoo.set(switches=lost)
    ticks(feed, "AAPL")
    assert yahoo.paths() == [QUOTES, "/", GETCRUMB, QUOTES]
    ticks(feed, "AAPL")
    assert yahoo.paths()[4:] == [QUOTES]


def test_all_polls_that_meet_a_lost_session_share_one_renewal(feed: Yahoo, yahoo: RunningProvider) -> None:
    """However they overlap: each repeats its own call, once."""
    ticks(feed, "AAPL")
    yahoo.forget()
    yahoo.set(switches={"crumb": "n3w", "cookie": "new"})
    yahoo.fault("slow", path=GETCRUMB, wait_s=0.3)
    answers: list[dict[str, Tick]] = []
    polls = [threading.Thread(target=lambda: answers.append(ticks(feed, "AAPL", "MSFT"))) for _ in range(12)]
    for poll in polls:
        poll.start()
    for poll in polls:
        poll.join()
    assert len(answers) == 12
    statuses = Counter((request["path"], request["status"]) for request in yahoo.requests())
    assert (statuses["/", 404], statuses[GETCRUMB, 200], statuses[QUOTES, 200]) == (1, 1, 12)
    assert 2 <= statuses[QUOTES, 401] <= 12


@pytest.mark.parametrize(("refuse", "asked"), [("unable", 2), ("redirect", 2), ("gone", 1)])
def test_charts_stand_in_for_quotes_that_are_refused(
    feed: Yahoo, yahoo: RunningProvider, clock: Clock, caplog: pytest.LogCaptureFixture, refuse: str, asked: int
) -> None:
    """For a while, then quotes are tried again. It is said once."""
    caplog.set_level(logging.INFO)
    yahoo.set(switches={"refuse": refuse})
    tick = ticks(feed, "AAPL", "VOD.L")["AAPL"]
    assert None not in {tick.open, tick.high, tick.low, tick.prev_close, tick.volume, tick.currency, tick.quote_time, tick.session}
    assert (tick.bid, tick.change) == (None, None)
    assert count(yahoo)[QUOTES] == asked
    clock.now_s += 299
    yahoo.set(switches={})
    ticks(feed, "AAPL", "VOD.L")
    assert count(yahoo)[QUOTES] == asked
    clock.now_s += 1
    assert ticks(feed, "AAPL", "VOD.L")["AAPL"].bid is not None
    assert [record.levelname for record in caplog.records if record.name == "feeds.yahoo.feed"] == ["WARNING", "INFO"]


@pytest.mark.parametrize("text", ["Too Many Requests", "<html>", ""])
def test_charts_stand_in_where_there_is_no_crumb(feed: Yahoo, yahoo: RunningProvider, clock: Clock, text: str) -> None:
    """What came in its place was never sent as one."""
    yahoo.set(switches={"getcrumb": text})
    ticks(feed, "AAPL")
    assert count(yahoo) == {"/": 1, GETCRUMB: 1, f"{CHART}/AAPL": 1}
    yahoo.set(switches={})
    clock.now_s += 60
    assert ticks(feed, "AAPL")["AAPL"].bid is not None


def test_charts_take_turns(feed: Yahoo, yahoo: RunningProvider) -> None:
    """A few a poll, those first that have waited longest; of the others there is no news."""
    yahoo.set(switches={"refuse": "gone"})
    batch = subscribe(Yahoo, *(f"T{number:03}" for number in range(12)))
    polls = [list(feed.poll(batch)) for _ in range(3)]
    assert [len(answered) for answered in polls] == [CHARTS_A_CALL] * 3
    assert polls[0] + polls[1] + polls[2][:2] == [subscription.symbol for subscription in batch]
    assert polls[2][2:] == polls[0][:3]


def test_a_chart_says_which_symbol_is_unknown(feed: Yahoo, yahoo: RunningProvider) -> None:
    """Yahoo's 404 does; anybody else's is about the address."""
    yahoo.set(switches={"refuse": "gone"}, unknown=["MSFT"])
    answer = feed.poll(subscribe(Yahoo, "AAPL", "MSFT", "TSLA"))
    error = answer["MSFT"]
    assert isinstance(error, FeedError)
    assert (error.rejects_symbol, error.retryable) == (True, False)
    assert str(error) == "Yahoo has no price for 'MSFT': No data found, symbol may be delisted"
    assert isinstance(answer["AAPL"], Tick)
    assert isinstance(answer["TSLA"], Tick)
    yahoo.fault("status", status=404, body="<html>nothing here</html>")
    assert not complaint(lambda: feed.poll(subscribe(Yahoo, "AAPL"))).rejects_symbol


def test_an_odd_error_of_one_chart_is_its_own(feed: Yahoo, yahoo: RunningProvider) -> None:
    """A 400 or a 422 that names no unknown symbol is no reason to leave it alone for long, nor the others."""
    yahoo.set(switches={"refuse": "gone"})
    body = '{"chart":{"result":null,"error":{"code":"Unprocessable Entity","description":"no data for this range"}}}'
    yahoo.fault("status", status=422, body=body, path=f"{CHART}/AAPL")
    answer = feed.poll(subscribe(Yahoo, "AAPL", "MSFT"))
    error = answer["AAPL"]
    assert isinstance(error, FeedError)
    assert (error.rejects_symbol, "HTTP 422" in str(error)) == (False, True)
    assert isinstance(answer["MSFT"], Tick)


def test_what_charts_brought_before_they_broke_off_is_kept(feed: Yahoo, yahoo: RunningProvider, clock: Clock) -> None:
    """And a limit among them is heeded at the next poll, which asks nobody."""
    yahoo.set(switches={"refuse": "gone"})
    yahoo.fault("status", status=429, body="Too Many Requests", path=f"{CHART}/MSFT", times=1)
    assert list(feed.poll(subscribe(Yahoo, "AAPL", "MSFT", "TSLA"))) == ["AAPL"]
    asked = len(yahoo.paths())
    assert complaint(lambda: feed.poll(subscribe(Yahoo, "AAPL"))).retry_after_s == 30
    assert len(yahoo.paths()) == asked
    clock.now_s += 30
    assert list(feed.poll(subscribe(Yahoo, "AAPL", "MSFT", "TSLA"))) == ["TSLA", "AAPL", "MSFT"]


@pytest.mark.parametrize(("path", "body", "status"), [
    (QUOTES, "Edge: Too Many Requests", 429), (QUOTES, "Edge: Too Many Requests", 200), (GETCRUMB, "Too Many Requests", 429),
    (QUOTES, '{"finance":{"result":null,"error":{"code":"Too Many Requests"}}}', 429)])  # fmt: skip
def test_a_limit_stops_the_feed_until_it_is_over(
    feed: Yahoo, yahoo: RunningProvider, clock: Clock, path: str, body: str, status: int
) -> None:
    """Charts are no way around it. It is text, not JSON, and names no time; and whoever is limited again waits longer."""
    for wait_s in (30, 60):
        yahoo.fault("status", status=status, body=body, path=path, times=1)
        error = complaint(lambda: feed.poll(subscribe(Yahoo, "AAPL")))
        assert (error.retry_after_s, error.retryable, error.rejects_symbol) == (wait_s, True, False)
        assert "Too Many Requests" in str(error)
        asked = len(yahoo.paths())
        clock.now_s += wait_s - 1
        assert complaint(lambda: feed.poll(subscribe(Yahoo, "AAPL"))).retry_after_s == 1
        assert len(yahoo.paths()) == asked
        clock.now_s += 1 if path == QUOTES else 61
    yahoo.heal()
    ticks(feed, "AAPL")
    yahoo.fault("status", status=429, body=body, path="/")
    assert complaint(lambda: feed.poll(subscribe(Yahoo, "AAPL"))).retry_after_s == 30


@pytest.mark.parametrize(("path", "status", "retry_after", "wait_s"), [
    (QUOTES, 418, None, 120), (QUOTES, 418, "86400", 86_400), (QUOTES, 503, "40", 40), (QUOTES, 429, "999999999", 900),
    (QUOTES, 429, "0", 1), (QUOTES, 429, "-1", 1), (QUOTES, 429, "tomorrow", 30), (QUOTES, 999, None, 30), (GETCRUMB, 418, "300", 300),
    (GETCRUMB, 503, "40", 40), (GETCRUMB, 999, None, 30), ("/", 999, None, 30),
    (f"{CHART}/MSFT", 418, "300", 300), (f"{CHART}/MSFT", 503, "40", 40)])  # fmt: skip
def test_whoever_asks_to_be_left_alone_is(
    feed: Yahoo, yahoo: RunningProvider, clock: Clock, path: str, status: int, retry_after: str | None, wait_s: float
) -> None:
    """By a ban, an outage that names its end, or a status of Yahoo's own, wherever it meets us; what an absurd time asks for is bounded."""
    if path.startswith(CHART):
        yahoo.set(switches={"refuse": "gone"})
    yahoo.fault("status", status=status, retry_after=retry_after, body="Request denied", path=path)
    if path.startswith(CHART):
        assert list(feed.poll(subscribe(Yahoo, "AAPL", "MSFT"))) == ["AAPL"]
    else:
        assert complaint(lambda: feed.poll(subscribe(Yahoo, "AAPL", "MSFT"))).retry_after_s == wait_s
    asked = len(yahoo.paths())
    clock.now_s += wait_s - 0.5
    assert complaint(lambda: feed.poll(subscribe(Yahoo, "AAPL", "MSFT"))).retry_after_s == 1
    assert len(yahoo.paths()) == asked


def test_a_limit_on_crumbs_gives_way_to_charts(feed: Yahoo, yahoo: RunningProvider, clock: Clock) -> None:
    """Once its wait is over, for as long again: then a crumb is asked for anew."""
    yahoo.fault("status", status=429, retry_after="50", body="Too Many Requests", path=GETCRUMB)
    assert complaint(lambda: feed.poll(subscribe(Yahoo, "AAPL"))).retry_after_s == 50
    clock.now_s += 50
    assert ticks(feed, "AAPL")["AAPL"].bid is None
    assert count(yahoo)[GETCRUMB] == 1
    clock.now_s += 50
    assert complaint(lambda: feed.poll(subscribe(Yahoo, "AAPL"))).retry_after_s == 50
    assert count(yahoo)[GETCRUMB] == 2


def test_who_looks_like_no_browser_is_limited(yahoo: RunningProvider, runtime: Runtime) -> None:
    """At once."""
    feed = Yahoo("y", settings(base_url=yahoo.url, user_agent="python-requests/2.33"), runtime)
    assert "Edge: Too Many Requests" in str(complaint(lambda: feed.poll(subscribe(Yahoo, "AAPL"))))
    assert yahoo.paths() == ["/"]


def test_maintenance_is_waited_for(feed: Yahoo, yahoo: RunningProvider) -> None:
    """A page, with status 200 or another."""
    for status in (200, 503):
        yahoo.fault("status", status=status, body="<html><h1>Will be right back...</h1></html>", path=QUOTES)
        error = complaint(lambda: feed.poll(subscribe(Yahoo, "AAPL")))
        assert (error.retry_after_s, "under maintenance" in str(error)) == (60, True)
    yahoo.heal()
    ticks(feed, "AAPL")


def test_consent_is_given_where_it_is_asked_for(feed: Yahoo, yahoo: RunningProvider) -> None:
    """At the first poll, or whenever."""
    yahoo.set(switches={"consent": True})
    ticks(feed, "AAPL")
    assert count(yahoo)["/copyConsent"] == 1


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 200, "body": '{"finance":{"result":null,"error":{"code":"Unauthorized","description":"Invalid Crumb"}}}'},
        {"status": 200, "body": "<html><form><input type='hidden' name='csrfToken' value='t'></form></html>"},
    ],
)
def test_a_refusal_with_a_good_status_is_one_too(feed: Yahoo, yahoo: RunningProvider, answer: dict[str, Any]) -> None:
    """A new session helps."""
    yahoo.fault("status", path=QUOTES, times=1, **answer)
    ticks(feed, "AAPL")
    assert (count(yahoo)[GETCRUMB], count(yahoo)[QUOTES]) == (2, 2)


@pytest.mark.parametrize(
    "fault", ["html", "empty", "null", "garbage", "torn", "truncate", "huge", "bomb", "not_gzip", "hang_up", "reset", "noise"]
)
def test_a_bad_body_is_a_feed_error_and_the_next_poll_is_good(feed: Yahoo, yahoo: RunningProvider, fault: str) -> None:
    """Whatever a provider can send. A chart of the same host would be no better, so none is asked for."""
    ticks(feed, "AAPL")
    yahoo.forget()
    yahoo.fault(fault)
    error = complaint(lambda: feed.poll(subscribe(Yahoo, "AAPL")))
    assert (error.retryable, error.rejects_symbol) == (True, False)
    assert set(yahoo.paths()) == {QUOTES}
    yahoo.heal()
    ticks(feed, "AAPL")


@pytest.mark.parametrize(("fault", "outcome"), [("nan", BadTick), ("strings", Tick), ("wrong_type", Tick), ("cookie", Tick)])
def test_odd_spellings_cost_what_they_spoil(feed: Yahoo, yahoo: RunningProvider, fault: str, outcome: type) -> None:
    """NaN in place of numbers spoils every row, and still the answer is one; numbers with quotes are numbers."""
    yahoo.fault(fault, path=QUOTES)
    answer = feed.poll(subscribe(Yahoo, "AAPL", "MSFT"))
    assert {type(value) for value in answer.values()} == {outcome}


def test_one_nan_among_many_costs_one(feed: Yahoo, yahoo: RunningProvider) -> None:
    """Though with it the whole answer is no JSON; beside a price it costs not even that."""
    yahoo.set(rows={"T002": {"regularMarketPrice": float("nan")}, "T003": {"bid": float("inf")}})
    answer = feed.poll(subscribe(Yahoo, *(f"T{number:03}" for number in range(10))))
    assert [symbol for symbol, value in answer.items() if isinstance(value, FeedError)] == ["T002"]


@pytest.mark.parametrize(
    "down", [lambda yahoo: yahoo.fault("reset"), lambda yahoo: yahoo.fault("status", status=503), lambda yahoo: yahoo.fault("html")]
)
def test_a_feed_that_can_not_even_begin_says_why(feed: Yahoo, yahoo: RunningProvider, down: Callable[[RunningProvider], None]) -> None:
    """No cookie, no crumb, no quotes, no charts."""
    down(yahoo)
    assert complaint(lambda: feed.poll(subscribe(Yahoo, "AAPL"))).retryable
    yahoo.heal()
    ticks(feed, "AAPL")


def test_a_poll_ends_in_time_whatever_hangs(yahoo: RunningProvider, runtime: Runtime) -> None:
    """All its calls have one end: without it, these would take two minutes."""
    feed = Yahoo("y", settings(base_url=yahoo.url, timeout_s=0.4), runtime)
    yahoo.fault("slow", wait_s=60)
    with runtime.deadline(20):
        assert complaint(lambda: feed.poll(subscribe(Yahoo, "AAPL"))).retryable


@pytest.mark.parametrize(("symbol", "id"), [
    ("AAPL", "AAPL"), ("BRK.B", "BRK-B"), ("BF.A", "BF-A"), ("BRK-B", "BRK-B"), ("VOD.L", "VOD.L"), ("SAP.DE", "SAP.DE"),
    ("7203.T", "7203.T"), ("^GSPC", "^GSPC"), ("EURUSD=X", "EURUSD=X"), ("BTC-USD", "BTC-USD"), ("GC=F", "GC=F"), ("RY.TO", "RY.TO")
])  # fmt: skip
def test_the_id_is_the_symbol_but_for_share_classes(symbol: str, id: str) -> None:
    """A, B and C are classes; what else follows a dot is an exchange."""
    assert Yahoo.native_id(symbol) == id


def test_the_cookie_comes_from_yahoo_or_from_where_the_prices_come_from() -> None:
    """So that `base_url` alone points a feed at another server, as for every other kind."""
    assert settings().cookie_pages() == COOKIE_PAGES
    assert settings(base_url="https://query2.finance.yahoo.com").cookie_pages() == COOKIE_PAGES
    assert settings(base_url="https://yahoo.com.example.org/x").cookie_pages() == ("https://yahoo.com.example.org/x",)
    assert settings(base_url="http://127.0.0.1:8080").cookie_pages() == ("http://127.0.0.1:8080/",)
    assert settings(cookie_url="https://example.org/cookie?a=1").cookie_pages() == ("https://example.org/cookie?a=1",)


@pytest.mark.parametrize("keys", [
    {"cookie_url": "ftp://example.org/"}, {"cookie_url": "file:///etc/passwd"}, {"cookie_url": "https://me:secret@example.org/"},
    {"consent_hosts": ["https://guce.yahoo.com"]}, {"consent_hosts": ["a/b"]}, {"consent_hosts": [""]}, {"user_agent": ""},
    {"user_agent": "a\r\nX: y"}, {"interval_s": 0}])  # fmt: skip
def test_settings_that_can_not_be_meant_are_refused(keys: dict[str, Any]) -> None:
    """Before anything is asked."""
    with pytest.raises(ValidationError):
        settings(**keys)


def test_the_defaults_are_modest() -> None:
    """A cache of 10 s stands in front of the prices, and bans last."""
    assert settings().interval_s >= YahooSettings.advised_interval_s >= 10
    assert Yahoo.batch_size == 100


def test_a_budget_that_is_counted_is_kept(runtime: Runtime) -> None:
    """With the server's own limit on, a first poll and twenty more are far from it."""
    with running("yahoo") as yahoo:
        feed = Yahoo("y", settings(base_url=yahoo.url), runtime)
        for _ in range(21):
            ticks(feed, *(f"T{number:03}" for number in range(100)))
        assert len(yahoo.paths()) == 23
        assert {request["status"] for request in yahoo.requests()} == {404, 200}


@pytest.mark.parametrize("calls", [0, 1])
def test_a_spent_budget_is_no_failure_of_the_session(feed: Yahoo, yahoo: RunningProvider, calls: int) -> None:
    """Nobody was asked, or not for everything: as soon as there is room again a session is had, and no chart stands in meanwhile."""
    feed.gate.hear(Usage("calls", calls, 60))
    with pytest.raises(BudgetSpent):
        feed.poll(subscribe(Yahoo, "AAPL"))
    assert yahoo.paths() == ["/"] * calls
    feed.gate.hear(Usage("calls", 100, 60))
    assert ticks(feed, "AAPL")["AAPL"].bid is not None
