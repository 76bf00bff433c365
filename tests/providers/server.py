"""Serves one provider over HTTP/1.1, with its control path. A thread a connection: a client that reads slowly delays no other."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import struct
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import asdict, fields
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.providers.connection import Connection
from tests.providers.faults import FAULTS, End, Pause, Script, good
from tests.providers.talk import Close, Out, Raw, Reset, Streaming, Talk
from tests.providers.wire import Control, Provider, Reply, Request

CONTROL_PATH = "/_control"
BUDGET_PATH = "/_budget"
STREAMS_PATH = "/_streams"
COMMON_OPTIONS = frozenset({"name", "path", "times", "every", "upgrade"})
"""What any fault may have besides its own options."""
REMEMBERED = 10_000


class ProviderServer(ThreadingHTTPServer):
    """Listens on 127.0.0.1:`port`; 0 takes a free one. With `certificate` it speaks TLS."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, provider: Provider, port: int, certificate: Path | None = None) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self._scheme = "http" if certificate is None else "https"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.provider = provider
        self._limits = provider.control.limits
        self.requests: deque[dict[str, Any]] = deque(maxlen=REMEMBERED)
        self.talks: list[Talk] = []
        self.stopping = threading.Event()
        self._repeated: dict[tuple[str, str], Reply] = {}
        self._faulty = 0  # requests since the fault was set that it is about
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """What `base_url` must be set to."""
        return f"{self._scheme}://127.0.0.1:{self.server_address[1]}"

    def script(self, request: Request, client_port: int) -> Script:
        """What goes onto the wire for `request`, which came over the connection from `client_port`."""
        reply = self.reply(request)
        with self._lock:
            fault = self.next_fault(request.path)
            if fault is not None and fault["name"] == "repeat":
                reply = self._repeated.setdefault((request.path, str(request.query)), reply)
            self.requests.append({"path": request.path, "query": dict(request.query), "headers": dict(request.headers),
                                  "form": None if request.form is None else {name: list(values) for name, values in request.form.items()},
                                  "body": None if request.body is None else request.body.decode("utf-8", "replace"),
                                  "status": reply.status, "fault": fault["name"] if fault else None, "client_port": client_port
            })  # fmt: skip
        if fault is None:
            return good(reply)
        return FAULTS[fault["name"]](reply, **{key: value for key, value in fault.items() if key not in COMMON_OPTIONS})

    def upgrade(self, request: Request, client_port: int) -> Talk | Script:
        """What comes of a request for a WebSocket: a conversation, or what goes onto the wire in place of one."""
        with self._lock:
            fault = self.next_fault(request.path, upgrade=True)
            provider = self.provider
            wish = (
                provider.talk(request, [talk for talk in self.talks if talk.over is None], time.monotonic())
                if (isinstance(provider, Streaming))
                else Reply.json({"error": "no WebSocket here"}, 404)
            )
            status = wish.status if isinstance(wish, Reply) else 101
            self.requests.append({"path": request.path, "query": dict(request.query), "headers": dict(request.headers), "form": None,
                                  "status": status, "fault": fault["name"] if fault else None, "client_port": client_port})  # fmt: skip
            if fault is not None:
                options = {key: value for key, value in fault.items() if key not in COMMON_OPTIONS}
                return FAULTS[fault["name"]](Reply.json({}), **options)
            if isinstance(wish, Reply):
                return good(wish)
            self.talks.append(wish)
            return wish

    @property
    def lock(self) -> threading.Lock:
        """Held while the provider is asked for anything."""
        return self._lock

    def command(self, command: dict[str, Any]) -> None:
        """Let every open conversation say what `/_streams` is told. Raises `ValueError` for what it does not understand."""
        if unknown := command.keys() - {"say", "binary", "raw", "close", "reason", "reset"}:
            raise ValueError(f"no such command: {sorted(unknown)}")
        out: list[Out] = [*command.get("say", [])]
        out += [base64.b64decode(data) for data in command.get("binary", [])]
        out += [Raw(base64.b64decode(data)) for data in command.get("raw", [])]
        if "close" in command:
            out.append(Close(command["close"], command.get("reason", "")))
        if command.get("reset"):
            out.append(Reset())
        with self._lock:
            for talk in self.talks:
                if talk.over is None:
                    talk.commands.extend(out)

    def show_streams(self) -> list[dict[str, Any]]:
        """Every conversation since the start, or since all was forgotten."""
        with self._lock:
            return [talk.shown() for talk in self.talks]

    def reply(self, request: Request) -> Reply:
        """What the provider answers."""
        with self._lock:
            self.provider.counted.count(self.provider.cost(request))
            return self.provider.answer(request)

    def set_control(self, changes: dict[str, Any]) -> None:
        """Merge `changes` into the control. Raises `ValueError` for one that does not exist."""
        unknown = changes.keys() - {field.name for field in fields(Control)}
        fault = changes.get("fault")
        if unknown or (fault is not None and fault.get("name") not in FAULTS):
            raise ValueError(f"no such control: {sorted(unknown) or fault}")
        with self._lock:
            if "fault" in changes:
                self._repeated.clear()
                self._faulty = 0
            for name, value in changes.items():
                setattr(self.provider.control, name, value)

    def show_control(self) -> dict[str, Any]:
        """What is set, and what was asked for."""
        with self._lock:
            return {"control": asdict(self.provider.control), "requests": list(self.requests)}

    def forget_control(self) -> None:
        """As after the start, prices apart."""
        with self._lock:
            self.provider.control = Control(limits=self._limits)
            self.provider.counted.forget()
            self._repeated.clear()
            self.requests.clear()
            self.talks = [talk for talk in self.talks if talk.over is None]

    def show_budget(self) -> dict[str, dict[str, Any]]:
        """How near the client ever came to each limit."""
        with self._lock:
            return self.provider.counted.shown()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is what many tests are about; anything else is shown."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)  # type: ignore[arg-type] # typeshed's two spellings of a socket

    def next_fault(self, path: str, *, upgrade: bool = False) -> dict[str, Any] | None:
        """What goes wrong with the next request for `path`. `upgrade`: it asks for a WebSocket."""
        fault = self.provider.control.fault
        if fault is None or not path.startswith(fault.get("path", "/")) or upgrade < bool(fault.get("upgrade")):
            return None
        self._faulty += 1
        if self._faulty % fault.get("every", 1):
            return None
        if "times" in fault:
            left = fault["times"] - 1
            self.provider.control.fault = fault | {"times": left} if left > 0 else None
        return fault


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: ProviderServer

    def do_GET(self) -> None:
        if self.path == CONTROL_PATH:
            self._play(good(Reply.json(self.server.show_control())))
        elif self.path == BUDGET_PATH:
            self._play(good(Reply.json(self.server.show_budget())))
        elif self.path == STREAMS_PATH:
            self._play(good(Reply.json(self.server.show_streams())))
        elif self.headers.get("Upgrade", "").lower() == "websocket":
            self._talk()
        else:
            self._answer(None)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path not in {CONTROL_PATH, STREAMS_PATH}:
            self._answer(body)
            return
        change = self.server.set_control if self.path == CONTROL_PATH else self.server.command
        try:
            change(json.loads(body))
        except (ValueError, AttributeError) as error:
            self._play(good(Reply.json({"error": str(error)}, 400)))
        else:
            self._play(good(Reply.json({"ok": True})))

    def do_DELETE(self) -> None:
        self.server.forget_control()
        self._play(good(Reply.json({"ok": True})))

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: what was asked for is at `/_control`."""

    def _answer(self, form: bytes | None) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._play(self.server.script(Request.of(self.path, headers, form), self.client_address[1]))

    def _talk(self) -> None:
        """Serve a WebSocket for as long as it lasts."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        talk = self.server.upgrade(Request.of(self.path, headers), self.client_address[1])
        if not isinstance(talk, Talk):
            self._play(talk)
            return
        self.close_connection = True
        lines = [f"{name}: {value}" for name, value in self.headers.items()]
        head = "\r\n".join([f"GET {self.path} HTTP/1.1", *lines, "", ""]).encode("latin-1")
        try:
            Connection(self.connection, head, talk, self.server.lock, self.server.stopping).run()
        finally:
            with self.server.lock:
                talk.over = talk.over or Close(1006)

    def _play(self, script: Script) -> None:
        for step in script:
            if isinstance(step, bytes):
                self.wfile.write(step)
            elif isinstance(step, Pause):
                self.server.stopping.wait(step.seconds)
            else:
                self.close_connection = True
                if step is End.RESET:  # closing with unsent data thrown away is a reset
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    with suppress(OSError):
                        self.connection.close()
