"""A server in front of a provider's (or anybody's), that spoils what passes through.

    python -m tests.providers.proxy --to http://127.0.0.1:8001 --port 0 --fault drip wait_s=0.2
    python -m tests.providers.proxy --to http://127.0.0.1:8001 --port 0 --chaos 7

The first line of output is `listening on http://127.0.0.1:PORT`; that address goes into `base_url`. `--fault` plays one of
`tests/providers/faults.py` with its options, `--chaos SEED` a random one for some requests, the same ones for the same seed. Control is
as for the providers' servers: `POST /_control` with `{"fault": …}` or `{"switches": {"chaos": 7}}`; `GET /_budget` counts what arrives.

It buffers: an answer is read whole from behind, then played. What is not HTTP it does not pass on; what TCP can suffer is
`tests/faults.py`'s.
"""

from __future__ import annotations

import argparse
import http.client
import json
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

from tests.providers.server import ProviderServer
from tests.providers.wire import Provider, Reply, Request

TIMEOUT_S = 30.0
NOT_PASSED_ON = frozenset(
    {"accept-encoding", "connection", "content-encoding", "content-length", "host", "keep-alive", "transfer-encoding"}
)
"""Headers that belong to one connection only, or to a compressed body."""

CHAOS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("slow", {"wait_s": 0.5}), ("drip", {"wait_s": 0.002}), ("truncate", {}), ("torn", {}), ("reset", {}), ("hang_up", {}),
    ("wrong_type", {}), ("html", {}), ("bomb", {}), ("past", {}), ("nan", {}), ("empty", {}), ("status", {"status": 503}),
    ("status", {"status": 500, "body": "<html>"}), ("status", {"status": 429, "retry_after": "1"}), ("status", {"status": 429})
)  # fmt: skip
CHAOS_SHARE = 0.3


class Proxy(Provider):
    """Answers what the server at `to` answers."""

    def __init__(self, to: str) -> None:
        super().__init__(None)
        self._to = urlsplit(to)

    def load(self, fixtures: Path) -> None:
        """It has none."""

    def answer(self, request: Request) -> Reply:
        """What the server behind says; 502 where it says nothing."""
        kind = http.client.HTTPSConnection if self._to.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._to.netloc, timeout=TIMEOUT_S)
        headers = {name: value for name, value in request.headers.items() if name not in NOT_PASSED_ON}
        try:
            method = "GET" if request.body is None else "POST"
            connection.request(method, self._to.path.rstrip("/") + request.target, request.body, headers)
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            return Reply.json({"error": f"nobody behind: {type(error).__name__}"}, 502)
        finally:
            connection.close()
        return Reply(response.status, body, {name: value for name, value in response.getheaders() if name.lower() not in NOT_PASSED_ON})


class ProxyServer(ProviderServer):
    """A `ProviderServer` that passes requests on, several at a time, and makes up faults by itself if it is told to."""

    def __init__(self, proxy: Proxy, port: int) -> None:
        super().__init__(proxy, port)
        self._chaos: object = None
        self._random = Random()
        self._counting = threading.Lock()

    def reply(self, request: Request) -> Reply:
        """What the server behind says: it may take its time, and nobody else waits for it."""
        with self._counting:
            self.provider.counted.count({"calls": 1})
        return self.provider.answer(request)

    def next_fault(self, path: str, *, upgrade: bool = False) -> dict[str, Any] | None:
        """The one that is set, else the next random one."""
        chaos = self.provider.control.switches.get("chaos")
        if self.provider.control.fault is not None or chaos is None:
            return super().next_fault(path, upgrade=upgrade)
        if chaos != self._chaos:
            self._chaos = chaos
            self._random.seed(chaos)
        if self._random.random() >= CHAOS_SHARE:
            return None
        name, options = self._random.choice(CHAOS)
        return {"name": name, **options}


def _options(words: list[str]) -> Mapping[str, Any]:
    """`wait_s=0.2 retry_after=7`: JSON where it can be read as such, text else."""
    options: dict[str, Any] = {}
    for word in words:
        name, separator, value = word.partition("=")
        if not separator:
            raise ValueError(f"{word!r} is not NAME=VALUE")
        try:
            options[name] = json.loads(value)
        except ValueError:
            options[name] = value
    return options


def main() -> None:
    """Read the arguments, say where it listens, serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.providers.proxy", description="Spoil what a server answers.")
    parser.add_argument("--to", required=True, help="the server behind: http://HOST:PORT[/PREFIX]")
    parser.add_argument("--port", type=int, default=0, help="0 (default): a free one")
    parser.add_argument("--fault", nargs="+", metavar=("NAME", "OPTION=VALUE"), help="play this on every answer; times=, every=, path= too")
    parser.add_argument("--chaos", type=int, metavar="SEED", help="play random ones on three answers in ten")
    arguments = parser.parse_args()
    server = ProxyServer(Proxy(arguments.to), arguments.port)
    try:
        if arguments.fault:
            server.set_control({"fault": {"name": arguments.fault[0], **_options(arguments.fault[1:])}})
    except ValueError as error:
        parser.error(str(error))
    if arguments.chaos is not None:
        server.set_control({"switches": {"chaos": arguments.chaos}})
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(f"listening on {server.url}", flush=True)
    try:
        server.serve_forever(poll_interval=60)
    except KeyboardInterrupt:
        pass
    finally:
        server.stopping.set()


if __name__ == "__main__":
    main()
