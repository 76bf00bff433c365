"""What a reader chooses: columns, colours, pace, intervals of the chart; and what can be taken along as CSV."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.page import Complaints, Relay, Table, relaying
from tests.providers.client import RunningProvider, running

pytest_plugins = ["tests.e2e.browser"]

SETTINGS = """
[feeds.sim]
kind = "simulated"
interval_s = 0.1

[symbols]
ACME = { feed = "sim", name = "=HYPERLINK(1)", currency = "USD", group = "Shares" }
BOLT = { feed = "sim", name = "Bolt, \\"the\\" Inc.", group = "Shares" }
COMET = { feed = "sim" }
"""
TOKEN = "correct-horse-battery"
SECRETS = {"TICKERCAST_SERVER__ADMIN_TOKEN": TOKEN}
COUNT_MOVES = """
(seconds) => new Promise((resolve) => {
    let moves = 0;
    const seen = new MutationObserver((records) => { moves += records.length; });
    seen.observe(document.querySelector('[row-id="s:ACME"] [col-id="bid"] .cell'), {characterData: true, subtree: true});
    setTimeout(() => resolve(moves), 1000 * seconds);
})
"""


ORDER = """[...document.querySelectorAll(".ag-header-cell")].sort((left, right) => left.ariaColIndex - right.ariaColIndex)
            .map((cell) => cell.getAttribute("col-id"))"""

WITNESS = """
window.orders = [];
const look = () => {
    const order = [...document.querySelectorAll("#table .ag-header-cell")]
        .map((cell) => [cell.getBoundingClientRect().left, cell.getAttribute("col-id")])
        .sort((left, right) => left[0] - right[0]).map(([, id]) => id).join();
    if (order && window.orders.at(-1) !== order) window.orders.push(order);
    requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
"""Looks at each frame: in which orders the table's columns stood."""

WIDTH_OF_HIGH = """document.querySelector('.ag-header-cell[col-id="high"]').clientWidth"""


def order(page: Page) -> list[str]:
    """The columns shown, from left to right, once the first rows that came with the document have made room for the table."""
    page.wait_for_function(f"() => {{ const columns = {ORDER}; return columns.length > 0 && new Set(columns).size === columns.length; }}")
    shown: list[str] = page.evaluate(f"() => {ORDER}")
    return shown


def wait_order(page: Page, columns: list[str]) -> None:
    """Until these are the columns shown, from left to right."""
    page.wait_for_function(f"(columns) => JSON.stringify({ORDER}) === JSON.stringify(columns)", arg=columns)


def menu(page: Page, name: str) -> None:
    """Open one of the header's menus."""
    page.get_by_role("button", name=name).click()


def test_columns_are_ordered_sized_pinned_and_remembered(table: Table) -> None:
    """By menu and by mouse; after a reload everything is as the reader left it, and one press brings the first order back."""
    page = table.page
    first = order(page)
    menu(page, "Columns")
    page.get_by_role("button", name="Pin Price to the left").click()
    page.get_by_role("button", name="Move Ask left").click()
    page.keyboard.press("Escape")
    handle = table.header("high").locator(".ag-header-cell-resize")
    handle.hover()  # once it stands still: columns slide to their places
    edge, narrow = handle.bounding_box(), table.header("high").evaluate("(cell) => cell.clientWidth")
    assert edge is not None
    page.mouse.down()
    page.mouse.move(edge["x"] + edge["width"] / 2 + 60, edge["y"] + 10, steps=5)
    page.mouse.up()
    page.wait_for_function(f"(least) => {WIDTH_OF_HIGH} >= least", arg=narrow + 40)
    wide = table.header("high").evaluate("(cell) => cell.clientWidth")
    left = order(page)
    assert left[:2] == ["symbol", "price"]
    assert left.index("ask") == left.index("bid") - 1
    page.add_init_script(WITNESS)
    page.reload()
    table.wait_connection("live")
    wait_order(page, left)
    assert page.evaluate("window.orders") == [",".join(left)], "no frame shows the table with other columns than the reader's"
    page.wait_for_function(f"(wide) => Math.abs({WIDTH_OF_HIGH} - wide) <= 1", arg=wide)
    menu(page, "Columns")
    page.get_by_role("button", name="Reset columns").click()
    wait_order(page, first)


def test_the_table_is_copied_as_csv_that_runs_nothing(table: Table, context: BrowserContext, relay: Relay) -> None:
    """Rows and columns as shown; numbers plain; a name that a spreadsheet would run as a formula is disarmed."""
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=relay.url)
    page = table.page
    table.wait_priced("ACME")
    table.header("symbol").click()
    table.header("symbol").click()
    menu(page, "View")
    page.get_by_role("button", name="Copy table as CSV").click()
    expect(page.get_by_role("button", name="Copied 3 rows")).to_be_visible()
    lines = str(page.evaluate("navigator.clipboard.readText()")).replace("\r\n", "\n").strip().split("\n")
    assert lines[0].startswith("symbol,name,price,currency,change,change_pct,bid,ask")
    assert [line.split(",")[0] for line in lines[1:]] == ["COMET", "BOLT", "ACME"]
    assert lines[2].startswith('BOLT,"Bolt, ""the"" Inc.",')
    assert re.match(r"ACME,'=HYPERLINK\(1\),\d+(\.\d+)?,USD,", lines[3])


