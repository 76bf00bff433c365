"""`python -m tests.providers NAME`: serve one provider until interrupted."""

from __future__ import annotations

import argparse
import importlib.util
import signal
import sys
from pathlib import Path

from tests.providers.server import ProviderServer
from tests.providers.wire import Provider


def provider_of(name: str) -> type[Provider] | None:
    """The server of that name: in the file of its name in this folder, or in the test of a feed that has no such file."""
    for home in (f"tests.providers.{name}", f"tests.feeds.test_{name}"):
        if name.isidentifier() and importlib.util.find_spec(home) is not None:
            for value in vars(importlib.import_module(home)).values():
                if isinstance(value, type) and issubclass(value, Provider) and vars(value).get("name") == name:
                    return value
    return None


def main() -> None:
    """Read the arguments, say where it listens, serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.providers", description="Serve one provider's wire on this machine.")
    parser.add_argument("provider", help="a kind of feed: kraken, yahoo_stream, …")
    parser.add_argument("--port", type=int, default=0, help="0 (default): a free one")
    parser.add_argument("--fixtures", type=Path, help="folder of recorded answers to serve instead of moving prices")
    parser.add_argument("--no-limits", action="store_true", help="no rate limit")
    parser.add_argument("--certificate", type=Path, help="serve TLS, by the certificate and the key in this file")
    arguments = parser.parse_args()
    if arguments.fixtures is not None and not arguments.fixtures.is_dir():
        parser.error(f"{arguments.fixtures} is no folder")

    kind = provider_of(arguments.provider)
    if kind is None:
        parser.error(f"no server is called {arguments.provider}: neither tests/providers nor a test in tests/feeds has one")
    provider = kind(arguments.fixtures)
    provider.control.limits = not arguments.no_limits
    server = ProviderServer(provider, arguments.port, arguments.certificate)
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
