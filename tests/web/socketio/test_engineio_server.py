"""The HTTP entrance: who may come in, and long polling with its 16 packets a poll, bounded and conflated like any other client."""

from __future__ import annotations

import base64
import json
import logging
from typing import Any

import pytest

from tests.conformance.peer import BINARY, HANDSHAKE, PING, TEXT, Connection, masked, send_text
from tests.web.conftest import MakeStand
from tests.web.fanout.stand import Stand
from ticker.settings import LimitSettings
from web.fanout.receive import PACKETS_PER_S
from web.refusals import Reason, body

SEPARATOR = "\x1e"
SYMBOLS = [f"S{number}" for number in range(40)]


def join_by_polling(stand: Stand, *namespaces: str) -> str:
    """A long-polling session that has joined; the answers are still to be polled."""
    sid = stand.peer.open_polling()
    body = SEPARATOR.join("40" if namespace == "/" else f"40{namespace}," for namespace in namespaces)
    assert stand.peer.post(sid, body).text == "ok"
    return sid


def poll(stand: Stand, sid: str) -> list[str]:
    """One poll's packets."""
    response = stand.peer.poll(sid)
    assert response.status == 200
    return response.text.split(SEPARATOR)


def quotes(packets: list[str]) -> list[dict[str, Any]]:
    """Those of the packets that are quotes of a namespace."""
    return [json.loads(packet.partition(",")[2])[1] for packet in packets if packet.startswith("42/")]


# Who may come in


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_a_full_house(stand: Stand, transport: str) -> None:
    """503, with when to come again and the reason."""
    stand.admission.reason = Reason.CLIENTS
    response = stand.peer.http("GET", stand.peer.target(transport=transport), headers=dict(HANDSHAKE))
    assert (response.status, json.loads(response.text)) == (
        503,
        {"code": 3, "message": "too many clients; limits.max_clients bounds them", "reason": "too_many_clients"},
    )
    assert 1 <= int(response.headers["retry-after"]) <= 5
    assert stand.engine.clients == set()


@pytest.mark.parametrize(("origin", "refusal", "reason"), [
    ("http://evil", None, Reason.ORIGIN), ("http://evil", Reason.CLIENTS, Reason.ORIGIN), ("http://server", Reason.CLIENTS, Reason.CLIENTS),
    ("http://server", None, Reason.METHOD), (None, Reason.SHUTTING_DOWN, Reason.SHUTTING_DOWN), (None, None, Reason.METHOD)])  # fmt: skip
def test_asking_why_not(stand: Stand, origin: str | None, refusal: Reason | None, reason: Reason) -> None:
    """A POST without a session is answered as a handshake would be refused, and opens none."""
    stand.admission.reason = refusal
    response = stand.peer.http("POST", stand.peer.target(), headers={} if origin is None else {"Origin": origin})
    assert (response.status, json.loads(response.text)["reason"]) == (reason.status, reason.word)
    assert stand.engine.clients == set()


@pytest.mark.parametrize("transport", ["polling", "websocket"])
@pytest.mark.parametrize(
    "origin", ["http://evil", "null", "http://friend.evil", "http://friend:8080", "https://friend", "http://Friend", "file://"]
)
def test_other_origins(stand: Stand, transport: str, origin: str) -> None:
    """Refused before there is a session, and not told that they might read the answer."""
    response = stand.peer.http("GET", stand.peer.target(transport=transport), headers={**HANDSHAKE, "Origin": origin})
    assert response.status == 400
    assert "access-control-allow-origin" not in response.headers
    assert stand.engine.clients == set()


@pytest.mark.parametrize("origin", ["http://friend", "http://server"])
def test_our_origins(stand: Stand, origin: str) -> None:
    """The listed ones and our own."""
    response = stand.peer.http("GET", stand.peer.target(), headers={"Origin": origin})
    assert (response.status, response.headers["access-control-allow-origin"]) == (200, origin)
    assert len(stand.engine.clients) == 1


