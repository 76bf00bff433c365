"""docs/operations says what is: metrics, alerts, limits, and the files for systemd and nginx."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.web.metrics.reading import MACHINE
from tests.web.relaying import Relaying
from ticker.settings import LimitSettings, ServerSettings
from ticker.settings.secret_file import fault_of
from web.refusals import Reason

FOLDER = Path(__file__).parent.parent / "docs" / "operations"
PAGE = (FOLDER / "README.md").read_text(encoding="utf-8")
DEPLOYING = (FOLDER / "deploying.md").read_text(encoding="utf-8")
ALERTS = (FOLDER / "alerts.yml").read_text(encoding="utf-8")
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))
NAME = re.compile(r"\b(?:tickercast|process)_[a-z_]+\b")
PARTS = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}


def section(title: str) -> str:
    """The text under a heading of the page."""
    _, _, rest = PAGE.partition(f"\n## {title}\n")
    assert rest, title
    return rest.partition("\n## ")[0]


@pytest.fixture(scope="module")
def scraped() -> set[str]:
    """Every name that a series of a real scrape may have."""
    text = Relaying(["ACME"], {}).http.get("/metrics", environ_base=MACHINE).text
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    assert types["tickercast_flush_seconds"] == "histogram"
    return {name.removesuffix("_total") + part for name, kind in types.items() for part in PARTS[kind]}


def rules() -> Iterator[dict[str, str]]:
    """Each alert: its name, expression, severity and summary."""
    for block in re.split(r"^      - (?=alert:)", ALERTS, flags=re.MULTILINE)[1:]:
        fields = re.fullmatch(
            r"alert: (?P<name>Tickercast\w+)\n"
            r"        expr: (?:>-\n)?(?P<expr>(?:.+\n)+?)"
            r"(?:        for: \d+[mh]\n)?"
            r"        labels: \{severity: (?P<severity>page|ticket)\}\n"
            r"        annotations: \{summary: \"(?P<summary>[^\"]+)\"\}\n\n?",
            block,
        )
        assert fields is not None, block
        yield fields.groupdict()


def panels() -> list[dict[str, Any]]:
    """What the dashboard draws, rows apart."""
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def expressions() -> list[str]:
    """Everything that is asked of Prometheus."""
    drawn = [target["expr"] for panel in panels() for target in panel["targets"]]
    asked = [variable["query"]["query"] for variable in DASHBOARD["templating"]["list"] if variable["type"] == "query"]
    return [*drawn, *asked, *(note["expr"] for note in DASHBOARD["annotations"]["list"]), *(rule["expr"] for rule in rules())]


def test_every_metric_that_is_named_exists(scraped: set[str]) -> None:
    """In alerts, in the dashboard and on the page."""
    named = {name for text in (*expressions(), PAGE, DEPLOYING) for name in NAME.findall(text)}
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in scraped}
    assert named - scraped - families == set()


def test_every_metric_is_looked_at(scraped: set[str]) -> None:
    """What nobody draws and no alert reads need not be counted; of a process, half of what there is will do."""
    looked_at = {re.sub(r"_(bucket|sum|count)$", "", name) for text in expressions() for name in NAME.findall(text)}
    ours = {re.sub(r"_(bucket|sum|count)$", "", name) for name in scraped if name.startswith("tickercast_")}
    assert ours - looked_at <= {"tickercast_symbol_state"}, "it is for people who look for one symbol"


@pytest.mark.parametrize("expression", expressions())
def test_expressions_are_whole(expression: str) -> None:
    """Brackets and quotes are closed in the order in which they were opened; counters are never drawn as they stand."""
    closing = {")": "(", "]": "[", "}": "{"}
    opened: list[str] = []
    for character in re.sub(r'"[^"]*"', "", expression):
        if character in closing.values():
            opened.append(character)
        elif character in closing:
            assert opened
            assert opened.pop() == closing[character]
    assert not opened
    assert expression.count('"') % 2 == 0
    if "opened_total\n" not in expression:  # the alert that adds up the books
        for counter in re.finditer(r"tickercast_\w+_(?:total|bucket|sum)", expression):
            assert re.search(r"(?:rate|increase)\(\s*$", expression[: counter.start()]), expression


def test_every_alert_is_explained() -> None:
    """Once in the table of promises, once in what to do about it; no other is told of; each name once."""
    names = [rule["name"] for rule in rules()]
    assert len(names) == len(set(names)) == ALERTS.count("- alert:")
    explained = re.findall(r"^\| (Tickercast\w+) \|", section("Alerts"), re.MULTILINE)
    assert explained == names or sorted(explained) == sorted(names)
    promised = re.findall(r"Tickercast\w+", section("What it promises, and where you see it"))
    assert sorted(promised) == sorted(names)


def test_what_the_log_says_of_who_is_not_let_in() -> None:
    """The words of the tables are those of the log, and the commonest ones are all there."""
    told = set(re.findall(r"`((?:origin|unknown|unsupported|bad|headers|too_many)_\w+)`", DEPLOYING))
    assert told <= {reason.word for reason in Reason}
    assert told >= {reason.word for reason in (Reason.ORIGIN, Reason.HOST, Reason.VERSION, Reason.WEBSOCKET, Reason.SESSION)}


def test_what_is_said_of_secrets() -> None:
    """Each mode of the table is treated so by the code; where they lie makes the difference for those that others can read."""
    rows = re.findall(r"^\| (.+) \| ([^|]*\b0\d{3}\b[^|]*) \| (read|refused, with `chmod (?:600|go-w)`) \|$", DEPLOYING, re.MULTILINE)
    assert len(rows) == 7
    for where, modes, outcome in rows:
        for mode in re.findall(r"\b0\d{3}\b", modes):
            fault = fault_of(int(mode, 8), 0 if "root's" in where else 1000)
            sheltered = "memory" in where + modes
            assert (fault is None or (sheltered and not fault.is_fatal)) is (outcome == "read"), (where, mode)
            assert outcome == "read" or (fault and fault.cure.startswith(outcome.split("`")[1])), (where, mode)


def test_every_panel_says_what_it_shows() -> None:
    """With a description and a unit, from the chosen data source, in a place of its own."""
    places = set()
    for panel in panels():
        assert panel["description"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["fieldConfig"]["defaults"]["unit"]
        places.add((panel["gridPos"]["x"], panel["gridPos"]["y"]))
        assert all("$instance" in target["expr"] for target in panel["targets"])
    assert len(places) == len(panels()) == len({panel["id"] for panel in panels()})


def test_every_limit_is_told_with_what_it_bounds() -> None:
    """Each key of `[limits]`, and its default."""
    rows = dict(re.findall(r"^\| `(\w+)` \| ([\d,.]+) \|", section("Limits"), re.MULTILINE))
    assert {key: float(value.replace(",", "")) for key, value in rows.items()} == LimitSettings().model_dump()


def test_the_unit_and_the_proxy_agree_with_the_defaults() -> None:
    """The port, the options, and timeouts that leave the last word to the relay."""
    unit, proxy, server = (FOLDER / "tickercast.service").read_text(), (FOLDER / "nginx.conf").read_text(), ServerSettings()
    assert "Type=notify" in unit
    assert re.search(r"^WatchdogSec=\d+$", unit, re.MULTILINE)
    assert f"server 127.0.0.1:{server.port};" in proxy
    read_timeout = re.search(r"proxy_read_timeout (\d+)s;", proxy)
    assert read_timeout is not None
    assert int(read_timeout[1]) > server.ping_interval_s + server.ping_timeout_s
    assert "location = /metrics { return 403; }" in proxy
    assert "location = /ticker/metrics { return 403; }" in proxy


@pytest.mark.parametrize(
    ("file", "kept"),
    [("nginx.conf", r"keepalive_timeout (\d+)s;"), ("Caddyfile", r"keepalive (\d+)s"), ("haproxy.cfg", r"timeout http-keep-alive (\d+)s")],
)
def test_every_proxy_finds_the_relay_and_lets_go_of_a_connection_first(file: str, kept: str) -> None:
    """At the port it has by default; who closes an idle connection must not be the relay."""
    example, server = (FOLDER / file).read_text(encoding="utf-8"), ServerSettings()
    assert f"127.0.0.1:{server.port}" in example
    assert [int(seconds) < server.keep_alive_s for seconds in re.findall(kept, example)] == [True]
