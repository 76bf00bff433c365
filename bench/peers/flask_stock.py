"""Stock Flask-SocketIO on eventlet: a handler a namespace, `socketio.emit` a symbol, nothing tuned but the number of clients."""

# ruff: noqa: E402  (eventlet must patch before anything else is imported)
import warnings

warnings.filterwarnings("ignore", message="\\s*Eventlet is deprecated")
import eventlet

eventlet.monkey_patch()

import os

from flask import Flask, Response, jsonify
from flask_socketio import SocketIO

from bench.peers.pace import Pace, Quotes, options


def main() -> None:
    """Serve until standard input ends."""
    given = options()
    pace, quotes = Pace(), Quotes(given.symbols, given.template)
    app = Flask(__name__)
    socketio = SocketIO(app, async_mode="eventlet", cors_allowed_origins="*")
    newest: dict[str, object] = {}

    @app.get("/api/quotes")
    def all_quotes() -> Response:
        return jsonify(epoch="stock", quotes=list(newest.values()), unknown=[])

    @app.get("/readyz")
    def readyz() -> Response:
        return jsonify(ready=True, reason=None)

    def on_connect() -> None:
        """Everybody may join."""

    for name in quotes.names:
        socketio.on_event("connect", on_connect, namespace=f"/{name}")

    def emit_rounds() -> None:
        while True:
            socketio.sleep(pace.wait_s())
            if not pace.hz:
                continue
            pace.begin()
            for name, quote in quotes.round():
                newest[name] = quote
                socketio.emit("quote", quote, namespace=f"/{name}")

    def read_commands() -> None:
        os.set_blocking(0, False)
        while text := os.read(0, 4096):
            pace.obey(text.decode())
        os._exit(0)

    socketio.start_background_task(emit_rounds)
    socketio.start_background_task(read_commands)
    socketio.run(app, host="127.0.0.1", port=given.port, max_size=20_000)  # stock: 1024, then clients hang


main()
