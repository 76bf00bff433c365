"""The loop with real sockets: batches leave whole, slow clients conflate, every end has a code and leaves nothing behind."""

from __future__ import annotations

import json
import logging
import threading
from typing import Any

import pytest

from tests.conformance.peer import CLOSE, PING, PONG, Frame, close_payload, masked
from tests.web.conftest import MakeStand
from tests.web.fanout.stand import SMALL_BYTES, Stand
from ticker.settings import BroadcastSettings, LimitSettings
from web.fanout.close_reasons import CloseReason
from web.fanout.handshake_queue import HandshakeQueue
from web.fanout.outbox import CONTROL_LIMIT_BYTES
from web.runtime import EventletRuntime

SYMBOLS = [f"S{number}" for number in range(20)]


def test_snapshot_then_updates(stand: Stand) -> None:
    """The answer to CONNECT, the snapshot, then every flush, in that order."""
    stand.add_symbols("A")
    stand.tick("A")
    with stand.websocket("/A") as early:
        assert early.quote()["snapshot"] is True
        stand.tick("A")
        assert early.quote()["seq"] == 2
        with stand.websocket("/A") as late:
            snapshot = late.quote()
            assert (snapshot["seq"], snapshot["snapshot"], snapshot["epoch"]) == (2, True, "e1")
            stand.tick("A")
            third = {"price": 1.5, "symbol": "A", "received_time": 1_700_000_000_003, "seq": 3, "source": "sim", "kind": "simulated",
                     "state": "fresh"}  # fmt: skip
            assert [reader.quote() for reader in (early, late)] == [third, third]


def test_joined_before_there_is_a_price(stand: Stand) -> None:
    """The first quote there is becomes the snapshot."""
    stand.add_symbols("A")
    with stand.websocket("/A") as reader:
        stand.tick("A")
        assert reader.quote()["snapshot"] is True
        stand.tick("A")
        assert "snapshot" not in reader.quote()


def test_a_batch_is_flushed_whole(stand: Stand) -> None:
    """All symbols of a batch come together, each to those who read it."""
    stand.add_symbols(*SYMBOLS)
    with stand.websocket(*(f"/{symbol}" for symbol in SYMBOLS)) as all_of_them, stand.websocket("/S3") as one:
        stand.tick(*SYMBOLS)
        assert [all_of_them.quote()["symbol"] for _ in SYMBOLS] == sorted(SYMBOLS)
        assert one.quote()["symbol"] == "S3"


def test_a_window_carries_the_newest_of_each(make_stand: MakeStand) -> None:
    """What comes within a window is folded; the jump of `seq` says so."""
    stand = make_stand(broadcast=BroadcastSettings(flush_ms=100))
    stand.add_symbols("A", "B")
    with stand.websocket("/A", "/B") as reader:
        stand.tick("A", "B")
        assert [reader.quote()["seq"] for _ in range(2)] == [1, 1]
        for _ in range(5):
            stand.tick("A")
        stand.tick("B")
        assert [(quote["symbol"], quote["seq"]) for quote in (reader.quote(), reader.quote())] == [("A", 6), ("B", 2)]


def stall(stand: Stand) -> None:
    """Tick until the only client's socket takes no more."""
    client = stand.client()
    while not client.blocked:
        stand.flush(*SYMBOLS)


def test_a_stalled_client_costs_nothing_and_gets_the_newest(stand: Stand) -> None:
    """While it stalls nothing is queued for it; when it reads on, no symbol steps back and each ends with its newest quote."""
    stand.add_symbols(*SYMBOLS)
    with stand.websocket(*(f"/{symbol}" for symbol in SYMBOLS), receive_bytes=SMALL_BYTES) as reader:
        stall(stand)
        held = stand.client().unsent_bytes
        for _ in range(200):
            stand.flush(*SYMBOLS)
        assert stand.client().unsent_bytes <= held < 500  # the rest of one frame
        newest = {channel.symbol: channel.quote.seq for channel in stand.engine.subscriptions.registry.values() if channel.quote}
        seen = dict.fromkeys(SYMBOLS, 0)
        while seen != newest:
            quote = reader.quote()
            assert seen[quote["symbol"]] < quote["seq"] <= newest[quote["symbol"]]
            seen[quote["symbol"]] = quote["seq"]
        stand.tick("S1")
        assert reader.quote()["seq"] == newest["S1"] + 1


