"""Yahoo's stream: protobuf, 32-bit floats, sessions, pence; and a server that speaks its wire."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ticker.streaming.streamer
from feeds.yahoo.stream import YahooStream, YahooStreamSession, parse_pricing
from tests.feeds.streams.streaming import Bench, said, sent, survives
from tests.feeds.support import JSON, complaint, mutated, subscribe
from tests.providers.client import RunningProvider
from tests.providers.yahoo_stream import pricing
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.runtime import Runtime

PROVIDER = "yahoo_stream"
AT_MS = 1_779_998_399_123
REGULAR: dict[int, Any] = {1: "NVDA", 2: 181.3, 3: AT_MS, 4: "USD", 5: "NMS", 6: 8, 7: 1, 8: 0.8342602252960205, 9: 49378123, 10: 182.55,
                           11: 179.75, 12: 1.5, 15: 180.01, 16: 179.8, 27: 2}  # fmt: skip


def frame(fields: dict[int, Any], **changes: Any) -> dict[str, str]:
    """A message of version 2; `f2=1.5` sets field 2, `None` leaves it out."""
    changed = fields | {int(name[1:]): value for name, value in changes.items()}
    coded = pricing({number: value for number, value in changed.items() if value is not None})
    return {"type": "pricing", "message": base64.b64encode(coded).decode()}


def wanting(*ids: str, known: dict[str, Tick] | None = None) -> YahooStreamSession:
    """A session that wants symbols."""
    session = YahooStreamSession({} if known is None else known, {})
    session.want(subscribe(YahooStream, *(ids or ("NVDA",))))
    session.due(0.0)
    return session


def only(session: YahooStreamSession, *messages: object) -> Tick:
    """The tick of its one symbol after messages."""
    (tick,) = said(session, *messages).values()
    assert isinstance(tick, Tick)
    return tick


def test_a_message_is_read_field_by_field() -> None:
    """Freed of what 32 bits did to the numbers; percent is percent; the time is zigzag milliseconds."""
    assert only(wanting(), frame(REGULAR)) == Tick(
        price=181.3,
        open=180.01,
        high=182.55,
        low=179.75,
        prev_close=179.8,
        volume=49378123.0,
        change=1.5,
        change_pct=0.8343,
        currency="USD",
        quote_time=AT_MS,
        session="regular",
    )


def test_a_message_beyond_measure_is_not_even_unpacked() -> None:
    """The longest that are known have 400 characters."""
    coded = base64.b64encode(b"\x08\x01" * 70_000)
    assert "longer than any" in str(complaint(lambda: said(wanting(), {"type": "pricing", "message": coded.decode()})))
    assert "longer than any" in str(complaint(lambda: said(wanting(), coded)))


def test_the_bare_base64_of_older_servers_is_read_too() -> None:
    """Without JSON around it."""
    coded = frame(REGULAR)["message"].encode()
    assert said(wanting(), coded) == said(wanting(), frame(REGULAR))


def test_what_is_absent_is_as_it_was() -> None:
    """Most fields are, most of the time; the change is not: it was against another price."""
    session = wanting()
    said(session, frame(REGULAR))
    tick = only(session, base64.b64encode(pricing({1: "NVDA", 2: 181.5, 3: AT_MS + 1000, 6: 8, 7: 1, 27: 2})))
    assert (tick.price, tick.open, tick.volume, tick.currency) == (181.5, 180.01, 49378123.0, "USD")
    assert (tick.change, tick.change_pct) == (None, None)


@pytest.mark.parametrize(("hours", "session"), [(0, "pre"), (2, "post"), (3, "post"), (4, "overnight")])
def test_outside_the_regular_hours_the_price_stays_the_regular_one(hours: int, session: str) -> None:
    """The streamed one stands beside it; a 0 on the wire is not an absent field. The next regular price clears it."""
    stream = wanting()
    said(stream, frame(REGULAR))
    extended = frame(REGULAR, f2=182.0, f3=AT_MS + 60_000, f7=hours, f8=0.3861, f9=None)
    tick = only(stream, extended)
    assert (tick.price, tick.quote_time, tick.session) == (181.3, AT_MS, session)
    assert (tick.ext_price, tick.ext_change_pct, tick.ext_time) == (182.0, 0.3861, AT_MS + 60_000)
    tick = only(stream, frame(REGULAR, f3=AT_MS + 120_000))
    assert (tick.price, tick.ext_price, tick.session) == (181.3, None, "regular")


def test_an_extended_price_alone_tells_the_regular_one_by_the_change() -> None:
    """Nothing was known before: 182 and up 0.7 since 181.3. Without the change nothing can be said."""
    extended = frame({1: "NVDA", 2: 182.0, 3: AT_MS, 4: "USD", 6: 8, 7: 0, 8: 0.3861, 12: 0.7, 27: 2})
    tick = only(wanting(), extended)
    assert (tick.price, tick.ext_price, tick.quote_time) == (181.3, 182.0, None)
    assert said(wanting(), frame({1: "NVDA", 2: 182.0, 3: AT_MS, 6: 8, 7: 0})) == {}


def test_a_night_leads_to_a_morning() -> None:
    """The night's price and the morning's stand beside the same regular one, whichever was heard first; neither brings its volume."""
    stream = wanting()
    said(stream, frame(REGULAR))
    night = frame({1: "NVDA", 2: 181.03, 3: AT_MS + 19_000_000, 5: "NMS", 6: 8, 7: 4, 8: -0.149, 9: 20417, 12: -0.27})
    tick = only(stream, night)
    assert (tick.price, tick.volume, tick.session, tick.ext_price, tick.ext_change_pct) == (181.3, 49378123.0, "overnight", 181.03, -0.149)
    tick = only(stream, frame({1: "NVDA", 2: 180.8, 3: AT_MS + 43_000_000, 5: "NMS", 6: 8, 7: 0, 8: -0.2758, 12: -0.5}))
    assert (tick.price, tick.session, tick.ext_price, tick.ext_time) == (181.3, "pre", 180.8, AT_MS + 43_000_000)
    assert said(stream, night) == {}


def test_a_snapshot_that_knows_of_no_night_takes_no_night_away() -> None:
    """Nobody promises its fields. What is newer there counts, and what it says of the hours but for that."""
    (stock,) = subscribe(YahooStream, "NVDA")
    night = {1: "NVDA", 2: 181.03, 3: AT_MS + 19_000_123, 6: 8, 7: 4, 8: -0.149, 12: -0.27}
    evening = Tick(price=181.3, prev_close=179.8, quote_time=AT_MS, session="closed", ext_price=181.5, ext_time=AT_MS + 14_000_000)
    for snapshot, expected in (
        (evening, (181.03, AT_MS + 19_000_123, "overnight")),
        (msgspec.structs.replace(evening, session="pre"), (181.03, AT_MS + 19_000_123, "pre")),
        (msgspec.structs.replace(evening, ext_price=181.1, ext_time=AT_MS + 20_000_000), (181.1, AT_MS + 20_000_000, "closed")),
        # The same one, in whole seconds.
        (
            msgspec.structs.replace(evening, ext_price=181.02, ext_time=(AT_MS + 19_000_123) // 1000 * 1000, session="overnight"),
            (181.02, (AT_MS + 19_000_123) // 1000 * 1000, "overnight"),
        ),
    ):
        stream = wanting()
        said(stream, frame(REGULAR), frame(night))
        tick = stream.take_snapshot({stock.symbol: snapshot})["NVDA"]
        assert isinstance(tick, Tick)
        assert (tick.ext_price, tick.ext_time, tick.session) == expected
        assert tick.prev_close == 179.8


def test_coins_and_currencies_know_no_hours() -> None:
    """They trade always; a coin's volume is of 24 hours; a currency has none, and its bid may be above its ask."""
    coin = frame({1: "BTC-USD", 2: 64000.5, 3: AT_MS, 4: "USD", 6: 41, 7: 1, 9: 5, 28: 31234567890})
    assert only(wanting("BTC-USD"), coin) == Tick(price=64000.5, volume=31234567890.0, volume_of="24h", currency="USD", quote_time=AT_MS)
    currency = frame({1: "JPY=X", 2: 151.123, 3: AT_MS, 6: 14, 7: 1, 9: 0, 23: 151.13, 25: 151.12, 27: 3})
    assert only(wanting("USDJPY=X"), currency) == Tick(price=151.123, bid=151.13, ask=151.12, quote_time=AT_MS)
    assert YahooStream.volume_of == "session"


