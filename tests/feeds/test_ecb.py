"""The ECB's file: parsing, what XML can do to a reader, and a feed against a server that has it."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.ecb import MAX_BYTES, DayRates, Ecb, newest_day, parse
from feeds.values.pairs import DAY_MIN
from tests.feeds.support import answers_or_complains, complaint, connected, subscribe
from tests.providers.client import RunningProvider
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.runtime import Runtime

PROVIDER = "ecb"
SYMBOLS, UNKNOWN_SYMBOL = ("EURUSD", "EUR/JPY"), "EURXXX"
"""What all polled kinds have to say of themselves: see `http/test_polled_kinds.py`."""
FILE = b"""<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
\t<gesmes:subject>Reference rates</gesmes:subject>
\t<Cube>
\t\t<Cube time='2026-07-17'>
\t\t\t<Cube currency='USD' rate='1.1622'/>
\t\t\t<Cube currency='IDR' rate='18911'/>
\t\t</Cube>
\t</Cube>
</gesmes:Envelope>"""
BATCH = subscribe(Ecb, "EURUSD", "EUR-IDR")


@pytest.fixture
def feed(provider: RunningProvider, runtime: Runtime) -> Iterator[Ecb]:
    """A feed on the local server."""
    feed = connected(Ecb, provider, runtime)
    yield feed
    feed.close()


def test_a_file_is_read_as_it_is_written() -> None:
    """Single quotes, two namespaces; what one euro costs."""
    made_ms = 1_784_290_200_000  # 2026-07-17 14:10 in Frankfurt
    assert parse(FILE, BATCH) == {
        "EURUSD": Tick(price=1.1622, currency="USD", quote_time=made_ms, delay_min=DAY_MIN, cadence="day"),
        "EUR-IDR": Tick(price=18911.0, currency="IDR", quote_time=made_ms, delay_min=DAY_MIN, cadence="day"),
    }


@pytest.mark.parametrize("symbol", ["USDEUR", "USDJPY", "EUREUR", "EURXXX", "GOLD"])
def test_only_what_the_bank_states_is_a_price(symbol: str) -> None:
    """A reciprocal and a cross rate would be our numbers, not its."""
    error = parse(FILE, subscribe(Ecb, symbol))[symbol]
    assert isinstance(error, FeedError)
    assert (error.rejects_symbol, error.retryable) == (True, False)


def test_the_newest_of_several_days_counts() -> None:
    """The file of 90 days has the same form."""
    longer = FILE.replace(b"\t\t</Cube>\n", b"\t\t</Cube><Cube time='2026-07-16'><Cube currency='USD' rate='1.1'/></Cube>\n")
    assert newest_day(longer) == DayRates("2026-07-17", {"USD": "1.1622", "IDR": "18911"})


@pytest.mark.parametrize("rate", ["1,1622", "1e-19", "NaN", "", "1.1622 "])
def test_a_bad_rate_is_the_error_of_its_currency(rate: str) -> None:
    """The other has its price."""
    answer = parse(FILE.replace(b"1.1622", rate.encode()), BATCH)
    assert isinstance(answer["EURUSD"], FeedError)
    assert isinstance(answer["EUR-IDR"], Tick)


@pytest.mark.parametrize("body", [
    b"", b"<html><body>", b"{}", b"<a/>", FILE[:-30], FILE.replace(b"UTF-8", b"utf-99"), FILE.replace(b"UTF-8", b"gbk"),
    b"<a>" * 80_000, b" " * (MAX_BYTES + 1)], ids=range(9))  # fmt: skip
def test_what_is_no_such_file_is_a_complaint(body: bytes) -> None:
    """Torn, in an unheard-of encoding, endless, or another file."""
    complaint(lambda: parse(body, BATCH))


def test_a_day_that_can_not_be_read_costs_no_rate() -> None:
    """They are without a time, and that is odd."""
    tick = parse(FILE.replace(b"2026-07-17", b"today"), BATCH)["EURUSD"]
    assert isinstance(tick, Tick)
    assert (tick.price, tick.quote_time, tick.untimed) == (1.1622, None, True)
    assert [odd.field for odd in tick.odd or ()] == ["quote_time"]


@pytest.mark.parametrize("declaration", [
    '<!DOCTYPE x [<!ENTITY e "1.2">]>', '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>', '<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd">',
    '<!DOCTYPE x [<!ENTITY % e SYSTEM "http://127.0.0.1/">%e;]>', "<!DOCTYPE x>"])  # fmt: skip
def test_a_document_type_is_refused_where_it_begins(declaration: str) -> None:
    """Every trap of XML needs one: entities that grow, that read files, that call other hosts."""
    trap = FILE.replace(b"?>\n", b"?>\n" + declaration.encode()).replace(b"Reference rates", b"&e;")
    assert "document type" in str(complaint(lambda: parse(trap, BATCH)))


def test_a_billion_laughs_are_not_laughed(feed: Ecb, provider: RunningProvider) -> None:
    """A file of a kilobyte that would be gigabytes when read."""
    provider.set(switches={"document_type": True})
    assert "document type" in str(complaint(lambda: feed.poll(BATCH)))
    provider.set(switches={})
    assert isinstance(feed.poll(BATCH[:1])["EURUSD"], Tick)


@given(
    st.binary(max_size=80)
    | st.lists(st.tuples(st.integers(0, len(FILE) - 1), st.integers(0, 255)), max_size=6).map(
        lambda changes: bytes(dict(changes).get(index, byte) for index, byte in enumerate(FILE))
    )
)
def test_any_body_is_ticks_or_complaints(body: bytes) -> None:
    """Nothing else comes out."""
    answers_or_complains(lambda: parse(body, BATCH), {"EURUSD", "EUR-IDR"})


def test_one_call_has_all_rates(feed: Ecb, provider: RunningProvider) -> None:
    """XML is asked for."""
    assert all(isinstance(tick, Tick) for tick in feed.poll(subscribe(Ecb, "EURUSD", "EURJPY", "EURGBP", "EURCHF")).values())
    (request,) = provider.requests()
    assert request["headers"]["accept"] == "application/xml, text/xml"
