"""What helps is told for the very error."""

import pytest
from pydantic import HttpUrl, SecretStr

from cli.diagnosis.remedies import OF_FAULT, OF_STATUS, Asked, needs_negative, remedy
from feeds.finnhub import Finnhub
from feeds.generic.feed import HttpJson
from feeds.kraken.feed import Kraken
from ticker.errors import BudgetSpent, FeedError
from ticker.runtime import DeadlineExceeded
from ticker.settings import SymbolOptions
from ticker.source import Subscription

KRAKEN = Asked(
    "k",
    Kraken.Settings.model_validate({"kind": "kraken", "base_url": HttpUrl("https://moved.example:8443")}),
    Subscription("BTC/USD", "XBTUSD", SymbolOptions()),
)
FINNHUB = Asked(
    "shares",
    Finnhub.Settings.model_validate({"kind": "finnhub", "api_key": SecretStr("abcdefgh")}),
    Subscription("AAPL", "AAPL", SymbolOptions()),
)
DESCRIBED = Asked(
    "bank",
    HttpJson.Settings.model_validate({"kind": "http_json", "base_url": "http://bank.example", "path": "/", "price": "p"}),
    Subscription("A", "A", SymbolOptions()),
)


@pytest.mark.parametrize(("error", "asked", "words"), [
    (FeedError("x", fault="redirect"), KRAKEN, "set base_url in [feeds.k] to it"),
    (FeedError("x", fault="name"), KRAKEN, "getent hosts moved.example"),
    (FeedError("x", fault="refused"), KRAKEN, "nobody listens on moved.example port 8443"),
    (FeedError("x", fault="refused"), DESCRIBED, "nobody listens on bank.example port 80"),
    (FeedError("x", fault="slow"), KRAKEN, "make timeout_s in [feeds.k] longer than 5"), (DeadlineExceeded("x"), KRAKEN, "timeout_s"),
    (FeedError("TLS: unable to get local issuer certificate", fault="certificate"), KRAKEN, 'ca_file = "authority.pem" in [feeds.k]'),
    (FeedError("TLS: certificate has expired", fault="certificate"), KRAKEN, "clock right? it is ahead"),
    (FeedError("TLS: certificate is not yet valid", fault="certificate"), KRAKEN, "clock right? it is behind"),
    (FeedError("TLS: IP address mismatch, certificate is not valid", fault="certificate"), KRAKEN, "the one that the certificate is for"),
    (FeedError("not JSON", fault="page"), KRAKEN, "login page"),
    (FeedError("x", fault="missing_key"), FINNHUB, "TICKERCAST_FEEDS__SHARES__API_KEY"),
    (FeedError("x", status=401), FINNHUB, "is the key in TICKERCAST_FEEDS__SHARES__API_KEY right?"),
    (FeedError("x", status=403), FINNHUB, "does its plan include this"), (FeedError("x", status=403), KRAKEN, "refuses this machine"),
    (FeedError("x", status=404), KRAKEN, "(https://api.kraken.com/ is the usual one)"), (FeedError("x", status=429), KRAKEN, "interval_s"),
    (FeedError("x", status=503), KRAKEN, "wait"), (FeedError("x", status=302), KRAKEN, "see docs/feeds.md, kraken"),
    (FeedError("x", rejects_symbol=True, status=404), KRAKEN, '"BTC/USD" = { feed = "k", k = "ITS ID" }'),
    (BudgetSpent(3), KRAKEN, "raise budget in [feeds.k]"), (FeedError("x"), DESCRIBED, "see docs/feeds.md, http_json")])  # fmt: skip
def test_what_helps(error: Exception, asked: Asked, words: str) -> None:
    """With the names of what it is about."""
    assert words in remedy(error, asked)


@pytest.mark.parametrize(
    "error",
    [*(FeedError("x", fault=fault) for fault in OF_FAULT), *(FeedError("x", status=status) for status in OF_STATUS)],
    ids=lambda error: str(error.fault or error.status),
)
@pytest.mark.parametrize("asked", [KRAKEN, FINNHUB, DESCRIBED], ids=lambda asked: asked.feed)
def test_each_can_be_said_of_each_feed(error: FeedError, asked: Asked) -> None:
    """No brace is left over, and no two errors have the same help by mistake."""
    assert "{" not in remedy(error, asked)
    assert remedy(error, asked) != remedy(FeedError("x"), asked)


def test_a_price_below_zero_names_the_line() -> None:
    """As it is to be written, with all feeds of the symbol."""
    assert needs_negative("DE-power", ("a",)).endswith('"DE-power" = { feed = "a", allow_negative = true }')
    assert 'feed = ["a", "b"]' in needs_negative("DE", ("a", "b"))
