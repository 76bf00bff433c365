"""Endpoints described in settings: the examples of docs/feeds.md as they stand, and everything that can be wrong with others."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

import ticker.runtime
from cli.process.settings import feed_kinds
from feeds.generic.csvs import Csv, read_csv
from feeds.generic.feed import HttpJson, HttpJsonSettings
from tests.feeds.hostile import Witness
from tests.feeds.support import CANARY, JSON, answers_or_complains, complaint, mutated, well_formed
from tests.providers.client import RunningProvider, running
from ticker.errors import FeedError, SettingsError
from ticker.quote import Tick
from ticker.runtime import Runtime
from ticker.settings import SymbolOptions
from ticker.settings.environment import variable_of
from ticker.settings.load import parse
from ticker.source import Subscription, Unread

PROVIDER = "http_json"
CHAPTER = (Path(__file__).parents[3] / "docs" / "feeds.md").read_text().split("## Any other endpoint")[1].split("\n## ")[0]
EXAMPLES = re.findall(r"```(?:json|csv)\n(.*?)```\s+```toml\n(.*?)```", CHAPTER, re.DOTALL)
EXPECTED = [
    ("/v1/quote/KO", {}, {"KO": Tick(price=71.42, bid=71.41, ask=71.43, prev_close=70.95, quote_time=1_779_998_399_000)}),
    ("/last", {"tickers": "VOD|BARC", "key": CANARY}, {
        "VOD": Tick(price=70.125, change_pct=1.27, currency="GBP", quote_time=1_779_982_512_000, delay_min=15.0),
        "BARC": Tick(price=2.1405, change_pct=-0.4, currency="GBP", delay_min=15.0)}),
    ("/kurse.csv", {}, {
        "ALLIANZ": Tick(price=1234.5, prev_close=1220.0, change_pct=1.19, currency="EUR", quote_time=1_779_982_502_000),
        "BMW": Tick(price=82.14, currency="EUR", quote_time=1_779_982_507_000)}),
    ("/info", {}, {"BTC": Tick(price=92070.5, currency="USDC"), "HYPE-USDC": Tick(price=34.9185, currency="USDC")}),
]  # fmt: skip
SETTINGS = {
    "kind": "http_json", "base_url": "https://api.example.org", "path": "/q?ids={symbols}", "rows": "data", "symbol": "id", "price": "last"
}  # fmt: skip
BATCH = [Subscription(symbol, symbol, SymbolOptions()) for symbol in ("A", "B")]


def settings(**keys: Any) -> HttpJsonSettings:
    """Settings as a file has them."""
    return HttpJsonSettings.model_validate(SETTINGS | keys)


def ticks(answer: Any, **keys: Any) -> dict[str, Tick | FeedError]:
    """What is read from an answer."""
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return settings(**keys).extraction().parse(body, BATCH).ticks


@contextmanager
def feed_of(provider: RunningProvider, runtime: Runtime, **keys: Any) -> Iterator[HttpJson]:
    """A feed on the local server."""
    feed = HttpJson("mine", settings(base_url=provider.url, **keys), runtime)
    yield feed
    feed.close()


@pytest.mark.parametrize(("number", "example"), list(enumerate(EXAMPLES)), ids=["one", "many", "csv", "post"])
def test_the_examples_of_the_docs_work(provider: RunningProvider, runtime: Runtime, number: int, example: tuple[str, str]) -> None:
    """Pasted into a settings file, asked over the wire, read from the payload that stands above them."""
    payload, text = example
    name = re.findall(r"\[feeds\.(\w+)\]", text)[0]
    loaded = parse(text.encode(), feed_kinds(), {variable_of(("feeds", name, "api_key")): CANARY})
    assert loaded.warnings == ()
    chosen = loaded.settings.feeds[name]
    assert isinstance(chosen, HttpJsonSettings)
    batch = [Subscription(symbol, wish.options[name].id or symbol, wish.options[name]) for symbol, wish in loaded.settings.symbols.items()]
    path, query, expected = EXPECTED[number]
    provider.set(switches={"body": payload})
    feed = HttpJson(name, chosen.model_copy(update={"base_url": settings(base_url=provider.url).base_url}), runtime)
    assert feed.poll(batch) == expected
    feed.close()
    (request,) = provider.requests()
    assert (request["path"], request["query"]) == (path, query)
    if number == 0:
        assert request["headers"]["authorization"] == f"Bearer {CANARY}"
    assert (request["body"], request["headers"].get("content-type")) == (
        ('{"type":"allMids"}', "application/json") if number == 3 else (None, None)
    )


def test_there_are_four_examples() -> None:
    """All of them are tested."""
    assert len(EXAMPLES) == len(EXPECTED) == 4


@pytest.mark.parametrize(("key", "value", "words"), [
    ("price", "last[", "feeds.x.price: is no JMESPath expression"), ("rows", "nope(@)", "feeds.x.rows: calls nope()"),
    ("path", "q", "feeds.x.path: must be"), ("path", "/q/{symbl}", "feeds.x.path: has {symbl} in it"),
    ("path", "/{symbol}/{symbols}", "feeds.x.path: has both"), ("path", "/q#x", "feeds.x.path: has a # in it"),
    ("time_form", "hours", "feeds.x.time_form: must be s, ms"), ("time_zone", "Mars", "feeds.x.time_zone: is no time zone"),
    ("decimal", ";", "feeds.x.decimal: must be one of"), ("prize", "last", "feeds.x.prize: unknown key"),
    ("headers", {"A b": "x"}, "feeds.x.headers: the header 'A b' can't be sent"), ("headers", {"A": "x\ny"}, "can't be sent"),
    ("headers", {"A": "{nope}"}, "feeds.x.headers: has {nope} in it"), ("headers", {"A": "{symbol}"}, "feeds.x.headers: has both"),
    ("method", "PUT", "feeds.x.method: must be one of"), ("body", {"a": "b"}, 'feeds.x.body: is sent with method = "POST" only'),
    ("ca_file", "nowhere.pem", "feeds.x.ca_file: can't be read: no such file or directory; a relative path begins in the folder of"),
])  # fmt: skip
def test_what_is_wrong_is_told_with_its_key(key: str, value: Any, words: str) -> None:
    """When the settings are loaded, not at the first poll."""
    table = "".join(f"{name} = {json.dumps(text)}\n" for name, text in (SETTINGS | {key: value}).items() if not isinstance(text, dict))
    table += "".join(
        f"[feeds.x.{name}]\n" + "".join(f"{json.dumps(k)} = {json.dumps(v)}\n" for k, v in text.items())
        for name, text in {key: value}.items()
        if isinstance(text, dict)
    )
    with pytest.raises(SettingsError) as caught:
        parse(f"[feeds.x]\n{table}".encode(), feed_kinds(), {})
    assert words in str(caught.value)


def test_a_secret_in_a_header_is_refused_and_not_shown() -> None:
    """It belongs in the environment, wherever it would stand in the file."""
    text = '[feeds.x]\nkind = "http_json"\nbase_url = "https://e.org"\npath = "/"\nprice = "p"\nheaders = { X-Api-Key = "sosecret" }\n'
    with pytest.raises(SettingsError, match="holds a secret") as caught:
        parse(text.encode(), feed_kinds(), {})
    assert "sosecret" not in f"{caught.value} {caught.value.problems!r}"


@pytest.mark.parametrize(("body", "words"), [
    ({"api_key": "sosecret"}, "feeds.x.body: holds a secret, api_key: write {api_key} there"),
    ({"a": "{symbol}"}, "feeds.x.body: has both"),
    ("text", "feeds.x.body: must be a table or a list"), ({"a": "{apikey}", "b": "sosecret"}, "did you mean {api_key}?")])  # fmt: skip
def test_what_is_wrong_with_a_body_is_told_and_not_shown(body: Any, words: str) -> None:
    """Somebody may have written a secret into it."""
    table = "".join(f"{name} = {json.dumps(text)}\n" for name, text in (SETTINGS | {"method": "POST"}).items())
    pairs = ", ".join(f"{key} = {json.dumps(text)}" for key, text in body.items()) if isinstance(body, dict) else ""
    written = f"{{ {pairs} }}" if pairs else json.dumps(body)
    with pytest.raises(SettingsError) as caught:
        parse(f"[feeds.x]\n{table}body = {written}\n".encode(), feed_kinds(), {})
    assert words in str(caught.value)
    assert "sosecret" not in f"{caught.value} {caught.value.problems!r}"


def test_a_date_has_no_place_in_a_body() -> None:
    """TOML has them, JSON has not."""
    table = "".join(f"{name} = {json.dumps(text)}\n" for name, text in (SETTINGS | {"method": "POST"}).items())
    with pytest.raises(SettingsError, match=r"JSON does not have, in body\.since"):
        parse(f"[feeds.x]\n{table}body = {{ since = 2026-11-30 }}\n".encode(), feed_kinds(), {})


def test_a_question_by_post(provider: RunningProvider, runtime: Runtime) -> None:
    """The symbols as a list, the secret, headers of the call; how many a call carries is said by the body as by the path."""
    provider.set(switches={"body": '{"data":[{"id":"A","last":1},{"id":"B","last":2}]}'})
    body = {"ids": "{symbols}", "text": "of {symbols}", "auth": {"api_key": "{api_key}"}}
    headers = {"X-Ids": "{symbols}", "Content-Type": "application/vnd.api+json"}
    with feed_of(provider, runtime, method="POST", path="/q", body=body, headers=headers, api_key=SecretStr(CANARY), batch_size=2) as feed:
        assert feed.batch_size == 2
        assert feed.poll(BATCH) == {"A": Tick(price=1.0), "B": Tick(price=2.0)}
        assert CANARY not in repr(feed.settings)
        with pytest.raises(FeedError, match="the header X-Ids can't carry") as caught:
            feed.poll([Subscription("A", "ä", SymbolOptions())])
        assert caught.value.rejects_symbol
    (request,) = provider.requests()
    assert json.loads(request["body"]) == {"ids": ["A", "B"], "text": "of A,B", "auth": {"api_key": CANARY}}
    assert (request["headers"]["x-ids"], request["headers"]["content-type"]) == ("A,B", "application/vnd.api+json")


def test_hyperliquid_is_asked_by_its_rules(runtime: Runtime) -> None:
    """With the settings of the docs, against a server that takes nothing else; what it refuses is told in its words."""
    loaded = parse(EXAMPLES[3][1].encode(), feed_kinds(), {})
    described = loaded.settings.feeds["hyperliquid"]
    assert isinstance(described, HttpJsonSettings)
    with running("hyperliquid") as hyperliquid:
        near = described.model_copy(update={"base_url": settings(base_url=hyperliquid.url).base_url})
        feed = HttpJson("hyperliquid", near, runtime)
        answer = feed.poll([Subscription("BTC", "BTC", SymbolOptions()), Subscription("NOPE", "NOPE", SymbolOptions())])
        feed.close()
        assert isinstance(answer["BTC"], Tick)
        assert isinstance(answer["NOPE"], FeedError)
        assert hyperliquid.budget()["weight_per_min"]["total"] == 2
        for changes, words in (
            ({"body": {"type": "nope"}}, "HTTP 422"),
            ({"method": "GET", "body": None}, "HTTP 405"),
            ({"headers": {"Content-Type": SecretStr("text/plain")}}, "HTTP 415"),
        ):
            wrong = HttpJson("hyperliquid", near.model_copy(update=changes), runtime)
            assert words in str(complaint(partial(wrong.poll, BATCH)))
            wrong.close()


def test_a_secret_never_shows(provider: RunningProvider, runtime: Runtime) -> None:
    """Not where it is part of the path, not where it comes back, not in a repr."""
    provider.fault("status", status=403, body=f"no {CANARY}")
    with feed_of(
        provider,
        runtime,
        path="/{api_key}/q?s={symbol}",
        headers={"X-Key": "{api_secret}"},
        api_key=SecretStr(CANARY),
        api_secret=SecretStr(CANARY),
    ) as feed:
        error = complaint(lambda: feed.poll(BATCH[:1]))
        assert "%" not in str(error).partition(":")[0]
        encoded = CANARY.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
        assert not any(secret in text for secret in (CANARY, encoded) for text in (str(error), repr(error), repr(feed.settings)))
    (request,) = provider.requests()
    assert request["headers"]["x-key"] == CANARY


def test_a_secret_that_is_missing_is_named(provider: RunningProvider, runtime: Runtime) -> None:
    """With its variable; nothing is asked for, and asking again soon would not help."""
    with feed_of(provider, runtime, path="/q?k={api_key}&s={symbol}") as feed:
        error = complaint(lambda: feed.poll(BATCH[:1]))
    assert "set TICKERCAST_FEEDS__MINE__API_KEY" in str(error)
    assert not error.retryable
    assert provider.requests() == []


@pytest.mark.parametrize(("path", "size", "calls"), [("/q/{symbol}", 1, 10), ("/q?ids={symbols}", 4, 3), ("/all", None, 1)])
def test_how_many_symbols_a_call_carries_is_a_feed_s_own(runtime: Runtime, path: str, size: int | None, calls: int) -> None:
    """And what it takes of a budget with it; another feed of the kind is not touched."""
    feed = HttpJson("mine", settings(path=path, batch_size=4), runtime)
    other = HttpJson("other", settings(path="/{symbol}"), runtime)
    assert (feed.batch_size, other.batch_size, feed.kind) == (size, 1, "http_json")
    assert feed.demand(10, 1.0)["calls"] == pytest.approx(calls / 0.9)


def test_an_odd_id_stays_where_it_belongs(provider: RunningProvider, runtime: Runtime) -> None:
    """Whatever the settings say, another path is not asked for."""
    provider.set(switches={"body": '{"data":[]}'})
    with feed_of(provider, runtime, path="/q/{symbol}?a=1") as feed:
        feed.poll([Subscription("A", "../x?a=2&b#c", SymbolOptions())])
    (request,) = provider.requests()
    assert (request["path"], request["query"]) == ("/q/../x?a=2&b#c", {"a": "1"})


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        ({}, {"data": [{"id": "b", "last": 2}, {"id": None, "last": 9}, 7, {"id": "A", "last": "1.0"}]}),
        ({"symbol": None}, {"data": {"B": {"last": 2}, "a": {"last": 1}}}),
        ({"rows": None}, [{"id": "A", "last": 1}, {"id": "B", "last": 2}]),
        ({"rows": "values(data)"}, {"data": {"x": {"id": "A", "last": 1}, "y": {"id": "B", "last": 2}}}),
        ({"rows": None, "symbol": None, "price": "@"}, {"A": 1, "B": 2}),
        ({"format": "csv", "rows": None, "columns": ["id", "last"]}, b"A,1\r\nB,2\r\nC\r\n"),
        ({"format": "csv", "rows": None}, b'\xef\xbb\xbfid, last\n"A",1\n\nB,2,3\nB,2\n'),
        ({"format": "csv", "rows": "[?id != 'C']"}, b"id,last\nA,1\nB,2\nC,x\n"),
    ],
)
def test_rows_are_found_in_many_shapes(keys: dict[str, Any], answer: Any) -> None:
    """Lists, objects by symbol, lines; in any order and case, with rows nobody asked for."""
    assert ticks(answer, **keys) == {"A": Tick(price=1.0), "B": Tick(price=2.0)}


@pytest.mark.parametrize(
    "answer",
    [
        {"data": {"Ax": {"last": 1}, "AX": {"last": 2}, "b": {"last": 3}}},
        {"data": [{"id": "Ax", "last": 1}, {"id": "AX", "last": 2}, {"id": "b", "last": 3}]},
    ],
)
def test_a_row_is_no_other_s_whose_symbol_differs_by_case_alone(answer: Any) -> None:
    """A spelling that is neither's is nobody's; where there is one row only, its case does not matter."""
    extraction = settings(**({"symbol": None} if isinstance(answer["data"], dict) else {})).extraction()
    asked = [Subscription(id, id, SymbolOptions()) for id in ("Ax", "AX", "ax", "B")]
    found = extraction.parse(json.dumps(answer).encode(), asked).ticks
    assert [found["Ax"], found["AX"], found["B"]] == [Tick(price=1.0), Tick(price=2.0), Tick(price=3.0)]
    assert isinstance(found["ax"], FeedError)


@pytest.mark.parametrize(("form", "written"), [
    ("s", " 0 "), ("ms", "0.0"), ("iso", "1970-01-01T00:00:00"), ("iso", "1970-01-01"), ("iso", "0001-01-01T00:00:00Z"),
    ("%d.%m.%Y %H:%M", "01.01.1970 00:00")])  # fmt: skip
def test_a_time_that_was_never_set_costs_nothing(form: str, written: str) -> None:
    """In whatever form it is written."""
    (tick, _) = ticks({"data": [{"id": "A", "last": 1, "t": written}]}, quote_time="t", time_form=form).values()
    assert tick == Tick(price=1.0, untimed=True)


@pytest.mark.parametrize("rows", [{"last": 1}, [{"last": 1}]])
def test_a_lone_row_is_that_of_the_symbol_asked_for(rows: Any) -> None:
    """Bare, or alone in a list; two are nobody's."""
    extraction = settings(path="/{symbol}", symbol=None).extraction()
    assert extraction.parse(json.dumps({"data": rows}).encode(), BATCH[:1]).ticks == {"A": Tick(price=1.0)}
    answer = extraction.parse(json.dumps({"data": [{"last": 1}, {"last": 2}]}).encode(), BATCH[:1]).ticks
    assert isinstance(answer["A"], FeedError)


