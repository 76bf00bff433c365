"""REST on the wire, where a path is bytes; and who may connect from which origin, on every entrance."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.quote_checks import check_quote
from tests.e2e.raw import POLLING, WEBSOCKET, RawPolling, RawSocket
from tests.e2e.server import RunningServer, serving

LISTED = "https://app.example"
SETTINGS = (
    f"""
[server]
allowed_origins = ["{LISTED}"]

[feeds.sim]
kind = "simulated"
interval_s = 0.1

[feeds.later]
kind = "coinbase"
base_url = "http://127.0.0.1:1"

[symbols]
"""
    + "\n".join(f'"{symbol}" = {{ feed = "sim" }}' for symbol in ("ACME", "BTC/USD", "^GSPC", "EURUSD=X", "A+B"))
    + """
LATER-USD = { feed = "later" }
"""
)


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """A relay that a page of another origin may use."""
    with serving(SETTINGS) as running:
        client = RawSocket(running.address)
        client.join("/ACME")
        client.quote("ACME")
        client.close()
        yield running


@pytest.mark.parametrize(("path", "symbol"), [
    ("ACME", "ACME"), ("%41CME", "ACME"), ("BTC/USD", "BTC/USD"), ("BTC%2FUSD", "BTC/USD"), ("BTC%2fUSD", "BTC/USD"),
    ("^GSPC", "^GSPC"), ("%5EGSPC", "^GSPC"), ("EURUSD=X", "EURUSD=X"), ("EURUSD%3DX", "EURUSD=X"), ("A+B", "A+B"), ("A%2BB", "A+B"),
    ("ACME?x=1", "ACME"),
])  # fmt: skip
def test_a_path_is_decoded_once(server: RunningServer, path: str, symbol: str) -> None:
    """Whatever a client percent-encodes, and whatever it does not; a plus sign is one."""
    answer = server.get(f"/api/quotes/{path}")
    assert answer.status == 200
    check_quote(answer.json, symbol)


@pytest.mark.parametrize("path", ["BTC%252FUSD", "%255EGSPC", "A%20B", "NOPE", "acme", "BTC//USD", "ACME%00", "%FF%FE", "ACME/.."])
def test_what_is_decoded_once_is_not_decoded_twice(server: RunningServer, path: str) -> None:
    """Anything else is another symbol, and unknown."""
    answer = server.get(f"/api/quotes/{path}")
    assert (answer.status, answer.json["error"]["code"]) == (404, "unknown_symbol")


def test_what_can_not_be_reached_has_no_price_yet(server: RunningServer) -> None:
    """Its feed is tried again and again; the symbol is there, its price is not."""
    assert server.get("/api/quotes/LATER-USD").json["error"]["code"] == "no_price_yet"
    answer = server.get("/api/quotes?symbols=LATER-USD,NOPE,A+B").json
    assert ([quote["symbol"] for quote in answer["quotes"]], answer["unknown"]) == (["A+B"], ["NOPE"])
    assert server.get("/readyz").status == 200


def test_a_tag_spares_the_body(server: RunningServer) -> None:
    """Over a real connection: 304 has no body, and the connection goes on."""
    first = server.get("/api/symbols")
    again = server.get("/api/symbols", {"If-None-Match": first.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    head = server.get("/api/symbols", method="HEAD")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(first.body)))


@pytest.mark.parametrize("transport", ["websocket", "polling"])
@pytest.mark.parametrize(("origin", "welcome"), [
    (None, True), ("same", True), (LISTED, True), ("null", False), ("http://evil.example", False),
    ("https://app.example.evil.example", False), ("http://127.0.0.1", False), ("https://same", True),
])  # fmt: skip
def test_who_may_connect(server: RunningServer, transport: str, origin: str | None, welcome: bool) -> None:
    """No origin (a program), our own, with TLS before us too, those that are listed; nobody else, on either transport."""
    own = server.url if origin != "https://same" else server.url.replace("http:", "https:")
    headers = {} if origin is None else {"Origin": own if "same" in origin else origin}
    if transport == "polling":
        answer = server.get(POLLING, headers)
        assert answer.status == (200 if welcome else 400)
        assert answer.headers.get("access-control-allow-origin") == (headers.get("Origin") if welcome else None)
    elif welcome:
        RawSocket(server.address, headers=[(b"Origin", value.encode()) for value in headers.values()]).close()
    else:
        with pytest.raises(ConnectionRefusedError, match="400"):
            RawSocket(server.address, headers=[(b"Origin", value.encode()) for value in headers.values()])


def test_a_session_is_of_no_use_to_another_origin(server: RunningServer) -> None:
    """Whoever learns its id can neither read nor write nor upgrade it from a page elsewhere; its owner goes on."""
    client = RawPolling(server.address)
    evil = {"Origin": "http://evil.example"}
    assert client.request("GET", client.target, headers=evil)[0] == 400
    assert client.request("POST", client.target, "40", evil)[0] == 400
    with pytest.raises(ConnectionRefusedError, match="400"):
        RawSocket(server.address, f"{WEBSOCKET}&sid={client.opening['sid']}", [(b"Origin", b"http://evil.example")])
    assert client.post("40/ACME,") == 200
    assert client.wait('42/ACME,["quote",')


def test_a_preflight_of_the_wire(server: RunningServer) -> None:
    """A page that polls from a listed origin is allowed its POST, another one is not."""
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    allowed = server.get(POLLING, {"Origin": LISTED, **asked}, "OPTIONS")
    assert (allowed.status, allowed.headers["access-control-allow-origin"]) == (200, LISTED)
    assert "POST" in allowed.headers["access-control-allow-methods"]
    assert server.get(POLLING, {"Origin": "http://evil.example", **asked}, "OPTIONS").status == 400


def test_everybody_is_welcome_where_the_settings_say_so() -> None:
    """`"*"`, which must be asked for."""
    with serving(SETTINGS.replace(LISTED, "*")) as server:
        answer = server.get(POLLING, {"Origin": "http://any.example"})
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, "http://any.example")
        assert server.get("/api/quotes", {"Origin": "null"}).headers["access-control-allow-origin"] == "null"
        RawSocket(server.address, headers=[(b"Origin", b"null")]).close()


def test_without_a_list_only_the_own_origin_is_welcome() -> None:
    """The default: an empty list is no open door."""
    with serving(SETTINGS.replace(f'"{LISTED}"', "")) as server:
        assert server.get(POLLING, {"Origin": server.url}).status == 200
        for origin in (LISTED, "null", "http://localhost", server.url + ".evil.example"):
            assert server.get(POLLING, {"Origin": origin}).status == 400
            with pytest.raises(ConnectionRefusedError, match="400"):
                RawSocket(server.address, headers=[(b"Origin", origin.encode())])
