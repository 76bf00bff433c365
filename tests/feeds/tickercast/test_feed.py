"""What is said between two tickercasts, packet by packet: the other side is the test's, time is stepped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from pydantic import AnyUrl, SecretStr, ValidationError

from feeds.base import Subscription
from feeds.tickercast.feed import RelayFeed, RelaySettings
from feeds.tickercast.session import (
    DEAD_AFTER_S,
    GREETS_WITHIN_S,
    HOLD_S,
    PROBE_AFTER_S,
    SYMBOLS_A_MESSAGE,
    VOUCH_EVERY_S,
)
from tests.feeds.support import CANARY, complaint, mutated
from tests.feeds.tickercast.relaying import MADE_MS, Upstream
from ticker.board.board import Board
from ticker.board.freshness import FeedTerms
from ticker.errors import FeedError
from ticker.quote import Tick, correcting
from ticker.runtime import Runtime
from ticker.settings import SymbolOptions
from ticker.settings.model import SymbolSettings
from ticker.source import Ended, Silence


def said(price: float, made_ms: int) -> Tick:
    """What comes of such a quote of the upstream."""
    return Tick(price=price, quote_time=made_ms, origin="sim", hops=1, upstream_state="fresh")


def test_it_joins_looks_around_and_subscribes(runtime: Runtime) -> None:
    """Nothing is asked for before it is known who stands behind the upstream."""
    upstream = Upstream(runtime)
    upstream.want("A", OURS="B/THEIRS")
    assert upstream.look() == []
    upstream.say('0{"sid":"x","pingInterval":10000}')
    assert upstream.look() == ["40"]
    upstream.say('40{"sid":"y"}')
    upstream.event("hello", {"epoch": "far"})
    upstream.event("symbols", [{"symbol": "A", "status": "live"}, {"symbol": "B/THEIRS", "status": "live"}])
    assert upstream.look() == []
    upstream.event("feeds", [])
    assert upstream.look() == ['421["subscribe",{"symbols":["A","B/THEIRS"]}]']
    assert not upstream.is_ready()
    upstream.say('431[{"ok":true,"subscribed":["A","B/THEIRS"],"refused":{}}]')
    assert upstream.is_ready()
    news = upstream.quotes(upstream.quote("A", 1.5, 7), upstream.quote("B/THEIRS", 2.5, 9))
    assert {symbol: tick.price for symbol, tick in news.items() if isinstance(tick, Tick)} == {"A": 1.5, "OURS": 2.5}
    assert upstream.session.facts == {"upstream": ["far"]}


def test_pings_are_answered(upstream: Upstream) -> None:
    """Else we would be gone for them."""
    upstream.say("2")
    assert upstream.look() == ["3"]


def test_a_token_goes_into_the_join(runtime: Runtime) -> None:
    """And a wrong one is tried again rarely, with a hint and without the token."""
    upstream = Upstream(runtime, api_key=SecretStr(CANARY))
    upstream.say("0{}")
    assert upstream.look() == [f'40{{"token":"{CANARY}"}}']
    ended = complaint(lambda: upstream.say('44{"message":"unauthorized","data":{"code":"unauthorized"}}'))
    assert isinstance(ended, Ended)
    assert not ended.retryable
    assert "api_key" in str(ended)
    assert CANARY not in str(ended)
    full = complaint(lambda: upstream.say('44{"message":"too many clients","data":{"code":"too_many_clients"}}'))
    assert full.retryable


def test_a_rate_can_be_asked_for(runtime: Runtime) -> None:
    """Once a subscription."""
    upstream = Upstream(runtime, max_hz=2.0)
    upstream.want("A")
    upstream.greet()
    assert upstream.look() == ['421["subscribe",{"symbols":["A"],"max_hz":2.0}]']


def test_symbols_come_and_go_on_the_same_connection(upstream: Upstream) -> None:
    """Only what is new is asked for; what was left is heard no more."""
    upstream.quotes(upstream.quote("A", 1, 1), upstream.quote("B", 2, 1))
    upstream.want("B", "C")
    assert upstream.look() + upstream.look() == ['422["unsubscribe",{"symbols":["A"]}]', '423["subscribe",{"symbols":["C"]}]']
    upstream.say('432[{"ok":true,"subscribed":["B"],"max_hz":20.0}]')
    upstream.say('433[{"ok":true,"subscribed":["B","C"],"refused":{},"max_hz":20.0}]')
    assert upstream.quotes(upstream.quote("A", 1, 2)) == {}
    assert upstream.quotes(upstream.quote("C", 3, 1)).keys() == {"C"}


def test_many_symbols_are_asked_for_in_parts(runtime: Runtime) -> None:
    """A message has its longest."""
    upstream = Upstream(runtime)
    upstream.want(*(f"S{number}" for number in range(SYMBOLS_A_MESSAGE + 1)))
    upstream.greet()
    assert [len(json.loads(said[3:])[1]["symbols"]) for said in [*upstream.look(), *upstream.look()]] == [SYMBOLS_A_MESSAGE, 1]


def test_an_unknown_symbol_is_rejected_alone_and_comes_when_it_is_there(runtime: Runtime) -> None:
    """Once the upstream lists it."""
    upstream = Upstream(runtime)
    upstream.want("A", "NOPE", BAD="not a symbol")
    upstream.greet()
    upstream.acknowledge(NOPE="unknown_symbol")
    upstream.look()
    errors = {symbol: news for each in upstream.news for symbol, news in each.items()}
    assert errors.keys() == {"NOPE", "BAD"}
    assert all(isinstance(error, FeedError) and error.rejects_symbol for error in errors.values())
    upstream.event("symbols", [{"symbol": "A", "status": "live"}])
    assert upstream.look() == []
    upstream.event("symbols", [{"symbol": "A", "status": "live"}, {"symbol": "NOPE", "status": "pending"}])
    assert upstream.acknowledge() == ["NOPE"]


def test_a_symbol_that_leaves_the_upstream_is_rejected(upstream: Upstream) -> None:
    """Until it is back."""
    upstream.quotes(upstream.quote("A", 1, 1), upstream.quote("B", 2, 1))
    news = upstream.event("symbols", [{"symbol": "B", "status": "live"}])
    assert news.keys() == {"A"}
    assert isinstance(error := news["A"], FeedError)
    assert error.rejects_symbol
    for vouched_for in (set[str](), {"B"}):
        upstream.look(VOUCH_EVERY_S)
        assert upstream.event("beat", {}).keys() == vouched_for
    upstream.event("symbols", [{"symbol": "A"}, {"symbol": "B", "status": "live"}])
    assert upstream.acknowledge() == ["A"]
    assert upstream.quotes(upstream.quote("A", 1, 2)).keys() == {"A"}


def test_what_the_upstream_cannot_price_is_rejected_with_its_words(upstream: Upstream) -> None:
    """So that the next feed may try."""
    news = upstream.event("symbols", [{"symbol": "A", "status": "rejected", "error": "kraken: no such pair"}, {"symbol": "B"}])
    assert news.keys() == {"A"}
    assert "kraken: no such pair" in str(news["A"])


def test_what_the_upstream_has_no_price_of_is_told_in_its_words(runtime: Runtime) -> None:
    """Be it known when it is asked for, or later; once for each reason. It is no rejection: the next price is one."""
    waiting = {"symbol": "A", "status": "pending", "error": "the price is zero or below; … allow_negative = true"}
    upstream = Upstream(runtime)
    upstream.want("A", "B")
    upstream.greet()
    upstream.event("symbols", [waiting, {"symbol": "B", "status": "pending", "error": None}])
    upstream.acknowledge()
    errors = {symbol: news for each in upstream.news for symbol, news in each.items()}
    assert errors.keys() == {"A"}
    assert isinstance(error := errors["A"], FeedError)
    assert "allow_negative = true" in str(error)
    assert (error.retryable, error.rejects_symbol) == (True, False)
    assert upstream.event("symbols", [waiting, {"symbol": "B", "status": "live"}]) == {}
    assert upstream.event("symbols", [waiting | {"error": "no such pair"}, {"symbol": "B", "status": "live"}]).keys() == {"A"}
    assert upstream.quotes(upstream.quote("A", 1, 1)).keys() == {"A"}


def test_a_full_subscription_becomes_one_of_everything(runtime: Runtime) -> None:
    """`*` counts as one symbol there. What nobody wants is kept for the day somebody does."""
    upstream = Upstream(runtime)
    upstream.want("A", "B")
    upstream.greet()
    upstream.acknowledge(B="too_many_symbols")
    assert upstream.look() == ['422["subscribe",{"symbols":"*"}]']
    upstream.say('432[{"ok":true,"subscribed":["A","B","C"],"refused":{},"max_hz":20.0}]')
    assert upstream.is_ready()
    assert upstream.quotes(upstream.quote("B", 2, 1), upstream.quote("C", 3, 1)).keys() == {"B"}
    upstream.want("B", "C")
    assert upstream.look() == ['423["subscribe",{"symbols":["C"]}]']
    news = upstream.say('433[{"ok":true,"subscribed":["A","B","C"],"refused":{},"max_hz":20.0}]')
    assert isinstance(tick := news["C"], Tick)
    assert tick.price == 3


def test_where_everything_is_too_much_symbols_are_refused(runtime: Runtime) -> None:
    """In the upstream's word."""
    upstream = Upstream(runtime)
    upstream.want("A")
    upstream.greet()
    upstream.acknowledge(A="too_many_symbols")
    upstream.look()
    news = upstream.say('432[{"ok":true,"subscribed":[],"refused":{"*":"too_many_symbols"},"max_hz":20.0}]')
    assert "too_many_symbols" in str(news["A"])