def test_a_missing_or_a_bad_row_costs_its_symbol() -> None:
    """Nobody knows whether the symbol exists, so it is not rejected."""
    answer = ticks({"data": [{"id": "A", "last": "soon"}]})
    assert [isinstance(error, FeedError) and not error.rejects_symbol for error in answer.values()] == [True, True]


EVERYTHING = {"bid": "b", "ask": "a", "low": "l", "volume": "v", "change_pct": "c", "quote_time": "t", "currency": "ccy", "session": "s",
              "halted": "h"}  # fmt: skip
FIELDS_BY_KEY = {"b": "bid", "a": "ask", "l": "low", "v": "volume", "c": "change_pct", "t": "quote_time", "ccy": "currency",
                 "s": "session", "h": "halted"}  # fmt: skip


@pytest.mark.parametrize(("row", "expected"), [
    ({"b": -1, "a": -1}, Tick(price=10.5, bid=-1.0, ask=-1.0)),  # no price without allow_negative: the board drops both
    ({"v": -2147483648}, "volume"), ({"l": "unch"}, "low"), ({"c": "soon"}, "change_pct"), ({"t": "2026-13-01"}, "quote_time"),
    ({"b": {"raw": 1}}, "bid"), ({"b": True}, "bid"), ({"a": "1,234.5"}, "ask"), ({"ccy": "pounds sterling"}, "currency"),
    ({"s": "AUCTION"}, "session"), ({"s": 7}, "session"), ({"h": "maybe"}, "halted"),
    ({"t": 0}, Tick(price=10.5, untimed=True)), ({"t": ""}, Tick(price=10.5, untimed=True)),
    ({"t": "N/A"}, Tick(price=10.5, untimed=True)), ({"t": "2026-11-30T14:40Z"}, Tick(price=10.5, quote_time=1_796_049_600_000)),
    ({"b": "N/A", "a": "--", "l": " null ", "ccy": "-", "s": "n/a"}, Tick(price=10.5)),
    ({"b": 0, "a": "0"}, Tick(price=10.5, bid=0.0, ask=0.0)),
    ({"s": "Pre", "h": True}, Tick(price=10.5, session="pre", halted=True)), ({"s": "overnight", "h": "false"},
                                                                               Tick(price=10.5, session="overnight"))])  # fmt: skip
