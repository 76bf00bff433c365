"""Frankfurter: `/v1/latest?base=…&symbols=…`. Nobody counts calls.

Recordings: `v1_latest*.json` holds an answer; of the currencies in it those that are asked for are served. `v1_error_404.json` and
`v1_error_422.json` are served as they are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from tests.providers.wire import Provider, Reply, Request, not_found, read_json

CURRENCIES = ("EUR", "USD", "GBP", "JPY", "IDR", "CHF")
DATE = "2026-11-20"


class Frankfurter(Provider):
    """`python -m tests.providers frankfurter`."""

    name: ClassVar[str] = "frankfurter"

    def load(self, fixtures: Path) -> None:
        for path in sorted(fixtures.glob("v1_*.json")):
            content = read_json(path)
            self.record(f"base/{content['base']}" if "rates" in content else path.stem, content)

    def answer(self, request: Request) -> Reply:
        if request.path != "/v1/latest":
            return not_found()
        base = request.query.get("base", "EUR")
        whole = self.recorded(f"base/{base}") if self.fixtures is not None else self._made_up(base)
        asked = [name for name in request.query.get("symbols", "").split(",") if name]
        if asked == [base]:
            return Reply.json(self.recorded("v1_error_422") or {"message": "bad currency pair"}, 422)
        rates = {name: rate for name, rate in (whole or {"rates": {}})["rates"].items()
                 if (not asked or name in asked) and name not in self.control.unknown}
        if whole is None or not rates:
            return Reply.json(self.recorded("v1_error_404") or {"message": "not found"}, 404)
        return Reply.json(whole | {"rates": rates} | self.control.rows.get(base, {}), ETag='"1"', Cache_Control="public, max-age=86400")

    def _made_up(self, base: str) -> dict[str, Any] | None:
        if base not in CURRENCIES:
            return None
        rates = {name: float(self.price(f"{base}{name}").last) for name in CURRENCIES if name != base}
        return {"amount": 1.0, "base": base, "date": DATE, "rates": rates}
