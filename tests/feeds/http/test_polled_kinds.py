"""What every feed that asks over HTTP does alike, each against a server that speaks its provider's wire."""

import logging
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from pydantic import SecretStr

from feeds import alpaca, alphavantage, coingecko, tiingo, twelvedata
from feeds.http.feed import PolledFeed
from feeds.registry import kinds
from tests.feeds.support import CANARY, connected, home_of_tests, subscribe, well_formed
from tests.providers.client import RunningProvider, running
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.runtime import Runtime
from ticker.settings import PolledSettings, SymbolOptions
from ticker.source import Subscription

OLDER = {"binance", "coinbase", "http_json", "kraken", "yahoo"}
"""Their own tests have the like of these, and are older."""
KINDS = [kind for kind, feed in kinds().items() if issubclass(feed, PolledFeed) and kind not in OLDER]
SYMBOLS: dict[str, tuple[str, ...]] = {kind: home_of_tests(kind).SYMBOLS for kind in KINDS}
"""Each kind's test says what it is asked for: `SYMBOLS`; and where that needs saying `UNKNOWN_SYMBOL`, which its server has not, and
`KEY_IN_ADDRESS`: the provider takes it nowhere else."""
KEYED = [kind for kind in SYMBOLS if kinds()[kind].Settings.secrets]
ASKED = [Subscription("A", "A", SymbolOptions())]
BAD_BODIES = ("html", "empty", "null", "garbage", "nan", "torn", "truncate", "huge", "not_gzip", "hang_up", "reset")


class Case(NamedTuple):
    """A feed, the server it asks, and what it asks for."""

    feed: PolledFeed
    provider: RunningProvider
    symbols: tuple[str, ...]

    def poll(self) -> dict[str, Tick | FeedError]:
        """What each symbol gets from one poll; a failed poll is everybody's error."""
        try:
            return dict(self.feed.poll(subscribe(type(self.feed), *self.symbols)))
        except FeedError as error:
            return dict.fromkeys(self.symbols, error)

    def errors(self) -> list[FeedError]:
        """The errors of one poll that brings no price."""
        outcomes = self.poll().values()
        assert outcomes
        return [outcome for outcome in outcomes if isinstance(outcome, FeedError)][: len(self.symbols)]

    def ticks(self) -> list[Tick]:
        """The ticks of one poll that brings all prices."""
        outcomes = self.poll()
        assert {symbol: outcome for symbol, outcome in outcomes.items() if not isinstance(outcome, Tick)} == {}
        assert outcomes.keys() == set(self.symbols)
        return [outcome for outcome in outcomes.values() if isinstance(outcome, Tick)]


@pytest.fixture(scope="module", params=SYMBOLS)
def server(request: pytest.FixtureRequest) -> Iterator[tuple[str, RunningProvider]]:
    """Each provider's server in turn."""
    with running(request.param, limits=False) as provider:
        yield request.param, provider


@pytest.fixture
def case(server: tuple[str, RunningProvider], runtime: Runtime) -> Iterator[Case]:
    """A feed on its server, healed."""
    kind, provider = server
    provider.forget()
    feed_class = kinds()[kind]
    assert issubclass(feed_class, PolledFeed)
    feed = connected(feed_class, provider, runtime)
    yield Case(feed, provider, SYMBOLS[kind])
    feed.close()


def test_prices_come_for_every_symbol_and_move(case: Case) -> None:
    """Two polls, and every number in bounds."""
    first, second = case.ticks(), case.ticks()
    assert all(well_formed(tick) for tick in first + second)
    assert [tick.price for tick in first] != [tick.price for tick in second]


@pytest.mark.parametrize("fault", BAD_BODIES)
def test_a_bad_body_is_a_feed_error_and_the_next_poll_is_good(case: Case, fault: str) -> None:
    """Whatever a provider can send; and nobody's symbol is called unknown because of it."""
    case.provider.fault(fault)
    errors = case.errors()
    assert len(errors) == len(case.symbols)
    assert not any(error.rejects_symbol for error in errors)
    case.provider.heal()
    case.ticks()


@pytest.mark.parametrize("fault", ["numbers", "strings", "wrong_type"])
def test_another_spelling_of_the_same_numbers_is_read(case: Case, fault: str) -> None:
    """Numbers in place of strings, and the other way round. (XML has strings only, and quotes around them.)"""
    if case.feed.kind == "ecb" and fault == "numbers":
        fault = "wrong_type"
    case.provider.fault(fault)
    case.ticks()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
def test_an_error_page_of_somebody_on_the_way_is_nobodys_symbol(case: Case, status: int) -> None:
    """A wrong `base_url`, a proxy, a maintenance page: the feed fails, and no symbol is put aside."""
    case.provider.fault("status", status=status, body="<html><body>no service</body></html>")
    errors = case.errors()
    assert len(errors) == len(case.symbols)
    for error in errors:
        assert not error.rejects_symbol
        assert error.retryable == (status == 429 or status >= 500)
        assert f"HTTP {status}" in str(error)


@pytest.mark.parametrize(("retry_after", "waits_s"), [("7", (7, 7)), (None, (1, 900))])
def test_a_429_says_how_long_to_wait_or_the_limits_do(case: Case, retry_after: str | None, waits_s: tuple[float, float]) -> None:
    """`Retry-After` is heeded; without one the provider's window is."""
    case.provider.fault("status", status=429, retry_after=retry_after)
    for error in case.errors():
        assert error.retryable
        assert error.retry_after_s is not None
        assert waits_s[0] <= error.retry_after_s <= waits_s[1]