@pytest.mark.parametrize("kind", [11, 12])
@pytest.mark.parametrize("hours", [0, 1, 2, 4])
def test_a_fund_is_priced_once_a_day(kind: int, hours: int) -> None:
    """Whatever the hours of the exchange."""
    fund = frame({1: "VBTLX", 2: 9.71, 3: AT_MS, 4: "USD", 6: kind, 7: hours, 16: 9.68, 27: 2})
    assert only(wanting("VBTLX"), fund) == Tick(price=9.71, prev_close=9.68, currency="USD", quote_time=AT_MS, cadence="day")


@pytest.mark.parametrize("kind", [5, 7, 28])
def test_what_is_no_quote_is_passed_over(kind: int) -> None:
    """A heartbeat need not even have a name."""
    assert said(wanting(), frame(REGULAR, f6=kind), frame({6: kind, 3: AT_MS}), frame({6: kind, 1: "NVDA", 2: 181.4, 3: AT_MS})) == {}


def test_pence_become_pounds() -> None:
    """In every price; what is quoted in London without a word of its currency is not shown until one comes."""
    london: dict[int, Any] = {1: "VOD.L", 2: 7012.5, 3: AT_MS, 6: 8, 7: 1, 10: 7020.0, 12: -12.5, 16: 7025.0, 27: 1}
    session = wanting("VOD.L")
    assert said(session, frame(london)) == {}
    tick = only(session, frame(london, f4="GBp"))
    assert (tick.price, tick.high, tick.prev_close, tick.change, tick.currency) == (70.125, 70.2, 70.25, -0.125, "GBP")
    assert only(session, frame(london, f2=7013.0, f3=AT_MS + 1000, f12=None)).price == 70.13