def test_a_refused_request_is_made_again(upstream: Upstream) -> None:
    """After a while: `too_many_requests` passes."""
    upstream.want("A", "B", "C")
    upstream.look()
    assert "too fast" in str(complaint(lambda: upstream.say('432[{"ok":false,"code":"too_many_requests","message":"too fast"}]')))
    assert not upstream.is_ready()
    upstream.look(10)
    assert any('"C"' in said for said in upstream.sent[-2:])


def test_a_price_that_does_not_move_is_vouched_for(upstream: Upstream) -> None:
    """By a beat, or whatever else comes; no more often than is needed, and without those that moved."""
    upstream.quotes(upstream.quote("A", 1, 1), upstream.quote("B", 2, 1))
    assert upstream.event("beat", {}) == {}
    upstream.look(VOUCH_EVERY_S)
    upstream.event("beat", {})
    upstream.quotes(upstream.quote("A", 1.25, 2))
    upstream.look(VOUCH_EVERY_S)
    assert upstream.event("beat", {}).keys() == {"B"}
    upstream.look(VOUCH_EVERY_S)
    assert {symbol: news.price for symbol, news in upstream.say("2").items() if isinstance(news, Tick)} == {"A": 1.25, "B": 2}


def test_prices_of_an_earlier_connection_are_not_vouched_for(upstream: Upstream) -> None:
    """Nobody has confirmed them."""
    upstream.quotes(upstream.quote("A", 1, 1), upstream.quote("B", 2, 1))
    upstream.connect()
    upstream.greet()
    upstream.acknowledge()
    upstream.quotes(upstream.quote("A", 1, 1))
    upstream.look(VOUCH_EVERY_S)
    upstream.event("beat", {})
    upstream.look(VOUCH_EVERY_S)
    assert upstream.event("beat", {}).keys() == {"A"}