def test_an_unknown_symbol_is_rejected_and_the_others_have_their_prices(case: Case) -> None:
    """However the provider says that it does not know it."""
    unknown = getattr(home_of_tests(case.feed.kind), "UNKNOWN_SYMBOL", "NOPE")
    alone = case._replace(symbols=(unknown,))
    errors = (alone.errors() + alone.errors())[-1:]  # some need a second look
    assert [(error.rejects_symbol, error.retryable) for error in errors] == [(True, False)]
    if case.feed.batch_size != 1:
        both = case._replace(symbols=(*case.symbols, unknown)).poll()
        assert [symbol for symbol, outcome in both.items() if isinstance(outcome, FeedError)] == [unknown]


@pytest.mark.parametrize("body", [
    '{{"message":"{0}"}}', '{{"{0}":{{"price":"{0}"}}}}', '["{0}"]', "key {0} and {1} and {2}", '{{"Information":"{0} per day"}}',
    '{{"detail":"run over your {0}"}}', '{{"error":"limit {0}","status":{{"error_code":1,"m":"{0}"}}}}',
    '{{"code":429,"message":"{0}","status":"error"}}'])  # fmt: skip
@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 429, 500])
def test_a_secret_that_comes_back_never_shows(case: Case, body: str, status: int, caplog: pytest.LogCaptureFixture) -> None:
    """Not in the error, its excerpt or its causes, not in the log, not in another spelling either."""
    if case.feed.kind not in KEYED:
        return
    encoded = CANARY.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    escaped = CANARY.replace("/", "\\/")
    case.provider.fault("status", status=status, body=body.format(CANARY, encoded, escaped))
    with caplog.at_level(logging.DEBUG):
        errors = case.errors()
        for error in errors:
            logging.getLogger("ticker").error("%s", error, exc_info=error)
    said = [*map(str, errors), *map(repr, errors), *(error.excerpt for error in errors), repr(case.feed.settings), caplog.text]
    assert errors
    assert not any(spelling in text for text in said for spelling in (CANARY, encoded, escaped))


def test_libraries_keep_secrets_too(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    """urllib3 writes the whole address into the log when a header looks odd, and at the level of debugging at every call."""
    case.provider.fault("odd_header")
    with caplog.at_level(logging.DEBUG):
        case.ticks()
    assert CANARY not in caplog.text
    assert "apikey" not in caplog.text


@pytest.mark.parametrize("kind", KEYED)
def test_a_secret_is_a_secret_in_the_settings(kind: str) -> None:
    """It can't be shown by accident, and one that no header can carry is refused without showing it."""
    model: type[PolledSettings] = kinds()[kind].Settings  # type: ignore[assignment] # all of these ask over HTTP
    given: dict[str, Any] = {name: SecretStr(CANARY) for name in model.secrets}
    settings = model.model_validate({"kind": kind, **given})
    assert CANARY not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    for bad in ("two words", "line\nend", "ключ"):
        with pytest.raises(ValueError, match="without spaces") as caught:
            model.model_validate({"kind": kind, **given, model.secrets[0]: SecretStr(bad)})
        assert bad not in str(caught.value)


def test_a_key_goes_into_a_header_where_the_provider_takes_it_there(case: Case) -> None:
    """Addresses end up in logs of proxies and servers; only Alpha Vantage insists."""
    if case.feed.kind not in KEYED:
        return
    case.ticks()
    in_address = getattr(home_of_tests(case.feed.kind), "KEY_IN_ADDRESS", False)
    for request in case.provider.requests():
        assert (CANARY in str(request["query"])) == in_address
        assert (CANARY in str(request["headers"])) != in_address


def test_a_wrong_key_is_not_tried_again_soon(case: Case, runtime: Runtime) -> None:
    """Time does not mend it, and no symbol is to blame."""
    if case.feed.kind not in KEYED:
        return
    wrong = connected(type(case.feed), case.provider, runtime, **{name: SecretStr("wrong") for name in case.feed.settings.secrets})
    errors = case._replace(feed=wrong).errors()
    wrong.close()
    assert [(error.retryable, error.rejects_symbol) for error in errors] == [(False, False)] * len(case.symbols)


@pytest.mark.parametrize(
    "ticks",
    [
        alpaca.parse(b'{"A":{"latestTrade":{"p":0,"t":"2026-11-30T15:00:00Z"}}}', ASKED),
        alphavantage.parse(b'{"Global Quote":{"01. symbol":"A","05. price":"0.0000","08. previous close":"5.0000"}}', ASKED, None),
        coingecko.parse(b'{"a":{"usd":0,"usd_24h_change":0}}', ASKED),
        tiingo.parse(b'[{"ticker":"A","tngoLast":0.0,"prevClose":5.0}]', ASKED),
        twelvedata.parse(b'{"symbol":"A","close":"0.00","previous_close":"5.0"}', ASKED, 0.0),
    ],
)
def test_a_price_of_zero_is_none_yet(ticks: dict[str, Tick | FeedError]) -> None:
    """Nothing that they have is given away: it is no price that `allow_negative` could let pass."""
    with pytest.raises(FeedError, match="nobody has traded it"):
        raise ticks["A"] if isinstance(ticks["A"], FeedError) else AssertionError(ticks)
