"""A server that asks for tokens, and clients that were not written here: let in, refused, changed over, sent away."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import jwt
import pytest
import socketio

from tests.e2e.clients import NodeClient, NodeDriver, PythonClient
from tests.e2e.raw import RawSocket
from tests.e2e.server import PATIENCE_S, RunningServer, run, serving
from tests.e2e.waiting import wait

SETTINGS = """
[server]
AUTH

[feeds.sim]
kind = "simulated"
interval_s = 0.1

[symbols]
ACME = { feed = "sim" }
"BTC-USD" = { feed = "sim" }
"BTC-EUR" = { feed = "sim" }
"""
TOKEN, NEXT, OTHER = "canary-horse-battery-staple", "next-horse-battery-staple", "other-horse-battery-staple"
SECRET = "a secret that two parties share!"
TRANSPORTS = pytest.mark.parametrize("transports", [["websocket"], ["polling"], ["polling", "websocket"]])


def with_tokens() -> str:
    """Settings that ask for a token."""
    return SETTINGS.replace("AUTH", 'auth = "token"')


def with_jwt() -> str:
    """Settings that ask for a signed one."""
    return SETTINGS.replace("AUTH", 'auth = "jwt"\njwt_issuer = "issuer"')


def signed(lasts_s: float = 600, **claims: Any) -> str:
    """A token that the server takes."""
    return jwt.encode({"iss": "issuer", "aud": "tickercast", "exp": time.time() + lasts_s, **claims}, SECRET, "HS256")


def bearer(token: str) -> dict[str, str]:
    """The header."""
    return {"Authorization": f"Bearer {token}"}


def status(server: RunningServer, token: str) -> int:
    """What REST answers to the bearer of `token`."""
    return server.get("/api/quotes", bearer(token)).status


@pytest.fixture(scope="module")
def signing() -> Iterator[RunningServer]:
    """A server that asks for a signed token."""
    with serving(with_jwt(), variables={"SERVER__JWT_KEY": SECRET}) as running:
        yield running


@TRANSPORTS
def test_the_official_libraries_are_let_in_or_refused(driver: NodeDriver, transports: list[str]) -> None:
    """Both of them, by a server of each transport: guesses of one address are counted."""
    with serving(with_tokens(), variables={"SERVER__TOKENS": f"{OTHER},{TOKEN}"}) as server:
        check_node(driver, server, transports)
        check_python(server, transports)


def check_node(driver: NodeDriver, server: RunningServer, transports: list[str]) -> None:
    """socket.io-client with its `auth`: quotes on every namespace; without, or with a wrong one, a `connect_error` with the code."""
    good = driver.open(server.url, ["/", "/ACME"], transports, auth={"token": TOKEN})
    assert good.received.wait("/ACME", "quote").payload["symbol"] == "ACME"
    assert [entry["symbol"] for entry in good.received.wait("/", "symbols").payload] == ["ACME", "BTC-USD", "BTC-EUR"]
    assert good.call("subscribe", {"symbols": "*"})["ok"]
    for auth in ({}, {"token": "wrong"}, {"token": None}, {"token": 5}):
        bad = driver.open(server.url, ["/", "/ACME", "/NOPE"], transports, auth=auth)
        for namespace, symbol in (("/", ""), ("/ACME", "ACME"), ("/NOPE", "NOPE")):
            assert bad.received.wait(namespace, "connect_error").payload["data"] == {"code": "unauthorized", "symbol": symbol}
        assert bad.received.count("quote") + bad.received.count("hello") + bad.received.count("connect") == 0


def check_python(server: RunningServer, transports: list[str]) -> None:
    """python-socketio with its `auth`, and its headers."""
    for how in ({"auth": {"token": TOKEN}}, {"headers": bearer(TOKEN)}):
        received: list[Any] = []
        client = socketio.Client(reconnection=False, request_timeout=PATIENCE_S)
        client.on("quote", received.append, namespace="/ACME")
        client.connect(server.url, namespaces=["/ACME"], transports=transports, wait_timeout=PATIENCE_S, **how)
        while not received:
            client.sleep(0.01)
        client.disconnect()
    for how in ({}, {"auth": {"token": "wrong"}}, {"headers": bearer("wrong")}):
        refused = socketio.Client(reconnection=False, request_timeout=PATIENCE_S)
        with pytest.raises(socketio.exceptions.ConnectionError):
            refused.connect(server.url, namespaces=["/ACME"], transports=transports, wait_timeout=PATIENCE_S, **how)


def test_a_token_changes_and_nobody_is_dropped(tmp_path: Path) -> None:
    """SIGHUP reads the files again: old and new are good, then the new one alone. Who is connected stays, and gets quote after quote."""
    tokens, previous = tmp_path / "tokens", tmp_path / "previous"
    for file, content in ((tokens, TOKEN), (previous, OTHER)):
        file.touch(0o600)
        file.write_text(content + "\n")
    with serving(with_tokens(), variables={"SERVER__TOKENS_FILE": str(tokens), "SERVER__TOKENS_PREVIOUS_FILE": str(previous)}) as server:
        with closing(RawSocket(server.address)) as client:
            client.join("/ACME", TOKEN)
            seq = client.quote("ACME")["seq"]
            assert [status(server, token) for token in (TOKEN, OTHER, NEXT)] == [200, 200, 401]
            tokens.write_text(NEXT)
            previous.write_text(TOKEN)
            server.process.send_signal(signal.SIGHUP)
            server.wait_log("settings applied: secrets server.tokens, server.tokens_previous")
            assert [status(server, token) for token in (TOKEN, OTHER, NEXT)] == [200, 401, 200]
            previous.write_text(NEXT)
            server.process.send_signal(signal.SIGHUP)
            server.wait_log("settings applied: secrets server.tokens_previous")
            assert [status(server, token) for token in (TOKEN, OTHER, NEXT)] == [401, 401, 200]
            tokens.chmod(0o644)
            server.process.send_signal(signal.SIGHUP)
            server.wait_log("settings not applied.*others can read that file")
            assert [status(server, token) for token in (TOKEN, NEXT)] == [401, 200]
            for _ in range(30):
                assert seq < (seq := client.quote("ACME")["seq"])
            assert client.join("/BTC-USD").startswith("40"), "who it was when it came, it still is"
        assert server.get("/api/status", bearer(NEXT)).json["last_reload"]["ok"] is False
        assert not any(token in "\n".join(server.log) for token in (TOKEN, NEXT, OTHER))


def let_in(client: NodeClient) -> bool:
    """Whether it was, once that is known."""
    client.received.wait_until(lambda: client.received.has("/ACME", "quote", "connect_error"), "neither let in nor refused")
    return client.received.has("/ACME", "quote")


def test_a_signed_token_ends_and_the_socket_with_it(signing: RunningServer, driver: NodeDriver) -> None:
    """At its end and not before, with a reason; with the same one it does not come back, with a new one it does."""
    server = signing
    for lasts_s in (2.0, 10.0, 50.0):  # long enough for all of them to come in, however busy the machine is
        token, made_s = signed(lasts_s), time.time()
        client = driver.open(server.url, ["/", "/ACME"], ["websocket"], auth={"token": token})
        polling = driver.open(server.url, ["/ACME"], ["polling"], auth={"token": token})
        with closing(RawSocket(server.address)) as raw:
            came_in = raw.join("/ACME", token).startswith("40") and raw.join("/", token).startswith("40")
            came_in = came_in and all(let_in(one) for one in (client, polling))
            if came_in:
                ended = raw.closing()
                break
    assert time.time() >= made_s + lasts_s
    assert (ended.code, ended.reason) == (4008, "token_expired")
    for one in (client, polling):
        one.received.wait("/ACME", "disconnect")
    client.received.wait("/", "disconnect")
    again = driver.open(server.url, ["/ACME"], ["websocket"], auth={"token": token})
    assert again.received.wait("/ACME", "connect_error").payload == {
        "message": "the token has expired",
        "data": {"code": "unauthorized", "symbol": "ACME"},
    }
    assert server.get("/api/quotes", bearer(token)).status == 401
    fresh = driver.open(server.url, ["/ACME"], ["websocket"], auth={"token": signed()})
    fresh.received.wait("/ACME", "quote")


def test_a_signed_token_for_some_symbols(signing: RunningServer, driver: NodeDriver) -> None:
    """What it does not name is refused everywhere, and named nowhere."""
    server = signing
    token = signed(symbols=["BTC-*"], max_hz=2)
    client = driver.open(server.url, ["/", "/BTC-USD", "/ACME"], ["websocket"], auth={"token": token})
    assert client.received.wait("/ACME", "connect_error").payload["data"] == {"code": "unauthorized", "symbol": "ACME"}
    client.received.wait("/BTC-USD", "quote")
    assert [entry["symbol"] for entry in client.received.wait("/", "symbols").payload] == ["BTC-USD", "BTC-EUR"]
    answer = client.call("subscribe", {"symbols": ["ACME", "BTC-EUR"], "max_hz": 20})
    assert (answer["subscribed"], answer["refused"], answer["max_hz"]) == (["BTC-EUR"], {"ACME": "unauthorized"}, 2)
    assert server.get("/api/quotes/ACME", bearer(token)).status == 403
    assert [quote["symbol"] for quote in server.get("/api/quotes", bearer(token)).json["quotes"]] == ["BTC-USD", "BTC-EUR"]
    assert b"ACME" not in server.get("/api/status", bearer(token)).body


def test_a_token_in_an_address_is_refused_and_never_logged() -> None:
    """Not even where everything is."""
    with serving(with_tokens(), "--log-level", "debug", variables={"SERVER__TOKENS": TOKEN}) as server:
        for path in ("/api/quotes?", "/socket.io/?EIO=4&transport=polling&"):
            assert server.get(f"{path}token={TOKEN}").status == 401
        with pytest.raises(ConnectionRefusedError):
            RawSocket(server.address, f"/socket.io/?EIO=4&transport=websocket&token={TOKEN}")
        with pytest.raises(socketio.exceptions.ConnectionError):
            PythonClient(f"{server.url}?token={TOKEN}", ["/ACME"])
    assert TOKEN not in "\n".join(server.log)


def test_guessing_is_throttled() -> None:
    """The 21st guess of a minute at the latest is not looked at, nor is the right token from that address."""
    with serving(with_tokens(), variables={"SERVER__TOKENS": TOKEN}) as server:
        assert {status(server, f"guess {number}") for number in range(20)} == {401}
        while status(server, "one more") != 429:
            pass  # where guesses take their time, one more is allowed every three seconds
        while (refused := server.get("/api/quotes", bearer(TOKEN))).status != 429:
            status(server, "and another")
        assert 0 < int(refused.headers["retry-after"]) <= 60
        assert server.get("/healthz").status == 200
        assert len(wait(lambda: server.lines("too many wrong tokens from 127.0.0.1"))) == 1


@pytest.mark.parametrize(("host", "settings", "variables", "warned"), [
    ("0.0.0.0", SETTINGS.replace("AUTH", ""), {}, 1), ("127.0.0.1", SETTINGS.replace("AUTH", ""), {}, 0),
    ("localhost", SETTINGS.replace("AUTH", ""), {}, 0), ("0.0.0.0", with_tokens(), {"SERVER__TOKENS": TOKEN}, 0),
])  # fmt: skip
def test_a_door_that_stands_open_is_mentioned_once(host: str, settings: str, variables: Mapping[str, str], warned: int) -> None:
    """Where others than this machine reach the address, and nobody is asked who he is."""
    with serving(settings, "--host", host, variables=variables) as server:
        server.process.send_signal(signal.SIGHUP)
        server.wait_log("settings applied")
        assert len(server.lines(r'WARNING.*server\.auth is "none"')) == warned
        assert len(server.lines("WARNING")) == warned


def test_without_its_token_it_does_not_start(tmp_path: Path) -> None:
    """The error names the variable, and `validate` says the same."""
    config = tmp_path / "settings.toml"
    config.write_text(with_tokens())
    for command in ("serve", "validate"):
        failed = run(command, "--config", str(config))
        assert (failed.returncode, "TICKERCAST_SERVER__TOKENS" in failed.stderr) == (2, True)
    config.write_text(with_jwt().replace("jwt_issuer", 'jwt_algorithm = "EdDSA"\njwt_issuer'))
    broken = tmp_path / "key"
    broken.touch(0o600)
    broken.write_text("-----BEGIN PUBLIC KEY-----\nrubbish\n-----END PUBLIC KEY-----\n")
    for command in ("serve", "validate"):
        failed = run(command, "--config", str(config), variables={"SERVER__JWT_KEY_FILE": str(broken)})
        assert (failed.returncode, "server.jwt_key" in failed.stderr, "rubbish" in failed.stderr) == (2, True, False)


def test_the_page_is_reachable_and_its_data_is_not_whatever_a_reload_says() -> None:
    """Static files are the same for everybody. A key of `[server]` that does not fit is an error like any other, which names no secret: the
    old settings go on, and the door stays locked.
    """
    with serving(with_tokens(), headless=False, variables={"SERVER__TOKENS": TOKEN}) as server:
        page = server.get("/")
        assert (page.status, b"<html" in page.body) == (200, True)
        assert server.get("/api/symbols").status == 401
        server.edit(lambda text: text.replace('auth = "token"', 'auth = "none"'))
        server.wait_log("settings not applied.*server.tokens: is set")
        assert server.get("/api/quotes").status == 401
        told = json.dumps(server.get("/api/status", bearer(TOKEN)).json)
        assert TOKEN not in told + "\n".join(server.log)
