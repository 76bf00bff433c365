"""Hyperliquid: `POST /info` with a JSON object that names what is asked for; `allMids` alone, of the main exchange.

A weight of 1,200 a minute for an address, `allMids` 2 and all else 20. Another method is 405, a body that is not marked as JSON 415, one
that it does not know 422, in plain text; a 429 has `null` for a body. Coins are named as they are: `kPEPE` is not `KPEPE`.

Where from: the method, `/info`, `{"type":"allMids"}` and its answer are those of
https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint, asked so by `hyperliquid/info.py` of
hyperliquid-dex/hyperliquid-python-sdk (`all_mids`). That it weighs 2 is in hyperliquid of hex.pm, too. Statuses of errors are as users
report them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from tests.providers.shares import Quota
from tests.providers.wire import Provider, Reply, Request, not_found, read_json

COINS = ("BTC", "ETH", "kPEPE", "PURR/USDC", "@107", "#250")
TEXT = {"Content-Type": "text/plain; charset=utf-8"}


class Hyperliquid(Provider):
    """`python -m tests.providers hyperliquid`."""

    name: ClassVar[str] = "hyperliquid"
    limits: ClassVar[Mapping[str, int]] = {"weight_per_min": 1200}

    def __init__(self, fixtures: Path | None) -> None:
        super().__init__(fixtures)
        self._quota = Quota(1200, 60)

    def load(self, fixtures: Path) -> None:
        for path in sorted(fixtures.glob("info_allMids.json")):
            self.record("allMids", read_json(path))

    def cost(self, request: Request) -> Mapping[str, int]:
        return {"weight": 2 if self._wish(request) == {"type": "allMids"} else 20}

    def answer(self, request: Request) -> Reply:
        if request.path != "/info":
            return not_found()
        if request.body is None:
            return Reply(405, b"", TEXT)
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            return Reply(415, b"Expected request with `Content-Type: application/json`", TEXT)
        if self.control.limits and not self._quota.take(self.cost(request)["weight"]):
            return Reply.json(None, 429)
        if self._wish(request) != {"type": "allMids"}:
            return Reply(422, b"Failed to deserialize the JSON body into the target type", TEXT)
        return Reply.json(self.recorded("allMids") or {coin: self.price(coin).last for coin in COINS})

    def _wish(self, request: Request) -> object:
        try:
            return json.loads(request.body or b"")
        except ValueError:
            return None