def test_colours_are_the_readers_choice(table: Table) -> None:
    """Three palettes: what rises is green, red, or blue; arrow and sign stay."""
    page = table.page
    table.wait_priced("ACME")
    seen = {}
    menu(page, "View")
    for palette in ("green-up", "red-up", "blue-up"):
        page.get_by_label("Colours").select_option(palette)
        seen[palette] = page.evaluate(
            """() => ["--up", "--down"].map((name) => { const probe = document.createElement("i"); probe.style.color = `var(${name})`;
                document.body.append(probe); const { color } = getComputedStyle(probe); probe.remove(); return color; })"""
        )
    assert seen["green-up"] == list(reversed(seen["red-up"]))
    assert len({colour for pair in seen.values() for colour in pair}) == 4
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-palette", "blue-up")


def test_a_chinese_reader_finds_red_for_a_rise(relay: Relay, context: BrowserContext) -> None:
    """The first colours are those of the reader's own boards."""
    page = context.new_page()
    page.add_init_script("Object.defineProperty(navigator, 'languages', {get: () => ['zh-CN', 'en']})")
    page.goto(relay.url)
    expect(page.locator("html")).to_have_attribute("data-palette", "red-up")
    expect(page.locator("#connection .word")).to_have_text("实时")


def test_the_pace_is_set_while_it_runs(table: Table) -> None:
    """The slider asks the server for less, the page says what was granted, and a row moves no faster; then as fast as it goes again."""
    page = table.page
    table.wait_priced("ACME")
    menu(page, "View")
    slider = page.get_by_label("Updates a second of a row in view")
    slider.fill("3")
    expect(slider).to_have_attribute("aria-valuetext", "1 a second")
    expect(page.get_by_text("the server grants 1 a second")).to_be_visible()
    page.wait_for_function("() => performance.now() > (window.settled ??= performance.now() + 1500)", polling=100)
    slow: int = page.evaluate(COUNT_MOVES, 4)
    assert slow <= 6
    slider.fill("8")
    expect(page.get_by_text("the server grants 20 a second")).to_be_visible()
    assert page.evaluate(COUNT_MOVES, 4) > 2 * slow


def test_the_page_tells_what_comes_in(table: Table) -> None:
    """Messages and kbit a second, round trip, ages of what is painted, folded updates, time with its zone."""
    page = table.page
    for figure, pattern in {
        "messages": r"[1-9]\d* msg/s",
        "kbits": r"[1-9]\d* kbit/s",
        "round-trip": r"\d+\.\d ms",
        "ages": r"age p50 \d+m?s · p99 \d+m?s",
        "folded": r"\d+ folded",
    }.items():
        expect(page.locator(f'[data-figure="{figure}"]')).to_have_text(re.compile(f"^{pattern}$"))
    expect(page.locator("#zone")).to_have_text(re.compile(r"\d+:\d\d:\d\d [AP]M UTC"))


def test_a_line_of_the_last_hour_in_each_row(relay: Relay, context: BrowserContext) -> None:
    """The server is asked once for the rows in view; from then on the line grows by what comes live."""
    asked: list[str] = []
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url) if "/api/sparkline" in request.url else None)
    page.goto(relay.url)
    line = page.locator('[row-id="s:ACME"] [col-id="spark"] path')
    expect(line).to_have_attribute("d", re.compile(r"^M[\d. ]+L"))
    drawn = str(line.get_attribute("d"))
    expect(line).not_to_have_attribute("d", drawn)
    assert asked == [f"{relay.url}/api/sparkline?symbols=ACME,BOLT,COMET"]


