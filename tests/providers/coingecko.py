"""CoinGecko: `/api/v3/simple/price`. 10 calls a minute for an address, 30 with a demo key; failed calls count.

Switches: `"retry_after": "7"` (the header of a 429, which has none otherwise), `"error_200": true` (the body of a 429, with 200).

Where from: path, `ids`, `vs_currencies`, `include_24hr_vol`, `include_24hr_change`, `include_last_updated_at`, `precision=full` and the
keys (`usd`, `usd_24h_vol`, `usd_24h_change`, `last_updated_at`) are those of https://docs.coingecko.com/reference/simple-price, as clients
have them: coingecko-openapi-client (npm), cryptotrackr (CRAN), the crate `coingecko` 1.1.3. The header `x-cg-demo-api-key` is sent by many
programs. Limits and the bodies of errors are as users report them.

Recordings: `simple_price*.json` holds answers; each coin is served under its id, with the keys of the currencies that are asked for.
`error_429.json` and `error_missing_key_10002.json` are served as they are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from tests.providers.shares import WRONG_KEY, Quota
from tests.providers.wire import Price, Provider, Reply, Request, not_found, read_json

COINS = frozenset(("bitcoin", "ethereum", "solana", "usd-coin", "status", *(f"coin-{number:03}" for number in range(500))))
CURRENCIES = ("usd", "eur", "btc")
LIMITED = {"status": {"error_code": 429, "error_message": "You've exceeded the Rate Limit. Please visit https://www.coingecko.com/en/api/"}}
NO_KEY = {"status": {"timestamp": "2026-11-20T00:00:00.000+00:00", "error_code": 10002, "error_message": "API Key Missing."}}


class CoinGecko(Provider):
    """`python -m tests.providers coingecko`."""

    name: ClassVar[str] = "coingecko"

    def __init__(self, fixtures: Path | None) -> None:
        super().__init__(fixtures)
        self._of_address, self._of_key = Quota(10, 60), Quota(30, 60)

    def load(self, fixtures: Path) -> None:
        for path in sorted(fixtures.glob("*.json")):
            content = read_json(path)
            if path.stem.startswith("simple_price"):
                for coin, row in content.items():
                    self.record(f"row/{coin}", row)
            else:
                self.record(path.stem, content)

    def answer(self, request: Request) -> Reply:
        if request.path != "/api/v3/simple/price":
            return not_found()
        key = request.headers.get("x-cg-demo-api-key") or request.query.get("x_cg_demo_api_key")
        if key == WRONG_KEY:
            return Reply.json(self.recorded("error_missing_key_10002") or NO_KEY, 401)
        if self.control.switches.get("error_200"):
            return Reply.json(self.recorded("error_429") or LIMITED)
        if self.control.limits and not (self._of_key if key else self._of_address).take():
            wait = self.control.switches.get("retry_after")
            return Reply.json(self.recorded("error_429") or LIMITED, 429, **({"Retry_After": wait} if wait else {}))
        rows = {coin: self._row(coin, request) for coin in request.query.get("ids", "").split(",")}
        return Reply.json({coin: row for coin, row in rows.items() if row is not None})

    def _row(self, coin: str, request: Request) -> dict[str, Any] | None:
        row = self.row(coin, COINS, _made_up)
        if row is None:
            return None
        currencies = request.query.get("vs_currencies", "").split(",")
        parts = ["", *(f"_24h_{part}" for part in ("vol", "change") if f"include_24hr_{part}" in request.query)]
        wanted = {currency + part for currency in currencies for part in parts}
        if "include_last_updated_at" in request.query:
            wanted.add("last_updated_at")
        return {name: value for name, value in row.items() if name in wanted}


def _made_up(now: Price) -> dict[str, Any]:
    last, before = float(now.last), float(now.open)
    row: dict[str, Any] = {"last_updated_at": int(now.time_s)}
    for factor, currency in enumerate(CURRENCIES, 1):
        row |= {
            currency: last / factor,
            f"{currency}_24h_vol": float(now.volume) * last / factor,
            f"{currency}_24h_change": 100 * (last - before) / before,
        }
    return row