def test_only_the_price_can_cost_a_quote(row: dict[str, Any], expected: Tick | str) -> None:
    """What else can't be read is unknown and odd; what says that there is none is just that."""
    tick = ticks({"data": [{"id": "A", "last": "10.5 ", **row}]}, **EVERYTHING)["A"]
    assert isinstance(tick, Tick)
    if isinstance(expected, Tick):
        assert tick == expected
    else:
        assert (tick.price, [odd.field for odd in tick.odd or ()], getattr(tick, expected)) == (10.5, [expected], None)


@pytest.mark.parametrize("price", ["1,234.5", "C10.5", "unch", "N/A", "", None, True, [10.5], "10.5.1"])
def test_a_price_that_cant_be_read_is_an_error(price: Any) -> None:
    """Two numbers, a letter before one, a word: nobody knows the price."""
    error = ticks({"data": [{"id": "A", "last": price}]})["A"]
    assert isinstance(error, FeedError)
    assert str(error).startswith("price: ")


@pytest.mark.parametrize(
    ("written", "price"), [(-2.82, -2.82), ("-0.75", -0.75), ("\u22121.2", -1.2), (0.0, 0.0), ("+1.5", 1.5), (" 7 ", 7.0)]
)
def test_prices_have_any_sign(written: Any, price: float) -> None:
    """Power, rates, spreads: whether that can be is not for a feed to say."""
    tick = ticks({"data": [{"id": "A", "last": written, "l": -2.82}]}, low="l")["A"]
    assert tick == Tick(price=price, low=-2.82)