def test_silence_is_probed_and_then_is_death(upstream: Upstream) -> None:
    """However rare the upstream's beats are."""
    assert upstream.session.silence == Silence(DEAD_AFTER_S, heartbeat=True)
    assert upstream.look(PROBE_AFTER_S / 2) == []
    assert upstream.look(PROBE_AFTER_S / 2) == ['422["message","are you there?"]']
    upstream.event("message", "Echo: are you there?")
    assert upstream.look(PROBE_AFTER_S / 2) == []


def test_a_short_limit_is_probed_in_time(runtime: Runtime) -> None:
    """Three times before a price that does not move would be called stale."""
    upstream = Upstream(runtime, stale_after_s=3.0)
    upstream.want("A")
    upstream.greet()
    upstream.acknowledge()
    upstream.quotes(upstream.quote("A", 1, 1))
    upstream.say("2")
    for _ in range(2):
        assert any("are you there" in said for said in upstream.look(1.25) + upstream.look())
        upstream.event("message", "Echo: are you there?")
    upstream.look(1.25)
    assert upstream.event("message", "Echo: are you there?").keys() == {"A"}


def test_fresh_stays_fresh_for_as_long_as_the_upstream_is_heard(upstream: Upstream) -> None:
    """However long ago the price moved; and what it calls stale or closed is so, until it says otherwise or nothing at all."""
    board, began_s = Board("epoch"), upstream.now_s
    board.configure({symbol: SymbolSettings(feed=("up",)) for symbol in ("A", "B")}, {"up": FeedTerms("relayed", 0.5)}, MADE_MS)

    def states(news: Mapping[str, Tick | FeedError]) -> list[str]:
        now_ms = MADE_MS + round((upstream.now_s - began_s) * 1000)
        board.apply("up", news, now_ms)
        board.sweep(now_ms)
        return [board.quotes[symbol].state for symbol in ("A", "B")]

    assert states(upstream.quotes(upstream.quote("A", 1, 1), upstream.quote("B", 2, 1, state="closed"))) == ["fresh", "closed"]
    for _ in range(100):
        upstream.look(5.0)
        assert states(upstream.event("beat", {})) == ["fresh", "closed"]
    assert states(upstream.quotes(upstream.quote("A", 1, 2, quote_time=MADE_MS + 1, state="stale"))) == ["stale", "closed"]
    for _ in range(100):
        upstream.look(5.0)
        assert states(upstream.event("beat", {})) == ["stale", "closed"]
    assert states(upstream.quotes(upstream.quote("B", 2.5, 9))) == ["stale", "fresh"]
    upstream.now_s += 31
    assert states({}) == ["stale", "stale"]