def test_little_is_kept_of_a_request(stand: Stand) -> None:
    """Its headers and address, not the objects that hold its buffers."""
    stand.peer.open_polling()
    environ = stand.client().environ
    assert environ["REMOTE_ADDR"] == "127.0.0.1"
    assert environ["HTTP_HOST"] == "server"
    assert all(isinstance(value, str) for key, value in environ.items() if key != "flask.app")


def test_the_answer_and_the_first_packet_leave_together(stand: Stand) -> None:
    """A handshake is one segment: nothing has to wait for an acknowledgement."""
    with Connection(stand.peer.address) as connection:
        connection.request("GET", stand.peer.target(transport="websocket"), HANDSHAKE)
        connection.response()
        assert connection.buffered > 0


def test_a_client_that_is_gone_before_the_answer(stand: Stand) -> None:
    """It is let in and noticed to be gone."""
    for _ in range(5):
        with Connection(stand.peer.address) as connection:
            connection.request("GET", stand.peer.target(transport="websocket"), HANDSHAKE)
    with stand.websocket("/"):
        while len(stand.engine.clients) > 1 or stand.engine.ledger.closes["client"] < 5:
            stand.breathe()


# Long polling


def test_polls_are_at_most_sixteen_packets(stand: Stand) -> None:
    """Python's client refuses an answer with more. Answers to CONNECT come first, then the snapshots; nothing is lost."""
    stand.add_symbols(*SYMBOLS)
    stand.flush(*SYMBOLS)
    sid = join_by_polling(stand, *(f"/{symbol}" for symbol in SYMBOLS))
    packets: list[str] = []
    while len(packets) < 2 * len(SYMBOLS):
        came = poll(stand, sid)
        assert len(came) <= 16
        packets += came
    assert [packet.partition(",")[0] for packet in packets[:40]] == [f"40/{symbol}" for symbol in SYMBOLS]
    assert sorted(quote["symbol"] for quote in quotes(packets[40:])) == sorted(SYMBOLS)
    assert all(quote["snapshot"] for quote in quotes(packets[40:]))


def test_between_polls_quotes_are_folded(stand: Stand) -> None:
    """However many came, the next polls bring the newest of each, once, and nothing was queued meanwhile."""
    stand.add_symbols(*SYMBOLS)
    sid = join_by_polling(stand, *(f"/{symbol}" for symbol in SYMBOLS))
    for _ in range(3):
        poll(stand, sid)
    for _ in range(50):
        stand.flush(*SYMBOLS)
    assert stand.client().unsent_bytes == 0
    came = [quote for _ in range(3) for quote in quotes(poll(stand, sid))]
    assert sorted((quote["symbol"], quote["seq"]) for quote in came) == sorted((symbol, 50) for symbol in SYMBOLS)


def test_a_pending_poll_gets_the_next_quote(stand: Stand) -> None:
    """As soon as it is flushed."""
    stand.add_symbols("A", "B")
    sid = join_by_polling(stand, "/A")
    poll(stand, sid)
    with stand.peer.pending_poll(sid) as pending:
        stand.flush("B")
        stand.flush("A")
        assert [quote["seq"] for quote in quotes([pending.response().text])] == [1]


def test_five_hundred_joins_in_one_post(stand: Stand) -> None:
    """All are answered and all are snapshots once."""
    symbols = [f"N{number}" for number in range(500)]
    stand.add_symbols(*symbols)
    stand.flush(*symbols)
    sid = join_by_polling(stand, *(f"/{symbol}" for symbol in symbols))
    packets: list[str] = []
    while len(packets) < 1000:
        packets += poll(stand, sid)
    assert len(quotes(packets)) == len({quote["symbol"] for quote in quotes(packets)}) == 500


def test_whoever_never_polls_is_bounded(stand: Stand) -> None:
    """Control packets for it are kept up to 256 KiB; then the session is closed, as for any client."""
    sid = join_by_polling(stand, "/")
    for _ in range(300):
        stand.socketio.emit("big", "x" * 1000)
    assert stand.engine.ledger.closes == {"control_overflow": 1}
    assert stand.peer.poll(sid).status == 400


