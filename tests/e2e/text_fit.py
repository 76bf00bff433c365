"""Numbers as the world sends them, in a recording that a relay plays; and a look at each text of the table: is it whole, is it alone?"""

from __future__ import annotations

import json
import time
from pathlib import Path

NUMBERS = (1e9, 1.2e-9, 1_234_567_890_123.0, 37.63, 64_321.98, 1e15, 1e300)
"""A thousand million, next to nothing, 13 digits, two that are nothing special, as many digits as are true, and what no price is."""
FEED = "a_tape_with_a_name_that_no_column_holds"
NAME = "בנק הפועלים בעירבון מוגבל והחברות הבנות שלו בארץ ובעולם כולו"
"""From right to left, and too long."""
DECIMALS = (None, 0, 2, 5, 8)
COMBINATIONS = [(number, decimals) for number in NUMBERS for decimals in DECIMALS]

LOOK = """
() => {
    const found = [];
    const textual = new Set(["symbol", "name", "source"]);
    const texts = (root) => {
        const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
        const nodes = [];
        while (walker.nextNode()) if (walker.currentNode.nodeValue !== "") nodes.push(walker.currentNode);
        return nodes.map((node) => {
            const range = document.createRange();
            range.selectNodeContents(node);
            return {node, text: node.nodeValue, at: range.getBoundingClientRect()};
        });
    };
    let seen = 0;
    for (const cell of document.querySelectorAll(".ag-row .ag-cell, .first .line > div")) {
        const column = cell.getAttribute("col-id"), edge = cell.getBoundingClientRect(), inside = texts(cell);
        const say = (fault, text) => found.push(`${fault}: ${column} "${text}"`);
        for (const {node, text, at} of inside) {
            seen += 1;
            const style = getComputedStyle(node.parentElement);
            const ends = style.textOverflow === "ellipsis" && style.overflowX === "hidden" && style.display !== "flex";
            const whole = at.left >= edge.left - 0.5 && at.right <= edge.right + 0.5;
            const short = node.parentElement.scrollWidth > node.parentElement.clientWidth;
            const cut = !ends && short && style.overflowX !== "visible";
            if (!whole && !(ends && textual.has(column))) say("beyond its cell", text);
            if (cut) say("cut", text);
            if (ends && short && !textual.has(column)) say("cut with an ellipsis", text);
            if (!textual.has(column) && /[≈…]/.test(text)) say("shortened", text);
        }
        for (const one of inside) for (const other of inside) {
            if (one === other || other.at.left < one.at.left || getComputedStyle(one.node.parentElement).display === "none") continue;
            if (one.at.right > other.at.left + 0.5 && one.at.bottom > other.at.top + 3 && other.at.bottom > one.at.top + 3) {
                say("over another text", `${one.text}" "${other.text}`);
            }
        }
    }
    for (const title of document.querySelectorAll(".ag-header-cell-text")) {
        if (title.scrollWidth > title.clientWidth) found.push(`title cut: ${title.textContent}`);
    }
    return {found: [...new Set(found)], seen};
}
"""
"""Looks at each text of the table: within its cell, uncut, and over no other."""


def name_of(number: float, decimals: int | None) -> str:
    """The symbol of a combination."""
    return f"N{NUMBERS.index(number)}.{'AUTO' if decimals is None else decimals}"


def tape(folder: Path) -> Path:
    """A recording in which every field of a symbol is its number, and the price moves to and fro."""
    started_ms = int(time.time() * 1000) - 1000
    batches = []
    for at in range(40):
        quotes = []
        for number, decimals in COMBINATIONS:
            price = number * (1 + 0.001 * (at % 2))
            quotes.append({
                "symbol": name_of(number, decimals), "price": price, "bid": number, "ask": number * 1.0001,
                "open": number, "high": price, "low": number, "prev_close": number, "volume": number, "change": -number,
                "change_pct": 17e12 if number == 1.2e-9 else -12.5, "currency": "USD", "quote_time": started_ms + 500 * at,
                "received_time": started_ms + 500 * at, "seq": at + 1, "source": FEED, "kind": "simulated", "state": "fresh",
            })  # fmt: skip
        batches.append({"t": started_ms + 500 * at, "quotes": quotes})
    header = {"recording": 1, "version": "0.1.0", "started": started_ms, "epoch": "e", "feeds": {FEED: "simulated"},
              "symbols": {name_of(*each): {"feed": [FEED]} for each in COMBINATIONS}}  # fmt: skip
    file = folder / "numbers.ndjson"
    file.write_text("".join(json.dumps(line) + "\n" for line in [header, *batches]))
    return file


def settings(file: Path) -> str:
    """Plays the recording again and again."""
    lines = []
    for number, decimals in COMBINATIONS:
        setting = "" if decimals is None else f", decimals = {decimals}"
        lines.append(f'"{name_of(number, decimals)}" = {{ feed = "{FEED}", name = "{NAME}"{setting} }}')
    return f'[feeds.{FEED}]\nkind = "replay"\nfile = "{file}"\nloop = true\n\n[symbols]\n' + "\n".join(lines) + "\n"
