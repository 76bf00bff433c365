"""What a request passes before the application, on the wire."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conformance.peer import HANDSHAKE, Address, Connection, Response
from tests.web.relaying import Relaying, relaying
from web.auth.tokens import TokenVerifier
from web.http import entrance
from web.http.entrance import is_counted

TOKEN = "correct-horse-battery"


def asked(core: Relaying, target: str, method: str = "GET", **headers: str) -> Response:
    """One request; in the names of headers `_` stands for `-`."""
    with Connection(Address(*core.address)) as connection:
        connection.request(method, target, {"Host": "localhost", **{name.replace("_", "-"): value for name, value in headers.items()}})
        return connection.response()


@pytest.fixture
def running() -> Iterator[Relaying]:
    """A server with a price, at this machine's own names."""
    with relaying(["ACME"], {"ACME": 1.0}, limits={"http_requests_per_s": 5}, allowed_origins=["https://friend.example"]) as core:
        core.wait("ACME")
        yield core


@pytest.mark.parametrize("target", ["/api/quotes", "/metrics", "/healthz", "/", "/nothing", "/socket.io/?EIO=4&transport=polling"])
def test_a_name_that_is_not_ours_is_not_answered(running: Relaying, target: str) -> None:
    """421, whatever is asked for, and nobody else's page may read even that."""
    answer = asked(running, target, Host="evil.example", Origin="http://evil.example")
    assert answer.status == 421
    assert b"ACME" not in answer.body
    assert asked(running, target, Host="friend.example").status != 421


def test_the_log_tells_at_debug_what_was_refused(running: Relaying, caplog: pytest.LogCaptureFixture) -> None:
    """One line a request, without what may be a secret; what is answered well is not worth a line."""
    asked(running, "/api/quotes/NOPE;token=hunter2?token=hunter2")
    assert caplog.messages == [], "not in the log otherwise"
    caplog.set_level("DEBUG", "web.http")
    asked(running, "/api/quotes")
    asked(running, "/api/quotes/NOPE;token=hunter2?token=hunter2")
    asked(running, "/nothing;token=hunter2")
    assert caplog.messages == [
        "GET /api/quotes from 127.0.0.1 is answered with 404 NOT FOUND",
        "GET /nothing from 127.0.0.1 is answered with 404 NOT FOUND",
    ]