def test_a_stalled_client_stops_nobody(stand: Stand) -> None:
    """The others get every flush."""
    stand.add_symbols(*SYMBOLS)
    with stand.websocket(*(f"/{symbol}" for symbol in SYMBOLS), receive_bytes=SMALL_BYTES):
        stall(stand)
        with stand.websocket("/S0") as other:
            other.quote()
            for _ in range(10):
                stand.tick("S0")
                other.quote()


def test_control_packets_wait_in_order(stand: Stand) -> None:
    """Behind a full socket they are kept, all of them."""
    stand.add_symbols(*SYMBOLS)
    with stand.websocket("/", *(f"/{symbol}" for symbol in SYMBOLS), receive_bytes=SMALL_BYTES) as reader:
        stall(stand)
        for number in range(500):
            stand.socketio.emit("numbered", number)
        came: list[int] = []
        while len(came) < 500:
            text = reader.text()
            if text.startswith('42["numbered",'):
                came.append(json.loads(text[2:])[1])
        assert came == list(range(500))


def test_too_many_control_packets(stand: Stand) -> None:
    """Who does not read them is closed when 256 KiB wait, and only then; the stream is never cut into by a close frame."""
    stand.add_symbols(*SYMBOLS)
    with stand.websocket("/", *(f"/{symbol}" for symbol in SYMBOLS), receive_bytes=SMALL_BYTES) as reader:
        stall(stand)
        client = stand.client()
        for _ in range(CONTROL_LIMIT_BYTES // 1100):
            stand.socketio.emit("big", "x" * 1000)
        assert client.closed is None
        for _ in range(100):
            stand.socketio.emit("big", "x" * 1000)
        assert stand.engine.ledger.closes == {"control_overflow": 1}
        assert stand.engine.clients == set()
        assert reader.is_cut_off()


def test_an_event_larger_than_the_socket(stand: Stand) -> None:
    """It arrives whole however it had to be cut."""
    with stand.websocket("/", receive_bytes=SMALL_BYTES) as reader:
        stand.socketio.emit("big", "x" * 200_000)
        stand.socketio.emit("small", 1)
        assert len(reader.text()) == 200_000 + len('42["big",""]')
        assert reader.text() == '42["small",1]'


@pytest.mark.parametrize("reason", [CloseReason.SERVER, CloseReason.SHUTDOWN, CloseReason.STALLED, CloseReason.PING_TIMEOUT])
def test_closing(stand: Stand, reason: CloseReason) -> None:
    """The code and the reason reach the client, the count the metrics, and what was queued before is sent before."""
    with stand.websocket("/") as reader:
        stand.socketio.emit("last", 1)
        stand.engine.close(stand.client(), reason)
        assert reader.text() == '42["last",1]'
        assert reader.connection.frame() == Frame(CLOSE, close_payload(reason.code, reason.word))
        assert reader.connection.rest() == b""
        assert stand.engine.ledger.closes == {reason.word: 1}


def test_closing_twice_is_closing_once(stand: Stand) -> None:
    """Whoever comes second finds it done."""
    with stand.websocket("/"):
        client = stand.client()
        stand.engine.close(client, CloseReason.SERVER)
        stand.engine.close(client, CloseReason.ERROR)
        stand.engine.send(client, "4x")
    assert stand.engine.ledger.closes == {"server_disconnect": 1}
    assert client.closed is CloseReason.SERVER


def test_the_debug_log_says_who_is_closed_and_who_stalls(stand: Stand, caplog: pytest.LogCaptureFixture) -> None:
    """One line for each decision, with the client's public name and not its secret."""
    caplog.set_level(logging.DEBUG, "web.fanout.engine")
    stand.add_symbols(*SYMBOLS)
    with stand.websocket(*(f"/{symbol}" for symbol in SYMBOLS), receive_bytes=SMALL_BYTES) as reader:
        client = stand.client()
        stall(stand)
        while client.blocked:
            reader.quote()
        stand.engine.close(client, CloseReason.SERVER)
        said = [record.message for record in caplog.records if client.public_id in record.message]
        assert said[:2] == [f"client {client.public_id} is stalled: its socket is full", f"client {client.public_id} has room again"]
        assert said[-1] == f"client {client.public_id} from 127.0.0.1 is closed: server_disconnect"
        assert client.sid not in caplog.text


def test_closing_waits_for_the_turn(stand: Stand) -> None:
    """No reading list changes under a flush that lets others breathe."""
    with stand.websocket("/"):
        client = stand.client()
        other = threading.Thread(target=stand.engine.close, args=(client, CloseReason.SERVER))
        with stand.engine.turn:
            other.start()
            for _ in range(10):
                stand.breathe()
            assert stand.engine.ledger.closes == {}
        other.join()
        assert stand.engine.ledger.closes == {"server_disconnect": 1}


def test_pings_of_the_websocket(stand: Stand) -> None:
    """They are answered in their place among the packets."""
    with stand.websocket("/") as reader:
        reader.connection.send(masked(PING, "one"))
        reader.say('421["echo",1]')
        reader.connection.send(masked(PING, "two"))
        assert reader.connection.frame() == Frame(PONG, b"one")
        assert reader.text() == "431[1]"
        assert reader.connection.frame() == Frame(PONG, b"two")


def test_a_client_that_hangs_up(stand: Stand) -> None:
    """It is forgotten, quotes and all, at once or with the next write."""
    stand.add_symbols("A")
    with stand.websocket("/", "/A"), stand.websocket("/A") as stays:
        pass
    with stand.websocket("/A") as stays:
        stand.tick("A")
        stays.quote()
        assert len(stand.engine.clients) == 1
        assert stand.engine.ledger.closes == {"client": 2}


def test_a_bug_ends_one_client(stand: Stand, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """What no handler foresaw closes the client it came with, and is logged; the others don't notice."""
    with stand.websocket("/") as unlucky, stand.websocket("/") as other:
        handle = stand.server._handle_event

        def fail(eio_sid: str, *rest: Any) -> None:
            if eio_sid == unlucky.sid:
                raise RuntimeError("a bug")
            handle(eio_sid, *rest)

        monkeypatch.setattr(stand.server, "_handle_event", fail)
        with caplog.at_level(logging.ERROR):
            unlucky.say('42["echo"]')
            assert unlucky.everything() == ([], 1011)
        other.echo("unharmed")
    assert [record.message for record in caplog.records] == ["a client's packet could not be handled"]


def test_a_bug_in_a_round_is_not_the_end(stand: Stand, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop says so and goes on."""
    stand.add_symbols("A")
    with stand.websocket("/", "/A") as reader:
        with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
            patch.setattr(stand.engine, "do_what_is_due", lambda now_s: 1 / 0)
            stand.tick("A")
            reader.quote()
            while not caplog.records:
                stand.breathe()
        stand.tick("A")
        assert reader.quote()["seq"] == 2


def test_limits_of_the_time_of_connecting(make_stand: MakeStand) -> None:
    """`max_message_bytes` holds from the handshake on."""
    stand = make_stand(limits=LimitSettings(max_message_bytes=2000))
    with stand.websocket("/") as reader:
        reader.echo("x" * 1900)
        reader.say("4" + "x" * 2000)
        assert reader.everything() == ([], 1009)


def test_waiting_room() -> None:
    """A few a round, first come, first served; nobody waits while there is room."""
    room = HandshakeQueue()
    woken: list[int] = []
    entered: list[int] = []

    def enter(number: int) -> None:
        room.enter(lambda: woken.append(number))
        entered.append(number)

    a_round = list(range(HandshakeQueue.PER_ROUND))
    for number in a_round:
        enter(number)
    assert (entered, woken) == (a_round, [])
    late = [number + 100 for number in (*a_round, HandshakeQueue.PER_ROUND)]
    threads = [threading.Thread(target=enter, args=(number,)) for number in late]
    for thread in threads:
        thread.start()
    while len(woken) < len(late):
        EventletRuntime().sleep(0)
    assert (entered, woken) == (a_round, late)
    room.open()
    for thread in threads[:-1]:
        thread.join()
    assert entered == a_round + late[:-1]
    room.open()
    threads[-1].join()
    assert entered == a_round + late