def test_who_does_not_greet_is_no_tickercast(runtime: Runtime) -> None:
    """Any Socket.IO server lets us in."""
    upstream = Upstream(runtime)
    upstream.look()
    upstream.say("0{}")
    upstream.say('40{"sid":"y"}')
    assert "is that a tickercast" in str(complaint(lambda: upstream.look(GREETS_WITHIN_S)))


@pytest.mark.parametrize(
    ("epoch", "feeds"),
    [
        ("here", []),
        ("far", [{"feed": "back", "kind": "relay", "upstream": ["here"]}]),
        ("far", [{"feed": "a", "kind": "relay", "upstream": ["x"]}, {"feed": "b", "kind": "relay", "upstream": ["y", "here", "z"]}]),
    ],
)
def test_a_loop_is_refused(runtime: Runtime, epoch: str, feeds: list[dict[str, Any]]) -> None:
    """Ourselves, one that reads from us, one that reads from others that do: nothing is asked for, and every symbol says why."""
    upstream = Upstream(runtime)
    upstream.want("A")
    upstream.greet(epoch, feeds)
    assert isinstance(error := upstream.news[-1]["A"], FeedError)
    assert error.rejects_symbol
    assert "a loop" in str(error)
    ended = complaint(upstream.look)
    assert isinstance(ended, Ended)
    assert not ended.retryable
    assert upstream.session.facts == {}
    assert not any("subscribe" in said for said in upstream.sent)


def test_a_loop_that_comes_later_is_left(upstream: Upstream) -> None:
    """Whoever was first stays; here it is both, and chance decides who comes back first."""
    upstream.quotes(upstream.quote("A", 1, 1))
    upstream.event("feeds", [{"feed": "new", "kind": "relay", "upstream": ["other"]}])
    assert upstream.session.facts == {"upstream": ["far", "other"]}
    news = upstream.event("feeds", [{"feed": "new", "kind": "relay", "upstream": ["other", "here"]}])
    assert news.keys() == {"A", "B"}
    assert "a loop" in str(complaint(upstream.look))


def test_a_shutdown_is_waited_for(upstream: Upstream) -> None:
    """As long as it says."""
    ended = complaint(lambda: upstream.event("shutdown", {"retry_after_ms": 4000}))
    assert isinstance(ended, Ended)
    assert ended.retry_after_s == 4.0
    assert complaint(lambda: upstream.event("shutdown", {"retry_after_ms": 1e12})).retry_after_s == 900.0


