"""What an operator sees of the real process: logs that hold whatever clients send, metrics that add up, and no secret in either."""

from __future__ import annotations

import json

from tests.e2e.raw import RawSocket
from tests.e2e.server import serving
from tests.web.metrics.reading import read, total, value

SETTINGS = """
[feeds.sim]
kind = "simulated"
interval_s = 0.1
[feeds.fh]
kind = "finnhub"
base_url = "http://127.0.0.1:9"
[symbols]
ACME = { feed = "sim" }
AAPL = { feed = "fh" }
"""
CANARY = "canary-7f3a9c5e1b"
EVIL = "A\r\nINJECTED\x1b[2J\x00\u2028B"
BROKEN: list[str | bytes] = [f"40/{EVIL},", "nonsense" + EVIL, "42" + "[" * 5000, b"\xff" * 10]
FLOOD = 300


def test_whatever_clients_send_the_log_has_one_event_a_line() -> None:
    """Every line is JSON, none is forged, a flood of broken frames is a few lines; each end of a connection has its reason in /metrics."""
    with serving(SETTINGS, "--log-format", "json", "--log-level", "debug", variables={"FEEDS__FH__API_KEY": CANARY}) as server:
        for number in range(FLOOD):
            client = RawSocket(server.address, headers=[(b"User-Agent", b"x\x9b2J\tlevel=info")])
            client.send(BROKEN[number % len(BROKEN)])
            client.close()
        scraped = read(server.get("/metrics").body.decode())
        while total(scraped, "clients"):
            scraped = read(server.get("/metrics").body.decode())
        status = server.get("/api/status").body.decode()
        assert value(scraped, "connections_opened_total") == total(scraped, "connections_closed_total") == FLOOD
        assert value(scraped, "feed_state", feed="fh", state="ok") == 0
        server.stop()
        log = list(server.log)
    entries = [json.loads(line) for line in log]
    assert all(entry.keys() >= {"time", "level", "logger", "message"} for entry in entries)
    assert any("listening on" in entry["message"] for entry in entries)
    assert not [line for line in log if not line.isascii() or "\x1b" in line or line.startswith("INJECTED")]
    assert len("\n".join(log)) < 100_000
    assert CANARY not in "\n".join(log) + status + str(scraped)
