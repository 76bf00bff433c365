"""Frankfurter: `/v1/latest?base=…&symbols=…` and `/v2/rates?base=…&quotes=…`. Nobody counts calls.

v1 (path, `base`, `symbols`, the keys of the answer) is as https://frankfurter.dev shows it, and programs ask it. v2 is as its source has it
(github.com/lineofflight/frankfurter at 60541ad, August 2026, `lib/versions/v2.rb` and `v2/rate_query.rb`): which parameters and codes are
refused and in which words, rows in the order of their currencies, one of the base against itself where it is asked for or nothing is,
none for a currency without rates, days up to tomorrow.

Recordings: `v1_latest*.json` holds an answer; of the currencies in it those that are asked for are served. `v1_error_404.json` and
`v1_error_422.json` are served as they are. Of v2 there are none.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from tests.providers.wire import Provider, Reply, Request, not_found, read_json

CURRENCIES = ("EUR", "USD", "GBP", "JPY", "IDR", "CHF")
OTHERS = ("AED", "MAD", "XAU")
"""What only v2 has."""
WITHDRAWN = ("BGN", "HRK")
"""Codes that are valid and have no rates."""
PARAMETERS = ("base", "quotes", "providers", "date", "from", "to", "group", "expand")
DATE = "2026-11-20"


class Frankfurter(Provider):
    """`python -m tests.providers frankfurter`."""

    name: ClassVar[str] = "frankfurter"

    def load(self, fixtures: Path) -> None:
        for path in sorted(fixtures.glob("v1_*.json")):
            content = read_json(path)
            self.record(f"base/{content['base']}" if "rates" in content else path.stem, content)

    def answer(self, request: Request) -> Reply:
        if request.path == "/v2/rates":
            return self._rows(request)
        if request.path != "/v1/latest":
            return not_found()
        base = request.query.get("base", "EUR")
        whole = self.recorded(f"base/{base}") if self.fixtures is not None else self._made_up(base)
        asked = [name for name in request.query.get("symbols", "").split(",") if name]
        if asked == [base]:
            return Reply.json(self.recorded("v1_error_422") or {"message": "bad currency pair"}, 422)
        rates = {
            name: rate
            for name, rate in (whole or {"rates": {}})["rates"].items()
            if (not asked or name in asked) and name not in self.control.unknown
        }
        if whole is None or not rates:
            return Reply.json(self.recorded("v1_error_404") or {"message": "not found"}, 404)
        return Reply.json(whole | {"rates": rates} | self.control.rows.get(base, {}), ETag='"1"', Cache_Control="public, max-age=86400")

    def _made_up(self, base: str) -> dict[str, Any] | None:
        if base not in CURRENCIES:
            return None
        rates = {name: float(self.price(f"{base}{name}").last) for name in CURRENCIES if name != base}
        return {"amount": 1.0, "base": base, "date": DATE, "rates": rates}

    def _rows(self, request: Request) -> Reply:
        base = request.query.get("base", "EUR").upper()
        quotes = [name for name in request.query.get("quotes", "").upper().split(",") if name]
        if odd := [name for name in request.query if name not in PARAMETERS]:
            return _refused(f"unknown parameter: {', '.join(odd)}")
        known = (*CURRENCIES, *OTHERS)
        if invalid := [name for name in (base, *quotes) if name not in (*known, *WITHDRAWN) or name in self.control.unknown]:
            return _refused(f"invalid currency: {','.join(invalid)}")
        rows = []
        for name in sorted(quotes or known) if base in known else ():
            if name in known:
                rate = 1.0 if name == base else float(self.price(f"{base}{name}").last)
                rows.append({"date": DATE, "base": base, "quote": name, "rate": rate} | self.control.rows.get(f"{base}/{name}", {}))
        return Reply.json(rows, ETag='"2"', Cache_Control="public, max-age=3600, stale-if-error=86400")


def _refused(message: str) -> Reply:
    return Reply.json({"status": 422, "message": message}, 422)