@pytest.mark.parametrize("packet", ["1", "41"])
def test_a_good_bye_ends_the_connection(upstream: Upstream, packet: str) -> None:
    """Whoever says it."""
    assert isinstance(complaint(lambda: upstream.say(packet)), Ended)


def test_states_and_times_are_the_upstreams(upstream: Upstream) -> None:
    """Its stale stays stale."""
    news = upstream.quotes(upstream.quote("A", 1, 1, state="stale", origin="kraken", hops=1))
    assert news["A"] == Tick(price=1, quote_time=MADE_MS + 1, origin="kraken", hops=2, upstream_state="stale")


def test_a_bad_quote_costs_no_other(upstream: Upstream) -> None:
    """An error of its symbol, and it is vouched for no more."""
    upstream.quotes(upstream.quote("A", 1, 1))
    news = upstream.quotes(upstream.quote("A", "none", 2), upstream.quote("B", 2, 1))
    assert isinstance(news["A"], FeedError)
    assert isinstance(news["B"], Tick)
    upstream.look(VOUCH_EVERY_S)
    upstream.event("beat", {})
    upstream.look(VOUCH_EVERY_S)
    assert upstream.event("beat", {}).keys() == {"B"}


def test_a_batch_in_several_messages_is_applied_whole(runtime: Runtime) -> None:
    """A part of one waits for the rest, but not for long."""
    symbols = [f"S{number}" for number in range(700)]
    upstream = Upstream(runtime)
    upstream.want(*symbols)
    upstream.greet()
    upstream.acknowledge()
    first, rest = ([upstream.quote(symbol, 1, 1) for symbol in part] for part in (symbols[:600], symbols[600:]))
    assert upstream.quotes(*first) == {}
    assert 0 < upstream.session.next_due_s(upstream.now_s) <= HOLD_S
    assert upstream.quotes(*rest).keys() == set(symbols)
    upstream.quotes(*([quote | {"seq": 2, "quote_time": MADE_MS + 2} for quote in first]))
    upstream.look(HOLD_S)
    assert upstream.news[-1].keys() == set(symbols[:600])


def test_an_older_seq_of_the_same_life_is_passed_over(upstream: Upstream) -> None:
    """A snapshot may overlap with what came live."""
    upstream.quotes(upstream.quote("A", 2, 2))
    assert upstream.quotes(upstream.quote("A", 1, 1)) == {}


def test_a_restarted_upstream_is_followed(upstream: Upstream) -> None:
    """Its `seq` begins anew, and what it believes now is what holds, also where that is a little older than what it believed before."""
    upstream.quotes(upstream.quote("A", 2, 50))
    upstream.connect()
    upstream.greet("another-life")
    upstream.acknowledge()
    assert upstream.quotes(upstream.quote("A", 3, 1, quote_time=MADE_MS + 60)) == {"A": said(3, MADE_MS + 60)}
    assert upstream.quotes(upstream.quote("B", 3, 1)).keys() == {"B"}
    upstream.connect()
    upstream.greet("a-third")
    upstream.acknowledge()
    assert upstream.quotes(upstream.quote("A", 2.5, 1)) == {"A": correcting(said(2.5, MADE_MS + 1))}


@pytest.mark.parametrize("back_ms", [1, 90_000])
def test_an_older_price_with_a_newer_seq_corrects(upstream: Upstream, back_ms: int) -> None:
    """The upstream has taken one back, or replays a recording again: it counts on, and so does what it shows."""
    upstream.quotes(upstream.quote("A", 271.01, 1, quote_time=MADE_MS))
    upstream.quotes(upstream.quote("A", 299.01, 2, quote_time=MADE_MS + 5))
    restored = said(271.01, MADE_MS + 5 - back_ms)
    assert upstream.quotes(upstream.quote("A", 271.01, 4, quote_time=MADE_MS + 5 - back_ms)) == {"A": correcting(restored)}
    upstream.look(VOUCH_EVERY_S)
    assert upstream.event("beat", {}) == {}
    upstream.look(VOUCH_EVERY_S)
    assert upstream.event("beat", {}) == {"A": restored}, "vouched for as any other"
    assert upstream.quotes(upstream.quote("A", 299.01, 2, quote_time=MADE_MS + 5)) == {}
    assert upstream.quotes(upstream.quote("A", 271.02, 5, quote_time=MADE_MS + 6)) == {"A": said(271.02, MADE_MS + 6)}


