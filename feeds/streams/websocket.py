"""One WebSocket connection to a provider, as `ticker.source.Link`: RFC 6455 by the library's protocol object, a socket of our own.

Bounded in all directions: the handshake by a deadline, a message by its length and the number of its fragments, pings by their number, a
send by a deadline. What was read is taken in a little at a time, with others' turns between: frames may be two bytes long. As with
`feeds.http.client` nothing of the machine leaks into it: no proxy of the environment, the same certificates, and what comes back of our
secrets is blanked.
"""

from __future__ import annotations

import logging
import socket
import ssl
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from urllib.parse import urlsplit

from requests.structures import CaseInsensitiveDict
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidMessage, InvalidStatus, InvalidUpgrade, NegotiationError
from websockets.frames import Frame, Opcode
from websockets.http11 import Response as HandshakeResponse
from websockets.protocol import State
from websockets.uri import parse_uri

from feeds.api_keys import blanked
from feeds.http.client import Response
from feeds.http.errors import CONNECTION_ERRORS, causes, trouble
from feeds.http.limit_headers import remaining_calls, server_time_s
from feeds.http.redirects import redirect
from ticker import __version__
from ticker.errors import FeedError, excerpt, said
from ticker.runtime import DeadlineExceeded, Runtime, Turn
from ticker.source import Ended

MAX_MESSAGE_BYTES = 8 * 1024 * 1024
"""The longest honest message known (a relay's snapshot of 10,000 symbols) is 3 MB."""
MAX_FRAGMENTS = 10_000
"""A message has at most so many. Servers that send in fragments send some KiB in each."""
MAX_CONTROL, CONTROL_A_S = 100, 10.0
"""So many pings and pongs may come running, with no message between them, and so many more each second."""
MAX_AT_ONCE = 1_000
"""At most so many messages are handed out at a time; the rest of what was read waits."""
READ_BYTES = 256 * 1024
SLICE_BYTES = 2048
"""So many bytes are taken in before others may have a turn: a thousand frames without content, which take 5 ms."""
LONGEST_SLICE_BYTES = 8192
"""So much at most is taken in at once where the slices before held no end of a frame."""
SEND_WITHIN_S = 10.0
"""A provider that does not take our few words within so many seconds takes nothing: the connection ends."""

BREACHES = {
    1002: "it breaks the protocol of WebSockets",
    1007: "it sends text that is none",
    1009: f"a message is longer than {MAX_MESSAGE_BYTES // 1024 // 1024} MiB",
}
"""What the other side did where the library closes, by the code it closes with."""

log = logging.getLogger(__name__)
# The library would log frames, keys included, at the level `debug`.
_SILENT = logging.Logger("websocket", logging.CRITICAL)


