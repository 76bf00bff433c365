"""What a reader looks at: one owner for each choice, an order that holds still under the hand, a table that is rebuilt where it fails."""

from __future__ import annotations

import random
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.page import Complaints, Relay, Table, relaying

pytest_plugins = ["tests.e2e.browser"]

SETTINGS = """
[feeds.sim]
kind = "simulated"
interval_s = 0.1

[symbols]
ACME = { feed = "sim", name = "Acme", group = "Shares" }
BOLT = { feed = "sim", name = "Bolt", group = ["Shares", "100,000 & more"] }
COMET = { feed = "sim", name = "Comet", group = "Coins" }
""" + "\n".join(f'S{number:03} = {{ feed = "sim", sim = {{ volatility_pct = 0.5 }} }}' for number in range(60))
AT = "([x, y]) => document.elementFromPoint(x, y)?.closest('.ag-row')?.getAttribute('row-id')?.slice(2)"
"""The symbol at a place of the screen."""
HASTY = "{ const set = window.setInterval; window.setInterval = (act, ms) => set(act, ms === 1000 ? 100 : ms); }"
"""What the page does once a second, the order of its rows above all, it does ten times as often: so much sooner a test has seen it all."""
ORDER = """() => [...document.querySelectorAll(".ag-row")].map((row) => [Number(row.getAttribute("row-index")), row.getAttribute("row-id")])
    .sort((left, right) => left[0] - right[0]).map(([, id]) => id).join()"""


def opened(context: BrowserContext, relay: Relay, path: str = "/", script: str = "") -> Table:
    """A live page at `path`."""
    page = context.new_page()
    page.add_init_script(script)
    page.goto(relay.url + path)
    table = Table(page)
    table.wait_connection("live")
    page.wait_for_selector(".ag-row .value:not(:empty), #empty:not(:empty)")
    return table


def address(page: Page) -> dict[str, str]:
    """The parameters of the page's address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query, keep_blank_values=True).items()}


def expect_address(page: Page, **wanted: str) -> None:
    """The address comes to say exactly this."""
    page.wait_for_function(
        "(wanted) => JSON.stringify([...new URLSearchParams(location.search)].sort()) === JSON.stringify(wanted)",
        arg=sorted(map(list, wanted.items())),
    )


def expect_tab(page: Page, name: str) -> None:
    """This tab is the chosen one, and the only one."""
    expect(page.locator("#groups [aria-selected=true]")).to_have_text([name])


def test_the_address_is_the_view(relay: Relay, context: BrowserContext) -> None:
    """Each choice is written into the address as it is made; whoever opens that sees the same, and `/` brings the last view back."""
    table = opened(context, relay, "/?noworker&x=1")
    page = table.page
    page.get_by_role("tab", name="100,000 & more").click()
    table.header("symbol").click()
    table.header("symbol").click()
    page.locator("#search").fill("bo")
    table.cell("BOLT", "price").click()
    view = {"group": "100,000 & more", "sort": "-symbol", "q": "bo", "symbol": "BOLT"}
    expect_address(page, noworker="", x="1", **view)
    for path in (page.url.removeprefix(relay.url), "/"):
        other = opened(context, relay, path)
        expect(other.page.locator("#details h2")).to_have_text("BOLT")
        expect(other.page.locator("#search")).to_have_value("bo")
        expect_tab(other.page, "100,000 & more")
        expect(other.header("symbol")).to_have_attribute("aria-sort", "descending")
        expect(other.page.locator("#count")).to_have_text("1 of 63 symbols")
        assert other.column("symbol") == ["BOLT"]
        assert address(other.page).items() >= view.items()
        page.close()
        page = other.page
    other.page.get_by_role("button", name="Close details").click()
    expect(other.page.locator("#details")).to_be_hidden()
    other.page.locator("#search").fill("")
    other.page.get_by_role("tab", name="All").click()
    other.header("symbol").click()
    expect_address(other.page)
    expect(other.page.locator("#count")).to_have_text("63 symbols")


def test_the_group_of_an_address_selects_its_tab(relay: Relay, context: BrowserContext) -> None:
    """The others stay, and a click on one leaves nothing of the first behind, not after a reload either."""
    table = opened(context, relay, "/?group=Coins")
    page = table.page
    expect(page.get_by_role("tab")).to_have_text(["All", "Shares", "100,000 & more", "Coins"])
    expect_tab(page, "Coins")
    assert table.column("symbol") == ["COMET"]
    page.get_by_role("tab", name="Shares").click()
    expect_address(page, group="Shares")
    assert table.column("symbol") == ["ACME", "BOLT"]
    page.reload()
    expect(page.locator("#count")).to_have_text("2 of 63 symbols")
    expect_tab(page, "Shares")
    page.get_by_role("tab", name="All").click()
    expect(page.locator("#count")).to_have_text("63 symbols")


def test_two_windows_keep_two_groups_and_each_others_settings(relay: Relay, context: BrowserContext) -> None:
    """A choice of view is a window's own; theme, language and columns are the reader's, wherever they were chosen."""
    first, second = opened(context, relay, "/?group=Shares"), opened(context, relay, "/?group=Coins")
    second.page.get_by_role("button", name="View").click()
    second.page.get_by_label("Theme").select_option("light")
    second.page.get_by_label("Language").select_option("zh")
    expect(first.header("price")).to_contain_text("现价")
    expect(first.page.locator("html")).to_have_attribute("data-theme", "light")
    first.page.get_by_role("button", name="列").click()
    first.page.get_by_role("checkbox", name="买价").uncheck()
    expect(second.header("bid")).to_have_count(0)
    for table, group in ((first, "Shares"), (second, "Coins")):
        table.page.reload()
        expect_tab(table.page, group)
        expect(table.header("bid")).to_have_count(0)
        expect(table.page.locator("html")).to_have_attribute("data-theme", "light")


def test_the_other_faces_follow_their_address_alone(relay: Relay, context: BrowserContext) -> None:
    """They show what it says, change nothing in it, and are nobody's last view."""
    reader = opened(context, relay)
    reader.page.get_by_role("tab", name="Coins").click()
    expect_address(reader.page, group="Coins")
    reader.page.close()
    for path in ("/?kiosk=1&group=Shares&sort=-symbol", "/embed?group=Shares&sort=-symbol"):
        table = opened(context, relay, path)
        assert table.column("symbol") == ["BOLT", "ACME"]
        table.header("symbol").click()
        expect(table.header("symbol")).to_have_attribute("aria-sort", "none")
        table.cell("ACME", "price").click()
        expect(table.page.locator("#details")).to_be_hidden()
        assert table.page.url == relay.url + path
    expect_tab(opened(context, relay).page, "Coins")


