"""What helps when a feed gives no price: for this very error, and not the same for all."""

from __future__ import annotations

from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urlsplit

from ticker.errors import BudgetSpent, Fault, FeedError
from ticker.settings import FeedSettings
from ticker.settings.describe import key_part, toml
from ticker.settings.environment import variable_of
from ticker.source import Subscription

OF_FAULT: dict[Fault, str] = {
    "redirect": "if that host is the provider's, set base_url in {feed} to it; login pages of hotels and proxies redirect too",
    "name": "is the host of base_url in {feed} spelt right? if it is, this machine can't resolve names: getent hosts {host}",
    "refused": "nobody listens on {host} port {port}: is base_url in {feed} right, its port too, and does that server run?",
    "unreachable": "no way leads from here to {host}: is the network up? a firewall, or IPv6 without a route, can be in the way",
    "slow": "the provider or the way to it is slow: make timeout_s in {feed} longer than {timeout_s:g}; a firewall that swallows packets "
    "looks the same",
    "hung_up": "is base_url in {feed} right, its port and the s of https too? a firewall or a proxy on the way cuts off like this, too",
    "tls": "does {host} speak TLS on port {port}? if not, base_url in {feed} begins with http://",
    "certificate": "if an authority of your own signs for {host}, or a proxy that looks into TLS is on the way, name its certificate: "
    'ca_file = "authority.pem" in {feed}',
    "page": "a web page came in place of prices: the login page of this network (a hotel, a proxy), or base_url in {feed} is a site and "
    "not its API",
    "missing_key": "set {variables} where doctor and serve are started",
}
OF_CERTIFICATE = {
    "not yet valid": "is this machine's clock right? it is behind, or the certificate of {host} is not good yet",
    "expired": "is this machine's clock right? it is ahead, or the certificate of {host} is too old, which only its owner can mend",
    "mismatch": "is the host of base_url in {feed} the one that the certificate is for? an address in numbers rarely is",
}
"""What helps where a certificate is refused, by words of the TLS library's error."""
OF_STATUS: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: "the provider does not understand the question: is {id} its id of {symbol}?",
    HTTPStatus.UNAUTHORIZED: "is the key in {variables} right?",
    HTTPStatus.PAYMENT_REQUIRED: "your plan with the provider does not include this",
    HTTPStatus.FORBIDDEN: "is the key in {variables} right, and does its plan include this? some providers refuse whole countries",
    HTTPStatus.NOT_FOUND: "is base_url in {feed} right{usual}, and is {id} the provider's id of {symbol}?",
    HTTPStatus.METHOD_NOT_ALLOWED: "is it asked in the right way? method in {feed} is GET or POST",
    HTTPStatus.GONE: "the provider has given this address up: see its documentation, and base_url in {feed}",
    HTTPStatus.IM_A_TEAPOT: "the provider has banned this address for too many calls: wait, then make interval_s in {feed} longer",
    HTTPStatus.TOO_MANY_REQUESTS: "too many calls: make interval_s in {feed} longer, or lower its budget; other programs may use the same "
    "key or address",
    HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS: "the provider refuses the country of this machine's address",
}
KEYLESS = "the provider refuses this machine: some refuse whole countries, or the addresses of data centres"
UNKNOWN_SYMBOL = "what does the provider call it? write its id beside the symbol: {line}"
SERVER_ERROR = "the provider is in trouble: wait; its status page may say more"
ELSE = "see docs/feeds.md, {kind}; base_url and keys are in {feed}"


class Asked(NamedTuple):
    """Which feed was asked for what."""

    feed: str
    settings: FeedSettings
    subscription: Subscription


def remedy(error: Exception, asked: Asked) -> str:
    """What to do about `error`."""
    base_url = getattr(asked.settings, "base_url", None)
    parts = urlsplit(str(base_url or ""))
    usual = getattr(type(asked.settings).model_fields.get("base_url"), "default", None)
    secrets = [variable_of(("feeds", asked.feed, secret)) for secret in asked.settings.secrets]
    symbol = asked.subscription.symbol
    return _template(error, bool(secrets)).format(
        feed=f"[feeds.{asked.feed}]",
        kind=asked.settings.kind,
        host=parts.hostname or "the provider",
        port=parts.port or (443 if parts.scheme in ("https", "wss") else 80),
        timeout_s=getattr(asked.settings, "timeout_s", 0.0),
        variables=" and ".join(secrets) or "the environment",
        symbol=symbol,
        id=asked.subscription.id,
        usual=f" ({usual} is the usual one)" if usual is not None and "://" in str(usual) and str(usual) != str(base_url) else "",
        line=f'{key_part(symbol)} = {{ feed = "{asked.feed}", {asked.feed} = "ITS ID" }}',
    )


def needs_negative(symbol: str, feeds: tuple[str, ...]) -> str:
    """What helps where a price of zero or below is refused."""
    named = toml(feeds[0] if len(feeds) == 1 else list(feeds))
    line = f"{key_part(symbol)} = {{ feed = {named}, allow_negative = true }}"
    return f"if it can be that low (a rate, a spread, power), say so in its line: {line}"


def _template(error: Exception, has_secrets: bool) -> str:
    if isinstance(error, BudgetSpent):
        return "wait so long, or raise budget in {feed} if your plan has more"
    if not isinstance(error, FeedError):
        return OF_FAULT["slow"]
    if error.fault == "certificate":
        return next((cure for words, cure in OF_CERTIFICATE.items() if words in str(error).lower()), OF_FAULT["certificate"])
    if error.fault is not None:
        return OF_FAULT[error.fault]
    if error.rejects_symbol:
        return UNKNOWN_SYMBOL
    if error.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) and not has_secrets:
        return KEYLESS
    if error.status is not None and error.status >= 500:
        return SERVER_ERROR
    return OF_STATUS.get(error.status or 0, ELSE)
