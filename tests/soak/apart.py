"""The rows that have relays of their own: what becomes of a feed that is lost, lied to, or timed by a clock that jumps; and of settings."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from glob import glob
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.e2e.relay_settings import relayed, simulated
from tests.e2e.server import RunningServer, serving
from tests.faults import FaultProxy
from tests.providers.client import RunningProvider, network_in_front_of, running
from tests.soak.crowd import Crowd, until
from tests.soak.stage import QUIET, SETTINGS, Stage
from tests.ticker.settings.spoilt import SPOILERS, remove

STALE_S = 30
"""Of streams, where the settings say nothing."""

MESSAGES = 10_000
FAULTS = {"drop": 59, "reorder": 61, "repeat": 67}
"""Each so manieth message, which is 5 % of them."""
RELOADS = 200
LOSSY_SOURCE = "[broadcast]\nflush_ms = 1\n\n" + simulated(*"ABCDE", interval_s=0.01)
LOSSY = (
    "\n".join(
        [
            *(f'[feeds.{symbol.lower()}]\nkind = "relay"\nbase_url = "URL"\nmax_hz = 50\n' for symbol in "ABCDE"),
            "[symbols]",
            *(f'{symbol} = {{ feed = "{symbol.lower()}" }}' for symbol in "ABCDE"),
        ]
    )
    + "\n"
)
"""A connection for each symbol, so that there are messages enough."""
CLOCKED = """
[feeds.api]
kind = "http_json"
base_url = "URL"
path = "/{symbol}"
price = "last"
interval_s = 1
timeout_s = 10

[symbols]
A = { feed = "api" }
"""
JUMPS_S = (3600, -3600, -3600, 3600)
FAKETIME = "/usr/lib/*/faketime/libfaketime.so.1"


async def failover(stage: Stage) -> None:
    """Row 9: two sources of one symbol; the first one is lost without a word, and comes back."""
    with FaultProxy(stage.port) as first, FaultProxy(stage.port) as second, serving(relayed(["Q0"], a=first.url, b=second.url)) as server:
        behind = Stage(server, stage.minutes)

        async def source() -> str:
            quotes = (await behind.quotes())["quotes"]
            return quotes[0]["source"] if quotes else ""

        await _source_is(source, "a", 20)
        await asyncio.to_thread(first.cut)
        over_s = await _source_is(source, "b", 60)
        await asyncio.to_thread(first.heal)
        switches, before, until_s = 0, "b", time.monotonic() + max(10.0, stage.minutes)
        while time.monotonic() < until_s:
            if (now := await source()) != before:
                switches, before = switches + 1, now
            await asyncio.sleep(0.1)
    stage.note("9", "the first source is silent: the second is in use", f"{over_s:.1f} s", f"≤ {STALE_S + 3} s", over_s <= STALE_S + 3)
    stage.note("9", "… the first is back: switches", f"{switches}", "≤ 1", switches <= 1)


async def _source_is(source: Callable[[], Awaitable[str]], wanted: str, seconds: float) -> float:
    began_s = time.monotonic()
    while await source() != wanted:
        if time.monotonic() - began_s > seconds:
            raise TimeoutError(f"{wanted} is not in use")
        await asyncio.sleep(0.1)
    return time.monotonic() - began_s


async def lossy(stage: Stage) -> None:
    """Row 8: of a relay's upstream, messages are lost, come twice, come after the one that follows."""
    with (
        serving(LOSSY_SOURCE) as source,
        network_in_front_of(RunningProvider(source.url)) as network,
        serving(LOSSY.replace("URL", network.url)) as server,
    ):
        behind, crowd = Stage(server, stage.minutes), Crowd(server.address[1])
        (witness,) = await crowd.grow(1, "*")
        network.set(switches=FAULTS)
        worst_s, passed = 0.0, 0
        while passed < MESSAGES:
            await asyncio.sleep(0.2)
            quotes = (await behind.quotes())["quotes"]
            worst_s = max(worst_s, *(time.time() - quote["quote_time"] / 1000 for quote in quotes))
            passed = await asyncio.to_thread(_messages, server)
        source.edit(lambda text: text.replace("interval_s = 0.01", "interval_s = 60"))
        await asyncio.to_thread(source.wait_log, "settings applied")
        want = await Stage(source, stage.minutes).reference()
        took_s = await until(lambda: {symbol: price for symbol, (_, price) in witness.newest.items()} == want, 20, "the newest is there")
        reconnects = sum(feed["reconnects"] for feed in (await behind.status())["feeds"])
        wrong = len(crowd.wrong)
        await crowd.shrink([witness])
    share = sum(1 / every for every in FAULTS.values())
    stage.note(
        "8",
        f"{passed} messages of an upstream, {share:.0%} lost, doubled or late: the oldest price seen",
        f"{worst_s:.2f} s",
        "≤ 2 s",
        worst_s <= 2,
    )
    stage.note(
        "8",
        "… steps back, new connections; all prices are the source's",
        f"{wrong}, {reconnects}; {took_s:.1f} s after its last",
        "0, 0; ≤ 2 s",
        wrong == 0 and reconnects == 0 and took_s <= 2,
    )


