"""The streams a server is given: closed, full, without a reader, with one that has stopped; and files that do not answer. It serves on."""

from __future__ import annotations

import fcntl
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.server import PATIENCE_S, ROOT, Answer, RunningServer, command_line, environment, run, serving

SETTINGS = """
[server]
host = "unix:SOCKET"
drain_min_s = 0.1
metrics = "open"

[feeds.sim]
kind = "simulated"
interval_s = 0.02

[symbols]
ACME = { feed = "sim" }
"""


class AtSocket:
    """A server at a Unix socket: it can be asked whatever became of its log."""

    def __init__(self, process: subprocess.Popen[bytes], path: Path) -> None:
        self.process = process
        self._path = path

    def get(self, target: str) -> Answer:
        """One request, as soon as it listens."""
        while True:
            connection = http.client.HTTPConnection("localhost", timeout=PATIENCE_S)
            connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connection.sock.connect(str(self._path))
                connection.request("GET", target)
                response = connection.getresponse()
                return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
            except (FileNotFoundError, ConnectionRefusedError):
                assert self.process.poll() is None
            finally:
                connection.close()

    def goes_on(self) -> None:
        """Prices come, and the settings are read again when it is told to."""
        seen = self.get("/api/quotes/ACME").json.get("seq", 0)
        while self.get("/api/quotes/ACME").json.get("seq", 0) <= seen:
            pass
        read_at = self.get("/api/status").json["last_reload"]["at"]
        self.process.send_signal(signal.SIGHUP)
        while self.get("/api/status").json["last_reload"]["at"] == read_at:
            assert self.process.poll() is None

    def stream(self, number: int) -> str:
        """What is behind one of its descriptors."""
        return os.readlink(f"/proc/{self.process.pid}/fd/{number}")


