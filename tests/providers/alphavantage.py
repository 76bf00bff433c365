"""Alpha Vantage: `/query?function=GLOBAL_QUOTE`. Everything with HTTP 200; 25 calls a day and one a second. The key is echoed.

Switches: `"no_more_today": true`, `"note": true` (limits as `Note`, as with older keys), `"invalid_call": ["X"]` (an `Error Message`).

Recordings: `global_quote_MSFT.json` is that symbol's answer. `global_quote_unknown_symbol.json`, `error_invalid_apikey.json`,
`ratelimit_information_burst.json` and `ratelimit_information_daily.json` are served as they are.

Where from: path, `function`, `symbol`, `apikey`, `entitlement` and the names of fields are those of
https://www.alphavantage.co/documentation/#latestprice, and of `alphavantage.py` and `timeseries.py` of
https://github.com/RomelTorres/alpha_vantage (2024-03), which reads `Error Message`, `Information` and `Note` in that order. Suffixes of
symbols are those of the documentation's examples (`TSCO.LON`). The key with `DATA DELAYED BY 15 MINUTES` and the texts of limits are as
users report them. Not verified: which exchanges besides those of the United States `entitlement` is good for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from tests.providers.shares import SHARES, WRONG_KEY, Quota
from tests.providers.wire import Bucket, Provider, Reply, Request, not_found, read_json

SYMBOLS = frozenset((*SHARES, "TSCO.LON"))
WRONG = (
    "the parameter apikey is invalid or missing. Please claim your free API key on (https://www.alphavantage.co/support/#api-key). "
    "It should take less than 20 seconds."
)
INVALID = "Invalid API call. Please retry or visit the documentation (https://www.alphavantage.co/documentation/) for GLOBAL_QUOTE."
BURST = (
    "Thank you for using Alpha Vantage! Please consider spreading out your free API requests more sparingly (1 request per second). "
    "You may subscribe to any of the premium plans to lift the free key rate limit (25 requests per day)."
)
DAILY = "We have detected your API key as {key} and our standard API rate limit is 25 requests per day. Please subscribe."
NOTE = "Thank you for using Alpha Vantage! Our standard API call frequency is 5 calls per minute and 500 calls per day."


class AlphaVantage(Provider):
    """`python -m tests.providers alphavantage`."""

    name: ClassVar[str] = "alphavantage"

    def __init__(self, fixtures: Path | None) -> None:
        super().__init__(fixtures)
        self._second = Bucket(rate_per_s=1, burst=1)
        self._day = Quota(25, 86_400)

    def load(self, fixtures: Path) -> None:
        for path in sorted(fixtures.glob("*.json")):
            content = read_json(path)
            quote = next((row for key, row in content.items() if key.startswith("Global Quote") and row), None)
            self.record(f"quote/{quote['01. symbol']}" if quote else path.stem, content)

    def answer(self, request: Request) -> Reply:
        if request.path != "/query":
            return not_found()
        key, symbol = request.query.get("apikey", ""), request.query.get("symbol", "")
        if not key or key == WRONG_KEY:
            return Reply.json(self.recorded("error_invalid_apikey") or {"Error Message": WRONG})
        if self.control.switches.get("note"):
            return Reply.json({"Note": NOTE})
        if self.control.limits and not self._second.take():
            return Reply.json(self.recorded("ratelimit_information_burst") or {"Information": BURST})
        if self.control.switches.get("no_more_today") or (self.control.limits and not self._day.take()):
            return Reply.json(self.recorded("ratelimit_information_daily") or {"Information": DAILY.format(key=key)})
        if request.query.get("function") != "GLOBAL_QUOTE" or symbol in self.control.switches.get("invalid_call", []):
            return Reply.json({"Error Message": INVALID})
        return Reply.json(self._quote(symbol, request.query.get("entitlement")))

    def _quote(self, symbol: str, entitlement: str | None) -> dict[str, Any]:
        recording: dict[str, Any] | None = self.recorded(f"quote/{symbol}")
        unknown = symbol in self.control.unknown or (recording is None and (self.fixtures is not None or symbol not in SYMBOLS))
        if unknown:
            empty: dict[str, Any] = self.recorded("global_quote_unknown_symbol") or {"Global Quote": {}}
            return empty
        if recording is not None:
            return recording
        now = self.price(symbol)
        last, before = float(now.last), float(now.open)
        key = "Global Quote - DATA DELAYED BY 15 MINUTES" if entitlement == "delayed" else "Global Quote"
        return {key: {"01. symbol": symbol, "02. open": f"{now.open}00", "03. high": f"{now.high}00", "04. low": f"{now.low}00",
                      "05. price": f"{now.last}00", "06. volume": now.volume.partition(".")[0], "07. latest trading day": "2026-11-20",
                      "08. previous close": f"{now.open}00", "09. change": f"{last - before:.4f}",
                      "10. change percent": f"{100 * (last - before) / before:.4f}%"} | self.control.rows.get(symbol, {})}  # fmt: skip
