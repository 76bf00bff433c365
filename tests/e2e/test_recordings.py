"""`record` and `replay` as processes of their own: what was published is published again, at its pace."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.server import RunningServer, command_line, environment, run, serving
from tests.e2e.waiting import wait

SYMBOLS = [f"S{number}" for number in range(5)]
SETTINGS = """
[feeds.sim]
kind = "simulated"
interval_s = INTERVAL
FAULTS

[symbols]
""" + "\n".join(f'{symbol} = {{ feed = "sim", name = "Number {symbol}", group = "All" }}' for symbol in SYMBOLS)
NEW = {"received_time", "seq", "source", "kind"}
"""What a replay has of its own."""


def settings(interval_s: float = 0.1, faults: str = "") -> str:
    """Five simulated symbols."""
    return SETTINGS.replace("INTERVAL", str(interval_s)).replace("FAULTS", faults)


@contextmanager
def running(folder: Path, *arguments: str, stdout: int = subprocess.DEVNULL) -> Iterator[RunningServer]:
    """A command that runs until it is told to end."""
    process = subprocess.Popen(
        command_line(*arguments), cwd=folder, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, env=environment()
    )
    command = RunningServer(process, folder / "settings.toml")
    try:
        yield command
    finally:
        if process.poll() is None:
            process.kill()
        command.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def record(folder: Path, names: Sequence[str], batches: int, end: signal.Signals = signal.SIGTERM) -> None:
    """Record so many batches into each of these files, at the same time."""
    with ExitStack() as stack:
        started = [stack.enter_context(running(folder, "record", name)) for name in names]
        for recorder in started:
            recorder.wait_log("recording 5 symbols of 1 feeds into")
        wait(lambda: all(len(lines(folder / name)) > batches for name in names))
        codes = {recorder.stop(end) for recorder in started}
        assert codes == ({0} if end is not signal.SIGKILL else {-signal.SIGKILL})
        if end is not signal.SIGKILL:
            for recorder in started:
                assert recorder.lines(r"recorded \d+ updates in \d+ batches")
                assert recorder.lines("WARNING|ERROR|Traceback") == []


NAMES = ["day.ndjson", "day.ndjson.gz"]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 40 batches, plain and packed, in which there are no settings."""
    folder = tmp_path_factory.mktemp("day")
    (folder / "settings.toml").write_text(settings(0.05))
    record(folder, NAMES, 40)
    (folder / "settings.toml").unlink()
    return folder


@pytest.fixture(scope="module")
def torn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of recorders that were killed."""
    folder = tmp_path_factory.mktemp("torn")
    (folder / "settings.toml").write_text(settings(0.05))
    record(folder, NAMES, 20, signal.SIGKILL)
    return folder


def lines(file: Path) -> list[dict[str, Any]]:
    """All whole lines of a recording, packed or not, however it ended."""
    if not file.exists():
        return []
    if not file.name.endswith(".gz"):
        text = file.read_bytes()
    else:
        text = b""
        try:
            with gzip.open(file) as packed:
                while part := packed.read1():
                    text += part
        except EOFError:
            pass
    return [json.loads(line) for line in text.split(b"\n")[:-1]]


def replayed(folder: Path, file: Path, number: int, *options: str) -> tuple[list[dict[str, Any]], RunningServer]:
    """The first so many updates that a replay publishes."""
    arguments = ("replay", file.name, "--headless", "--ndjson", "--port", "0", *options)
    with running(folder, *arguments, stdout=subprocess.PIPE) as replay:
        assert replay.process.stdout is not None
        quotes = [json.loads(replay.process.stdout.readline()) for _ in range(number)]
        assert replay.stop() == 0
    return quotes, replay


def said(quote: dict[str, Any]) -> dict[str, Any]:
    """What a quote says of the price."""
    return {name: value for name, value in quote.items() if name not in NEW}


@pytest.mark.parametrize("name", NAMES)
def test_what_was_recorded_is_published_again(day: Path, name: str) -> None:
    """Field by field, in the same order, no sooner than it came, with names and groups; without a settings file."""
    file = day / name
    header, *batches = lines(file)
    recorded = [(batch["t"], quote) for batch in batches for quote in batch["quotes"]]
    quotes, _ = replayed(day, file, len(recorded))
    assert [said(quote) for quote in quotes] == [said(quote) for _, quote in recorded]
    assert {(quote["kind"], quote["source"], quote["state"]) for quote in quotes} == {("replayed", "replay", "fresh")}
    times = [quote["received_time"] for quote in quotes]
    gaps = [
        (after - before, then_after[0] - then_before[0])
        for (before, after), (then_before, then_after) in zip(pairwise(times), pairwise(recorded), strict=True)
    ]
    print(f"gaps are reproduced within {max(abs(now - then) for now, then in gaps)} ms")
    took_ms, then_ms = times[-1] - times[0], recorded[-1][0] - recorded[0][0]
    assert took_ms > 0.8 * then_ms, "at the recording's pace, but for what the first of them was late"
    assert header["symbols"]["S1"] == {"feed": ["sim"], "name": "Number S1", "group": ["All"]}


def test_a_replay_is_served_with_the_recordings_symbols(day: Path, tmp_path: Path) -> None:
    """Over REST as from any feed; at the end it is over, and prices turn stale on the recording's clock."""
    file = day / "day.ndjson"
    (tmp_path / "settings.toml").write_text("[broadcast]\nflush_ms = 20\n")
    with running(tmp_path, "replay", str(file), "--headless", "--port", "0", "--speed", "20") as replay:
        replay.url = replay.wait_log(r"listening on (http://\S+)")[1]
        replay.wait_log("the recording is over")
        symbols = replay.get("/api/symbols").json["symbols"]
        assert [(entry["symbol"], entry["name"], entry["group"], entry["feed"]) for entry in symbols] == [
            (symbol, f"Number {symbol}", ["All"], "replay") for symbol in SYMBOLS
        ]
        last = {quote["symbol"]: quote for batch in lines(file)[1:] for quote in batch["quotes"]}
        wait(lambda: {quote["state"] for quote in replay.get("/api/quotes").json["quotes"]} == {"stale"})
        for quote in replay.get("/api/quotes").json["quotes"]:
            assert said(quote) == said(last[quote["symbol"]]) | {"state": "stale"}
        (feed,) = replay.get("/api/status").json["feeds"]
        assert (feed["kind"], feed["state"], feed["over"]) == ("replay", "ok", True)
        assert replay.stop() == 0


