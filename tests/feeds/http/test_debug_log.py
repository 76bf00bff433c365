"""What the log has of a feed's calls at the level of debugging: a line each, and no secret."""

import logging
import re

import pytest
from pydantic import SecretStr

from feeds.generic.feed import HttpJson, HttpJsonSettings
from feeds.http.client import Http
from tests.feeds.support import CANARY, complaint, subscribe
from tests.providers.client import RunningProvider
from ticker.runtime import Runtime
from ticker.settings import PolledSettings

TICKER = "/products/BTC-USD/ticker"


@pytest.fixture
def http(coinbase: RunningProvider, runtime: Runtime) -> Http:
    """A session with a server that answers."""
    return Http(PolledSettings.model_validate({"kind": "x", "base_url": coinbase.url}), runtime)


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """With everything logged."""
    caplog.set_level(logging.DEBUG)
    return caplog


def lines(told: pytest.LogCaptureFixture) -> list[str]:
    """What the client has said, numbers of milliseconds apart."""
    return [re.sub(r"[0-9]+ ms", "… ms", record.getMessage()) for record in told.records if record.name == "feeds.http.client"]


def test_a_call_is_a_line_without_its_query(http: Http, told: pytest.LogCaptureFixture) -> None:
    """Method, host and path, status, bytes, how long it took."""
    answer = http.get(TICKER, {"ids": "A"})
    assert lines(told) == [f"GET 127.0.0.1{TICKER}: 200, {len(answer.body)} bytes in … ms"]
    assert told.records[-1].levelname == "DEBUG"


def test_a_call_that_fails_says_why(http: Http, coinbase: RunningProvider, told: pytest.LogCaptureFixture) -> None:
    """With as much of its status as there was."""
    coinbase.fault("hang_up")
    complaint(lambda: http.get(TICKER))
    coinbase.fault("status", status=503, body="")
    complaint(lambda: http.get(TICKER))
    assert lines(told) == [
        f"GET 127.0.0.1{TICKER}: no status, 0 bytes in … ms: the connection was closed without an answer",
        f"GET 127.0.0.1{TICKER}: 503, 0 bytes in … ms",
    ]


def test_a_redirect_and_a_second_try_are_lines_too(http: Http, coinbase: RunningProvider, told: pytest.LogCaptureFixture) -> None:
    """Else nobody would know why a call took so long."""
    coinbase.fault("redirect", location=f"{TICKER}?key=x", times=1)
    http.get(TICKER)
    redirected, answered = lines(told)
    assert redirected == f"GET 127.0.0.1{TICKER}: 302, followed by GET 127.0.0.1{TICKER}"
    assert ": 200, " in answered
    told.clear()
    coinbase.fault("hang_up", times=1)
    http.get(TICKER)
    again, answered = lines(told)
    assert again == f"GET 127.0.0.1{TICKER}: the kept connection was closed, so it is asked for on a new one"
    assert ": 200, " in answered


def test_nothing_is_put_into_words_where_nobody_reads_it(
    http: Http, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Calls are many."""
    caplog.set_level(logging.INFO)
    monkeypatch.setattr("feeds.http.client.said", None)
    assert http.get(TICKER).status == 200
    assert lines(caplog) == []


def test_no_secret_is_told(coinbase: RunningProvider, runtime: Runtime, told: pytest.LogCaptureFixture) -> None:
    """Though it is in the path, in the query, in a header, and in the redirect that comes back."""
    keys = {"kind": "http_json", "base_url": coinbase.url, "path": "/v1/{api_key}/{symbol}?key={api_key}", "price": "p"}
    settings = HttpJsonSettings.model_validate({**keys, "headers": {"X-Key": "{api_key}"}, "api_key": SecretStr(CANARY)})
    feed = HttpJson("mine", settings, runtime)
    coinbase.fault("redirect", location=f"/elsewhere/{CANARY.lower()}?{CANARY}", times=1)
    complaint(lambda: feed.poll(subscribe(HttpJson, "A")))
    feed.close()
    assert [line.partition(":")[0] for line in lines(told)] == ["GET 127.0.0.1/v1/***/A", "GET 127.0.0.1/v1/***/A"]
    assert "/elsewhere/***" in told.text
    assert "4nary" not in told.text
