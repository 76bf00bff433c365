"""A witness inside the page: looks at every frame, and remembers whatever was shown as live and was not."""

from __future__ import annotations

from playwright.sync_api import Page

_WITNESS = """
(limit_s) => {
    window.lies = [];
    window.looked = 0;
    let last_ms = performance.now();
    const note = (lie) => { if (window.lies.length < 20 && !window.lies.includes(lie)) window.lies.push(lie); };
    const seconds = (age) => ({ s: 1, m: 60, h: 3600, d: 86400 })[age.slice(-1)] * (parseInt(age) || 0);
    const look = (now_ms) => {
        const woken = now_ms - last_ms > 1000;
        last_ms = now_ms;
        // What stood on the screen when the machine fell asleep is seen for as long as it takes to wake: judge from the timer after that.
        if (woken) return void setTimeout(() => requestAnimationFrame(look), 300);
        const connection = document.body.dataset.connection;
        const seen = new Set();
        const view = document.querySelector(".ag-grid-viewport").getBoundingClientRect();
        for (const row of document.querySelectorAll(".ag-row[row-id]")) {
            const symbol = row.getAttribute("row-id").slice(2);
            if (seen.has(symbol)) note(`${symbol} has two rows`);
            seen.add(symbol);
            const { top, bottom } = row.getBoundingClientRect();
            if (bottom <= view.top || top >= view.bottom) continue; // kept ready beyond the edge, and read by nobody
            if (row.querySelector('[col-id="state"] .cell')?.dataset.state !== "fresh") continue;
            if (connection !== "live" && connection !== "delayed") note(`${symbol} is fresh while ${connection}`);
            const age = row.querySelector('[col-id="age"]')?.innerText ?? "";
            if (seconds(age) > limit_s) note(`${symbol} is fresh and ${age} old`);
        }
        window.looked += 1;
        requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}
"""


def watch(page: Page, limit_s: float) -> None:
    """Begin to look. A price may be called fresh for `limit_s` seconds: two heartbeats, or its stale limit, and one for the clock."""
    page.evaluate(_WITNESS, limit_s)


def lies(page: Page) -> list[str]:
    """What was shown as live and was not, since `watch`; and rows that stood there twice."""
    looked, found = page.evaluate("() => [window.looked, window.lies]")
    assert looked > 0, "the witness was blind"
    return list(found)
