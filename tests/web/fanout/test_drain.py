"""The end: last values whatever the rate, the close code behind them, 503 for newcomers, and nobody waits for somebody else."""

from __future__ import annotations

import json

import pytest

from tests.conformance.peer import HANDSHAKE
from tests.web.conftest import MakeStand
from tests.web.fanout.stand import SMALL_BYTES, Reader, Stand
from ticker.settings import BroadcastSettings
from web.fanout.drain import AWAY_S
from web.refusals import Reason, body

SEPARATOR = "\x1e"
SYMBOLS = [f"S{number}" for number in range(40)]


def until_empty(stand: Stand) -> None:
    """Let the engine see its clients off."""
    while stand.engine.clients:
        stand.breathe()


def seqs(packets: list[str]) -> dict[str, int]:
    """The newest `seq` of each symbol among packets."""
    found = [json.loads(packet.partition(",")[2])[1] for packet in packets if packet.startswith("42/")]
    return {quote["symbol"]: quote["seq"] for quote in found}


def open_poll(stand: Stand, *symbols: str) -> str:
    """A long-polling session that has joined."""
    sid = stand.peer.open_polling()
    stand.peer.post(sid, SEPARATOR.join(f"40/{symbol}," for symbol in symbols) or "40")
    return sid


def test_the_last_values_go_out(make_stand: MakeStand) -> None:
    """Before their window, and before their turn at a limited rate; then the close frame."""
    stand = make_stand(broadcast=BroadcastSettings(flush_ms=10_000))
    stand.add_symbols("A")
    with stand.websocket("/A") as quick, stand.websocket("/A") as slow:
        stand.tick("A")
        assert [quick.quote()["seq"], slow.quote()["seq"]] == [1, 1]
        (limited,) = (client for client in stand.engine.clients if client.sid == slow.sid)
        stand.engine.subscriptions.set_period(limited.spaces, 3_600_000)
        for _ in range(3):
            stand.tick("A")
        stand.engine.drain()
        for reader in (quick, slow):
            packets, code = reader.everything()
            assert (seqs(packets), code) == ({"A": 4}, 1001)
        until_empty(stand)
    assert stand.engine.ledger.closes == {"shutdown": 2}


def test_nobody_else_comes_in(stand: Stand) -> None:
    """503, and when to come again."""
    stand.engine.drain()
    for transport in ("polling", "websocket"):
        response = stand.peer.http("GET", stand.peer.target(transport=transport), headers=dict(HANDSHAKE))
        assert (response.status, response.body) == (503, body(Reason.SHUTTING_DOWN))
        assert 1 <= int(response.headers["retry-after"]) <= 5


def test_who_polls_has_all_of_it_first(stand: Stand) -> None:
    """In as many polls as that takes; the last one says that it is over."""
    stand.add_symbols(*SYMBOLS)
    stand.flush(*SYMBOLS)
    sid = open_poll(stand, *SYMBOLS)
    packets: list[str] = []
    while len(packets) < 80:
        packets += stand.peer.poll(sid).text.split(SEPARATOR)
    stand.flush(*SYMBOLS)
    stand.engine.drain()
    last: list[str] = []
    while last[-1:] != ["1"]:
        last += stand.peer.poll(sid).text.split(SEPARATOR)
    assert seqs(last) == dict.fromkeys(SYMBOLS, 2)
    assert stand.peer.poll(sid).status == 400
    assert stand.engine.ledger.closes == {"shutdown": 1}


def test_a_waiting_poll_ends(stand: Stand) -> None:
    """At once, also if there is nothing to say."""
    sid = open_poll(stand)
    stand.peer.poll(sid)
    with stand.peer.pending_poll(sid) as pending:
        while stand.client().poll_event is None:
            stand.breathe()
        stand.engine.drain()
        assert pending.response().text == "1"
    while stand.http.answering:
        stand.breathe()


def test_who_polls_no_more_is_not_waited_for(stand: Stand) -> None:
    """A second after its last poll."""
    stand.peer.open_polling()
    client = stand.client()
    now_s = stand.engine.clock()
    stand.engine.clock = lambda: now_s  # the time stands still
    client.polled_s = now_s - AWAY_S + 0.01
    stand.engine.drain()
    for _ in range(50):
        stand.breathe()
    assert stand.engine.clients == {client}
    client.polled_s = now_s - AWAY_S
    stand.engine.wake()
    until_empty(stand)
    assert stand.engine.ledger.closes == {"shutdown": 1}


def read_on(reader: Reader) -> tuple[dict[str, int], int]:
    """What a client has in the end, and how it was closed."""
    packets, code = reader.everything()
    return seqs(packets), code


def test_who_stalls_is_waited_for_and_holds_up_nobody(stand: Stand) -> None:
    """The others are gone meanwhile; when it reads on it has the newest of everything and a whole close frame."""
    stand.add_symbols(*SYMBOLS)
    names = [f"/{symbol}" for symbol in SYMBOLS]
    with stand.websocket(*names, receive_bytes=SMALL_BYTES) as stalled:
        client = stand.client()
        while not client.blocked:
            stand.flush(*SYMBOLS)
        with stand.websocket("/") as other:
            stand.tick(*SYMBOLS)
            stand.engine.drain()
            assert other.everything() == ([], 1001)
        while len(stand.engine.clients) > 1:
            stand.breathe()
        assert stand.engine.clients == {client}
        newest = {channel.symbol: channel.quote.seq for channel in stand.engine.subscriptions.registry.values() if channel.quote}
        assert read_on(stalled) == (newest, 1001)
    until_empty(stand)


@pytest.mark.parametrize("times", [1, 2])
def test_an_empty_house(stand: Stand, times: int) -> None:
    """There is nobody to wait for; asking twice is asking once."""
    for _ in range(times):
        stand.engine.drain()
    for _ in range(5):
        stand.breathe()
    assert stand.engine.draining
    assert stand.engine.clients == set()
