"""The board's own books, seen from inside while real clients come and go: who is on it, what is told to whom, what is forgotten."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.e2e.raw import RawPolling, RawSocket
from tests.web.relaying import PATIENCE_S, Relaying, relaying
from ticker.errors import FeedError
from ticker.settings.reload import Reload
from web.runtime import EventletRuntime

SYMBOLS = ["ACME", "BOLT", "CRUX"]


@pytest.fixture
def running() -> Iterator[Relaying]:
    """A relay with three symbols."""
    with relaying(SYMBOLS, {"ACME": 1.0, "BOLT": 2.0, "CRUX": 3.0}) as core:
        for symbol in SYMBOLS:
            core.wait(symbol)
        yield core


@pytest.fixture
def client(running: Relaying) -> Iterator[RawSocket]:
    """A member of the board that has read its greeting."""
    with closing(RawSocket(running.address)) as member:
        member.join("/")
        member.event("config")
        yield member


def wait_for(condition: Callable[[], bool]) -> None:
    """Let the server work until `condition` is true."""
    runtime = EventletRuntime()
    with runtime.deadline(PATIENCE_S):
        while not condition():
            runtime.sleep(0.001)


def test_members_that_leave_are_forgotten(running: Relaying) -> None:
    """By leaving the namespace, by saying good-bye, by hanging up, on either transport: nothing of them stays."""
    board, engine = running.server.board, running.server.engine
    leaver, polite, rude = (RawSocket(running.address) for _ in range(3))
    polling = RawPolling(running.address)
    for member in (leaver, polite, rude):
        member.join("/")
        member.ask("subscribe", {"symbols": "*"})
    polling.post("40")
    wait_for(lambda: len(board.members) == 4)
    leaver.send("41")
    wait_for(lambda: len(board.members) == 3)
    assert len(engine.clients) == 4
    polite.send("1")
    polling.post("1")
    rude.close()
    wait_for(lambda: not board.members)
    wait_for(lambda: len(engine.clients) == 1)
    assert len(engine.subscriptions.everything) == 0, "what the leaver had subscribed is given back too"
    assert leaver.join("/").startswith("40"), "it may come back"
    leaver.close()


def test_a_feed_that_fails_is_told_and_its_recovery(running: Relaying, client: RawSocket) -> None:
    """`feeds` when the state or the error changes; prices say `failed` and `fresh` by themselves."""
    client.join("/ACME")
    running.down = FeedError("no answer", payload=b"<html>")
    told = client.event("feeds")
    assert [(feed["state"], feed["error"]) for feed in told] == [("retrying", "no answer")]
    while told[0]["state"] != "down":
        told = client.event("feeds")
    running.down = None
    recovered = client.event("feeds")
    assert [(feed["state"], feed["error"]) for feed in recovered] == [("ok", None)]


def test_a_newcomer_is_told_what_is_true_now(running: Relaying, client: RawSocket) -> None:
    """State events are encoded once, and anew whenever they have changed."""
    running.core.report_reload(Reload(False, 1_700_000_000_000, "wrong"))
    assert client.event("config")["error"] == "wrong"
    running.core.configure(running.settings(["BOLT", "NEW"]))
    assert [entry["symbol"] for entry in client.event("symbols")] == ["BOLT", "NEW"]
    with closing(RawSocket(running.address)) as late:
        late.join("/")
        assert [entry["symbol"] for entry in late.event("symbols")] == ["BOLT", "NEW"]
        first = late.event("feeds")[0]["last_success"]
        assert late.event("config")["error"] == "wrong"
    running.prices["BOLT"] = 2.5
    running.wait("BOLT")
    with closing(RawSocket(running.address)) as later:
        later.join("/")
        assert later.event("feeds")[0]["last_success"] > first, "what changes without an event is told as it is now"


def test_a_beat_says_the_time(running: Relaying, client: RawSocket) -> None:
    """To every member, and to nobody else."""
    with closing(RawSocket(running.address)) as other:
        other.join("/ACME")
        other.quote("ACME")
        running.server.board.beat()
        assert client.event("beat").keys() == {"server_time"}
        running.prices["ACME"] = 1.5
        assert str(other.receive()).startswith('42/ACME,["quote",')


def test_the_library_emits_as_ever(running: Relaying, client: RawSocket) -> None:
    """Plain `socketio.emit` of other events: to the board, to a symbol's readers, to one client, with arguments and bytes."""
    socketio = running.server.socketio
    sid = json.loads(client.join("/ACME").removeprefix("40/ACME,"))["sid"]
    with closing(RawSocket(running.address)) as other:
        other.join("/ACME")
        socketio.emit("news", {"headline": "Grüße"})
        assert client.event("news") == {"headline": "Grüße"}
        socketio.emit("halted", ("ACME", 5), namespace="/ACME")
        for reader in (client, other):
            assert reader.wait('42/ACME,["halted"') == '42/ACME,["halted","ACME",5]'
        socketio.emit("hint", "only you", namespace="/ACME", to=sid)
        assert client.wait('42/ACME,["hint"') == '42/ACME,["hint","only you"]'
        socketio.emit("logo", b"\x00\xff", namespace="/ACME", skip_sid=sid)
        assert other.wait("451-/ACME,") == '451-/ACME,["logo",{"_placeholder":true,"num":0}]'
        assert other.receive() == b"\x00\xff"
        socketio.emit("over", namespace="/ACME")
        assert client.wait("42/ACME,[") == '42/ACME,["over"]', "neither the hint nor the logo came a second time"
        running.prices["ACME"] = 1.25
        assert client.quote("ACME")["price"] == 1.25


def test_other_namespaces_work_as_documented(running: Relaying) -> None:
    """A program that is built on the server may have namespaces of its own beside the symbols'."""
    heard: list[Any] = []

    @running.server.socketio.on("ask", namespace="/custom")  # type: ignore[untyped-decorator]  # Flask-SocketIO has no types
    def answer(question: str) -> dict[str, str]:
        heard.append(question)
        return {"answer": question.upper()}

    with closing(RawSocket(running.address)) as client:
        assert client.join("/custom").startswith("40/custom,")
        client.send('42/custom,7["ask","why"]')
        assert client.wait("43/custom,") == '43/custom,7[{"answer":"WHY"}]'
    assert heard == ["why"]


def test_joins_have_a_limit_of_their_own(running: Relaying, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than 2,000 in a second are refused by name, and the client stays."""
    monkeypatch.setattr("web.socketio.board.JOINS_PER_S", 2)
    engine, now_s = running.server.engine, running.server.engine.clock()
    monkeypatch.setattr(engine, "clock", lambda: now_s)
    with closing(RawSocket(running.address)) as client:
        answers = [client.join("/" + symbol) for symbol in SYMBOLS]
        assert [answer[:2] for answer in answers] == ["40", "40", "44"]
        assert json.loads(answers[2].partition(",")[2])["data"] == {"code": "too_many_requests", "symbol": "CRUX"}
        monkeypatch.setattr(engine, "clock", lambda: now_s + 1)
        assert client.join("/CRUX").startswith("40")