@contextmanager
def at_socket(folder: Path, *options: str, shell: str = "", **streams: Any) -> Iterator[AtSocket]:
    """`serve` with these streams; `shell` says what a shell does to them."""
    config, path = folder / "settings.toml", folder / "socket"
    config.write_text(SETTINGS.replace("SOCKET", str(path)))
    arguments = command_line("serve", "--headless", "--config", str(config), *options)
    if shell:
        arguments = ["sh", "-c", f'exec "$@" {shell}', "sh", *arguments]
    process = subprocess.Popen(arguments, env=environment(), **{"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, **streams})
    try:
        yield AtSocket(process, path)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


@pytest.mark.parametrize(("shell", "closed"), [("2>&-", [2]), ("<&- >&- 2>&-", [0, 1, 2])])
def test_streams_that_are_closed(tmp_path: Path, shell: str, closed: Sequence[int]) -> None:
    """There is /dev/null in their place, so that no socket gets what is said on stderr."""
    with at_socket(tmp_path, shell=shell) as server:
        server.goes_on()
        assert {server.stream(number) for number in closed} == {os.devnull}
        server.process.terminate()
        assert server.process.wait(PATIENCE_S) == 0


def test_a_reader_of_stderr_that_is_gone(tmp_path: Path) -> None:
    """It was no terminal, so nothing has been closed: SIGHUP means the settings. What could not be said is counted."""
    reader, writer = os.pipe()
    os.close(reader)
    with at_socket(tmp_path, stderr=writer) as server:
        os.close(writer)
        server.goes_on()
        lost = re.search(r"^tickercast_log_lines_lost_total (\d+)", server.get("/metrics").body.decode(), re.MULTILINE)
        assert lost is not None
        assert int(lost[1]) >= 2
        server.process.terminate()
        assert server.process.wait(PATIENCE_S) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_reader_of_stderr_that_has_stopped(tmp_path: Path, number: signal.Signals) -> None:
    """Prices go on while the pipe is full, and the first signal ends it."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    with at_socket(tmp_path, stderr=writer) as server, os.fdopen(reader) as stderr:
        os.close(writer)
        server.goes_on()
        valid = (tmp_path / "settings.toml").read_text()
        for _ in range(5):
            (tmp_path / "settings.toml").write_text("x = 1\n" + "\n".join(f"{'y' * 60}{line} = 1" for line in range(30)))
            server.goes_on()  # each time a line of some kilobytes
        (tmp_path / "settings.toml").write_text(valid)
        server.goes_on()
        server.process.send_signal(number)
        assert server.process.wait(PATIENCE_S) == 0
        assert "settings not applied" in stderr.read()


CRASH = """
import gc, logging, runpy, sys
def freeze():
    logging.getLogger("tickercast").warning("soon")
    raise ZeroDivisionError
gc.freeze = freeze
sys.argv[0] = sys.argv.pop(1)
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_nothing_that_was_said_is_lost(tmp_path: Path) -> None:
    """At an orderly end, when it gives up, and when it crashes: all of it, in order."""
    with serving(SETTINGS.replace('host = "unix:SOCKET"', "")) as server:
        server.stop()
        assert [line.rpartition(": ")[2] for line in server.log[-2:]] == [f"listening on {server.url}", "stopping"]
    config = tmp_path / "settings.toml"
    config.write_text(SETTINGS.replace("SOCKET", str(tmp_path / "none" / "socket")) + "[limits]\nmax_waiting = 0\n")
    refused = run("serve", "--headless", "--config", str(config))
    assert refused.returncode == 2
    assert "limits.max_waiting" in refused.stderr.splitlines()[2]
    config.write_text(SETTINGS.replace("SOCKET", str(tmp_path / "socket")))
    crashed = subprocess.run([sys.executable, "-c", CRASH, str(ROOT / "main.py"), "--headless", "--config", str(config)],
                             env=environment(), capture_output=True, text=True, timeout=PATIENCE_S, check=False)  # fmt: skip
    assert crashed.returncode == 1
    warned, *_, last = crashed.stderr.splitlines()
    assert warned.endswith("WARNING tickercast: soon")
    assert last == "ZeroDivisionError"


def test_stdout_that_is_closed(tmp_path: Path) -> None:
    """`--ndjson` has nowhere to write: wrong use, in one line."""
    with at_socket(tmp_path, "--ndjson", shell=">&-", stderr=subprocess.PIPE) as server:
        _, said = server.process.communicate(timeout=PATIENCE_S)
        assert server.process.returncode == 2
        assert said == b"error: --ndjson writes to stdout, and that is closed\n"


@pytest.mark.parametrize("headless", [True, False])
def test_a_disk_that_is_full(headless: bool) -> None:
    """It is said, once. Without a page the quotes were all that it was for: it ends with 1; else it serves on."""
    with (
        open("/dev/full", "wb") as full,
        serving(SETTINGS.replace('host = "unix:SOCKET"', ""), "--ndjson", headless=headless, stdout=full) as server,
    ):
        server.wait_log("ERROR .*stdout can't be written, no more quotes go there: No space left on device")
        if headless:
            assert server.wait() == 1
        else:
            seen = server.get("/api/quotes/ACME").json["seq"]
            while server.get("/api/quotes/ACME").json["seq"] == seen:
                pass
            assert server.stop() == 0
        assert len(server.lines("stdout")) == 1


FIRST = """
import os, runpy, signal, sys
os.getpid = lambda: 1
real = os.open
def opened(path, *rest):
    print("began", flush=True)
    signal.pause()
    return real(path, *rest)
os.open = opened
runpy.run_path(sys.argv[1], run_name="__main__")
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_process_of_a_container(number: signal.Signals) -> None:
    """For it the system does nothing when a signal comes: a handler stands before anything that takes time."""
    process = subprocess.Popen([sys.executable, "-c", FIRST, str(ROOT / "main.py")], stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout as said:
        assert said.readline() == b"began\n"
        process.send_signal(number)
        assert process.wait(PATIENCE_S) == 128 + number


MOUNT = """
import os, runpy, sys
main, settings, fifo = sys.argv.pop(1), sys.argv.pop(1), sys.argv.pop(1)
real, wait = os.stat, open
def stat(path, *rest, **more):
    if os.fspath(path) == settings and os.access(fifo, os.F_OK):
        wait(fifo).read()
    return real(path, *rest, **more)
os.stat = stat
sys.argv[0] = main
runpy.run_path(main, run_name="__main__")
"""


@contextmanager
def hanging(fifo: Path) -> Iterator[None]:
    """The mount does not answer, and somebody waits for it."""
    os.mkfifo(fifo)
    while True:
        try:
            held = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:  # nobody has opened it for reading
            continue
        break
    yield
    fifo.unlink()
    os.close(held)


def test_a_mount_that_hangs(tmp_path: Path) -> None:
    """Prices go on; it is said once; when the mount is back, what was saved meanwhile counts; and a signal ends it even in that."""
    config, fifo = tmp_path / "settings.toml", tmp_path / "fifo"
    config.write_text(SETTINGS.replace('host = "unix:SOCKET"', ""))
    options = ["--headless", "--port", "0", "--config", str(config)]
    process = subprocess.Popen(
        [sys.executable, "-c", MOUNT, str(ROOT / "main.py"), str(config), str(fifo), *options],
        env=environment({"LIMITS__HTTP_REQUESTS_PER_S": "1000000"}),
        stderr=subprocess.PIPE,
    )
    server = RunningServer(process, config)
    try:
        server.url = server.wait_log(r"listening on (\S+)")[1]
        with hanging(fifo):
            server.edit(lambda text: text + 'NEW = { feed = "sim" }\n')
            seen = server.get("/api/quotes/ACME").json["seq"]
            while server.get("/api/quotes/ACME").json["seq"] < seen + 5:
                pass
            server.wait_log("WARNING .*reading settings.toml has taken longer than a second: is it on a slow mount?")
            assert server.lines("settings applied") == []
        server.wait_log("settings applied: added symbols NEW")
        with hanging(fifo):
            process.send_signal(signal.SIGHUP)
            assert server.stop() == 0
    finally:
        process.kill()
        server.wait()
