"""How fast the page is: first price, first load, frames while scrolling, the main thread, the heap, from arrival to paint."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Browser

from bench.children import SERVER_CORE
from bench.page.chromium import Busy, Frames, Tab, on_core
from bench.page.figures import Figure
from tests.e2e.page import ROOT, Relay

LOADS = 5
SCROLL_S = 20.0
SCROLL_PX_S = 600
"""Some 22 rows a second: faster than an eye can read them."""
SETTLE_S = 6.0
"""After loading, and after each scroll."""
SAMPLE_S = 10.0
BARE = Path(__file__).with_name("bare.html")
ON_SCREEN = (1440, 1470)
"""50 rows and what stands around them."""


def settings(symbols: int, interval_s: float) -> str:
    """A feed that moves all of its symbols at each tick."""
    rows = "\n".join(f'SIM{number:04} = {{ feed = "sim", name = "Symbol {number}", currency = "USD" }}' for number in range(symbols))
    return f'[feeds.sim]\nkind = "simulated"\ninterval_s = {interval_s}\n\n[symbols]\n{rows}\n'


@contextmanager
def serving(text: str) -> Iterator[Relay]:
    """The real server on its core."""
    with tempfile.TemporaryDirectory() as folder:
        relay = Relay(Path(folder), text)
        with on_core(SERVER_CORE):
            relay.start()
        try:
            yield relay
        finally:
            relay.stop()


def load(browser: Browser) -> Iterator[Figure]:
    """The first visit, each time with an empty cache."""
    built = subprocess.run(["node", "scripts/size.mjs"], cwd=ROOT / "web" / "frontend", capture_output=True, text=True, check=False)
    found = re.search(r"(\d+)\s+of \d+ bytes", built.stdout)
    if found is None:
        sys.exit("the page is not built: make setup")
    yield Figure("first load, compressed", int(found[1]) / 1000, "kB", 330)
    with serving(settings(500, 0.1)) as relay:
        first_ms, live_ms = [], []
        for _ in range(LOADS):
            tab = Tab(browser, relay.url)
            first_ms.append(tab.probed_ms("firstPrice_ms"))
            live_ms.append(tab.probed_ms("firstLive_ms"))
            tab.close()
    yield Figure("first price after navigation", max(first_ms), "ms", 1000, note=f"worst of {LOADS}; best {min(first_ms):.0f}")
    yield Figure("first price that the server vouches for", max(live_ms), "ms", note=f"worst of {LOADS}; best {min(live_ms):.0f}")


def motion(browser: Browser, symbols: int, interval_s: float, minutes: float) -> Iterator[Figure]:
    """All of it at once: every row moves, the reader scrolls, and the tab stays open."""
    yield from peer(browser, symbols, interval_s)
    still: list[Busy] = []
    with serving(settings(symbols, interval_s)) as relay:
        tab = ready(browser, relay.url)
        busy, scrolled = scroll(tab)
        with tab.busy(still):
            tab.rest(SAMPLE_S)
        begun = tab.heap_mb()
        frames: list[Frames] = []
        with tab.frames(frames):
            tab.rest(60 * minutes)
        ended = tab.heap_mb()
        tab.close()
    rested = frames[0]
    slow = [*scrolled.long_tasks_ms, *rested.long_tasks_ms]
    yield Figure("frames a second while scrolling", scrolled.per_s, "", 58, at_least=True, note=f"longest {scrolled.longest_ms:.0f} ms")
    yield Figure("main thread busy while scrolling", busy.tasks_pct, "%", 40, note=_beside(busy))
    yield Figure("main thread busy at rest", still[0].tasks_pct, "%", 40, note=_beside(still[0]))
    yield Figure("long tasks (> 50 ms) once loaded", len(slow), "", 0, note=", ".join(f"{task:.0f} ms" for task in slow[:5]))
    yield Figure("frames a second at rest", rested.per_s, "", note=f"over {minutes:g} minutes")
    yield Figure(f"heap growth in {minutes:g} minutes", ended[0] - begun[0], "MB", 10, note=f"from {begun[0]:.1f} MB")
    yield Figure("the worker's", ended[1] - begun[1], "MB", 10, note=f"from {begun[1]:.1f} MB")


def peer(browser: Browser, symbols: int, interval_s: float) -> Iterator[Figure]:
    """AG Grid by itself, with as many rows that move as often."""
    tab = ready(browser, bare(symbols, interval_s))
    scrolling = scroll(tab)
    still: list[Busy] = []
    rested: list[Frames] = []
    with tab.busy(still), tab.frames(rested):
        tab.rest(SAMPLE_S)
    tab.close()
    for what, (busy, frames) in {"while scrolling": scrolling, "at rest": (still[0], rested[0])}.items():
        yield Figure(f"bare AG Grid: frames a second {what}", frames.per_s, "", note=f"longest {frames.longest_ms:.0f} ms")
        yield Figure(f"bare AG Grid: main thread busy {what}", busy.tasks_pct, "%", note=_beside(busy))
        yield Figure(f"bare AG Grid: long tasks {what}", len(frames.long_tasks_ms), "")


def ready(browser: Browser, url: str) -> Tab:
    """A tab that has loaded and has scrolled a little: what is compiled and allocated once, is."""
    tab = Tab(browser, url)
    tab.rest(SETTLE_S)
    tab.scroll(4, SCROLL_PX_S)
    tab.rest(SETTLE_S)
    return tab


def scroll(tab: Tab) -> tuple[Busy, Frames]:
    """What a long scroll takes of the main thread, and which frames come of it."""
    busy: list[Busy] = []
    frames: list[Frames] = []
    with tab.busy(busy), tab.frames(frames):
        tab.scroll(SCROLL_S, SCROLL_PX_S)
    return busy[0], frames[0]


def bare(rows: int, interval_s: float, *more: str) -> str:
    """The address of the peer."""
    return f"{BARE.as_uri()}?{'&'.join([f'rows={rows}', f'interval_ms={1000 * interval_s:g}', *more])}"


def control(browser: Browser) -> Iterator[Figure]:
    """What the machine itself can do at the moment: the same wheel over the same number of words, and nothing that moves."""
    cells = "".join(f"<td>{column * 1234.56:,.2f}</td>" for column in range(12))
    rows = "".join(f"<tr><td>SIM{number:04}</td><td>Symbol {number}</td>{cells}</tr>" for number in range(500))
    document = f"""<body data-connection="live" style="background: #0d1117; color: #d7dee7; font: 13px sans-serif"><div col-id="price">
        <span class="value">1</span></div><table style="width: 100%; line-height: 25px">{rows}</table></body>"""
    tab = Tab(browser, f"data:text/html,{quote(document)}")
    tab.rest(SETTLE_S)
    busy, frames = scroll(tab)
    tab.close()
    yield Figure("frames a second while scrolling", frames.per_s, "", note=f"longest {frames.longest_ms:.0f} ms")
    yield Figure("main thread busy while scrolling", busy.tasks_pct, "%", note=_beside(busy))


def _beside(busy: Busy) -> str:
    return f"CPU time {busy.cpu_pct:.0f} %; other programs took {busy.others_pct:.0f} % of the core"


def delay(browser: Browser) -> Iterator[Figure]:
    """50 rows in view at 20 updates a second each."""
    tab = Tab(browser, bare(50, 0.05, "sync"), ON_SCREEN)
    tab.rest(SETTLE_S + SAMPLE_S)
    yield Figure("bare AG Grid: from the update to the paint, p99", float(tab.page.evaluate("paintP99()")), "ms")
    tab.close()
    with serving(settings(50, 0.05)) as relay:
        tab = Tab(browser, relay.url, ON_SCREEN)
        tab.rest(SETTLE_S + SAMPLE_S)
        p99_ms = float(tab.page.evaluate("document.querySelector('#stats').dataset.paintP99"))
        said = tab.page.locator("#stats").inner_text().replace("\n", "  ")
        tab.close()
    yield Figure("arrival to paint, p99 at 1,000 updates/s on screen", p99_ms, "ms", 50, note=said)