def test_groups_and_names_change_while_they_are_looked_at(relay: Relay, context: BrowserContext) -> None:
    """A group that is renamed leaves no row behind under any heading; its tab stays until it comes back. A name is sought as it is now."""
    table = opened(context, relay, "/?group=Shares")
    page = table.page
    assert table.column("symbol") == ["ACME", "BOLT"]
    relay.edit(lambda text: text.replace('"Shares"', '"Equities"'))
    expect(page.get_by_role("tab")).to_have_text(["All", "Equities", "100,000 & more", "Coins", "Shares"])
    expect_tab(page, "Shares")
    expect(page.locator("#count")).to_have_text("0 of 63 symbols")
    expect(page.locator("#empty")).not_to_be_empty()
    expect(page.locator(".ag-row")).to_have_count(0)
    expect_address(page, group="Shares")
    relay.edit(lambda text: text.replace('name = "Comet", group = "Coins"', 'name = "Comet", group = "Shares"'))
    expect(page.locator("#count")).to_have_text("1 of 63 symbols")
    assert table.column("symbol") == ["COMET"]
    page.get_by_role("tab", name="All").click()
    page.locator("#search").fill("boltzmann")
    expect(page.locator("#count")).to_have_text("0 of 63 symbols")
    relay.edit(lambda text: text.replace('name = "Bolt"', 'name = "Boltzmann"'))
    expect(page.locator("#count")).to_have_text("1 of 63 symbols")
    assert table.column("symbol") == ["BOLT"]


def test_count_and_empty_text_are_of_the_rows_shown(relay: Relay, context: BrowserContext) -> None:
    """Also where a column's own filter keeps rows out; and there is one text, not the grid's beside it."""
    table = opened(context, relay)
    page = table.page
    table.header("symbol").hover()
    table.header("symbol").locator(".ag-header-cell-filter-button").click()
    words = page.locator(".ag-filter input[type=text]").first
    words.fill("nothing")
    expect(page.locator("#count")).to_have_text("0 of 63 symbols")
    expect(page.locator("#empty")).to_have_text("No symbol passes the filters of the columns")
    expect(page.locator(".ag-overlay-wrapper:visible")).to_have_count(0)
    words.fill("")
    expect(page.locator("#count")).to_have_text("63 symbols")