def test_an_older_message_is_passed_over() -> None:
    """Regular or not."""
    session = wanting()
    said(session, frame(REGULAR))
    assert said(session, frame(REGULAR, f2=1.0, f3=AT_MS - 1), frame(REGULAR, f2=1.0, f3=AT_MS - 1, f7=2)) == {}


@pytest.mark.parametrize("currency", ["", "<b>"])
def test_what_says_no_currency_does_not_say_pounds(currency: str) -> None:
    """In London, nothing is shown before a code comes; afterwards that code holds."""
    london = {1: "VOD.L", 2: 7012.5, 3: AT_MS, 6: 8, 7: 1, 27: 1}
    session = wanting("VOD.L")
    assert said(session, frame(london, f4=currency)) == {}
    assert only(session, frame(london, f4="GBp")).price == 70.125
    assert only(session, frame(london, f3=AT_MS + 1000, f4=currency)).price == 70.125


def test_a_bad_price_is_the_symbols_error() -> None:
    """NaN, infinite, none, a time of another unit: in regular hours and outside."""
    nan, infinity = float("nan"), float("inf")
    for hours in (1, 4):
        for bad in ({"f2": nan}, {"f2": infinity}, {"f2": None}, {"f3": 1779998399}):
            session = wanting()
            said(session, frame(REGULAR))
            assert isinstance(said(session, frame(REGULAR, f7=hours, **bad))["NVDA"], FeedError)


def test_an_odd_number_costs_itself_only() -> None:
    """And is no longer known."""
    session = wanting()
    said(session, frame(REGULAR, f23=181.29))
    nan, infinity = float("nan"), float("inf")
    tick = only(session, frame(REGULAR, f2=181.4, f3=AT_MS + 1, f8=nan, f9=-(2**31), f11=infinity, f12=nan, f23=nan, f27=-5))
    assert (tick.price, tick.change, tick.change_pct, tick.volume, tick.low, tick.bid, tick.high) == (
        181.4, None, None, None, None, None, 182.55)  # fmt: skip
    assert {odd.field for odd in tick.odd or ()} == {"change", "change_pct", "volume", "low", "bid"}
    assert only(session, frame(REGULAR, f3=AT_MS + 2)).odd is None


def test_a_message_without_a_time_proves_nothing() -> None:
    """Its price is news all the same; the next one with a time does again."""
    session = wanting()
    said(session, frame(REGULAR))
    for time in (None, 0):
        tick = only(session, frame(REGULAR, f2=181.4, f3=time))
        assert (tick.price, tick.quote_time, tick.untimed) == (181.4, None, True)
    tick = only(session, frame(REGULAR, f2=181.5, f3=AT_MS + 1))
    assert (tick.price, tick.quote_time, tick.untimed) == (181.5, AT_MS + 1, None)