def test_a_correction_in_a_batch_that_comes_in_parts_is_not_hidden(runtime: Runtime) -> None:
    """By what stands on it."""
    symbols = [f"S{number}" for number in range(600)]
    upstream = Upstream(runtime)
    upstream.want(*symbols)
    upstream.greet()
    upstream.acknowledge()
    upstream.quotes(upstream.quote("S0", 9, 1, quote_time=MADE_MS + 9))
    assert upstream.quotes(*[upstream.quote(symbol, 1, 2) for symbol in symbols]) == {}
    news = upstream.quotes(upstream.quote("S0", 2, 3, quote_time=MADE_MS + 3))
    assert (len(news), news["S0"]) == (600, correcting(said(2, MADE_MS + 3)))


def test_what_a_volume_counts_is_the_upstreams_word(upstream: Upstream) -> None:
    """For each symbol; where it changes meanwhile, the price that rests says so the next time it is vouched for."""

    def listed(volume_of: str | None) -> list[dict[str, Any]]:
        return [{"symbol": "A", "status": "live", "volume_of": volume_of}, {"symbol": "B", "status": "live"}]

    upstream.event("symbols", listed("session"))
    news = upstream.quotes(upstream.quote("A", 1, 1), upstream.quote("B", 2, 1))
    assert {symbol: tick.volume_of for symbol, tick in news.items() if isinstance(tick, Tick)} == {"A": "session", "B": None}
    for volume_of in ("day_utc", None):
        upstream.event("symbols", listed(volume_of))
        upstream.look(VOUCH_EVERY_S)
        upstream.event("beat", {})
        upstream.look(VOUCH_EVERY_S)
        tick = upstream.event("beat", {})["A"]
        assert isinstance(tick, Tick)
        assert (tick.price, tick.volume_of) == (1, volume_of)


def test_what_is_odd_is_told_once(upstream: Upstream) -> None:
    """With the quote that it came in, not each time that is vouched for."""
    odd = upstream.quotes(upstream.quote("A", 1, 1, bid="unch"))["A"]
    assert isinstance(odd, Tick)
    assert [one.field for one in odd.odd or ()] == ["bid"]
    upstream.look(VOUCH_EVERY_S)
    upstream.event("beat", {})
    upstream.look(VOUCH_EVERY_S)
    assert upstream.event("beat", {}) == {"A": said(1, MADE_MS + 1)}


def test_settings() -> None:
    """An address is needed; a rate has its bounds."""
    with pytest.raises(ValidationError, match="base_url"):
        RelaySettings.model_validate({"kind": "relay"})
    for max_hz in (0.0, 51.0):
        with pytest.raises(ValidationError, match="max_hz"):
            RelaySettings.model_validate({"kind": "relay", "base_url": AnyUrl("ws://h"), "max_hz": max_hz})


@given(mutated([["quotes", [{"symbol": "A", "price": 1.5, "seq": 3, "source": "sim", "state": "fresh", "quote_time": MADE_MS}]]]))
def test_whatever_an_upstream_says_is_news_or_an_error(body: bytes) -> None:
    """Never anything else, and only of what was asked for."""
    session = RelayFeed("up", RelaySettings(kind="relay", base_url=AnyUrl("ws://h")), runtime=None).session("here")  # type: ignore[arg-type]
    session.want([Subscription("A", "A", SymbolOptions())])
    for event in ("quotes", "symbols", "feeds", "hello", "shutdown"):
        message = b"42" + body[1:-1].replace(b'"quotes"', f'"{event}"'.encode())
        try:
            news = session.receive(message, 1.0)
        except FeedError as error:
            assert str(error)  # noqa: PT017 (either outcome is fine)
            continue
        assert news.keys() <= {"A"}