TOUCHED = """addEventListener("touchstart", ({ target }) => {
    window.touched = target.closest(".ag-row")?.getAttribute("row-id")?.slice(2);
}, { capture: true });"""
"""Remembers what a finger came down on."""


def press(table: Table, count: int, is_touch: bool) -> list[tuple[str, str]]:
    """What was seen at a place and what opened there, where the two differ. Between two presses the order moves on."""
    page = table.page
    luck = random.Random(7)
    wrong = []
    for number in range(count):
        order = page.evaluate(ORDER)
        place = [luck.randint(20, 330), luck.randint(160, 640)] if number else [251, 335]  # where a browser moves a tap to an arrow
        if is_touch:
            page.touchscreen.tap(*place)
            seen = page.evaluate("window.touched")
        else:
            page.mouse.move(*place)
            seen = page.evaluate(AT, place)
            page.evaluate("() => new Promise((resolve) => setTimeout(resolve, 150))")  # meanwhile it would have been put in order
            page.mouse.down()
            page.mouse.up()
        heading = page.locator("#details h2")
        heading.wait_for()
        if heading.inner_text() != seen:
            wrong.append((seen, heading.inner_text()))
        dismiss = page.locator("#details .dismiss")
        if is_touch:
            dismiss.tap()
        else:
            dismiss.click()
            page.mouse.move(700, 20)
            page.evaluate("document.activeElement.blur()")
        if not is_touch or number == 5:
            page.wait_for_function(f"(order) => ({ORDER})() !== order", arg=order)
    return wrong


def test_what_was_under_the_pointer_is_what_opens(relay: Relay, context: BrowserContext) -> None:
    """In a table sorted by what moves all the time; a mark says that the order is held, values go on."""
    table = opened(context, relay, "/?sort=-change_pct", HASTY)
    page = table.page
    complaints = Complaints(relay.url)
    complaints.watch(page)
    assert press(table, 10, is_touch=False) == []
    table.cell(table.column("symbol")[3], "price").hover()
    expect(page.locator("#held")).to_have_text("Order held")
    order = page.evaluate(ORDER)
    prices = table.column("price")
    page.evaluate("() => new Promise((resolve) => setTimeout(resolve, 500))")
    assert page.evaluate(ORDER) == order
    assert table.column("price") != prices
    page.mouse.move(700, 20)
    expect(page.locator("#held")).to_have_text("")
    page.wait_for_function(f"(order) => ({ORDER})() !== order", arg=order)
    page.locator(".ag-row .ag-cell").first.focus()
    expect(page.locator("#held")).to_have_text("Order held")
    assert complaints.found == []  # of a table that is rebuilt, too