def _messages(server: RunningServer) -> int:
    lines = server.get("/metrics").body.decode().splitlines()
    return int(sum(float(line.split()[-1]) for line in lines if line.startswith("tickercast_feed_stream_messages_total")))


@contextmanager
def clock(file: Path) -> Iterator[None]:
    """Processes that start in the block have the wall clock that `file` sets: `+3600` is an hour ahead. Raises `FileNotFoundError`."""
    found = glob(FAKETIME)
    if not found:
        raise FileNotFoundError("libfaketime is missing. On Debian, as root: apt-get install -y libfaketime")
    faked = {"LD_PRELOAD": found[0], "FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    file.write_text("+0")
    os.environ |= faked
    try:
        yield
    finally:
        for name in faked:
            del os.environ[name]


async def clock_jumps(stage: Stage) -> None:
    """Row 16: the machine's clock is set by an hour, both ways; and a provider is slower than its interval."""
    with TemporaryDirectory() as folder, running("http_json") as provider, ExitStack() as running_server:
        file = Path(folder) / "clock"
        with clock(file):
            server = running_server.enter_context(serving(CLOCKED.replace("URL", provider.url)))
        await _jump(stage, Stage(server, stage.minutes), provider, file)


async def _jump(stage: Stage, behind: Stage, provider: RunningProvider, file: Path) -> None:
    crowd = Crowd(behind.port)
    await crowd.grow(1, "*")
    shift_s, most, least, states = 0, 0, 99, set()
    for jump_s in JUMPS_S:
        before = len(provider.requests())
        shift_s += jump_s
        file.write_text(f"{shift_s:+d}")
        for _ in range(5):
            await asyncio.sleep(1)
            (quote,) = (await behind.quotes())["quotes"]
            states.add(quote["state"])
        off_s = abs(quote["received_time"] / 1000 - time.time() - shift_s)
        asked = len(provider.requests()) - before
        most, least = max(most, asked), min(least, asked)
    provider.fault("slow", wait_s=3)
    before, slow_s = len(provider.requests()), max(15.0, stage.minutes)
    await asyncio.sleep(slow_s)
    slowly = len(provider.requests()) - before
    connects = crowd.members[0].connects
    await crowd.shrink(crowd.members)
    stage.note(
        "16",
        f"the clock jumps by {', '.join(f'{jump_s / 3600:+.0f}' for jump_s in JUMPS_S)} h: calls in the 5 s after, at 1 s",
        f"{least} to {most}, states {', '.join(sorted(states))}",
        "4 to 6, fresh",
        4 <= least <= most <= 6 and states == {"fresh"},
    )
    stage.note(
        "16",
        "… the newest price dated by that clock, connections lost",
        f"{off_s:.1f} s off, {connects - 1}",
        "≤ 2 s, 0",
        off_s <= 2 and connects == 1,
    )
    stage.note(
        "16", "answers that take 3 s at an interval of 1 s: calls", f"{slowly} in {slow_s:.0f} s", "one at a time", slowly <= slow_s / 3 + 1
    )


async def reloads(stage: Stage) -> None:
    """Row 17: 200 in a minute, every other one bad."""
    with serving(SETTINGS) as server:
        behind, crowd = Stage(server, stage.minutes), Crowd(server.address[1])
        await crowd.grow(50, QUIET, pick=5)
        await asyncio.sleep(2)
        rss_mb, wrong, began_s = behind.rss_mb, [], time.monotonic()
        for number in range(RELOADS):
            spoil = SPOILERS[number // 2 % len(SPOILERS)] if number % 2 else None
            seen: dict[str, Any] = (await behind.status())["last_reload"]
            await asyncio.to_thread(_save, server, spoil)
            while (told := (await behind.status())["last_reload"])["at"] == seen["at"]:
                await asyncio.sleep(0.01)
            if told["ok"] is not (spoil is None):
                wrong.append(told)
            await asyncio.sleep(max(0.0, began_s + (number + 1) * 60 / RELOADS - time.monotonic()))
        took_s, grown_mb = time.monotonic() - began_s, behind.rss_mb - rss_mb
        symbols = len((await behind.quotes())["quotes"])
        lost = sum(member.connects - 1 for member in crowd.members)
        await crowd.shrink(crowd.members)
    stage.note(
        "17",
        f"{RELOADS} reloads in {took_s:.0f} s, half of them bad: told wrong, clients lost of 50, symbols in the end",
        f"{len(wrong)}, {lost}, {symbols}",
        "≤ 70 s, 0, 0, 200",
        took_s <= 70 and not wrong and not lost and symbols == 200,
    )
    stage.note("17", "… memory", f"{grown_mb:+.1f} MB", "≤ 16 MB", grown_mb <= 16)


def _save(server: RunningServer, spoil: Callable[[Path], None] | None) -> None:
    remove(server.config)
    if spoil is None:
        server.config.write_text(SETTINGS)
    else:
        spoil(server.config)
    server.process.send_signal(signal.SIGHUP)