def test_the_log_tells_at_debug_what_took_long(
    running: Relaying, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But not of long polling, which waits for something to happen."""
    caplog.set_level("DEBUG", "web.http")
    monkeypatch.setattr(entrance, "LATE_S", 0.0)
    asked(running, "/healthz")
    asked(running, "/socket.io/?EIO=4&transport=polling")
    (line,) = caplog.messages
    assert line.startswith("GET /healthz from 127.0.0.1 took ")


def test_a_page_of_somebody_else_opens_no_session(running: Relaying) -> None:
    """An image that leads here carries no Origin, but the browser says where it stands."""
    target = "/socket.io/?EIO=4&transport=polling"
    assert asked(running, target, Sec_Fetch_Site="cross-site").status == 403
    assert asked(running, target, Sec_Fetch_Site="cross-site", Origin="https://friend.example").status == 200
    for site in ("same-origin", "none"):
        assert asked(running, target, Sec_Fetch_Site=site).status == 200
    with Connection(Address(*running.address)) as connection:
        connection.request(
            "GET", "/socket.io/?EIO=4&transport=websocket", {**HANDSHAKE, "Host": "localhost", "Sec-Fetch-Site": "cross-site"}
        )
        assert connection.response().status == 403


def test_a_page_of_somebody_else_wakes_no_feed(running: Relaying, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the first answer nor one that stands ready counts as somebody's interest."""
    read: list[Any] = []
    monkeypatch.setattr(running.core.watching, "read", read.append)
    monkeypatch.setattr(running.server._entrance._cache, "_read", read.append)
    for _ in range(2):
        assert asked(running, "/api/quotes", Sec_Fetch_Site="cross-site").status == 200
        assert asked(running, "/api/quotes/ACME", Sec_Fetch_Site="cross-site").status == 200
    assert read == []
    assert asked(running, "/api/quotes?symbols=ACME", Sec_Fetch_Site="same-origin").status == 200
    assert read == [["ACME"]]


def test_too_many_requests_of_one_address(running: Relaying) -> None:
    """429 and when to come again, in the shape of all errors; other addresses and what is not limited go on."""
    with Connection(Address(*running.address)) as connection:
        statuses = []
        for _ in range(30):
            connection.request("GET", "/api/quotes", {"Host": "localhost", "Origin": "https://friend.example"})
            answer = connection.response()
            statuses.append(answer.status)
        assert statuses.count(200) >= 10
        assert answer.status == 429
        assert answer.headers["retry-after"] == "1"
        assert answer.headers["access-control-allow-origin"] == "https://friend.example"
        assert b'"code":"too_many_requests"' in answer.body
        for target, status in (("/healthz", 200), ("/readyz", 200), ("/socket.io/?EIO=4&transport=polling", 200), ("/assets/x.js", 404)):
            connection.request("GET", target, {"Host": "localhost"})
            assert connection.response().status == status
    with socket.socket() as other:
        other.bind(("127.0.0.2", 0))
        other.connect(running.address)
        other.sendall(b"GET /api/quotes HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert other.recv(100).startswith(b"HTTP/1.1 200")


def test_behind_a_proxy_each_client_counts_for_itself() -> None:
    """And the proxy for nobody."""
    with relaying(["ACME"], {}, limits={"http_requests_per_s": 1}, trusted_proxies=["127.0.0.1"]) as core:
        statuses = {
            client: [asked(core, "/api/status", **({"X_Forwarded_For": client} if client else {})).status for _ in range(8)]
            for client in ("192.0.2.1", "192.0.2.2", "")
        }
    assert statuses["192.0.2.1"][:2] == statuses["192.0.2.2"][:2] == [200, 200]
    assert 429 in statuses["192.0.2.1"]
    assert 429 in statuses["192.0.2.2"]
    assert statuses[""] == [200] * 8


@pytest.mark.parametrize(("path", "counted"), [
    ("/api/quotes", True), ("/api/nothing", True), ("/metrics", True), ("/openapi.json", True), ("/nothing", True),
    ("/api/quotes/A.B", True),
    ("/", False), ("/embed", False), ("/tape", False), ("/assets/main-x.js", False), ("/sw.js", False), ("/favicon.svg", False),
    ("/healthz", False), ("/readyz", False), ("/socket.io/", False), ("/socket.io", False), ("/ws", False), ("/socket.io.evil/x", True)
])  # fmt: skip
def test_what_is_counted(path: str, counted: bool) -> None:
    """What costs something and is not limited otherwise."""
    assert is_counted(path) is counted


@pytest.mark.parametrize("target", ["//metrics", "//api/quotes", "/%2Fmetrics", "/%2F/metrics", "///"])
def test_a_path_has_one_spelling(running: Relaying, target: str) -> None:
    """What a rule of somebody before us would not match is not found."""
    assert asked(running, target).status == 404


def test_who_may_not_read_gets_nothing_that_stands_ready() -> None:
    """The same check before what is kept and what is made; each sees what he may."""
    with relaying(["ACME"], {"ACME": 1.0}, verifier=TokenVerifier([TOKEN])) as core:
        core.wait("ACME")
        for target in ("/api/quotes", "/api/status", "/api/symbols", "/api/sparkline", "/api/candles/ACME", "/metrics"):
            for _ in range(2):
                answer = asked(core, target, Authorization=f"Bearer {TOKEN}")
                assert (answer.status, "authorization" in answer.headers["vary"].lower()) == (200, True)
                assert "private" in answer.headers["cache-control"]
                refused = asked(core, target)
                assert (refused.status, refused.headers["www-authenticate"]) == (401, 'Bearer realm="tickercast"')
                assert b"ACME" not in refused.body


@pytest.mark.parametrize("target", ["/api/quotes", "/api/status", "/metrics"])
def test_a_page_may_read_what_stands_ready_if_it_may_connect(running: Relaying, target: str) -> None:
    """As it may what is made for it."""
    for origin, may_read in (("https://friend.example", True), ("https://evil.example", False)):
        answers = [asked(running, target, Origin=origin) for _ in range(2)]
        assert answers[0].headers.keys() == answers[1].headers.keys()
        assert ("access-control-allow-origin" in answers[0].headers) is may_read
        assert answers[0].headers["vary"].lower().count("origin") == 1


def test_what_stands_ready_is_an_answer_like_any_other(running: Relaying) -> None:
    """HEAD has the headers of GET, and who has it already is told so."""
    kept = asked(running, "/api/symbols")
    head = asked(running, "/api/symbols", "HEAD")
    assert (head.body, head.headers["content-length"], head.headers["etag"]) == (b"", kept.headers["content-length"], kept.headers["etag"])
    assert asked(running, "/api/symbols", If_None_Match=kept.headers["etag"]).status == 304