def test_what_a_finger_points_at_is_what_opens(relay: Relay, browser: Browser) -> None:
    """One tap, on a phone."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, locale="en-US")
    try:
        assert press(opened(context, relay, "/?sort=-change_pct", HASTY + TOUCHED), 10, is_touch=True) == []
    finally:
        context.close()


def test_rows_that_come_do_not_push_those_under_the_pointer(relay: Relay, context: BrowserContext) -> None:
    """New symbols stand last while the order is held, and in their places after that; one that is removed leaves."""
    table = opened(context, relay, "/?group=Shares")
    table.cell("BOLT", "price").hover()
    relay.edit(lambda text: text.replace("[symbols]", '[symbols]\nAAA = { feed = "sim", group = "Shares" }'))
    expect(table.page.locator("#count")).to_have_text("3 of 64 symbols")
    assert table.column("symbol") == ["ACME", "BOLT", "AAA"]
    table.page.mouse.move(700, 20)
    table.page.wait_for_function(f"() => ({ORDER})() === 's:AAA,s:ACME,s:BOLT'")
    table.cell("BOLT", "price").hover()
    relay.edit(lambda text: text.replace("ACME =", "#"))
    table.page.wait_for_function(f"() => ({ORDER})() === 's:AAA,s:BOLT'")


def test_a_text_that_is_marked_and_a_drag_open_nothing(relay: Relay, context: BrowserContext) -> None:
    """Only a press that was let go where it began is a click."""
    table = opened(context, relay)
    page = table.page
    box = table.cell("ACME", "price").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 10, steps=3)
    page.mouse.up()
    page.evaluate("() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))")
    expect(page.locator("#details")).to_be_hidden()
    page.mouse.click(box["x"] + 10, box["y"] + 10)
    expect(page.locator("#details h2")).to_have_text("ACME")


def test_details_that_close_leave_the_focus_where_the_reader_has_it(relay: Relay, context: BrowserContext) -> None:
    """Escape goes back to the cell it came from, a click on ✕ leaves no order held, a symbol that is removed takes no key away."""
    table = opened(context, relay, "/?group=Shares&sort=-change_pct")
    page = table.page
    table.cell("ACME", "bid").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#details h2")).to_be_focused()
    page.keyboard.press("Escape")
    expect(table.cell("ACME", "ask")).to_be_focused()
    expect(page.locator(".ag-cell-focus")).to_have_count(1)
    expect(page.locator("#held")).to_have_text("Order held")
    table.cell("BOLT", "price").click()
    page.get_by_role("button", name="Close details").click()
    expect(page.locator("#details")).to_be_hidden()
    expect(page.locator("#held")).to_have_text("")
    table.cell("BOLT", "price").click()
    page.locator("#search").focus()
    relay.edit(lambda text: text.replace("BOLT =", "#"))
    expect(page.locator("#details")).to_be_hidden()
    expect(page.locator("#search")).to_be_focused()


FAULT = """
window.faults = 0;
const setAttribute = Element.prototype.setAttribute;
Element.prototype.setAttribute = function (name, value) {
    if (window.poison === "grid" && name === "row-id" && value === "s:S050") {
        window.faults += 1;
        window.poison = "";
        throw new Error("provoked in the grid");
    }
    return setAttribute.call(this, name, value);
};
const setNodeValue = Object.getOwnPropertyDescriptor(Node.prototype, "nodeValue");
Object.defineProperty(Node.prototype, "nodeValue", { ...setNodeValue, set(text) {
    if (window.poison && window.poison !== "grid" && this.parentElement?.closest('[row-id="s:ACME"] [col-id="bid"]')) {
        window.faults += 1;
        if (window.poison === "once") window.poison = "";
        throw new Error("provoked in a painter");
    }
    setNodeValue.set.call(this, text);
} });
"""
"""Makes one painter throw when it writes, once or always; or the grid where it makes a row."""


def test_a_table_that_fails_is_rebuilt_and_says_so(relay: Relay, context: BrowserContext) -> None:
    """A painter that throws, then the grid's own render: each time the whole table stands there again, live, as the reader had it."""
    page = context.new_page()
    page.add_init_script(FAULT)
    page.goto(f"{relay.url}/?sort=symbol")
    table = Table(page)
    table.wait_priced("ACME")
    page.evaluate("window.poison = 'once'")
    rebuilt = page.locator(".banner", has_text="The table had to be rebuilt")
    expect(rebuilt).to_be_visible()
    table.wait_priced("ACME")
    table.wait_connection("live")
    assert table.column("symbol")[:4] == ["ACME", "BOLT", "COMET", "S000"]
    rebuilt.get_by_role("button").click()
    page.evaluate("window.poison = 'grid'")
    table.cell("ACME", "price").hover()
    page.mouse.wheel(0, 3000)
    table.wait_priced("S050")
    table.wait_priced("S059")
    assert page.evaluate("window.faults") == 2
    expect(page.locator("body")).to_have_attribute("data-connection", "live")
    expect(page.locator("#count")).to_have_text("63 symbols")
    expect(table.header("symbol")).to_have_attribute("aria-sort", "ascending")


def test_a_table_that_fails_again_and_again_is_not_called_live(relay: Relay, context: BrowserContext) -> None:
    """Rebuilding does not help: the page says so, and nobody vouches for what else stands in the table."""
    page = context.new_page()
    page.add_init_script(FAULT)
    page.goto(relay.url)
    table = Table(page)
    table.wait_priced("ACME")
    page.evaluate("window.poison = 'always'")
    expect(page.locator(".banner", has_text="The table fails again and again")).to_be_visible()
    table.wait_connection("recovering")
    expect(table.cell("BOLT", "state")).to_have_text("waiting")