def test_an_expression_that_fails_on_an_answer_costs_its_field() -> None:
    """And the price only where it is the price's."""
    failing = dict.fromkeys(EVERYTHING, "abs(id)")
    tick = ticks({"data": [{"id": "A", "last": 1.5}]}, **failing)["A"]
    assert isinstance(tick, Tick)
    assert ({odd.field for odd in tick.odd or ()}, tick.untimed) == (set(EVERYTHING), True)
    assert isinstance(ticks({"data": [{"id": "A", "last": "x"}]}, price="abs(last)")["A"], FeedError)


def test_what_the_settings_say_of_all_prices(runtime: Runtime) -> None:
    """How often they are made is the ticks', what their volume counts the feed's."""
    assert ticks({"data": [{"id": "A", "last": 1.5}]}, cadence="day")["A"] == Tick(price=1.5, cadence="day")
    assert [HttpJson("mine", settings(**keys), runtime).volume_of for keys in ({}, {"volume_of": "session"})] == ["24h", "session"]


@given(st.sampled_from(sorted(FIELDS_BY_KEY)), JSON)
def test_any_optional_field_may_be_anything(key: str, value: Any) -> None:
    """The price stays; only a time of another century can cost it."""
    row = {"id": "A", "last": 10.5, "b": 10.4, "a": 10.6, "l": 9, "v": 5, "c": 1, "t": "2026-11-30T14:40Z", "ccy": "EUR", "s": "pre"}
    tick = ticks({"data": [row | {key: value}]}, **EVERYTHING)["A"]
    if isinstance(tick, FeedError):
        assert (key, str(tick).partition(":")[0]) == ("t", "quote_time")
    else:
        assert (tick.price, {odd.field for odd in tick.odd or ()} <= {FIELDS_BY_KEY[key]}) == (10.5, True)