class WebSocket:
    """An open connection. Messages are bytes in both directions: JSON is decoded from those directly."""

    def __init__(
        self,
        url: str,
        runtime: Runtime,
        timeout_s: float,
        headers: Mapping[str, str] | None = None,
        secrets: Collection[bytes] = (),
        ca_file: str | None = None,
    ) -> None:
        """Connect to `url` (`ws:` or `wss:`) within `timeout_s` in all. `ca_file`: who signs for the server, in place of those that
        everybody trusts.

        Raises `FeedError`: the answer's own meaning where it is an HTTP error (with `Retry-After`), else what went wrong on the way.
        Messages name host and path, never the query.
        """
        parts = urlsplit(url)
        self._where = f"{parts.hostname}{parts.path}"
        self._runtime = runtime
        self._secrets = secrets
        self._ca_file = ca_file or DEFAULT_CA_BUNDLE_PATH
        self._protocol = ClientProtocol(parse_uri(url), max_size=MAX_MESSAGE_BYTES, logger=_SILENT)
        self._socket: socket.socket | None = None
        self._ready: list[bytes] = []
        self._pieces: list[bytes] = []
        self._unread = memoryview(b"")  # was read and is to be taken in
        self._slice_bytes = SLICE_BYTES
        self._control, self._control_s = 0.0, 0.0
        self._turn = Turn()
        self._over: Ended | None = None
        opened = False
        try:
            with runtime.deadline(timeout_s):
                self._socket = self._connect(timeout_s)
                self._shake_hands(self._socket, headers or {})
            opened = True
            log.debug("%s: connected", said(self._where))
        except DeadlineExceeded:
            raise FeedError(f"{self._where}: no connection within {timeout_s:.3g} s", fault="slow") from None
        except UnicodeError:
            raise FeedError(f"{self._where}: the host name can't be one", retryable=False) from None
        except CONNECTION_ERRORS as error:
            retryable = not any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes(error))
            found = trouble(error)
            raise FeedError(f"{self._where}: {found.words}", retryable=retryable, fault=found.fault) from None
        finally:
            if not opened:
                self.close()

    def send(self, message: bytes) -> None:
        if self._over is None:  # else `receive` says so, after what came before the end
            self._protocol.send_text(message)
            self._flush()

    def ping(self) -> None:
        if self._over is None:
            self._protocol.send_ping(b"")
            self._flush()

    def leave(self) -> None:
        if self._over is None:
            self._protocol.send_close(1000)
            self._flush()

    def receive(self, timeout_s: float) -> list[bytes] | None:
        if not self._ready and self._over is None:
            if not self._unread:
                data = self._read(timeout_s)
                if data is None:
                    return None
                self._unread = memoryview(data)
            self._feed()
        if self._over is not None and not self._ready:
            raise self._over
        messages, self._ready = self._ready, []
        return messages

    def close(self) -> None:
        connection, self._socket = self._socket, None
        if connection is None:
            return
        with suppress(*CONNECTION_ERRORS):
            if self._protocol.state is State.OPEN:
                self._protocol.send_close(1000)
                connection.settimeout(0.0)  # what the kernel does not take now need not be said
                connection.send(b"".join(self._protocol.data_to_send()))
        with suppress(*CONNECTION_ERRORS):
            connection.close()

    def _connect(self, timeout_s: float) -> socket.socket:
        uri = self._protocol.uri
        connection = socket.create_connection((uri.host, uri.port), timeout_s)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if not uri.secure:
                return connection
            context = ssl.create_default_context(cafile=self._ca_file)
            return context.wrap_socket(connection, server_hostname=uri.host)
        except BaseException:
            connection.close()
            raise

    def _shake_hands(self, connection: socket.socket, headers: Mapping[str, str]) -> None:
        request = self._protocol.connect()
        for name, value in {"User-Agent": f"tickercast/{__version__}", **headers}.items():
            request.headers[name] = value
        self._protocol.send_request(request)
        connection.sendall(b"".join(self._protocol.data_to_send()))
        while self._protocol.state is State.CONNECTING:
            self._turn.step()
            data = connection.recv(SLICE_BYTES)
            if data:
                self._protocol.receive_data(data)
            else:
                self._protocol.receive_eof()
            refused = self._protocol.handshake_exc
            if isinstance(refused, InvalidStatus):
                raise self._refusal(refused.response)
            if refused is not None:
                raise FeedError(f"{self._where}: no WebSocket answer: {_in_our_words(refused)}")
        self._collect()
        if self._protocol.state is not State.OPEN:  # it said more than yes
            self._over = self._ending()

    def _refusal(self, answer: HandshakeResponse) -> FeedError:
        """What an HTTP answer in place of a WebSocket means."""
        headers = CaseInsensitiveDict(answer.headers.raw_items())
        if 300 <= answer.status_code <= 399 and (location := headers.get("Location")):
            there = redirect(f"https://{self._where}", location)
            words = there.refused or "answers with a redirect, which a stream does not follow"
            return FeedError(f"{self._where}: {words}", fault="redirect", status=answer.status_code)
        until_reset_s = [usage.reset_in_s for usage in remaining_calls(headers, server_time_s(headers)) if usage.left == 0]
        body = self._blank(bytes(answer.body or b""))
        return Response(self._where, answer.status_code, headers, body).error(max(until_reset_s, default=None))

    def _read(self, timeout_s: float) -> bytes | None:
        """Some bytes, none at the end, `None` where none came in time. Raises `Ended`."""
        connection = self._socket
        assert connection is not None
        try:
            connection.settimeout(max(timeout_s, 0.001))
            return connection.recv(READ_BYTES)
        except TimeoutError:
            return None
        except CONNECTION_ERRORS as error:
            raise Ended(f"{self._where}: {trouble(error).words}") from None

    def _feed(self) -> None:
        """Take in what was read, up to what is enough to hand out; nothing: the end."""
        if not self._unread:
            self._take_in(b"")
        while self._unread and self._over is None and len(self._ready) < MAX_AT_ONCE:
            piece, self._unread = bytes(self._unread[: self._slice_bytes]), self._unread[self._slice_bytes :]
            self._slice_bytes = SLICE_BYTES if self._take_in(piece) else min(2 * self._slice_bytes, LONGEST_SLICE_BYTES)
            self._turn.step()
        with suppress(Ended):  # what was read counts, whether or not the answers to pings can be sent
            self._flush()

    def _take_in(self, piece: bytes) -> bool:
        """Take in some bytes, or the end. Whether a frame ended in them."""
        if piece:
            self._protocol.receive_data(piece)
        else:
            self._protocol.receive_eof()
        some = self._collect()
        if self._protocol.state is not State.OPEN and self._over is None:
            self._over = self._ending()
        return some

    def _collect(self) -> bool:
        """Put frames together to messages, and end it where there are too many of a kind. Whether there were any."""
        events = self._protocol.events_received()
        for event in events:
            if isinstance(event, HandshakeResponse):
                continue
            assert isinstance(event, Frame)
            if event.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self._count_control()
                continue
            data, event.data = bytes(event.data), b""  # the protocol keeps the frame until the next comes
            self._control = 0.0
            if event.fin and not self._pieces:
                self._ready.append(self._blank(data))
                continue
            self._pieces.append(data)
            if event.fin:
                self._ready.append(self._blank(b"".join(self._pieces)))
                self._pieces = []
            elif len(self._pieces) > MAX_FRAGMENTS:
                self._over = Ended(f"{self._where}: a message of more than {MAX_FRAGMENTS} fragments")
                self._pieces = []
        return bool(events)

    def _count_control(self) -> None:
        now_s = time.monotonic()
        self._control = max(0.0, self._control - (now_s - self._control_s) * CONTROL_A_S) + 1
        self._control_s = now_s
        if self._control > MAX_CONTROL:
            self._over = Ended(f"{self._where}: more than {MAX_CONTROL} pings and no message between them")

    def _ending(self) -> Ended:
        """Why it is over, as far as anybody said."""
        said, ours = self._protocol.close_rcvd, self._protocol.close_sent
        if said is not None:
            reason = excerpt(self._blank(said.reason.encode()))
            return Ended(f"{self._where}: closed with {said.code}" + (f", {reason!r}" if reason else ""))
        if ours is not None and self._protocol.parser_exc is not None:
            return Ended(f"{self._where}: closed by us with {ours.code}: {BREACHES.get(ours.code, BREACHES[1002])}")
        return Ended(f"{self._where}: the connection broke off")

    def _flush(self) -> None:
        data = b"".join(self._protocol.data_to_send())
        if not data or self._socket is None:
            return
        try:
            with self._runtime.deadline(SEND_WITHIN_S):
                self._socket.settimeout(SEND_WITHIN_S)
                self._socket.sendall(data)
        except DeadlineExceeded:
            raise Ended(f"{self._where}: takes nothing") from None
        except CONNECTION_ERRORS as error:
            raise Ended(f"{self._where}: {trouble(error).words}") from None

    def _blank(self, message: bytes) -> bytes:
        return blanked(message, self._secrets)


def _in_our_words(refused: Exception) -> str:
    """Why the library takes an answer for no handshake; its own words quote the answer."""
    if isinstance(refused, InvalidUpgrade):
        return "it does not change over to one"
    if isinstance(refused, NegotiationError):
        return "it has chosen what was not offered"
    if isinstance(refused, InvalidMessage | EOFError):
        return "no answer of HTTP, or a torn one"
    return "its headers do not belong to our question"