NAMES = [
    "constructor", "toString", "hasOwnProperty", "valueOf", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "prototype",
    "length", "name", "then", "undefined", "null", "true", "NaN", "arguments", "caller", "apply", "call", "bind", "keys", "entries",
    "watch", "symbol", "price", "id", "data", "group", "get", "set", "add", "delete", "has", "size", "0", "1", "42", "1e3",
    "W" * 32, "M" + "i" * 31,
]  # fmt: skip
"""Symbols that are properties of objects, look like numbers, or are as long as they may be; names and groups are these and those below."""
OTHER_NAMES = [
    "__proto__", "__defineGetter__", "__lookupSetter__", "<b>bold</b>", "<img src=x onerror=alert(1)>", "</script>", "&amp;",
    "\u202eRight to left",
    "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd", "\u0645\u0631\u062d\u0628\u0627", "中文名称", "Zoë & Söhne", "100 %", "a+b=c?&d#e",
    "'; DROP", '"quoted"', "${x}", "{{x}}", "All", "W" * 32,
]  # fmt: skip


WALK = """async ([searches, groups]) => {
    const wrong = [];
    const search = document.querySelector("#search");
    const rows = () => [...document.querySelectorAll(".ag-row")].map((row) => row.getAttribute("row-id").slice(2));
    const holds = (wanted) => document.querySelector("#count").textContent.match(/^\\d+/)[0] === String(wanted.length)
        && rows().length >= Math.min(20, wanted.length) && rows().every((symbol) => wanted.includes(symbol));
    const look = async (what, wanted) => {
        for (let frames = 0; frames < 300; frames += 1) {
            if (holds(wanted)) return;
            await new Promise(requestAnimationFrame);
        }
        wrong.push([what, wanted, rows(), document.querySelector("#count").textContent]);
    };
    for (const [text, wanted] of searches) {
        search.value = text;
        search.dispatchEvent(new Event("input", { bubbles: true }));
        await look(text, wanted);
    }
    for (const [group, wanted] of groups) {
        [...document.querySelectorAll("#groups button")].findLast((tab) => tab.textContent === group).click();
        await look(group, wanted);
    }
    return wrong;
}"""
"""Seeks each text and chooses each group; those whose rows or count did not come out right."""


def names_settings(prefix: str) -> str:
    """A symbol for each name; those that can be no symbol are the names and groups of others."""

    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    named = list(zip(NAMES, NAMES, strict=True)) + [(f"X{number}", name) for number, name in enumerate(OTHER_NAMES)]
    return '[feeds.sim]\nkind = "simulated"\n[symbols]\n' + "\n".join(
        f'{quoted(symbol)} = {{ feed = "sim", name = {quoted(prefix + name)}, group = {quoted(prefix + name)} }}' for symbol, name in named
    )


def test_names_of_users_are_never_names_of_ours(tmp_path: Path, context: BrowserContext) -> None:
    """Symbols, names and groups that are properties of objects, markup, right-to-left or long: sought, chosen, sorted, opened, renamed."""
    with relaying(tmp_path, names_settings("")) as relay:
        page = context.new_page()
        complaints = Complaints(relay.url)
        complaints.watch(page)
        page.goto(relay.url)
        table = Table(page)
        table.wait_connection("live")
        symbols = NAMES + [f"X{number}" for number in range(len(OTHER_NAMES))]
        names = NAMES + OTHER_NAMES
        expect(page.locator("#count")).to_have_text(f"{len(symbols)} symbols")
        for header in ("symbol", "name"):
            table.header(header).click()
            expect(table.header(header)).to_have_attribute("aria-sort", "ascending")
        for prefix in ("", "New "):
            own = dict(zip(symbols, [prefix + name for name in names], strict=True))
            searches = [
                [text, [symbol for symbol, name in own.items() if text.lower() in symbol.lower() or text.lower() in name.lower()]]
                for text in ["", *own.values(), ""]
            ]
            groups = [(group, [symbol for symbol, name in own.items() if name == group]) for group in dict.fromkeys(own.values())]
            assert page.evaluate(WALK, [searches, groups]) == []
            expect_address(page, group=groups[-1][0], sort="name")
            page.get_by_role("tab", name="All", exact=True).first.click()
            if prefix == "":
                relay.edit(lambda _: names_settings("New "))
                expect(page.get_by_role("tab", name="New constructor")).to_be_visible()
        table.cell("constructor", "price").click()
        expect(page.locator("#details h2")).to_have_text("constructor")
        assert complaints.found == []