def test_large_events(stand: Stand) -> None:
    """An answer carries what is there up to about 64 KiB, and an event that is longer whole."""
    sid = join_by_polling(stand, "/")
    poll(stand, sid)
    for _ in range(5):
        stand.socketio.emit("big", "x" * 30_000)
    stand.socketio.emit("huge", "x" * 100_000)
    counts: list[int] = []
    while sum(counts) < 6:
        counts.append(len(poll(stand, sid)))
    assert counts == [3, 3]


def test_binary_both_ways(stand: Stand) -> None:
    """Attachments travel as base64."""
    sid = join_by_polling(stand, "/")
    poll(stand, sid)
    attachment = "b" + base64.b64encode(b"\x00\xff").decode()
    stand.peer.post(sid, SEPARATOR.join(('451-5["echo",{"_placeholder":true,"num":0}]', attachment)))
    assert poll(stand, sid) == ['461-5[{"_placeholder":true,"num":0}]', attachment]


def test_a_handler_that_fails_closes_one_session(stand: Stand, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug of ours is logged and answered with 500 without a word about it."""
    sid = join_by_polling(stand, "/")
    monkeypatch.setattr(stand.server, "_handle_event", lambda *_: 1 / 0)
    with caplog.at_level(logging.ERROR):
        response = stand.peer.post(sid, '42["echo"]')
    assert (response.status, response.body) == (500, body(Reason.ERROR))
    assert [record.message for record in caplog.records] == ["a client's packet could not be handled"]
    assert stand.engine.ledger.closes == {"internal_error": 1}


def test_closing_ends_the_pending_poll(stand: Stand) -> None:
    """With what was queued before, then a close packet; afterwards the session is unknown."""
    sid = join_by_polling(stand, "/")
    poll(stand, sid)
    with stand.peer.pending_poll(sid) as pending:
        while stand.client().poll_event is None:
            stand.breathe()
        stand.socketio.emit("last", 1)
        stand.server.eio.disconnect(sid)
        assert pending.response().text == f'42["last",1]{SEPARATOR}1'
    assert stand.peer.poll(sid).status == 400
    assert stand.engine.polling == set()


# Upgrade


def test_quotes_across_an_upgrade(stand: Stand) -> None:
    """Memberships stay; no quote is lost, none steps back, no second snapshot."""
    stand.add_symbols("A", "B")
    stand.flush("A", "B")
    sid = join_by_polling(stand, "/A", "/B")
    seen = [(quote["symbol"], quote["seq"]) for quote in quotes(poll(stand, sid))]
    assert sorted(seen) == [("A", 1), ("B", 1)]
    with stand.peer.websocket(sid) as connection:
        stand.flush("A")
        send_text(connection, "2probe")
        assert connection.frame().text == "3probe"
        stand.flush("A", "B")
        send_text(connection, "5")
        came = quotes(connection.packets(2))
        assert sorted((quote["symbol"], quote["seq"]) for quote in came) == [("A", 3), ("B", 2)]
        assert not any("snapshot" in quote for quote in came)
        stand.flush("A")
        assert quotes(connection.packets(1))[0]["seq"] == 4
    assert stand.engine.polling == set()


def test_quotes_while_a_probe_hangs(stand: Stand) -> None:
    """The client polls on: it has not heard that its probe works, so its quotes come by polling."""
    stand.add_symbols("A")
    sid = join_by_polling(stand, "/A")
    poll(stand, sid)
    with stand.peer.websocket(sid) as connection:
        send_text(connection, "2probe")
        assert connection.frame().text == "3probe"
        for seq in (1, 2):
            stand.flush("A")
            assert [quote["seq"] for quote in quotes(poll(stand, sid))] == [seq]
        with stand.peer.pending_poll(sid) as pending:
            while stand.client().poll_event is None:
                stand.breathe()
            stand.flush("A")
            assert pending.response().text == "6"  # one that is under way ends at once, the next has the quote
        assert [quote["seq"] for quote in quotes(poll(stand, sid))] == [3]


def test_quotes_after_a_failed_probe(stand: Stand) -> None:
    """They go on by polling."""
    stand.add_symbols("A")
    sid = join_by_polling(stand, "/A")
    poll(stand, sid)
    with stand.peer.websocket(sid) as connection:
        send_text(connection, "2probe", "nonsense")
        assert connection.until_close().code == 4000
    stand.flush("A")
    assert [quote["seq"] for quote in quotes(poll(stand, sid))] == [1]
    assert (stand.client().transport, len(stand.engine.polling)) == ("polling", 1)


def test_upgraded_clients_share_buffers(stand: Stand) -> None:
    """After the switch they are served like those that came by WebSocket."""
    stand.add_symbols("A")
    sid = join_by_polling(stand, "/A")
    poll(stand, sid)
    with stand.peer.websocket(sid) as connection, stand.websocket("/A") as other:
        send_text(connection, "2probe", "5")
        assert connection.frame().text == "3probe"
        stand.flush("A")
        assert quotes(connection.packets(1)) == [other.quote()]
        assert [client.spaces.ready for client in stand.engine.clients] == [True, True]


# Limits


def test_messages_that_are_too_long(make_stand: MakeStand) -> None:
    """413 without reading them, and the session is closed."""
    stand = make_stand(limits=LimitSettings(max_message_bytes=2000))
    sid = join_by_polling(stand, "/")
    assert stand.peer.http("POST", stand.peer.target(sid), "4", {"Content-Length": "2001"}).status == 413
    assert stand.engine.ledger.closes == {"message_too_big": 1}
    assert stand.peer.poll(sid).status == 400


def test_attachments_are_as_long_as_a_message_together(make_stand: MakeStand) -> None:
    """Not each: sixteen of them would be held at a time."""
    stand = make_stand(LimitSettings(max_message_bytes=2000))
    places = ",".join(f'{{"_placeholder":true,"num":{number}}}' for number in range(3))
    with stand.websocket("/") as reader:
        reader.say(f'453-7["echo",{places}]')
        reader.connection.send(masked(BINARY, b"x" * 900) * 3)
        assert reader.everything() == ([], 1009)
    sid = stand.peer.open_polling()
    body = "\x1e".join(["40", f'453-7["echo",{places}]'])
    assert stand.peer.post(sid, body).status == 200
    piece = "b" + base64.b64encode(b"x" * 900).decode()
    assert [stand.peer.post(sid, piece).status for _ in range(3)] == [200, 200, 413]
    assert stand.engine.ledger.closes == {"message_too_big": 2}


PACKETS = {"pings": masked(PING, ""), "pongs": masked(TEXT, "3"), "no-ops": masked(TEXT, "6"), "joins": masked(TEXT, "40/x,"),
           "leavings": masked(TEXT, "41/x,"), "acknowledgements": masked(TEXT, '431["x"]')}  # fmt: skip


@pytest.mark.parametrize("what", PACKETS)
def test_more_packets_than_anybody_has_reason_to_send(stand: Stand, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """Whatever they are: they cost turns that are others'. All of them are read in one second, however long it takes."""
    with stand.websocket("/") as reader:
        now_s = stand.engine.clock()
        monkeypatch.setattr(stand.engine, "clock", lambda: now_s)
        reader.connection.send(PACKETS[what] * (2 * PACKETS_PER_S))
        reader.connection.rest()
        while stand.engine.clients:
            stand.breathe()
    assert stand.engine.ledger.closes.keys() <= {"too_many_requests", "control_overflow"}


def test_more_packets_than_anybody_has_reason_to_post(stand: Stand) -> None:
    """The same in a body."""
    sid = stand.peer.open_polling()
    stand.peer.post(sid, "\x1e".join(["40"] + ["6"] * PACKETS_PER_S))
    assert stand.engine.ledger.closes == {"too_many_requests": 1}


def test_a_handshake_with_long_headers(stand: Stand) -> None:
    """What is kept of a handshake is bounded: more is refused, in words."""
    headers = {f"X-{number}": "y" * 4000 for number in range(5)}
    answer = stand.peer.http("GET", stand.peer.target(), headers=headers)
    assert (answer.status, answer.body) == (431, body(Reason.HEADERS))
    assert stand.engine.ledger.opened == 0
