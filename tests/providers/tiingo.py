"""Tiingo: `/iex/?tickers=…` and `/boats/?tickers=…`. 50 calls an hour, 1,000 a day. Small letters will do; answers have capitals.

Switches: `"after_hours": true` (bid, ask, mid and size null), `"no_agreement": true` (only `tngoLast` has a price), `"detail_200": "…"` (an
error with HTTP 200), `"text": "…"` (the same as bare text), `"no_boats": true` (a plan without the night: 403).

Recordings: `iex_*.json` holds answers; each row is served under its `ticker`. `error_429.json` and `error_detail_auth.json` are served as
they are.

Where from: paths, `tickers` (with commas between) and the names of fields are those of https://www.tiingo.com/documentation/iex and
https://www.tiingo.com/documentation/boats (2026-09), whose example asks `/boats/?tickers=aapl,spy`; the header `Authorization: Token …` is
in https://www.tiingo.com/documentation/general/connecting and in `tiingo/api.py` of https://github.com/hydrosquall/tiingo-python, which
knows bars only, under `iex/TICKER/prices`. Allocations and their texts are as users report them. Not verified: with what status and words
`/boats` is refused to those whose plan has it not ("rejected" is all that is said; the stream says 403 `Not authorized for service:
boats`), and whose close `prevClose` is before midnight.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from tests.providers.shares import SHARES, WRONG_KEY, Quota, rfc3339_ns
from tests.providers.wire import Price, Provider, Reply, Request, not_found, read_json

TICKERS = frozenset(share.replace(".", "-") for share in SHARES)
LIMITED = {"detail": "Error: You have run over your hourly request allocation. Please upgrade at https://api.tiingo.com/pricing"}


class Tiingo(Provider):
    """`python -m tests.providers tiingo`."""

    name: ClassVar[str] = "tiingo"

    def __init__(self, fixtures: Path | None) -> None:
        super().__init__(fixtures)
        self._hour, self._day = Quota(50, 3600), Quota(1000, 86_400)

    def load(self, fixtures: Path) -> None:
        for path in sorted(fixtures.glob("*.json")):
            content = read_json(path)
            if isinstance(content, list):
                for row in content:
                    self.record(f"row/{row['ticker']}", row)
            else:
                self.record(path.stem, content)

    def answer(self, request: Request) -> Reply:
        if request.path.rstrip("/") not in ("/iex", "/boats"):
            return not_found()
        key = request.headers.get("authorization", "").removeprefix("Token ") or request.query.get("token")
        if not key:
            return Reply.json(self.recorded("error_detail_auth") or {"detail": "Please supply a token"}, 403)
        if key == WRONG_KEY:
            return Reply.json({"detail": "Invalid token."}, 401)
        if request.path.startswith("/boats") and self.control.switches.get("no_boats"):
            return Reply.json({"detail": "Not authorized for service: boats"}, 403)
        if self.control.limits and not (self._hour.take() and self._day.take()):
            return Reply.json(self.recorded("error_429") or LIMITED, 429)
        if "text" in self.control.switches:
            return Reply(200, self.control.switches["text"].encode(), {"Content-Type": "text/plain"})
        if "detail_200" in self.control.switches:
            return Reply.json({"detail": self.control.switches["detail_200"]})
        tickers = sorted({ticker.upper() for ticker in request.query.get("tickers", "").split(",")}, reverse=True)
        return Reply.json([row for row in map(self._row, tickers) if row is not None])

    def _row(self, ticker: str) -> dict[str, Any] | None:
        return self.row(ticker, TICKERS, lambda now: self._made_up(ticker, now))

    def _made_up(self, ticker: str, now: Price) -> dict[str, Any]:
        last, bid, ask = float(now.last), float(now.bid), float(now.ask)
        time = rfc3339_ns(now.time_s - 4 * 3600).replace("Z", "-04:00")
        row = {"ticker": ticker, "timestamp": time, "lastSaleTimestamp": time, "quoteTimestamp": time, "open": float(now.open),
               "high": float(now.high), "low": float(now.low), "mid": round((bid + ask) / 2, 4), "tngoLast": last, "last": last,
               "lastSize": 10, "bidSize": 400, "bidPrice": bid, "askPrice": ask, "askSize": 162, "prevClose": float(now.open),
               "volume": int(float(now.volume))}  # fmt: skip
        if self.control.switches.get("after_hours"):
            row |= dict.fromkeys(("mid", "bidPrice", "askPrice", "bidSize", "askSize", "lastSize"))
        if self.control.switches.get("no_agreement"):
            row |= dict.fromkeys(("last", "lastSize", "bidPrice", "askPrice", "bidSize", "askSize", "mid"))
        return row