@pytest.mark.parametrize(
    ("answer", "fails"),
    [({"data": [], "message": "no such key"}, True), ({"data": [], "message": None}, False), ({"data": [], "message": ""}, False)],
)
def test_an_error_with_status_200_is_one(answer: Any, fails: bool) -> None:
    """Where the settings say how to know it."""
    if fails:
        assert "no such key" in str(complaint(lambda: ticks(answer, error="message")))
    else:
        ticks(answer, error="message")


@pytest.mark.parametrize(("body", "fault"), [(b"\n<!DOCTYPE html><html>", "page"), (b"<html>" + b"x" * 600_000, "page"), (b"oops", None)])
def test_a_web_page_is_called_one(body: bytes, fault: str | None) -> None:
    """So that it can be said what may have sent it."""
    assert complaint(lambda: ticks(body)).fault == fault


@pytest.mark.parametrize("body", [b"", b"<html></html>", b'id,last\n"A,1\n', b"id,last\n" + b'"' + b"x" * 200_000 + b'",1\n'])
def test_what_is_no_csv_is_a_complaint(body: bytes) -> None:
    """A page, an open quote, a cell without an end."""
    complaint(lambda: read_csv(body, Csv(",", ())))


@pytest.mark.parametrize("bad", [
    b'"B,2', b'B,"2', b'B,2"', b'"B"x,2', b"B", b"B,2,3,4", b"B,\x00", b"\x00,2", b"B," + b"9" * 400, b"B," + b"x" * 200_000, b"B,=cmd()",
    b"=cmd|' /C calc'!A0,2", b"B,nan", b"B,1e999", b"B,C2", b"B,1 2", b"B,\xff", b"B,\xd9\xa1", b"\r,\r"])  # fmt: skip
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_one_bad_line_costs_no_other(bad: bytes, end: bytes) -> None:
    """Open quotes, cells without an end, lines too short or too long, numbers that are none, formulas: an error for its symbol alone."""
    body = end.join([b"id,last", b"A,1", bad, b"C,3", b""])
    extraction = settings(format="csv", rows=None).extraction()
    answer = extraction.parse(body, [*BATCH, Subscription("C", "C", SymbolOptions())]).ticks
    assert (answer["A"], answer["C"]) == (Tick(price=1.0), Tick(price=3.0))
    assert isinstance(answer["B"], FeedError)


