"""A Unix socket in place of an address: what comes through it is a proxy's word for somebody."""

from __future__ import annotations

import http.client
import json
import socket
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.conformance.peer import HANDSHAKE, TEXT, masked
from tests.e2e.raw import WEBSOCKET
from tests.e2e.server import PATIENCE_S, run, serving

SYMBOLS = '[feeds.sim]\nkind = "simulated"\ninterval_s = 0.1\n[symbols]\nACME = { feed = "sim" }\n'


class UnixConnection(http.client.HTTPConnection):
    """HTTP through a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=PATIENCE_S)
        self._path = path

    def connect(self) -> None:
        """Connect to it."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE_S)
        self.sock.connect(str(self._path))


def get(path: Path, target: str, **headers: str) -> tuple[int, Any]:
    """Status and JSON of an answer."""
    with closing(UnixConnection(path)) as connection:
        connection.request("GET", target, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def test_a_unix_socket(tmp_path: Path) -> None:
    """For its owner and group; left behind by a crash it is replaced, in use it is refused, and an orderly end leaves nothing."""
    path = tmp_path / "relay.sock"
    settings = f'[server]\nhost = "unix:{path}"\n[limits]\nhttp_requests_per_s = 1\n' + SYMBOLS
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(str(path))
    with serving(settings, listening=r"listening on (unix:\S+)", variables={"LIMITS__HTTP_REQUESTS_PER_S": "1"}) as server:
        assert server.url == f"unix:{path}"
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert get(path, "/healthz") == (200, {"ok": True})
        assert get(path, "/metrics")[0] == 403, "whoever it comes from, it is not this machine"
        statuses = [get(path, "/api/status", X_Forwarded_For=client)[0] for client in ["192.0.2.1"] * 5 + ["192.0.2.2"]]
        assert statuses[:2] == [200, 200]
        assert 429 in statuses[:5]
        assert statuses[5] == 200, "who is meant is who is counted"
        assert server.lines("any name in Host is answered")
        with closing(UnixConnection(path)) as connection:
            connection.request("GET", WEBSOCKET, headers=HANDSHAKE)
            assert connection.sock.recv(65_536).startswith(b"HTTP/1.1 101 ")
            connection.sock.sendall(masked(TEXT, "40/ACME,"))
            heard = b""
            while b'42/ACME,["quote"' not in heard:
                heard += connection.sock.recv(65_536)
        again = run("serve", "--headless", "--config", str(server.config))
        assert again.returncode == 1
        assert f"cannot listen on unix:{path}: Address already in use" in again.stderr
        assert server.stop() == 0
    assert not path.exists()
