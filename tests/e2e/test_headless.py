"""The relay without a page, and its updates as lines of JSON for a pipe."""

from __future__ import annotations

import json
import os
import signal
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import pytest

from tests.e2e.quote_checks import check_quote
from tests.e2e.raw import RawSocket
from tests.e2e.server import RunningServer, serving
from tests.e2e.waiting import wait

SETTINGS = """
[feeds.sim]
kind = "simulated"
interval_s = INTERVAL

[symbols]
"""


def settings(symbols: int, interval_s: float) -> str:
    """Settings with so many simulated symbols."""
    return SETTINGS.replace("INTERVAL", str(interval_s)) + "\n".join(f'S{number} = {{ feed = "sim" }}' for number in range(symbols))


@contextmanager
def piped(text: str, *options: str, headless: bool = True) -> Iterator[tuple[RunningServer, IO[bytes]]]:
    """A server whose stdout is a pipe, and the end to read from."""
    reader, writer = (os.fdopen(end, mode) for end, mode in zip(os.pipe(), ("rb", "wb"), strict=True))
    with reader, serving(text, *options, headless=headless, stdout=writer) as server:
        writer.close()
        yield server, reader


def lines(reader: IO[bytes], number: int) -> list[dict[str, Any]]:
    """The next lines as quotes."""
    quotes = [json.loads(reader.readline()) for _ in range(number)]
    for quote in quotes:
        check_quote(quote, quote["symbol"])
    return quotes


def seq_of(server: RunningServer, symbol: str) -> int:
    """The newest `seq` of a symbol."""
    quote = server.get(f"/api/quotes/{symbol}").json
    return int(quote.get("seq", 0))


def test_headless_has_no_page() -> None:
    """`GET /` is 404, as JSON; the relay is all there."""
    with serving(settings(1, 0.1)) as server:
        for path in ("/", "/embed", "/assets/x.js"):
            answer = server.get(path, {"Accept": "text/html"})
            assert (answer.status, answer.headers["content-type"]) == (404, "application/json")
            assert answer.json["error"]["code"] == "not_found"
        client = RawSocket(server.address)
        assert client.join("/S0").startswith("40")
        assert client.quote("S0")["seq"] >= 1
        client.close()


def test_every_update_is_a_line_while_the_reader_keeps_up() -> None:
    """Every `seq` of every symbol, from the first; nothing but quotes on stdout, log lines on stderr only."""
    with piped(settings(3, 0.01), "--ndjson", "--log-level", "debug") as (server, reader):
        seqs: dict[str, list[int]] = defaultdict(list)
        for quote in lines(reader, 150):  # a pipe holds as many: however busy the machine is, the reader keeps up
            seqs[quote["symbol"]].append(quote["seq"])
        assert seqs.keys() == {"S0", "S1", "S2"}
        assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in seqs.values())
        assert server.lines("listening on")
        assert server.stop() == 0
        rest = reader.read()
    assert rest == b"" or rest.endswith(b"\n"), "a line is written whole or not at all"
    assert all(json.loads(line) for line in rest.splitlines())


def test_a_reader_that_pauses_gets_the_newest_of_each_symbol() -> None:
    """The process is never blocked; `seq` shows what was folded, and goes on growing."""
    with piped(settings(500, 0.01), "--ndjson") as (server, reader):
        wait(lambda: seq_of(server, "S7") >= 60)  # 30,000 updates, and nobody has read one of them
        newest: dict[str, int] = {}
        folded = False
        while not folded or len(newest) < 500 or min(newest.values()) < 60:
            for quote in lines(reader, 500):
                before = newest.get(quote["symbol"], 0)
                assert quote["seq"] > before
                folded = folded or quote["seq"] > before + 1
                newest[quote["symbol"]] = quote["seq"]
        seqs = [quote["seq"] for quote in lines(reader, 5000) if quote["symbol"] == "S7"]
        assert all(before < after for before, after in pairwise(seqs))


@pytest.mark.parametrize("interval_s", [0.01, 60])
def test_headless_ends_with_its_reader(interval_s: float) -> None:
    """`… | head -n 1` ends both, with exit code 0, also where the next update is a minute away."""
    with piped(settings(1, interval_s), "--ndjson") as (server, reader):
        lines(reader, 1)
        reader.close()
        assert server.wait() == 0
        assert server.lines("the reader of stdout has left")
        assert server.lines("ERROR|WARNING") == []


def test_with_a_page_it_goes_on_without_a_reader() -> None:
    """Only the stream ends."""
    with piped(settings(1, 0.01), "--ndjson", headless=False) as (server, reader):
        lines(reader, 1)
        reader.close()
        server.wait_log("the reader of stdout has left")
        seen = seq_of(server, "S0")
        wait(lambda: seq_of(server, "S0") > seen)
        assert len(server.lines("the reader of stdout has left")) == 1


def test_a_file_takes_every_update(tmp_path: Path) -> None:
    """`--ndjson > FILE`: a file never makes anybody wait."""
    path = tmp_path / "quotes.ndjson"
    with path.open("wb") as file, serving(settings(2, 0.01), "--ndjson", stdout=file) as server:
        wait(lambda: seq_of(server, "S1") >= 50)
        assert server.stop(signal.SIGINT) == 0
    quotes = [json.loads(line) for line in path.read_text().splitlines()]
    seqs = [quote["seq"] for quote in quotes if quote["symbol"] == "S1"]
    assert seqs[:50] == list(range(1, 51))