@pytest.mark.parametrize(
    ("body", "unread"),
    [
        (b"id,last\nA,1\nB,2\n", None),
        (b"id,last\nA,1\nB\n\nC,1,2\n", Unread(2, "line 3: 1 instead of 2 cells")),
        (b'id,last\n"B,1\nA,2\nC\n', Unread(2, "line 2: unexpected end of data")),
        (b'id,last\n"A\nB",1\nC\n', Unread(1, "line 4: 1 instead of 2 cells")),
    ],
)
def test_lines_that_are_no_rows_are_counted(body: bytes, unread: Unread | None) -> None:
    """Those without the right number of cells, and those that can't be read; of the first of them, where it is and why."""
    assert read_csv(body, Csv(",", ()))[1] == unread


def test_of_a_symbol_that_stands_there_twice_the_last_line_counts() -> None:
    """As a map in JSON has it."""
    assert ticks(b"id;last\nA;1\nB;7,5\nB;2,0\n", format="csv", rows=None, delimiter=";", decimal=",") == {
        "A": Tick(price=1.0),
        "B": Tick(price=2.0),
    }


@given(
    mutated({"data": [{"id": "A", "last": 1.5, "b": "1.4", "t": 1779998399}, {"id": "B", "last": "2"}]})
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=60)
)
def test_any_body_is_ticks_or_complaints(body: bytes) -> None:
    """Of JSON, with every kind of field."""
    everything = dict.fromkeys(("bid", "change", "change_pct", "volume"), "b")
    extraction = settings(currency="id", quote_time="t", time_form="s", error="nope", **everything).extraction()
    answers_or_complains(lambda: extraction.parse(body, BATCH).ticks, {"A", "B"})