def test_stale_is_replayed_as_it_was(tmp_path: Path) -> None:
    """A source that fell silent does so again, and so fast as it is played."""
    faults = 'stale_after_s = 1\nfaults = [{ kind = "silence", at_s = 0.5, for_s = 2 }]'
    (tmp_path / "settings.toml").write_text(settings(faults=faults))
    record(tmp_path, ["day.ndjson"], 15)
    file = tmp_path / "day.ndjson"
    recorded = [quote for batch in lines(file)[1:] for quote in batch["quotes"]]
    states = [quote["state"] for quote in recorded if quote["symbol"] == "S1"]
    assert "stale" in states
    assert states[-1] == "fresh"
    quotes, _ = replayed(tmp_path, file, len(recorded), "--speed", "5")
    assert [said(quote) for quote in quotes] == [said(quote) for quote in recorded]


def test_a_loop_goes_on_counting(day: Path) -> None:
    """Times begin again, `seq` does not."""
    file = day / "day.ndjson.gz"
    recorded = [quote for batch in lines(file)[1:] for quote in batch["quotes"]]
    quotes, _ = replayed(day, file, 2 * len(recorded), "--speed", "20", "--loop")
    rounds = iter([said(quote) for quote in recorded] * 10)
    assert all(said(quote) in rounds for quote in quotes), "in its order; a busy machine may fold two prices of a symbol into one"
    seqs = [quote["seq"] for quote in quotes if quote["symbol"] == "S1"]
    assert all(before < after for before, after in pairwise(seqs))


def test_a_part_of_it(day: Path) -> None:
    """From a time to a time: the newest price of each symbol from before, then what follows."""
    file = day / "day.ndjson"
    header, *batches = lines(file)
    times = [batch["t"] - header["started"] for batch in batches]
    begin_ms, end_ms = times[10] - 1, times[20]
    part = [*batches[9]["quotes"], *(quote for batch in batches[10:21] for quote in batch["quotes"])]
    quotes, _ = replayed(day, file, len(part), "--from", f"+{begin_ms / 1000}", "--to", f"+{end_ms / 1000}", "--speed", "5")
    assert [said(quote) for quote in quotes] == [said(quote) for quote in part]


@pytest.mark.parametrize("name", NAMES)
def test_a_recorder_that_is_killed_loses_the_end_only(torn: Path, name: str) -> None:
    """What was flushed plays; what is torn is skipped, and told."""
    file = torn / name
    with file.open("ab") as end:
        end.write(b'{"t":1,"quo' if name == "day.ndjson" else b"")
    recorded = [quote for batch in lines(file)[1:] for quote in batch["quotes"]]
    assert len(recorded) >= 20 * len(SYMBOLS)
    with running(torn, "replay", name, "--headless", "--ndjson", "--port", "0", "--speed", "10", stdout=subprocess.PIPE) as replay:
        assert replay.process.stdout is not None
        quotes = [json.loads(replay.process.stdout.readline()) for _ in recorded]
        assert [said(quote) for quote in quotes] == [said(quote) for quote in recorded]
        replay.wait_log("its last line is torn, and is skipped|its compressed data is torn; all lines before are there")


