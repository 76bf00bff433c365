"""One WebSocket connection, against a real server: its end, its limits, what a handshake may be answered with."""

import base64
import hashlib
import re
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from feeds.streams.websocket import WebSocket
from tests.feeds.support import complaint
from tests.providers.client import RunningProvider
from ticker.runtime import Runtime
from ticker.source import Ended

PROVIDER = "kraken_stream"
PATIENCE_S = 20.0


@pytest.fixture
def link(provider: RunningProvider, runtime: Runtime) -> Iterator[WebSocket]:
    """A connection of which nothing has been read."""
    link = WebSocket(provider.url.replace("http", "ws") + "/v2", runtime, 5.0)
    yield link
    link.close()


def received(link: WebSocket, count: int) -> list[bytes]:
    """The next messages, `count` at least. Raises `Ended`."""
    messages: list[bytes] = []
    deadline_s = time.monotonic() + PATIENCE_S
    while len(messages) < count:
        assert time.monotonic() < deadline_s, messages
        messages += link.receive(0.05) or []
    return messages


def test_messages_go_both_ways(link: WebSocket, provider: RunningProvider) -> None:
    """As bytes; a ping brings a sign of life that is no message; and nothing is said of us but our name."""
    assert b'"status"' in received(link, 1)[0]
    link.send(b'{"method":"ping","req_id":7}')
    assert b'"req_id":7' in received(link, 1)[0]
    link.ping()
    assert link.receive(PATIENCE_S) == []
    assert link.receive(0.01) is None
    (shown,) = provider.streams(open_only=True)
    assert shown["headers"]["user-agent"].startswith("tickercast/")
    assert "sec-websocket-extensions" not in shown["headers"]


def test_what_came_before_the_end_is_read_before_it(link: WebSocket, provider: RunningProvider) -> None:
    """However late we look; then the end says why, again and again, and there is nothing to send any more."""
    provider.say("one", "two", close=1013, reason="try again later")
    deadline_s = time.monotonic() + PATIENCE_S
    while provider.streams(open_only=True) and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert received(link, 3)[1:] == [b"one", b"two"]
    for _ in range(2):
        error = complaint(lambda: link.receive(0.1))
        assert isinstance(error, Ended)
        assert "closed with 1013, 'try again later'" in str(error)
        link.send(b"hello?")
        link.ping()


def test_a_message_in_pieces_is_put_together(link: WebSocket, provider: RunningProvider) -> None:
    """With a ping in between, which is answered."""
    received(link, 1)
    provider.say(raw=[base64.b64encode(b"\x01\x02on\x89\x00\x00\x01e\x80\x04-two").decode()])
    assert received(link, 1) == [b"one-two"]
    deadline_s = time.monotonic() + PATIENCE_S
    while provider.streams()[-1]["pongs"] != 1:
        assert time.monotonic() < deadline_s
        link.receive(0.01)


def test_a_secret_is_blanked_in_what_comes(provider: RunningProvider, runtime: Runtime) -> None:
    """Before anybody sees it."""
    link = WebSocket(provider.url.replace("http", "ws") + "/v2", runtime, 5.0, secrets=[b"s3cret"])
    provider.say('{"key":"s3cret"}', close=1008, reason="not s3cret")
    assert received(link, 2)[1] == b'{"key":"***"}'
    assert "'not ***'" in str(complaint(lambda: received(link, 1)))
    link.close()


@pytest.mark.parametrize(("behind", "said"), [
    (b"\x88\x02\x03\xe8", "closed with 1000"), (b"\x88\x09\x03\xf0go away", "closed with 1008, 'go away'"),
    (b"\x88\x00", "closed with 1005"), (b"\x81\x03one\x88\x02\x03\xe8", "closed with 1000"),
    (b"\xff\xff", "closed by us with 1002: it breaks the protocol"),
    (b"\x88\x04\x03\xe8\xff\xfe", "closed by us with 1007: it sends text that is none"),
    (b"\x81\x7f\x00\x00\x00\x00\x10\x00\x00\x00", "closed by us with 1009: a message is longer than 8 MiB"),
    (b"", "the connection broke off")])  # fmt: skip
