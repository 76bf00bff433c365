"""What clients and people send: packets, frames, requests of the board, settings. A real server stands behind them, without a port."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from functools import cache

import msgspec

from cli.process.settings import feed_kinds
from tests.conformance.peer import masked
from tests.fuzz.seeds import encoded
from tests.fuzz.target import Target
from tests.web.relaying import Relaying
from ticker.errors import SettingsError
from ticker.settings.load import parse as parse_settings
from web.fanout.client import Client, payload_of
from web.fanout.close_reasons import CloseReason
from web.fanout.frames import CLOSE, FrameReader, Violation, close_code, decode_text, frame


def _settings() -> Target:
    known = feed_kinds()

    def run(data: bytes) -> None:
        with suppress(SettingsError):
            parse_settings(data, known, {})

    return Target(run, [
        b'[feeds.sim]\nkind = "simulated"\n[symbols]\nACME = { feed = "sim" }\nBRK.B = { feed = "sim" }\n', b"", b"\xef\xbb\xbf[server]\n",
        b'[server]\nport = "x"\nhosst = 1\n[limits]\nmax_clients = nan\njoin_timeout_s = inf\n', b"[symbols]\nA = 1\nA = 2\n", b"a" * 3000,
        b'[feeds.k]\nkind = "coinbase"\nbase_url = "http://u:p@h"\ninterval_s = 1e999\n',
        b'[feeds.k]\nkind = "kraken"\n[symbols]\n"X" = { feed = ["k", "k"], k = { id = 3 } }\n',
        b"x = " + b"[" * 2000, b"a." * 2000 + b"b = 1", b"[limits]\nmax_clients = " + b"9" * 5000, b'"\\ud800" = 1', b"\xff\xfe"]
    )  # fmt: skip


def _frames() -> Target:
    """A WebSocket's bytes, in two pieces: what is cut elsewhere must come to the same."""

    def outcome(pieces: list[bytes]) -> list[object]:
        reader = FrameReader(1000)
        seen: list[object] = []
        try:
            for piece in pieces:
                for message in reader.feed(piece):
                    seen.append(message)
                    if message.opcode == CLOSE:
                        close_code(message.payload)
                    elif message.opcode == 1:
                        decode_text(message.payload)
        except Violation as violation:
            seen.append(violation.code)
        return seen

    def run(data: bytes) -> None:
        whole = outcome([data])
        assert whole == outcome([data[: len(data) // 2], data[len(data) // 2 :]])
        if len(data) < 200:
            assert whole == outcome([data[at : at + 1] for at in range(len(data))])

    return Target(run, [
        masked(1, "4x"), masked(2, b"\xff"), masked(9), masked(8, b"\x03\xe8bye"), masked(1, "4", fin=False) + masked(0, "x"), masked(3),
        masked(1, "x" * 200), masked(1, "4", reserved=4), masked(1, "", length=1 << 63), frame(1, b"x")])  # fmt: skip


@cache
def _server() -> Relaying:
    """Relay, board and engine in this process, without a port and without a loop: packets are put into it, and its answers thrown away."""
    running = Relaying(["ACME", "BTC/USD"], {"ACME": 1.0}, limits={"requests_per_s": 1_000_000})
    running.server._sync_channels()
    return running


def check_answers(frames: list[bytes]) -> None:
    """What the server says is JSON where it should be, without NaN, and holds no trace of its insides."""
    for is_text, payload in map(payload_of, frames):
        if is_text:
            assert b"Traceback" not in payload
            body = re.sub(rb"^4\d(?:\d+-)?(?:/[^,]*,)?\d*", b"", payload)
            if body not in (b"2", b"1", b""):
                msgspec.json.decode(body)


def _packets(*opening: bytes) -> Callable[[bytes], None]:
    """Engine.IO packets, a line each; one that begins with `b` is binary. They follow `opening`."""

    def run(data: bytes) -> None:
        server = _server().server
        engine, eio = server.engine, server.socketio.server.eio
        environ = {"REMOTE_ADDR": "192.0.2.1", "REQUEST_METHOD": "GET"}
        client = Client(eio, eio.generate_id(), eio.generate_id()[:12], environ, "polling", engine.clock())
        with engine.turn:
            eio.sockets[client.sid] = client
            eio._trigger_event("connect", client.sid, client.environ)
            engine.admit(client)
            engine.polling.add(client)
            try:
                for packet in (*opening, *data.split(b"\n")):
                    eio._handle(client, packet[1:] if packet[:1] == b"b" else decode_text(packet))
                    answered = client.frames(engine.subscriptions.number, engine.subscriptions.registry)
                    client.accepted(sum(map(len, answered)))
                    check_answers(answered)
            except ValueError:
                engine.close(client, CloseReason.BAD_PACKET)
            except Violation as violation:
                engine.close(client, CloseReason.of(violation))
            engine.close(client, CloseReason.CLIENT)
        engine.flusher.pump.clear()
        assert not engine.clients
        assert engine.ledger.opened == engine.ledger.closes.total()
        assert not server.board.members

    return run


_PLACEHOLDER = b'{"_placeholder":true,"num":0}'
PACKETS = [b"40\n40/ACME,\n40/BTC/USD,\n41/ACME,\n41\n40", b'42["subscribe",{"symbols":["ACME"]}]', b'4217["rate",{"max_hz":1e5}]',
           b'42["message","\\ud800"]', b"45999-[]", b"44{}",
           b'451-["message",' + _PLACEHOLDER + b"]\nbxyz", b"3\n6\n1", b"4", b"2probe\n5", b"42" + b"[" * 1500,
           b'42["message",' + b"9" * 5000 + b"]",
           b"42" + b"1" * 101 + b'["message"]', b'40{"token":"x"}', b"40/" + b"x" * 500 + b","]  # fmt: skip


def _asks(event: str) -> Callable[[bytes], None]:
    """One request on the board, of any JSON that follows the name of the event."""
    run = _packets(b"40")

    def ask(data: bytes) -> None:
        run(b'421["' + event.encode() + b'",' + data.replace(b"\n", b" ") + b"]")

    return ask


SUBSCRIBES = encoded(
    {"symbols": ["ACME", "NOPE"]},
    {"symbols": "*", "max_hz": 2},
    {"symbols": []},
    {"symbols": [1]},
    {},
    [],
    None,
    "x",
    {"symbols": ["ACME"], "since": {"epoch": "epoch", "seqs": {"ACME": 1, "NOPE": -1}}},
    {"symbols": "*", "since": {"epoch": 1, "seqs": []}},
    {"symbols": "*", "since": None},
    {"symbols": "*", "since": {"epoch": "epoch", "seqs": {"ACME": 10**30}}},
    {"symbols": ["ACME"], "since": {"epoch": "epoch", "seqs": {"ACME": 1.5, "BTC/USD": True}}},
)


def server_targets() -> dict[str, Target]:
    """All of them."""
    return {
        "settings": _settings(),
        "websocket": _frames(),
        "packets": Target(_packets(), PACKETS),
        "joined": Target(_packets(b"40"), PACKETS),
        "subscribe": Target(_asks("subscribe"), SUBSCRIBES),
        "unsubscribe": Target(_asks("unsubscribe"), SUBSCRIBES),
        "rate": Target(_asks("rate"), encoded({"max_hz": 1}, {"max_hz": "x"}, {"max_hz": -1}, {"max_hz": 10**40}, [], None)),
    }
