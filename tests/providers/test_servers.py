"""The providers' servers keep to their providers' rules: what the feeds are tested against must be as unkind as the real thing."""

import http.client
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.providers.client import RunningProvider, running


def ask(provider: RunningProvider, path: str) -> tuple[int, dict[str, str], Any]:
    """Status, headers and JSON of one GET."""
    connection = http.client.HTTPConnection(provider.url.removeprefix("http://"), timeout=10)
    try:
        connection.request("GET", path, headers={"User-Agent": "a test"})
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), json.loads(response.read())
    finally:
        connection.close()


def test_coinbase_allows_fifteen_at_once() -> None:
    """Then it is 429, in its own words."""
    with running("coinbase") as coinbase:
        answers = [ask(coinbase, "/products/BTC-USD/ticker") for _ in range(40)]
    assert [status for status, _, _ in answers[:15]] == [200] * 15
    assert (429, {"message": "Public rate limit exceeded"}) in [(status, body) for status, _, body in answers[15:]]


def test_kraken_says_everything_with_status_200() -> None:
    """Names of its own, one unknown pair for all, a limit."""
    with running("kraken") as kraken:
        _, _, good = ask(kraken, "/0/public/Ticker?pair=SOLUSD,XBT/USD,XBTUSD")
        assert sorted(good["result"]) == ["SOLUSD", "XXBTZUSD"]
        assert ask(kraken, "/0/public/Ticker?pair=SOLUSD,NOPE")[2] == {"error": ["EQuery:Unknown asset pair"]}
        answers = [ask(kraken, "/0/public/Ticker?pair=SOLUSD") for _ in range(20)]
        kraken.set(limits=False)
        assert ask(kraken, "/0/public/Ticker?pair=SOLUSD")[2]["error"] == []
    assert {status for status, _, _ in answers} == {200}
    assert answers[-1][2] == {"error": ["EGeneral:Too many requests"]}


def test_binance_counts_weights_warns_and_then_bans() -> None:
    """What goes on after a 429 is banned, and longer with each call."""
    path = "/api/v3/ticker/24hr?symbols=" + quote(json.dumps([f"T{number:03}USDT" for number in range(101)], separators=(",", ":")))
    statuses, waits, banned = [], [], {}
    with running("binance") as binance:
        for _ in range(90):
            status, headers, body = ask(binance, path)
            statuses.append(status)
            if status == 418:
                waits.append(int(headers["Retry-After"]))
                banned = body
            if len(waits) == 2:
                break
    assert statuses == [200] * 75 + [429, 418, 418]
    assert waits[1] > waits[0] > 60
    assert "IP banned until " in banned["msg"]


@pytest.mark.parametrize(
    ("symbols", "code"),
    [('["BTCUSDT", "ETHUSDT"]', -1100), ('["btcusdt"]', -1100), ('["BTCUSDT","NOPE"]', -1121), ('["BTCUSDT","BTCUSDT"]', -1151)],
)
def test_binance_is_strict_about_lists(symbols: str, code: int) -> None:
    """Spaces, small letters, unknown and repeated symbols."""
    with running("binance") as binance:
        status, headers, body = ask(binance, f"/api/v3/ticker/24hr?symbols={quote(symbols)}")
    assert (status, body["code"], headers["X-MBX-USED-WEIGHT-1M"]) == (400, code, "2")


def test_a_symbol_can_be_made_unknown_and_a_row_changed() -> None:
    """And everything is forgotten when told so."""
    with running("kraken", limits=False) as kraken:
        path = "/0/public/Ticker?pair=SOLUSD"
        kraken.set(rows={"SOLUSD": {"o": "1.5"}})
        assert ask(kraken, path)[2]["result"]["SOLUSD"]["o"] == "1.5"
        kraken.set(unknown=["SOL/USD"])
        assert "result" not in ask(kraken, path)[2]
        kraken.forget()
        assert ask(kraken, path)[2]["result"]["SOLUSD"]["o"] != "1.5"
        assert kraken.paths() == ["/0/public/Ticker"]
        with pytest.raises(ValueError, match="no such control"):
            kraken.set(colour="red")
        with pytest.raises(ValueError, match="no such control"):
            kraken.fault("of mine")


def test_recordings_are_served_at_their_paths(tmp_path: Path) -> None:
    """Several of one symbol in turn; what is not recorded is unknown; recorded errors in their place."""
    recordings = {
        "binance/ticker24hr_1.json": [{"symbol": "AUSDT", "lastPrice": "1"}, {"symbol": "BUSDT", "lastPrice": "5"}],
        "binance/ticker24hr_2.json": {"symbol": "AUSDT", "lastPrice": "2"},
        "binance/error_400_invalid_symbol.json": {"code": -1121, "msg": "as recorded"},
        "kraken/ticker_AUSD_keyed_XAZUSD.json": {"error": [], "result": {"XAZUSD": {"c": ["1"]}}},
        "coinbase/ticker_A-USD.json": {"price": "1"},
        "coinbase/ticker_example.json": {"price": "2"},
        "coinbase/stats_A-USD_2024.json": {"open": "3"},
    }
    for name, content in recordings.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))

    with running("binance", fixtures=tmp_path / "binance") as binance:
        both = '/api/v3/ticker/24hr?symbols=["AUSDT","BUSDT"]'
        prices = [{row["symbol"]: row["lastPrice"] for row in ask(binance, both)[2]} for _ in range(3)]
        assert prices == [{"AUSDT": "1", "BUSDT": "5"}, {"AUSDT": "2", "BUSDT": "5"}, {"AUSDT": "1", "BUSDT": "5"}]
        assert ask(binance, '/api/v3/ticker/24hr?symbols=["BTCUSDT"]')[2]["msg"] == "as recorded"
    with running("kraken", fixtures=tmp_path / "kraken") as kraken:
        assert ask(kraken, "/0/public/Ticker?pair=AUSD")[2] == recordings["kraken/ticker_AUSD_keyed_XAZUSD.json"]
        assert ask(kraken, "/0/public/AssetPairs")[2]["result"]["XAZUSD"]["altname"] == "AUSD"
    with running("coinbase", fixtures=tmp_path / "coinbase") as coinbase:
        found = [ask(coinbase, path)[2] for path in ("/products/A-USD/ticker", "/products/B-USD/ticker", "/products/A-USD/stats")]
        assert found == [{"price": "1"}, {"price": "2"}, {"open": "3"}]
        assert ask(coinbase, "/products/B-USD/stats")[0] == 404
