"""REST with tokens: who is let in to which path, and what a token for some symbols shows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from werkzeug.test import TestResponse

from tests.web.relaying import Relaying, relaying
from ticker.errors import FeedError
from ticker.settings.reload import Reload
from web.auth.identity import ANYBODY, Identity, Unauthorized
from web.auth.throttle import MOST_FAILURES
from web.auth.tokens import WrongToken
from web.auth.visible import NOT_TOLD

SYMBOLS = ["BTC-USD", "BTC-EUR", "SECRET/ONE", "SECRETTWO"]
DATA = ["/api/symbols", "/api/quotes", "/api/quotes?symbols=BTC-USD", "/api/quotes/BTC-USD", "/api/quotes/NOPE", "/api/sparkline",
        "/api/candles/BTC-USD", "/api/status", "/api/nothing", "/api/"]  # fmt: skip


class Names:
    """Whose token is a name."""

    def verify(self, token: str) -> Identity:
        """`all` sees everything, `some` what begins with BTC-, `none` nothing."""
        known = {"all": ANYBODY, "some": Identity(symbols=("BTC-*",)), "none": Identity(symbols=())}
        if token == "old":
            raise Unauthorized("the token has expired")
        if token not in known:
            raise WrongToken("the token is wrong")
        return known[token]


@pytest.fixture
def running() -> Iterator[Relaying]:
    """A server that asks for one of those names, with a price of every symbol."""
    with relaying(
        SYMBOLS, dict.fromkeys(SYMBOLS, 1.5), verifier=Names(), trusted_proxies=["127.0.0.1"], server={"metrics": "open"}
    ) as core:
        core.wait("SECRETTWO")
        yield core


def get(running: Relaying, path: str, token: str | None = None, address: str = "192.0.2.1") -> TestResponse:
    """One request with this token, of a client behind the proxy."""
    headers = {"X-Forwarded-For": address} | ({} if token is None else {"Authorization": f"Bearer {token}"})
    return running.http.get(path, headers=headers)


@pytest.mark.parametrize("path", DATA)
@pytest.mark.parametrize("token", [None, "wrong", "old", ""])
def test_no_data_without_a_token(running: Relaying, path: str, token: str | None) -> None:
    """401 with a challenge, whether or not there is anything there; not one symbol in the answer."""
    answer = get(running, path, token)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="tickercast"')
    assert answer.get_json()["error"]["code"] == "unauthorized"
    assert not any(symbol in answer.text for symbol in SYMBOLS)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_need_none(running: Relaying, path: str) -> None:
    """Whatever they send."""
    assert get(running, path).status_code == get(running, path, "wrong").status_code == 200


def test_a_preflight_needs_none(running: Relaying) -> None:
    """Browsers send no credentials with it."""
    assert running.http.options("/api/quotes").status_code == 200


def test_a_token_in_an_address_is_no_token(running: Relaying) -> None:
    """Not alone, and not beside a good one."""
    assert get(running, "/api/quotes?token=all").status_code == 401
    assert get(running, "/api/quotes?access_token=all&symbols=BTC-USD", "all").status_code == 401


def test_with_a_token_everything_is_as_without_auth(running: Relaying) -> None:
    """All symbols; and no cache keeps it for somebody else."""
    answer = get(running, "/api/quotes", "all")
    assert [quote["symbol"] for quote in answer.get_json()["quotes"]] == SYMBOLS
    assert (answer.cache_control.private, "Authorization" in answer.vary) == (True, True)
    assert get(running, "/api/quotes/NOPE", "all").status_code == 404
    assert "bad_ticks" in get(running, "/api/status", "all").get_json()


def test_a_token_for_some_symbols_shows_no_others(running: Relaying) -> None:
    """Not their prices, not their names, not that there are any: an unknown one is as forbidden as one that is known."""
    running.prices["SECRETTWO"] = FeedError("no such product: SECRETTWO", rejects_symbol=True)
    running.core.report_reload(Reload(False, 1, 'symbols."SECRET/ONE": there is no such feed'))
    seen = [
        get(running, path, "some")
        for path in ("/api/symbols", "/api/quotes", "/api/sparkline", "/api/status", "/api/quotes/BTC-USD", "/api/candles/BTC-EUR")
    ]
    assert [answer.status_code for answer in seen] == [200] * 6
    assert not any("SECRET" in answer.text for answer in seen)
    assert [entry["symbol"] for entry in seen[0].get_json()["symbols"]] == ["BTC-USD", "BTC-EUR"]
    assert [quote["symbol"] for quote in seen[1].get_json()["quotes"]] == ["BTC-USD", "BTC-EUR"]
    assert seen[3].get_json()["last_reload"]["error"] == NOT_TOLD
    some = get(running, "/api/quotes?symbols=BTC-USD,SECRETTWO,NOPE", "some").get_json()
    assert ([quote["symbol"] for quote in some["quotes"]], some["unknown"]) == (["BTC-USD"], ["SECRETTWO", "NOPE"])
    for symbol in ("SECRET/ONE", "SECRETTWO", "NOPE", "btc-usd"):
        for path in ("quotes", "candles"):
            answer = get(running, f"/api/{path}/{symbol}", "some")
            assert (answer.status_code, answer.get_json()["error"]["code"]) == (403, "unauthorized")
    assert get(running, "/api/quotes", "none").get_json()["quotes"] == []


def test_figures_of_everything_are_for_who_may_see_everything(running: Relaying) -> None:
    """`/metrics` names all symbols."""
    assert get(running, "/metrics").status_code == 401
    assert get(running, "/metrics", "some").status_code == 403
    assert get(running, "/metrics", "all").status_code == 200


def test_guessing_is_throttled_by_the_clients_address(running: Relaying) -> None:
    """Not by the proxy's, behind which the others are."""
    for number in range(MOST_FAILURES):
        assert get(running, "/api/quotes", f"guess{number}").status_code == 401
    answer = get(running, "/api/quotes", "all")
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (429, "too_many_requests")
    assert 50 <= int(answer.headers["Retry-After"]) <= 60
    assert get(running, "/api/quotes", "all", address="192.0.2.2").status_code == 200
    assert get(running, "/healthz", "all").status_code == 200