def test_a_recording_as_a_feed_among_others(day: Path, tmp_path: Path) -> None:
    """Under other names; a file that is not there yet is waited for."""
    file = tmp_path / "day.ndjson"
    text = f"""
[feeds.tape]
kind = "replay"
file = "{file}"
loop = true

[symbols]
OURS = {{ feed = "tape", tape = "S1" }}
NOPE = {{ feed = "tape" }}
"""
    with serving(text) as server:
        server.wait_log("feed tape: .*day.ndjson can't be read: No such file or directory")
        (tmp_path / "hidden").write_bytes((day / "day.ndjson").read_bytes())
        (tmp_path / "hidden").rename(file)
        wait(lambda: bool(server.get("/api/quotes").json["quotes"]))
        (quote,) = server.get("/api/quotes").json["quotes"]
        assert (quote["symbol"], quote["kind"], quote["source"]) == ("OURS", "replayed", "tape")
        symbols = {entry["symbol"]: entry for entry in server.get("/api/symbols").json["symbols"]}
        assert (symbols["NOPE"]["status"], symbols["NOPE"]["error"]) == ("rejected", "the recording has no 'NOPE'")


def test_wrong_use_and_what_cannot_be_written(tmp_path: Path) -> None:
    """2 for what is wrong with the call, 1 for what the machine refuses; one line that names the file, and no traceback."""
    (tmp_path / "settings.toml").write_text(settings())
    (tmp_path / "text").write_text("hello\n")
    (tmp_path / "full").write_text("precious\n")
    (tmp_path / "link").symlink_to("full")
    (tmp_path / "closed").mkdir(mode=0o500)
    cases: Sequence[tuple[tuple[str, ...], int, str]] = [
        (("record",), 2, "Missing argument"),
        (("record", "full"), 2, "full exists and is not empty: name another file, or replace it with --force"),
        (("record", "."), 2, "is a directory"),
        (("record", "none/x"), 1, "none/x can't be written: No such file or directory"),
        (("record", "/dev/full"), 1, "/dev/full can't be written: it is no regular file"),
        (("record", "link"), 1, "link can't be written: it is a link, and links are not followed"),
        (("record", "link", "--force"), 1, "link can't be written: it is a link, and links are not followed"),
        (("record", "x", "--config", "none.toml"), 2, "there is no such file"),
        (("replay", "none"), 2, "does not exist"),
        (("replay", "text"), 2, "text is not a recording: its first line is no header"),
        (("replay", "settings.toml"), 2, "settings.toml is not a recording"),
        (("replay", "text", "--speed", "0"), 2, "--speed"),
        (("replay", "text", "--from", "noon"), 2, "'noon' is no time"),
        (("replay", "text", "--config", "none.toml"), 2, "is not a recording"),
    ]
    if os.getuid():
        cases = [*cases, (("record", "closed/x"), 1, "closed/x can't be written: Permission denied")]
    for arguments, code, words in cases:
        done = run(*arguments, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (code, ""), (arguments, done.stderr)
        assert words in done.stderr, (arguments, done.stderr)
        assert "Traceback" not in done.stderr
    assert (tmp_path / "full").read_text() == "precious\n"


def test_no_secret_reaches_a_recording(tmp_path: Path) -> None:
    """Of a feed with a key, not even its address."""
    key = "C4nary-K3y"
    (tmp_path / "settings.toml").write_text(
        settings()
        + """
OTHER = { feed = "finnhub" }

[feeds.finnhub]
kind = "finnhub"
base_url = "http://127.0.0.1:9"
"""
    )
    process = subprocess.Popen(
        command_line("record", "x"),
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment({"FEEDS__FINNHUB__API_KEY": key}),
    )
    recorder = RunningServer(process, tmp_path / "settings.toml")
    try:
        recorder.wait_log("feed finnhub: ")
        wait(lambda: len(lines(tmp_path / "x")) > 3)
        assert recorder.stop() == 0
    finally:
        if process.poll() is None:
            process.kill()
        recorder.wait()
    content = (tmp_path / "x").read_text()
    assert key not in content
    assert "127.0.0.1" not in content
    assert '"finnhub":"finnhub"' in content
