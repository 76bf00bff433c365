"""How a server starts, ends, and refuses to start: signals, exit codes, and what becomes of the clients."""

from __future__ import annotations

import http.client
import os
import pty
import signal
import socket
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.clients import NodeDriver, PythonClient
from tests.e2e.raw import RawPolling, RawSocket
from tests.e2e.server import PATIENCE_S, command_line, environment, run, serving, start
from tests.e2e.waiting import wait
from tests.providers.client import running

SETTINGS = """
[feeds.sim]
kind = "simulated"
interval_s = 0.1

[symbols]
ACME = { feed = "sim" }
"""
SLOW = """
[feeds.coinbase]
kind = "coinbase"
timeout_s = 600
base_url = "URL"

[feeds.sim]
kind = "simulated"
interval_s = 0.05

[symbols]
BTC-USD = { feed = "coinbase" }
""" + "\n".join(f'S{number} = {{ feed = "sim" }}' for number in range(500))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A settings file."""
    path = tmp_path / "settings.toml"
    path.write_text(SETTINGS)
    return path


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_tells_every_client(number: signal.Signals, driver: NodeDriver) -> None:
    """Exit code 0; a WebSocket is closed with 1001, a waiting poll is answered, official clients know that it was the server."""
    with serving(SETTINGS) as server:
        bare, polling = RawSocket(server.address), RawPolling(server.address)
        bare.join("/ACME")
        polling.post("40/NOPE,")
        polling.wait("44/NOPE,")  # it has joined nothing, and is owed nothing
        node = driver.open(server.url, ["/", "/ACME"])
        node_polling = driver.open(server.url, ["/ACME"], ["polling"])
        python = PythonClient(server.url, ["/"])
        for received in (node.received, node_polling.received):
            received.wait("/ACME", "quote")
        python.received.wait("/", "config")
        with closing(http.client.HTTPConnection(*server.address, timeout=PATIENCE_S)) as waiting:
            waiting.request("GET", polling.target)
            server.get("/healthz")  # came later: when it is answered, the poll waits
            assert server.stop(number) == 0
            answer = waiting.getresponse()
            assert (answer.status, answer.read()) == (200, b"1")
        closed = bare.closing()
        assert (closed.code, closed.reason) == (1001, "shutdown")
        assert node.received.wait("", "close").arguments == ("transport close", 1001)
        node_polling.received.wait("/ACME", "disconnect")
        python.received.wait("/", "disconnect")
        assert server.lines("WARNING|ERROR") == []


def test_a_stalled_client_and_a_hanging_feed_hold_nothing_up() -> None:
    """Neither a client that reads nothing nor a provider that does not answer is waited for."""
    with running("coinbase") as coinbase:
        coinbase.fault("slow", wait_s=600)
        with serving(SLOW.replace("URL", coinbase.url)) as server:
            stalled = RawSocket(server.address)
            stalled.join("/")
            stalled.send('42["subscribe",{"symbols":"*"}]')
            wait(lambda: server.get("/api/quotes/S0").json.get("seq", 0) >= 30)  # some megabytes that it does not read
            assert coinbase.paths() == ["/products/BTC-USD/ticker"]
            assert server.stop() == 0


def test_closing_the_terminal_ends_it(config: Path) -> None:
    """SIGHUP means "read the settings again", unless it comes because the terminal is gone."""
    ours, theirs = pty.openpty()
    command = ["setsid", "--ctty", *command_line("serve", "--headless", "--port", "0", "--config", str(config))]  # it is its own terminal
    server = subprocess.Popen(command, env=environment(), stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    said = b""
    while b"listening on" not in said:
        said += os.read(ours, 4096)
    server.send_signal(signal.SIGHUP)
    while b"settings applied" not in said:
        said += os.read(ours, 4096)
    os.close(ours)  # the system sends the second one
    assert server.wait(PATIENCE_S) == 0


def test_a_port_in_use_is_named(config: Path) -> None:
    """Exit code 1, one line, no traceback; never a silent share."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = run("serve", "--headless", "--config", str(config), "--port", str(port))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == f"error: cannot listen on 127.0.0.1 port {port}: Address already in use; choose another with --port\n"


def test_two_servers_never_share_a_port_and_it_is_free_again_at_once(config: Path) -> None:
    """The second one is refused, the first one goes on. A restart need not wait for old connections to be forgotten."""
    with serving(SETTINGS) as server:
        port = server.address[1]
        refused = run("serve", "--headless", "--config", str(config), "--port", str(port))
        assert refused.returncode == 1
        assert str(port) in refused.stderr
        assert server.get("/healthz").status == 200
        client = RawSocket(server.address)
        client.join("/ACME")
        server.stop()
        client.closing()
    again = start(config, "--headless", port=port)
    again.wait_log("listening on")
    assert again.stop() == 0


@pytest.mark.parametrize(("host", "reason"), [("192.0.2.1", "Cannot assign requested address"), ("no.such.host.invalid", "")])
def test_an_address_that_is_not_ours(config: Path, host: str, reason: str) -> None:
    """The same for a host."""
    refused = run("serve", "--headless", "--config", str(config), "--host", host)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"error: cannot listen on {host} port 5000: {reason}")
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (SETTINGS.replace("interval_s", "intervall_s"), "feeds.sim.intervall_s"),
        (SETTINGS + 'BOLT = { feed = "sin" }\n', "symbols.BOLT.feed"),
        ("", "is empty"),
    ],
)
def test_wrong_settings_end_with_2(config: Path, text: str, words: str) -> None:
    """Nothing is started, all that is wrong is told on stderr."""
    config.write_text(text)
    refused = run("serve", "--headless", "--ndjson", "--config", str(config))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(("arguments", "words"), [
    (["--config", "none.toml"], "there is no such file"), (["--port", "70000"], "--port"), (["--log-level", "loud"], "--log-level"),
])  # fmt: skip
def test_wrong_use_ends_with_2(tmp_path: Path, arguments: list[str], words: str) -> None:
    """As the command line has it."""
    refused = run("serve", *arguments, cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert words in refused.stderr


def test_serve_is_the_default_command(config: Path) -> None:
    """`python main.py --port 0` serves."""
    server = start(config, "--headless", command=())
    server.url = server.wait_log(r"listening on (http://\S+)")[1]
    assert server.get("/healthz").json == {"ok": True}
    assert server.stop() == 0
