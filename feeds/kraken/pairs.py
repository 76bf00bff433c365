"""Kraken's markets by every spelling of them, from its lists of pairs. Pure.

`GET /0/public/AssetPairs` (https://docs.kraken.com/api/docs/rest-api/get-tradable-asset-pairs) lists currencies, with
`aclass_base=tokenized_asset` tokenized shares (xStocks), whose names have small letters in them:

    {"error":[],"result":{"XXBTZUSD":{"altname":"XBTUSD","wsname":"XBT/USD","aclass_base":"currency","base":"XXBT","quote":"ZUSD", …}, …}}
    {"error":[],"result":{"AAPLxUSD":{"altname":"AAPLxUSD","wsname":"AAPLx/USD","aclass_base":"tokenized_asset","base":"AAPLx", …}, …}}

A spelling counts as it is written; in another case, only where no two markets differ by case alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from feeds.values.units import currency_of
from ticker.runtime import in_turns

AssetClass = Literal["currency", "tokenized_asset"]
KRAKEN_NAMES = {"BTC": "XBT", "DOGE": "XDG"}
USUAL_NAMES = {kraken: usual for usual, kraken in KRAKEN_NAMES.items()}
MONEY = frozenset({"USD", "EUR", "GBP", "CAD", "JPY", "AUD", "CHF"})
"""What never has the X of Kraken's old names for coins before it, but a Z, or nothing."""


class Pair(NamedTuple):
    """A market, by the spelling that is the same whatever was asked for (`altname`: XBTUSD), and what it is priced in."""

    altname: str
    currency: str | None
    asset_class: AssetClass = "currency"


class AssetPairs:
    """Markets by every spelling of them: XXBTZUSD, XBTUSD, XBT/USD."""

    def __init__(self, listed: Mapping[str, Pair]) -> None:
        self._listed = listed
        self._by_capitals: dict[str, Pair | None] = {}  # None: two differ by case alone
        for name, pair in listed.items():
            capitals = name.upper()
            self._by_capitals[capitals] = pair if self._by_capitals.get(capitals, pair) == pair else None

    def listed(self, name: str) -> Pair | None:
        """The market that is called so, `None` where there is none, or no telling which."""
        joined = _joined(name)
        capitals, short = joined.upper(), short_name(name)
        if (exact := self._listed.get(name) or self._listed.get(joined)) is not None:
            return exact
        alike = self._by_capitals.get(capitals)
        if is_mixed(name):  # its small letters are meant, so it is no market without any
            return alike if alike is not None and is_mixed(alike.altname) else None
        return alike if capitals in self._by_capitals else self._listed.get(short) or self._by_capitals.get(short)

    def pair(self, name: str) -> Pair:
        """The market that is called so, or what it most likely is: small letters among capitals are in no currency's name."""
        return self.listed(name) or Pair(short_name(name), None, "tokenized_asset" if is_mixed(name) else "currency")


NO_PAIRS = AssetPairs({})


def pairs_of(result: Mapping[str, Any], asset_class: AssetClass) -> dict[str, Pair]:
    """The markets of an `AssetPairs` result by every spelling. A row that can't be read is left out."""
    pairs: dict[str, Pair] = {}
    for key, row in in_turns(result.items()):
        if not isinstance(row, dict) or not isinstance(row.get("altname"), str):
            continue
        wsname = row.get("wsname")
        currency = currency_of(wsname.rpartition("/")[2]) if isinstance(wsname, str) and "/" in wsname else None
        pair = Pair(row["altname"], USUAL_NAMES.get(currency, currency) if currency else None, asset_class)
        pairs[key] = pairs[pair.altname] = pair
        if isinstance(wsname, str):
            pairs[wsname] = pair
    return pairs


def is_mixed(name: str) -> bool:
    """Whether it has small letters among capitals, which then are the provider's: AAPLx/USD."""
    return name not in (name.upper(), name.lower())


def short_name(name: str) -> str:
    """What `altname` most likely is: `XXBTZUSD`, `XBT/USD`, `BTCUSD` and `btc-usd` are `XBTUSD`, `AAPLx/USD` is `AAPLxUSD`.

    Kraken's older assets have four letters, an X (crypto) or a Z (money) before the usual three.
    """
    joined = _joined(name)
    if is_mixed(joined):
        return joined
    joined = joined.upper()
    if len(joined) == 8 and (joined[4] == "Z" or (joined[4] == "X" and joined[5:] not in MONEY)):
        base, quote = joined[:4], joined[5:]
        return (base[1:] if base[0] in "XZ" else base) + quote
    for usual, kraken in KRAKEN_NAMES.items():
        if joined.startswith(usual):
            joined = kraken + joined[len(usual) :]
        elif joined.endswith(usual):
            joined = joined[: -len(usual)] + kraken
    return joined


def _joined(name: str) -> str:
    return name.replace("/", "").replace("-", "")