def test_the_chart_has_every_interval_from_a_second_to_a_day(table: Table) -> None:
    """Each of them draws, is marked as chosen, and goes on live: the picture of a second's bars changes."""
    page = table.page
    table.wait_priced("ACME")
    table.cell("ACME", "price").click()
    chart = page.locator("#details .plot")
    expect(chart.locator("canvas").first).to_be_visible()
    for interval in ("1d", "1h", "15m", "5m", "1m", "15s", "5s", "1s"):
        choice = page.get_by_role("button", name=interval, exact=True)
        choice.click()
        expect(choice).to_have_attribute("aria-pressed", "true")
    picture = "() => [...document.querySelectorAll('.plot canvas')].map((canvas) => canvas.toDataURL()).join()"
    page.wait_for_function(f"(before) => ({picture})() !== before", arg=page.evaluate(picture))


def test_an_embedded_table_in_a_frame(relay: Relay, context: BrowserContext) -> None:
    """`/embed` may stand in a frame of its own host, and is live there; the page itself may not."""
    page = context.new_page()
    page.goto(f"{relay.url}/sw.js")  # of the same host, and without a policy of its own
    page.evaluate("""() => { for (const path of ["/embed?symbols=ACME", "/"]) {
        const frame = document.createElement("iframe"); frame.src = path; frame.width = 700; document.body.append(frame); } }""")
    frame = page.frame_locator("iframe").first
    expect(frame.locator("body")).to_have_attribute("data-connection", "live")
    expect(frame.locator('[row-id="s:ACME"] [col-id="price"] .value')).not_to_have_text("")
    assert page.frames[2].url != f"{relay.url}/"  # refused: the frame holds the browser's own error


def test_symbols_are_added_and_removed_with_the_admin_token(relay: Relay, context: BrowserContext) -> None:
    """A wrong token is told; the right one writes the line, twice pressed takes it out again, and survives a reload of the tab only."""
    page = context.new_page()
    complaints = Complaints(relay.url)
    page.goto(relay.url)
    table = Table(page)
    table.wait_priced("ACME")
    page.get_by_role("button", name="Add symbol").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Symbol").fill("DUNE")
    dialog.locator("summary").click()
    dialog.get_by_label("Admin token").fill("wrong-wrong-wrong")
    dialog.get_by_role("button", name="Add DUNE now").click()
    expect(page.get_by_role("status").first).to_contain_text("the admin token is wrong")
    complaints.watch(page)
    dialog.get_by_label("Admin token").fill(TOKEN)
    dialog.get_by_role("button", name="Add DUNE now").click()
    expect(dialog.locator(".verdict")).to_have_text("DUNE has been picked up.")
    assert "DUNE" in relay.config.read_text()
    dialog.get_by_role("button", name="Remove DUNE").click()
    dialog.get_by_role("button", name="Really remove DUNE").click()
    expect(dialog.locator(".verdict")).to_have_text("DUNE has been removed.")
    assert "DUNE" not in relay.config.read_text()
    assert TOKEN not in page.url
    assert complaints.found == []


SHUT = """
[feeds.yahoo]
kind = "yahoo"
interval_s = 0.3
base_url = "{yahoo}"

[symbols]
AAPL = {{ feed = "yahoo" }}
"""


@pytest.fixture
def yahoo() -> Iterator[RunningProvider]:
    """A provider whose market has closed, and that has a price of after hours."""
    with running("yahoo", limits=False) as provider:
        provider.set(switches={"market_state": "POST"})
        yield provider


def test_a_market_that_is_shut(yahoo: RunningProvider, tmp_path: Path, context: BrowserContext) -> None:
    """A moon and a word where the market is closed, and the price of after hours beside the regular one."""
    with relaying(tmp_path, SHUT.format(yahoo=yahoo.url)) as relay:
        page = context.new_page()
        page.goto(relay.url)
        table = Table(page)
        table.wait_priced("AAPL")
        expect(table.cell("AAPL", "price").locator(".move")).to_have_text(re.compile(r"^post [\d,]+\.\d\d$"))
        yahoo.set(switches={"market_state": "CLOSED"})
        expect(table.cell("AAPL", "state")).to_have_text("closed")
        expect(table.cell("AAPL", "price").locator(".arrow")).to_have_text("☾")
        expect(page.locator("body")).to_have_attribute("data-connection", "live")