@given(st.binary(max_size=80) | st.text('AB;,"\n\r12.id last', max_size=60).map(lambda text: ("id,last\n" + text).encode()))
def test_any_csv_is_ticks_or_complaints(body: bytes) -> None:
    """And of CSV."""
    extraction = settings(format="csv", rows=None, quote_time="last", time_form="s").extraction()
    answers_or_complains(lambda: extraction.parse(body, BATCH).ticks, {"A", "B"})


@pytest.mark.parametrize("fault", ["html", "empty", "null", "garbage", "nan", "torn", "truncate", "huge", "hang_up", "reset"])
def test_a_bad_body_is_a_feed_error_and_the_next_poll_is_good(provider: RunningProvider, runtime: Runtime, fault: str) -> None:
    """Whatever an endpoint can send."""
    with feed_of(provider, runtime, path="/{symbol}", rows=None) as feed:
        provider.fault(fault)
        try:
            assert all(isinstance(outcome, FeedError) for outcome in feed.poll(BATCH[:1]).values())
        except FeedError as error:
            assert not error.rejects_symbol  # noqa: PT017 (a failed call is as good as a failed row)
        provider.heal()
        tick = feed.poll(BATCH[:1])["A"]
    assert isinstance(tick, Tick)
    assert well_formed(tick)


def test_more_rows_than_there_is_time_for() -> None:
    """An endpoint that answers without measure is a feed that fails, and holds up nobody."""
    extraction = settings(rows="data", symbol="s", price="p", quote_time=None).extraction()
    with pytest.raises(FeedError, match="50001 rows, more than the 50000"):
        extraction.parse(b'{"data":[' + b'{"s":"A","p":1},' * 50_000 + b'{"s":"B","p":1}]}', BATCH)


def test_others_have_their_turns_while_rows_are_looked_through(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between any two rows, and at each step of an expression."""
    monkeypatch.setattr(ticker.runtime, "LONGEST_TURN_S", 0.0)
    extraction = settings(rows="data[?p > `0`].{s: s, p: p}", symbol="s", price="p", quote_time=None).extraction()
    witness = Witness(runtime)
    extraction.parse(b'{"data":[' + b'{"s":"A","p":1},' * 1000 + b'{"s":"B","p":1}]}', BATCH)
    assert witness.stop() >= 5000
