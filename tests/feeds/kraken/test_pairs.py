"""Kraken's markets, by whatever they are called."""

import pytest

from feeds.kraken.pairs import NO_PAIRS, AssetPairs, Pair, pairs_of, short_name

CURRENCIES = {
    "XXBTZUSD": {"altname": "XBTUSD", "wsname": "XBT/USD", "aclass_base": "currency", "base": "XXBT", "quote": "ZUSD"},
    "COINXUSD": {"altname": "COINXUSD", "wsname": "COINX/USD", "aclass_base": "currency", "base": "COINX", "quote": "ZUSD"},
}
SHARES = {
    "AAPLxUSD": {"altname": "AAPLxUSD", "wsname": "AAPLx/USD", "aclass_base": "tokenized_asset", "base": "AAPLx", "quote": "ZUSD"},
    "COINxUSD": {"altname": "COINxUSD", "wsname": "COINx/USD", "aclass_base": "tokenized_asset", "base": "COINx", "quote": "ZUSD"},
}
LISTED = pairs_of(CURRENCIES, "currency")
BOTH = AssetPairs(LISTED | pairs_of(SHARES, "tokenized_asset"))


@pytest.mark.parametrize(("name", "short"), [
    ("XXBTZUSD", "XBTUSD"), ("XETHZUSD", "ETHUSD"), ("XETHXXBT", "ETHXBT"), ("XXDGZUSD", "XDGUSD"), ("USDTZUSD", "USDTUSD"),
    ("SOLUSD", "SOLUSD"), ("XBTUSDT", "XBTUSDT"), ("XBT/USD", "XBTUSD"), ("BTC/USD", "XBTUSD"), ("BTC-USD", "XBTUSD"),
    ("DOGEUSD", "XDGUSD"), ("ETHBTC", "ETHXBT"), ("xbtusd", "XBTUSD"), ("ALGOXBT", "ALGOXBT"), ("ATOMUSDT", "ATOMUSDT"),
    ("ZUSD", "ZUSD"), ("", ""), ("AAPLx/USD", "AAPLxUSD"), ("AAPLXUSD", "AAPLXUSD"), ("COINx-EUR", "COINxEUR")])  # fmt: skip
def test_the_spellings_of_a_pair_have_one_short_name(name: str, short: str) -> None:
    """What stands in for the list of pairs where that can't be had. A share's x is not that of Kraken's old names."""
    assert short_name(name) == short


@pytest.mark.parametrize(("name", "altname"), [
    ("XXBTZUSD", "XBTUSD"), ("BTC-USD", "XBTUSD"), ("btc/usd", "XBTUSD"), ("AAPLx/USD", "AAPLxUSD"), ("AAPLx-USD", "AAPLxUSD"),
    ("AAPLXUSD", "AAPLxUSD"), ("aaplx-usd", "AAPLxUSD"), ("COINx/USD", "COINxUSD"), ("COINX/USD", "COINXUSD"), ("coinx/usd", None),
    ("NOPE/USD", None), ("NOPEx/USD", None)])  # fmt: skip
def test_a_market_is_found_as_it_is_written_and_in_another_case_where_there_is_no_doubt(name: str, altname: str | None) -> None:
    """Two markets may differ by case alone."""
    pair = BOTH.listed(name)
    assert (None if pair is None else pair.altname) == altname


def test_small_letters_are_never_taken_for_capitals() -> None:
    """Where only currencies are listed so far, a share is not the coin of a similar name."""
    assert AssetPairs(LISTED).listed("COINx/USD") is None


def test_what_is_not_listed_is_what_its_name_says() -> None:
    """Small letters among capitals are a tokenized share's."""
    assert NO_PAIRS.pair("BTC/USD") == Pair("XBTUSD", None, "currency")
    assert NO_PAIRS.pair("AAPLx/USD") == Pair("AAPLxUSD", None, "tokenized_asset")


def test_the_list_of_pairs_is_read_leniently() -> None:
    """A row of it that makes no sense costs itself."""
    pairs = pairs_of(CURRENCIES | {"BAD": None, "WORSE": {"altname": 7}, "ODD": {"altname": "ODDUSD", "wsname": None}}, "currency")
    assert pairs["XXBTZUSD"] == pairs["XBTUSD"] == pairs["XBT/USD"] == Pair("XBTUSD", "USD")
    assert pairs["ODD"] == pairs["ODDUSD"] == Pair("ODDUSD", None)
    assert not {"BAD", "WORSE"} & pairs.keys()
