"""`python -m tests.conformance --port N`: serve what the official protocol suites are run against, until interrupted."""

import warnings

warnings.filterwarnings("ignore", message="\\s*Eventlet is deprecated")
import eventlet  # noqa: E402  (the warning filter must stand before it)

eventlet.monkey_patch()

import argparse  # noqa: E402  (the process is patched first, as in main.py)
import signal  # noqa: E402

from tests.conformance.server import ConformanceServer  # noqa: E402
from web.runtime import Signals  # noqa: E402


def main() -> None:
    """Read the arguments, say where it listens, serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description="Serve the engine to the official protocol suites.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="0 (default): a free one")
    parser.add_argument("--ping-interval", type=int, default=1, metavar="SECONDS", help="whole seconds (default: %(default)s)")
    parser.add_argument("--ping-timeout", type=int, default=1, metavar="SECONDS", help="whole seconds (default: %(default)s)")
    parser.add_argument(
        "--connect-timeout",
        type=int,
        default=5,
        metavar="SECONDS",
        help="close a Socket.IO client that joined nothing for so long (default: %(default)s)",
    )
    arguments = parser.parse_args()
    if min(arguments.ping_interval, arguments.ping_timeout, arguments.connect_timeout) < 1:
        parser.error("the times are whole seconds, at least 1")

    server = ConformanceServer(arguments.ping_interval, arguments.ping_timeout, arguments.connect_timeout)
    signals = Signals(server.runtime, signal.SIGTERM, signal.SIGINT)
    try:
        host, port = server.start(arguments.host, arguments.port)
    except OSError as error:
        parser.exit(1, f"cannot listen on {arguments.host} port {arguments.port}: {error.strerror}\n")
    print(f"listening on http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)
    while not signals.wait(60):
        pass


if __name__ == "__main__":
    main()
