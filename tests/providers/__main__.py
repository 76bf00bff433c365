"""`python -m tests.providers NAME`: serve one provider until interrupted."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import signal
import sys
from pathlib import Path

import tests.providers
from tests.providers.server import ProviderServer
from tests.providers.wire import Provider


def providers() -> dict[str, type[Provider]]:
    """Every `Provider` of this folder that has a name, by it."""
    found: dict[str, type[Provider]] = {}
    for module in pkgutil.iter_modules(tests.providers.__path__):
        if not module.name.startswith(("test_", "__")):
            for value in vars(importlib.import_module(f"{tests.providers.__name__}.{module.name}")).values():
                if isinstance(value, type) and issubclass(value, Provider) and "name" in vars(value):
                    found[value.name] = value
    return found


def main() -> None:
    """Read the arguments, say where it listens, serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.providers", description="Serve one provider's wire on this machine.")
    kinds = providers()
    parser.add_argument("provider", choices=sorted(kinds))
    parser.add_argument("--port", type=int, default=0, help="0 (default): a free one")
    parser.add_argument("--fixtures", type=Path, help="folder of recorded answers to serve instead of moving prices")
    parser.add_argument("--no-limits", action="store_true", help="no rate limit")
    parser.add_argument("--certificate", type=Path, help="serve TLS, by the certificate and the key in this file")
    arguments = parser.parse_args()
    if arguments.fixtures is not None and not arguments.fixtures.is_dir():
        parser.error(f"{arguments.fixtures} is no folder")

    provider = kinds[arguments.provider](arguments.fixtures)
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
