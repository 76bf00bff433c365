"""A key that comes back is published nowhere: not in the log, `/api/status`, the `feeds` and `symbols` of every client, nor a recording."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.echoing_provider import HTTP_WAYS, RELAY_WAYS, STREAM_WAYS, echoing
from tests.e2e.raw import RawSocket
from tests.e2e.server import PATIENCE_S, RunningServer, command_line, environment, serving
from tests.spelling import KEY, SPELLINGS, traces

OFTEN = ["as it is", "percent with the slash kept", "html of percent", "json, large", "base64 of user and key", "capitals", "cut short"]
"""The spellings that come back by every way; all others in bodies and messages."""
ALL_OF = {"cut_body", "message", "refusal"}
NUMBERS = {name: number for number, name in enumerate(SPELLINGS)}
ROWS = [(way, name) for way in [*HTTP_WAYS, *STREAM_WAYS, *RELAY_WAYS] for name in SPELLINGS if way in ALL_OF or name in OFTEN]
FEEDS = {f"{way}_{NUMBERS[name]}": (way, name) for way, name in ROWS}


def settings(port: int, feeds: Mapping[str, tuple[str, str]]) -> str:
    """A feed and a symbol for each row."""
    lines: list[str] = []
    for feed, (way, name) in feeds.items():
        where = f"127.0.0.1:{port}/{way}/{NUMBERS[name]}/"
        lines += [f"[feeds.{feed}]", "interval_s = 1.0"]
        if way in HTTP_WAYS:
            lines += ['kind = "http_json"', f'base_url = "http://{where}"', 'path = "/q?k={api_key}"', 'price = "p"', 'error = "error"']
        else:
            lines += [f'kind = "{"finnhub_stream" if way in STREAM_WAYS else "relay"}"', f'base_url = "ws://{where}"']
            lines += [f'rest_url = "http://{where.replace(way, "header")}"'] if way in STREAM_WAYS else []
    return "\n".join([*lines, "[symbols]", *(f'{feed} = {{ feed = "{feed}", {feed} = "A" }}' for feed in feeds)])


def keys(feeds: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """The same key for each feed."""
    return {f"FEEDS__{feed.upper()}__API_KEY": KEY for feed in feeds}


def told(server: RunningServer) -> dict[str, Any]:
    """All that a client is told of feeds and symbols."""
    with closing(RawSocket(server.address)) as client:
        client.join("/")
        return {name: client.event(name) for name in ("symbols", "feeds")}


def leaks(text: str) -> list[tuple[str, str]]:
    """What of any spelling stands in `text`, as it is or behind one more layer of JSON."""
    text += text.replace("\\\\", "\\")
    return [(name, trace) for name, spelt in SPELLINGS.items() for trace in traces(spelt) if trace in text]


@pytest.fixture(scope="module")
def provider() -> Iterator[int]:
    """The port of who gives it back."""
    with echoing() as port:
        yield port


@pytest.mark.parametrize("ways", [HTTP_WAYS, STREAM_WAYS, RELAY_WAYS], ids=["http", "stream", "relay"])
def test_a_key_that_comes_back_is_published_nowhere(ways: Mapping[str, Any], provider: int) -> None:
    """Whichever way it comes, whatever its spelling; each feed has failed, or told its price, when we look."""
    feeds = {feed: row for feed, row in FEEDS.items() if row[0] in ways}
    deadline_s = time.monotonic() + 2 * PATIENCE_S
    with serving(settings(provider, feeds), "--log-level", "debug", variables=keys(feeds)) as server:
        while True:
            seen = told(server)
            silent = {feed["feed"] for feed in seen["feeds"] if feed["error"] is None and "upstream" not in feed}
            silent &= {symbol["symbol"] for symbol in seen["symbols"] if symbol["status"] == "pending" and symbol["error"] is None}
            # A message that makes no sense is told in the log alone, however often it comes; at debug what is asked is told, too.
            silent -= {feed for feed in silent if server.lines(rf"(?:INFO|WARNING|ERROR) +\S+ feed {feed}: ")}
            if not silent:
                break
            assert time.monotonic() < deadline_s, silent
        said = [server.get(path).body.decode() for path in ("/api/status", "/api/symbols", "/api/quotes", "/metrics")]
        said += [json.dumps(seen, ensure_ascii=False), *server.log]
        errors = [one["error"] for state in seen.values() for one in state if one["error"] is not None]
        assert len(errors) >= len(feeds) / 3
        for error in errors:
            assert len(error) <= 200, error
            assert error.isprintable(), error
        assert [leak for text in said for leak in leaks(text)] == []


def test_a_key_that_comes_back_is_in_no_recording(provider: int, tmp_path: Path) -> None:
    """Of what a relay upstream names as the source of its quotes, either."""
    feeds = {feed: row for feed, row in FEEDS.items() if row[0] in ("quote", "answer", "message")}
    (tmp_path / "settings.toml").write_text(settings(provider, feeds))
    process = subprocess.Popen(
        command_line("record", "day.ndjson"), cwd=tmp_path, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment(keys(feeds))
    )
    server = RunningServer(process, tmp_path / "settings.toml")
    prices = sum(way == "quote" for way, _ in feeds.values())
    file, deadline_s = tmp_path / "day.ndjson", time.monotonic() + PATIENCE_S
    while not file.exists() or file.read_text().count('"price"') < prices:
        assert time.monotonic() < deadline_s, server.log
    assert server.stop(signal.SIGTERM) == 0
    assert leaks(file.read_text()) == []
    assert [leak for line in server.log for leak in leaks(line)] == []