def test_prices_have_any_sign() -> None:
    """Oil on the 20th of April 2020; whether that can be the board decides."""
    oil = frame({1: "CL=F", 2: -37.63, 3: AT_MS, 4: "USD", 6: 18, 7: 1, 11: -40.32, 12: -55.9, 16: 18.27, 27: 2})
    assert only(wanting("CL=F"), oil) == Tick(price=-37.63, low=-40.32, prev_close=18.27, change=-55.9, currency="USD", quote_time=AT_MS)
    rate = frame({1: "^IRX", 2: -0.105, 3: AT_MS, 6: 9, 7: 1, 12: -0.02, 27: 3})
    assert only(wanting("^IRX"), rate) == Tick(price=-0.105, change=-0.02, quote_time=AT_MS)


@pytest.mark.parametrize("coded", ["", "%%%", "QQ", base64.b64encode(b"\x0a\xff\x01NVDA").decode(), base64.b64encode(b"\x0b\x0b").decode()])
def test_what_is_no_pricing_is_a_complaint(coded: str) -> None:
    """No base64, a torn message, a wire type that there is not."""
    assert str(complaint(lambda: said(wanting(), {"type": "pricing", "message": coded})))


@given(st.dictionaries(st.integers(1, 40), st.floats(width=32) | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=5), max_size=12))
def test_any_fields_are_a_tick_or_a_complaint(fields: dict[int, Any]) -> None:
    """Whatever stands in them, of whatever type."""
    coded = base64.b64encode(
        pricing(
            {number: abs(value) if number in (6, 7) and isinstance(value, int) else value for number, value in fields.items()} | {1: "NVDA"}
        )
    )
    session = wanting()
    said(session, frame(REGULAR))
    survives(session, coded, {"NVDA"})


@given(
    mutated(frame(REGULAR))
    | st.binary(max_size=80).map(base64.b64encode)
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=60)
)
def test_any_message_is_ticks_or_a_complaint(message: bytes) -> None:
    """Nothing else comes out."""
    survives(wanting(), message, {"NVDA"})


@given(st.binary(max_size=80))
def test_any_bytes_are_fields_or_a_complaint(message: bytes) -> None:
    """The decoder by itself."""
    try:
        parse_pricing(base64.b64encode(message).decode())
    except FeedError as error:
        assert str(error)  # noqa: PT017 (either outcome is fine)


def test_what_is_wanted_is_said_again_each_quarter_of_a_minute() -> None:
    """Yahoo forgets who says nothing."""
    session = YahooStreamSession({}, {})
    session.want(subscribe(YahooStream, "NVDA", "BRK.B"))
    assert [(second, message) for second in range(40) for message in sent(session, second)] == [
        (second, {"subscribe": ["NVDA", "BRK-B"]}) for second in (0, 15, 30)
    ]


@pytest.fixture
def bench(provider: RunningProvider, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A stream on the local server."""
    monkeypatch.setattr(ticker.streaming.streamer, "LOOK_S", 0.01)
    provider.set(switches={"per_s": 50})
    bench = Bench(YahooStream, provider, runtime)
    yield bench
    bench.stop()


def test_it_looks_like_a_browser_and_is_not_forgotten(bench: Bench, provider: RunningProvider) -> None:
    """Yahoo drops who says nothing for a minute; here, for two seconds of ours that are thirty of the stream's."""
    provider.set(switches={"per_s": 50, "idle_s": 2})
    bench.start("AAPL", "VOD.L")
    bench.until(lambda: len(provider.streams()[0]["heard"]) >= 5, push_s=0.3)
    assert bench.asked() == [{"AAPL", "VOD.L"}]
    assert provider.streams()[0]["headers"]["user-agent"].startswith("Mozilla/5.0")
    assert provider.streams()[0]["query"] == {"version": "2"}
    assert len(provider.streams()) == 1


def test_the_extended_price_of_the_server_comes_beside_the_regular_one(bench: Bench, provider: RunningProvider) -> None:
    """After hours, over REST first and then as it moves."""
    provider.set(switches={"per_s": 50, "market_hours": 2, "market_state": "POST"})
    bench.start("AAPL")
    bench.until(lambda: bench.ticks("AAPL")[-1].session == "post" and len({tick.ext_price for tick in bench.ticks("AAPL")}) > 3)
    assert len({tick.price for tick in bench.ticks("AAPL")}) <= 2  # of the first message, by its change; then of the snapshot
    assert {tick.session for tick in bench.ticks("AAPL")} == {"post"}
