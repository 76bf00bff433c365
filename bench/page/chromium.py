"""Chromium on one core, and what it says of itself: the main thread, the heaps, frames, long tasks."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from bench.children import GENERATOR_CORE, SERVER_CORE
from tests.conftest import CHROMIUM_NAMES
from tests.e2e.browser import FLAGS

PROBE = (Path(__file__).parent / "probe.js").read_text(encoding="utf-8")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Busy(NamedTuple):
    """Percent of a core that the main thread took: by the clock (its tasks, what they waited for the core included), and by CPU time."""

    tasks_pct: float
    cpu_pct: float
    others_pct: float
    """What other programs took of the same core meanwhile: with more than a few, nothing here is a figure of the page."""


class Frames(NamedTuple):
    """Frames of a window of time, and its long tasks, ms each."""

    per_s: float
    longest_ms: float
    long_tasks_ms: list[float]


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Processes that are started in this block run on `core` alone."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium, all its processes on the page's core. What gives it orders keeps to the other."""
    path = next((found for name in CHROMIUM_NAMES if (found := shutil.which(name))), None)
    if path is None:
        raise FileNotFoundError("The page's benchmark needs Chromium. On Debian, as root: apt-get install -y chromium")
    with tempfile.TemporaryDirectory() as folder, on_core(SERVER_CORE), sync_playwright() as playwright:
        pinned = Path(folder) / "chromium"
        pinned.write_text(f'#!/bin/sh\nexec taskset -c {GENERATOR_CORE} "{path}" "$@"\n', encoding="utf-8")
        pinned.chmod(0o700)
        browser = playwright.chromium.launch(executable_path=pinned, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Tab:
    """One page with its probe, in a profile of its own."""

    def __init__(self, browser: Browser, url: str, size: tuple[int, int] = (1440, 900)) -> None:
        self.browser = browser
        width, height = size
        context = browser.new_context(viewport={"width": width, "height": height}, locale="en-US", timezone_id="UTC", color_scheme="dark")
        context.set_default_timeout(60_000)
        self.page: Page = context.new_page()
        self.page.add_init_script(PROBE)
        self.devtools: CDPSession = context.new_cdp_session(self.page)
        self.devtools.send("Performance.enable", {"timeDomain": "timeTicks"})
        self.page.goto(url)
        self.page.wait_for_selector('body[data-connection="live"]')
        self.page.wait_for_function("() => probe.firstPrice_ms > 0")

    def close(self) -> None:
        """Its profile goes with it."""
        self.page.context.close()

    def probed_ms(self, what: str) -> float:
        """From the start of the navigation to the first frame of which that is true (`probe.js`)."""
        return float(self.page.wait_for_function("(what) => probe[what]", arg=what).json_value())

    def rest(self, seconds: float) -> None:
        """Let it run."""
        self.page.wait_for_timeout(seconds * 1000)

    def scroll(self, seconds: float, speed_px_s: int) -> None:
        """Wheel down and up again for about so long."""
        self.devtools.send(
            "Input.synthesizeScrollGesture",
            {"x": 700, "y": 450, "yDistance": -int(speed_px_s * seconds / 2), "speed": speed_px_s, "gestureSourceType": "mouse"},
        )
        self.devtools.send(
            "Input.synthesizeScrollGesture",
            {"x": 700, "y": 450, "yDistance": int(speed_px_s * seconds / 2), "speed": speed_px_s, "gestureSourceType": "mouse"},
        )

    @contextmanager
    def busy(self, into: list[Busy]) -> Iterator[None]:
        """How busy the main thread is during the block."""
        pid = self._renderer()
        before = time.monotonic(), self._task_s(), _main_thread_s(pid), _core_s(GENERATOR_CORE) - sum(map(_process_s, self._processes()))
        yield
        after = time.monotonic(), self._task_s(), _main_thread_s(pid), _core_s(GENERATOR_CORE) - sum(map(_process_s, self._processes()))
        elapsed_s, *spent_s = (end - begin for begin, end in zip(before, after, strict=True))
        into.append(Busy(*(100 * each_s / elapsed_s for each_s in spent_s)))

    @contextmanager
    def frames(self, into: list[Frames]) -> Iterator[None]:
        """Which frames come during the block."""
        since_ms = self.page.evaluate("() => { probe.count(); return performance.now(); }")
        yield
        read: dict[str, float] = self.page.evaluate("() => probe.read()")
        tasks: list[list[float]] = self.page.evaluate("(since) => probe.longTasks.filter(([start]) => start >= since)", since_ms)
        into.append(Frames(read["frames_per_s"], read["longest_ms"], [duration for _, duration in tasks]))

    def heap_mb(self) -> tuple[float, float]:
        """What is alive after a collection: in the page, and in the worker beside it."""
        self.devtools.send("HeapProfiler.collectGarbage")
        page = float(self.devtools.send("Runtime.getHeapUsage")["usedSize"])
        return page / 1e6, sum(_worker_heaps(self.browser)) / 1e6

    def _task_s(self) -> float:
        metrics = {each["name"]: each["value"] for each in self.devtools.send("Performance.getMetrics")["metrics"]}
        return float(metrics["TaskDuration"])

    def _processes(self, kind: str = "") -> list[int]:
        """The ids of the browser's processes; with `kind`, of those only."""
        session = self.browser.new_browser_cdp_session()
        processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
        session.detach()
        return [int(each["id"]) for each in processes if kind in ("", each["type"])]

    def _renderer(self) -> int:
        """The process id of the page's renderer: the one that had the most to do."""
        return max(self._processes("renderer"), key=_main_thread_s)


def _main_thread_s(pid: int) -> float:
    """CPU time of a process' first thread; in a renderer that is the page's main thread."""
    return _cpu_s(Path(f"/proc/{pid}/task/{pid}/stat"))


def _process_s(pid: int) -> float:
    return _cpu_s(Path(f"/proc/{pid}/stat"))


def _cpu_s(stat: Path) -> float:
    fields = stat.read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def _core_s(core: int) -> float:
    """For how long a core has been busy since the machine's start."""
    line = next(line for line in Path("/proc/stat").read_text(encoding="ascii").splitlines() if line.startswith(f"cpu{core} "))
    user, nice, system, _idle, _wait, *rest = map(int, line.split()[1:])
    return (user + nice + system + sum(rest[:3])) / TICKS_PER_S


def _worker_heaps(browser: Browser) -> list[float]:
    """Bytes alive in each SharedWorker, after a collection."""
    session = browser.new_browser_cdp_session()
    answers: dict[int, dict[str, Any]] = {}

    def keep(event: dict[str, Any]) -> None:
        message = json.loads(event["message"])
        answers[message.get("id", 0)] = message.get("result", {})

    session.on("Target.receivedMessageFromTarget", keep)
    heaps = []
    for target in session.send("Target.getTargets", {"filter": [{"type": "shared_worker"}]})["targetInfos"]:
        attached = session.send("Target.attachToTarget", {"targetId": target["targetId"], "flatten": False})["sessionId"]
        answers.clear()
        for number, method in ((1, "HeapProfiler.collectGarbage"), (2, "Runtime.getHeapUsage")):
            session.send("Target.sendMessageToTarget", {"sessionId": attached, "message": json.dumps({"id": number, "method": method})})
        while 2 not in answers:
            session.send("Browser.getVersion")  # a round trip, in which events come in
        heaps.append(float(answers[2]["usedSize"]))
    session.detach()
    return heaps
