"""Columns grow with what they hold: no number is cut or painted over another, whatever it is and however wide the window."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.e2e.page import Relay, Table, relaying
from tests.e2e.text_fit import COMBINATIONS, LOOK, name_of, settings, tape

pytest_plugins = ["tests.e2e.browser"]

LOCALES = ("en-US", "de-DE", "zh-CN")
WIDTHS_PX = (1440, 1024, 390, 320)
SYMBOLS = [name_of(*each) for each in sorted(COMBINATIONS, key=lambda each: len(f"{each[0]:.{each[1] or 0}f}") if each[0] < 1e16 else 0)]
"""From short to long: each is the longest so far, and its column no wider than it needs."""

EACH_ALONE = f"""
async (symbols) => {{
    const look = {LOOK};
    const search = document.querySelector("#search");
    const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    const found = [];
    let seen = 0;
    const shown = () => [...document.querySelectorAll(".ag-row:not(.ag-opacity-zero)")].map((row) => row.getAttribute("row-id"));
    const rows = () => [...new Set(shown())].join();
    search.value = symbols[0];
    search.dispatchEvent(new Event("input", {{bubbles: true}}));
    while (rows() !== `s:${{symbols[0]}}`) await frame();
    window.reset.click();
    for (const symbol of symbols) {{
        search.value = symbol;
        search.dispatchEvent(new Event("input", {{bubbles: true}}));
        do await frame(); while (rows() !== `s:${{symbol}}`);
        const looked = look();
        seen += looked.seen;
        found.push(...looked.found.map((fault) => `${{symbol}} ${{innerWidth}} ${{fault}}`));
    }}
    search.value = "";
    search.dispatchEvent(new Event("input", {{bubbles: true}}));
    await frame();
    return {{found, seen}};
}}
"""
"""Each symbol as the only one of the table, which is as narrow as that allows."""

HOLD_RESET = """
() => { document.querySelector("#columns-menu").showPopover(); window.reset = document.querySelector("#columns-menu button.wide");
        document.querySelector("#columns-menu").hidePopover(); }
