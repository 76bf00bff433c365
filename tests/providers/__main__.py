"""`python -m tests.providers NAME`: serve one provider until interrupted."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from tests.providers.binance import Binance
from tests.providers.coinbase import Coinbase
from tests.providers.kraken import Kraken
from tests.providers.server import ProviderServer
from tests.providers.wire import Provider
from tests.providers.yahoo import Yahoo

PROVIDERS: dict[str, type[Provider]] = {provider.name: provider for provider in (Binance, Coinbase, Kraken, Yahoo)}


def main() -> None:
    """Read the arguments, say where it listens, serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.providers", description="Serve one provider's wire on this machine.")
    parser.add_argument("provider", choices=sorted(PROVIDERS))
    parser.add_argument("--port", type=int, default=0, help="0 (default): a free one")
    parser.add_argument("--fixtures", type=Path, help="folder of recorded answers to serve instead of moving prices")
    parser.add_argument("--no-limits", action="store_true", help="no rate limit")
    arguments = parser.parse_args()
    if arguments.fixtures is not None and not arguments.fixtures.is_dir():
        parser.error(f"{arguments.fixtures} is no folder")

    provider = PROVIDERS[arguments.provider](arguments.fixtures)
    provider.control.limits = not arguments.no_limits
    server = ProviderServer(provider, arguments.port)
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
