"""Whoever is not let in is told why in a way that programs and pages can read, and the log has a line a minute with the cure."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conformance.peer import Address, Connection, Response
from tests.web.relaying import Relaying, relaying
from web.auth.tokens import TokenVerifier
from web.refusals import SAY_EVERY_S, Reason, Refusals

ROOT = Path(__file__).parents[2]
POLLING, WEBSOCKET = "/socket.io/?EIO=4&transport=polling", "/socket.io/?EIO=4&transport=websocket"
UPGRADE = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}

WIRE: dict[str, tuple[str, dict[str, str], int, int, str]] = {
    "another page": (POLLING, {"Origin": "https://q.example"}, 400, 4, "origin_not_allowed"),
    "another page's WebSocket": (WEBSOCKET, {"Origin": "https://q.example", **UPGRADE}, 400, 4, "origin_not_allowed"),
    "a small device": (POLLING, {"Origin": "file://"}, 400, 4, "origin_not_allowed"),
    "a picture on another page": (POLLING, {"Sec-Fetch-Site": "cross-site"}, 403, 4, "cross_site"),
    "a client of old": ("/socket.io/?EIO=3&transport=polling", {}, 400, 5, "unsupported_version"),
    "without its slash": ("/socket.io?EIO=3&transport=polling", {}, 400, 5, "unsupported_version"),
    "another transport": ("/socket.io/?EIO=4&transport=webtransport", {}, 400, 0, "unknown_transport"),
    "another relay's session": (f"{POLLING}&sid=x", {}, 400, 1, "unknown_session"),
    "a proxy that passes no Upgrade on": (WEBSOCKET, {}, 400, 3, "bad_websocket"),
    "another name": (POLLING, {"Host": "q.example"}, 421, 4, "unknown_host"),
    "a wrong token": (POLLING, {"Authorization": "Bearer wrong-token-of-some-length"}, 401, 4, "unauthorized"),
    "headers of others": (POLLING, {"X": "x" * 20_000}, 431, 3, "headers_too_big"),
    "more headers than a request may have": (POLLING, {"X": "x" * 40_000}, 431, 3, "headers_too_big"),
    "no request": (POLLING, {"Content-Length": "-1"}, 400, 3, "bad_request"),
}


@pytest.fixture(scope="module")
def running() -> Iterator[Relaying]:
    """A relay at this machine's own names that asks for a token."""
    with relaying(["ACME"], {}, verifier=TokenVerifier(["correct-horse-battery"])) as core:
        yield core


def asked(core: Relaying, target: str, headers: dict[str, str]) -> Response:
    """The answer, which may come before the question was taken in whole."""
    with Connection(Address(*core.address)) as connection:
        with suppress(ConnectionError):
            connection.request("GET", target, {"Host": "localhost", **headers})
        return connection.response()


@pytest.mark.parametrize("what", WIRE)
def test_every_refusal_says_why(running: Relaying, what: str) -> None:
    """In the shape of Engine.IO's own, with a word of ours; and it is counted under that word."""
    target, headers, status, code, word = WIRE[what]
    reason = next(reason for reason in Reason if reason.word == word)
    before = running.server.engine.refusals.counts[reason]
    answer = asked(running, target, headers)
    said = json.loads(answer.body)
    assert (answer.status, said["code"], said["reason"]) == (status, code, word)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert said["message"]
    assert running.server.engine.refusals.counts[reason] == before + 1


def test_without_its_slash_it_is_the_same_address(running: Relaying) -> None:
    """Some programs write it so."""
    assert asked(running, POLLING.replace("/?", "?"), {}).status == 200


def test_a_page_is_told_what_to_write(running: Relaying) -> None:
    """Its own origin in the line that lets it in, and what a proxy has to pass on."""
    said = json.loads(asked(running, POLLING, {"Origin": "https://q.example"}).body)["message"]
    assert 'server.allowed_origins = ["https://q.example"]' in said
    assert "proxy_set_header Host $http_host" in said


def test_a_line_a_minute_for_each_reason(caplog: pytest.LogCaptureFixture) -> None:
    """The first at once, then how many there were since; one reason does not silence another."""
    caplog.set_level(logging.INFO)
    now_s = 1000.0
    refusals = Refusals(lambda: now_s)
    for tenth in range(int(SAY_EVERY_S * 10) + 1):
        now_s = 1000 + tenth / 10
        refusals.note(Reason.ORIGIN, "192.0.2.1", "origin file:// is not allowed", 'server.allowed_origins = ["file://"] lets it in')
    refusals.note(Reason.VERSION, "192.0.2.2")
    refusals.note(Reason.METHOD, "192.0.2.4")
    origin = '(origin_not_allowed), the last from 192.0.2.1: origin file:// is not allowed; server.allowed_origins = ["file://"] lets it in'
    assert [record.message for record in caplog.records] == [
        f"refused 1 request {origin}",
        f"refused 600 requests {origin}",
        "refused 1 request (unsupported_version), the last from 192.0.2.2: unsupported Engine.IO version; clients must speak version 4: "
        "socket.io-client 3 or later, python-socketio 5 or later",
        "refused 1 request (bad_method), the last from 192.0.2.4: method not allowed",
    ]
    assert refusals.counts[Reason.ORIGIN] == 601


def test_every_reason_is_told() -> None:
    """In docs/protocol.md, with its status and Engine.IO's number."""
    page = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| (\d{3}) \| (\d) \| `(\w+)` \|", page, re.MULTILINE)
    assert sorted(told) == sorted((str(reason.status.value), str(reason.value[2]), reason.word) for reason in Reason)
