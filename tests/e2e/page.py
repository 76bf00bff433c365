"""The real process that serves the page, and the page as a reader finds it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request

from tests.e2e.server import START_TIMEOUT_S
from tests.e2e.waiting import wait

ROOT = Path(__file__).parents[2]
END_TIMEOUT_S = 30


class Relay:
    """`python main.py serve` as a process of its own, with a settings file that the test may edit."""

    def __init__(self, folder: Path, settings: str, **environment: str) -> None:
        self.settings = settings
        self.config = folder / "settings.toml"
        self.config.write_text(settings)
        # Tests ask over and over whether something has happened: nothing limits that.
        self._environment = os.environ | {"TICKERCAST_LIMITS__HTTP_REQUESTS_PER_S": "1000000"} | environment
        self.port = 0
        self.log: deque[str] = deque(maxlen=500)
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None
        return self._process.pid

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, at the port it had before if there was one, and wait until it listens."""
        command = [sys.executable, "main.py", "serve", "--port", str(self.port), "--config", str(self.config)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=self._environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        listening = threading.Event()
        self._reader = threading.Thread(target=self._read, args=(self._process, listening), daemon=True)
        self._reader.start()
        if not listening.wait(START_TIMEOUT_S):
            self.stop(signal.SIGKILL)
            pytest.fail("the relay did not start:\n" + "\n".join(self.log))

    def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> None:
        """End it; SIGKILL leaves it no time to say goodbye to its clients."""
        if self._process is None:
            return
        self._process.send_signal(with_signal)
        self._process.wait(END_TIMEOUT_S)
        self._process = None
        if self._reader is not None:
            self._reader.join()

    def signal(self, number: signal.Signals) -> None:
        """SIGSTOP makes it mute with its sockets open; SIGCONT lets it go on."""
        assert self._process is not None
        self._process.send_signal(number)

    def edit(self, change: Callable[[str], str]) -> None:
        """Save the settings file as an editor does: a new file in place of the old."""
        beside = self.config.with_suffix(".new")
        beside.write_text(change(self.config.read_text()))
        beside.replace(self.config)

    def restore(self) -> None:
        """Whatever a test has done to it: running, with the settings that it was made with."""
        if self._process is None:
            self.config.write_text(self.settings)
            self.start()
        elif self.config.read_text() != self.settings:
            before = self._reload()
            self.edit(lambda _: self.settings)
            self.signal(signal.SIGHUP)
            wait(lambda: self._reload() != before)

    def _reload(self) -> object:
        """What it says of the last time that it read its settings."""
        with urllib.request.urlopen(f"{self.url}/api/status") as answer:
            return json.load(answer)["last_reload"]

    def _read(self, process: subprocess.Popen[str], listening: threading.Event) -> None:
        assert process.stderr is not None
        with process.stderr as lines:
            for line in lines:
                self.log.append(line.rstrip())
                if found := re.search(r"listening on http://127\.0\.0\.1:(\d+)", line):
                    self.port = int(found[1])
                    listening.set()


@contextmanager
def relaying(folder: Path, settings: str, **environment: str) -> Iterator[Relay]:
    """A relay that runs for the block."""
    relay = Relay(folder, settings, **environment)
    relay.start()
    try:
        yield relay
    finally:
        relay.stop(signal.SIGKILL)


class Table:
    """The live table as a reader finds it: a row is a symbol, a column a field."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def cell(self, symbol: str, field: str) -> Locator:
        """The cell of one field of one symbol."""
        return self.page.locator(f'[row-id="s:{symbol}"] [col-id="{field}"]')

    def text(self, symbol: str, field: str) -> str:
        """The first line of a cell: the value, without the arrow and the move beside a price."""
        return self.cell(symbol, field).inner_text().split("\n")[0]

    def number(self, symbol: str, field: str) -> float:
        """A cell's number."""
        return float(self.text(symbol, field).replace(",", "").rstrip("%"))

    def column(self, field: str) -> list[str]:
        """The cells of one column that are drawn, from top to bottom, as they were at one moment."""
        texts: list[str] = self.page.evaluate(
            """(field) => [...document.querySelectorAll(`.ag-row:not(.ag-opacity-zero) [col-id="${field}"]`)]
                .map((cell) => [Number(cell.closest("[row-index]").getAttribute("row-index")), cell.innerText.split("\\n")[0]])
                .sort((left, right) => left[0] - right[0]).map(([, text]) => text)""",
            field,
        )
        return texts

    def header(self, field: str) -> Locator:
        """A column's title; that of the first rows, which may still stand there, is none."""
        return self.page.locator(f'#table .ag-header-cell[col-id="{field}"]')

    def wait_priced(self, symbol: str) -> None:
        """Wait until `symbol` shows a price."""
        self.page.wait_for_selector(f'[row-id="s:{symbol}"] [col-id="price"] .value:not(:empty)')

    def wait_connection(self, word: str, timeout_ms: float | None = None) -> None:
        """Wait until the page says `word` of its connection; by default as long as for anything else."""
        self.page.wait_for_selector(f'body[data-connection="{word}"]', timeout=timeout_ms)


class Complaints:
    """What must never happen on a page: an error in its console, a violation of its policy, a request to another host."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.found: list[str] = []

    def watch(self, page: Page) -> None:
        """Listen to `page`."""
        page.on("pageerror", lambda error: self.found.append(f"error: {error}"))
        page.on("console", self._console)
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        gone = ("ERR_CONNECTION", "ERR_INTERNET_DISCONNECTED", "503 (Service Unavailable)")
        # A server that is down, or goes, on purpose is no fault of the page.
        if message.type in {"error", "warning"} and not any(word in message.text for word in gone):
            self.found.append(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.origin, self.origin.replace("http", "ws", 1), "data:", "blob:")):
            self.found.append(f"request to another host: {request.url}")


@contextmanager
def stopped(browser: Browser) -> Iterator[None]:
    """The browser as on a machine that sleeps: none of its processes runs."""
    session = browser.new_browser_cdp_session()
    processes = [process["id"] for process in session.send("SystemInfo.getProcessInfo")["processInfo"]]
    session.detach()
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


@contextmanager
def frozen(page: Page) -> Iterator[None]:
    """A tab as a browser freezes one that nobody looks at: its thread stands still, its worker goes on.

    Done with a breakpoint: a headless browser shows every tab, and one that is shown can't be frozen (`Page.setWebLifecycleState` says
    yes and does nothing). Tabs of the same profile stand still with it.
    """
    session = page.context.new_cdp_session(page)
    paused: list[object] = []

    def note(event: object) -> None:
        paused.append(event)

    session.on("Debugger.paused", note)
    session.send("Debugger.enable")
    session.send("Debugger.pause")
    while not paused:
        session.send("Browser.getVersion")  # a round trip, in which events come in
    try:
        yield
    finally:
        session.send("Debugger.resume")
        session.detach()