@pytest.mark.parametrize("pause", [False, True], ids=["at once", "a moment later"])
def test_who_closes_at_once_has_failed_in_plain_words(runtime: Runtime, behind: bytes, said: str, pause: bool) -> None:
    """In the very bytes of the handshake or right behind them: what we say then goes nowhere, and the end is told in its turn."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        may_close = threading.Event()

        def answer() -> None:
            peer, _ = listener.accept()
            with peer:
                request = b""
                while b"\r\n\r\n" not in request:
                    request += peer.recv(65536)
                key = re.search(rb"(?i)sec-websocket-key: *(\S+)", request)
                assert key is not None
                accept = base64.b64encode(hashlib.sha1(key[1] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
                head = b"HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n"
                peer.sendall(head if pause else head + behind)
                if pause:
                    may_close.wait(PATIENCE_S)
                    peer.sendall(behind)
                peer.shutdown(socket.SHUT_WR)
                while peer.recv(65536):  # to hang up on what is sent meanwhile would be another end
                    pass

        thread = threading.Thread(target=answer)
        thread.start()
        link = WebSocket(f"ws://127.0.0.1:{listener.getsockname()[1]}/", runtime, PATIENCE_S)
        may_close.set()
        if not pause:
            link.send(b"hello?")
            link.ping()
        error = complaint(lambda: received(link, 9))
        assert isinstance(error, Ended)
        assert said in str(error)
        link.send(b"hello?")
        link.ping()
        link.close()
        thread.join()


@pytest.mark.parametrize(("path", "fault", "said"), [
    ("/nowhere", {}, "HTTP 404"), ("/v2", {"name": "html"}, "HTTP 200"), ("/v2", {"name": "noise"}, "no WebSocket answer"),
    ("/v2", {"name": "hang_up"}, "no WebSocket answer"), ("/v2", {"name": "reset"}, "127.0.0.1/v2: "),
    ("/v2", {"name": "redirect", "location": "/v2"}, "answers with a redirect, which a stream does not follow"),
    ("/v2", {"name": "redirect", "location": "https://new.example/?key=s3cret"}, "a redirect to new.example, which is not followed"),
    ("/v2", {"name": "slow", "wait_s": 60}, "no connection within 0.5 s"),
    ("/v2", {"name": "drip_headers", "wait_s": 0.2}, "no connection within 0.5 s")])  # fmt: skip
def test_what_is_no_handshake_is_told(provider: RunningProvider, runtime: Runtime, path: str, fault: dict[str, object], said: str) -> None:
    """In time, whatever it is; with host and path and never the query."""
    if fault:
        provider.set(fault=fault)
    url = provider.url.replace("http", "ws") + path + "?token=s3cret"
    error = complaint(lambda: WebSocket(url, runtime, 0.5))
    assert said in str(error)
    assert path in str(error)
    assert "s3cret" not in str(error)


def test_nobody_there_is_told(runtime: Runtime) -> None:
    """A refused connection, a name that does not exist."""
    assert "refused" in str(complaint(lambda: WebSocket("ws://127.0.0.1:9/", runtime, 2.0)))
    assert "nowhere.invalid" in str(complaint(lambda: WebSocket("ws://nowhere.invalid/", runtime, 5.0)))
    assert "can't be one" in str(complaint(lambda: WebSocket(f"ws://{'x' * 64}.invalid/", runtime, 5.0)))


def test_tls_is_checked(provider: RunningProvider, runtime: Runtime) -> None:
    """A server that speaks none is an error of the wire, and not a connection."""
    assert complaint(lambda: WebSocket(provider.url.replace("http", "wss") + "/v2", runtime, 2.0)).retryable


def test_closing_twice_is_nothing(link: WebSocket) -> None:
    """Nor after the end."""
    link.close()
    link.close()