"""


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    """A relay that plays the numbers."""
    folder = tmp_path_factory.mktemp("numbers")
    with relaying(folder, settings(tape(folder))) as relay:
        yield relay


def opened(context: BrowserContext, relay: Relay, path: str = "/") -> Page:
    """The page with its prices."""
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.set_viewport_size({"width": 1440, "height": 1400})
    page.goto(relay.url + path)
    page.wait_for_selector(".ag-row .price .value:not(:empty)")
    return page


def test_no_number_is_cut_or_over_another(relay: Relay, browser: Browser) -> None:
    """35 numbers and decimals, three locales, four widths of the window: each number by itself, then all of them at once."""
    contexts = [browser.new_context(viewport={"width": 1440, "height": 1400}, locale=locale) for locale in LOCALES]
    pages = [opened(context, relay) for context in contexts]
    looked = 0
    for width_px in WIDTHS_PX:
        for page in pages:  # at the same time: they wait for frames
            page.set_viewport_size({"width": width_px, "height": 1400})
            page.evaluate(HOLD_RESET)
            page.evaluate(f"(symbols) => {{ window.alone = ({EACH_ALONE})(symbols); }}", SYMBOLS)
        for page in pages:
            alone = page.evaluate("window.alone")
            assert alone["found"] == []
            assert alone["seen"] > 4 * len(SYMBOLS)
            together = page.evaluate(LOOK)
            assert together["found"] == []
            assert together["seen"] > 4 * 20
            looked += len(SYMBOLS)
    assert looked >= 400
    for context in contexts:
        context.close()


@pytest.mark.parametrize(
    ("width_px", "path"),
    [
        (1440, "/?kiosk=1"),
        (900, "/?kiosk=1"),
        (700, f"/embed?symbols={SYMBOLS[0]},{SYMBOLS[-1]}"),
    ],
)
def test_other_faces_hold_every_number(relay: Relay, context: BrowserContext, width_px: int, path: str) -> None:
    """A screen on a wall has smaller letters rather than a number that nobody can scroll to; an embedded table scrolls."""
    page = opened(context, relay, path)
    page.set_viewport_size({"width": width_px, "height": 2400})
    page.wait_for_function("() => [...document.querySelectorAll('.ag-row .price .value')].some((value) => value.textContent.length >= 30)")
    assert page.evaluate(LOOK)["found"] == []
    if "kiosk" in path:
        right: list[float] = page.evaluate(
            "[...document.querySelectorAll('.ag-row .ag-cell')].map((cell) => cell.getBoundingClientRect().right)"
        )
        assert max(right) <= width_px + 1


def test_first_rows_stand_where_the_table_will_have_them(relay: Relay, context: BrowserContext) -> None:
    """Before the table is there its columns have the same widths for the same numbers."""
    while context.request.get(f"{relay.url}/api/quotes").json()["quotes"] == []:
        pass
    on_their_way: list[Route] = []
    page = context.new_page()
    page.route("**/assets/app-*.js", lambda route: on_their_way.append(route))  # noqa: PLW0108  # Playwright marks its handlers
    page.goto(relay.url, wait_until="commit")
    page.wait_for_selector(".first .line")
    first = page.evaluate(LOOK)
    assert first["found"] == []
    assert first["seen"] > 4 * 20
    where = """(cells) => [...document.querySelectorAll(cells)].map((cell) => [cell.getAttribute("col-id"), cell.getBoundingClientRect()])
                .map(([id, {left, width}]) => [id, Math.round(left), Math.round(width)]).sort()"""
    before = page.evaluate(where, ".first .line:nth-child(2) > div")
    for route in on_their_way:
        route.continue_()
    page.wait_for_selector(".ag-row .price .value:not(:empty)")
    assert {tuple(each) for each in before} <= {tuple(each) for each in page.evaluate(where, '.ag-row[row-index="0"] .ag-cell')}


def test_a_column_that_the_reader_made_narrow_says_less_and_never_half(relay: Relay, context: BrowserContext) -> None:
    """A number that has no room there is written shorter, marked as such, with the whole of it in its title; so it is after a reload."""
    page = opened(context, relay)
    table = Table(page)
    symbol, title = name_of(1e9, 2), table.header("bid")
    expect(table.cell(symbol, "bid")).to_have_text("1,000,000,000.00")
    handle = title.locator(".ag-header-cell-resize")
    handle.scroll_into_view_if_needed()
    handle.hover()
    edge = handle.bounding_box()
    assert edge is not None
    page.mouse.down()
    page.mouse.move(edge["x"] - 400, edge["y"] + 10, steps=4)
    page.mouse.up()
    for again in (False, True):
        expect(table.cell(symbol, "bid")).to_have_text("≈1B")
        expect(table.cell(symbol, "bid").locator(".cell")).to_have_attribute("title", "1,000,000,000.00")
        expect(table.cell(name_of(1.2e-9, None), "bid")).to_have_text("≈1.2E-9")
        assert {fault.split(":")[0] for fault in page.evaluate(LOOK)["found"]} == {"shortened"}
        if not again:
            page.reload()
            table.wait_priced(symbol)
    page.evaluate(HOLD_RESET)
    page.evaluate("window.reset.click()")
    expect(table.cell(symbol, "bid")).to_have_text("1,000,000,000.00")
    assert page.evaluate(LOOK)["found"] == []


def test_a_title_makes_room_for_its_arrow(relay: Relay, context: BrowserContext) -> None:
    """Each column in turn is sorted, and its title can be read."""
    page = opened(context, relay)
    table = Table(page)
    for field in ("change_pct", "volume", "age", "currency", "state"):
        table.header(field).locator(".ag-header-cell-text").click()
        expect(table.header(field)).to_have_attribute("aria-sort", re.compile("scending"))
        page.wait_for_function(f"() => ({LOOK})().found.length === 0")  # the grid says a moment later that it is sorted


def test_a_name_from_right_to_left_keeps_its_beginning(relay: Relay, context: BrowserContext) -> None:
    """Where it has no room its end is cut off, which is at the left; on a phone and in the details, too."""
    page = opened(context, relay)
    for width_px, name in ((1024, '.ag-row [col-id="name"] .cell'), (390, ".ag-row .symbol .sub"), (1024, ".details .name")):
        page.set_viewport_size({"width": width_px, "height": 1400})
        if "details" in name:
            Table(page).cell(SYMBOLS[-1], "price").dblclick()
        beginning: list[bool] = page.locator(name).first.evaluate(
            """(name) => { const room = name.getBoundingClientRect(), letter = document.createRange();
                letter.setStart(name.firstChild, 0); letter.setEnd(name.firstChild, 1); const at = letter.getBoundingClientRect();
                return [name.scrollWidth > name.clientWidth, at.left >= room.left && at.right <= room.right + 0.5]; }"""
        )
        assert beginning == [True, True], name


def test_details_and_tape_hold_the_longest_number(relay: Relay, context: BrowserContext) -> None:
    """Nothing stands beyond the panel, at a desk and on a phone; a strip whose numbers grow too long for the window begins to move."""
    page = opened(context, relay)
    longest = SYMBOLS[-1]
    for width_px in (1440, 390):
        page.set_viewport_size({"width": width_px, "height": 800})
        page.locator("#search").fill(longest)
        Table(page).cell(longest, "price").dblclick()
        page.wait_for_selector(".details .price:not(:empty)")
        beyond: list[str] = page.evaluate(
            """() => { const panel = document.querySelector(".details"), room = panel.getBoundingClientRect(), found = [];
                for (const part of panel.querySelectorAll(".price, .change, dl div:not(.wide) dd")) {
                    const range = document.createRange(); range.selectNodeContents(part); const at = range.getBoundingClientRect();
                    const cut = part.tagName === "DD" && part.scrollWidth > part.clientWidth + 1;
                    if (cut || at.left < room.left || at.right > room.right) found.push(part.textContent);
                } return found; }"""
        )
        assert beyond == []
        page.keyboard.press("Escape")
    page.set_viewport_size({"width": 1440, "height": 800})
    page.goto(f"{relay.url}/tape?symbols={','.join(SYMBOLS[-6:])}")
    page.wait_for_selector(".strip:not([data-fits]) .price")
