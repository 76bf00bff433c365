"""The rows in which connections, networks and the relay itself are lost and come back: nobody is left behind, nothing steps back."""

from __future__ import annotations

import asyncio
import signal
import time
from random import Random

from tests.e2e.server import start
from tests.faults import FaultProxy
from tests.soak.crowd import Crowd, Member, until
from tests.soak.stage import CONNECTS_PER_S, QUIET, Stage


def current(members: list[Member], want: dict[str, float]) -> bool:
    """Whether everybody has the newest price of each symbol it knows."""
    return all(
        member.here and all(member.newest.get(symbol, (0, None))[1] == want[symbol] for symbol in member.symbols) for member in members
    )


async def caught_up(stage: Stage, members: list[Member], seconds: float) -> float:
    """Wait until everybody is; returns the seconds it took."""
    began_s = time.monotonic()
    while not current(members, await stage.reference()):
        if time.monotonic() - began_s > seconds:
            raise TimeoutError
        await asyncio.sleep(0.1)
    return time.monotonic() - began_s


async def resumes(stage: Stage) -> None:
    """Row 6: connections are reset at random, again and again."""
    with FaultProxy(stage.port) as network:
        crowd = Crowd(network.port)
        members = await crowd.grow(200, QUIET, pick=5)
        for _ in range(20):
            await asyncio.to_thread(network.reset, 0.5)
            await asyncio.sleep(stage.unit_s / 20)
        await until(lambda: all(member.here for member in members), 30, "everybody is back")
        took_s = await caught_up(stage, members, 30)
        came = sum(member.connects for member in members) - len(members)
        recovered = sum(member.recovered for member in members)
        wrong = len(crowd.wrong)
        await crowd.shrink(members)
    stage.note(
        "6",
        f"{came} resumes after resets: steps back, repeats",
        f"{wrong}; {recovered} recovered; current after {took_s:.1f} s",
        "0",
        wrong == 0 and came >= 1000,
    )


async def storm(stage: Stage) -> None:
    """Rows 7 and 20: killed without a word; all come back to the new one."""
    server, members = stage.server, stage.crowd.members
    steady_mb, recovered = stage.rss_mb, sum(member.recovered for member in members)
    server.process.send_signal(signal.SIGKILL)
    server.wait()
    await asyncio.sleep(5)
    stage.server = start(server.config, "--headless", port=stage.port)
    await asyncio.to_thread(stage.server.wait_log, r"listening on (http://\S+)")
    stage.server.url = server.url
    began_s, peak_mb = time.monotonic(), 0.0
    back_s: dict[float, float] = {}
    while len(back_s) < 2 and time.monotonic() - began_s < 90:
        here = sum(member.here for member in members) / len(members)
        peak_mb = max(peak_mb, stage.rss_mb)
        for share in (0.99, 1.0):
            if here >= share:
                back_s.setdefault(share, time.monotonic() - began_s)
        await asyncio.sleep(0.05)
    at_least_s = len(members) / CONNECTS_PER_S - 1
    stage.note(
        "20",
        f"{len(members)} clients after a crash: 99 %, all are back",
        " / ".join(f"{s:.1f} s" for s in back_s.values()),
        f"≤ 30 s / ≤ 60 s, and no sooner than {at_least_s:.0f} s",
        len(back_s) == 2 and back_s[0.99] <= 30 and back_s[1.0] <= 60 and back_s[1.0] >= at_least_s,
    )
    stage.note("20", "… memory at its peak", f"{peak_mb:.0f} MB (before: {steady_mb:.0f})", "≤ 1.5 ×", peak_mb <= 1.5 * steady_mb)
    restarted = sum(member.restarted for member in members)
    wrongly = sum(member.recovered for member in members) - recovered
    stage.note(
        "7",
        "everybody is told of the new epoch, nobody that he may keep what he had",
        f"{restarted} told, {wrongly} kept",
        f"{len(members)}, 0",
        restarted == len(members) and wrongly == 0,
    )


CHAOS = ("latency", "jitter", "narrow", "sliced", "cut", "reset", "stop")


async def chaos(stage: Stage) -> None:
    """Row 41: one random fault after the other, the same ones each time; in the end everybody knows what the relay knows."""
    random = Random(41)
    with FaultProxy(stage.port, seed=41) as network:
        crowd = Crowd(network.port)
        members = await crowd.grow(100, QUIET, pick=5)
        until_s = time.monotonic() + stage.unit_s * 2
        faults = 0
        while time.monotonic() < until_s:
            faults += 1
            await _suffer(stage, network, random.choice(CHAOS), random)
        await until(lambda: all(member.here for member in members), 30, "everybody is back")
        took_s = await caught_up(stage, members, 30)
        wrong = len(crowd.wrong)
        await crowd.shrink(members)
    errors = stage.server.lines("Traceback|ERROR|CRITICAL")
    stage.note("41", f"{faults} random faults: all are current after the last", f"{took_s:.1f} s", "≤ 10 s", took_s <= 10)
    stage.note("41", "… steps back, errors in the log", f"{wrong}, {len(errors)}", "0, 0", wrong == 0 and not errors)


async def _suffer(stage: Stage, network: FaultProxy, fault: str, random: Random) -> None:
    line = random.choice((network.up, network.down))
    if fault == "latency":
        line.latency_s = random.uniform(0.05, 0.5)
    elif fault == "jitter":
        line.jitter_s = random.uniform(0.05, 0.5)
    elif fault == "narrow":
        line.bytes_per_s = random.choice((2_000, 20_000))
    elif fault == "sliced":
        line.slice_bytes = random.choice((1, 7, 100))
    elif fault == "cut":
        await asyncio.to_thread(network.cut)
    elif fault == "reset":
        await asyncio.to_thread(network.reset, random.random())
    else:
        stage.server.process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(random.uniform(0.5, 3))
    if fault == "stop":
        stage.server.process.send_signal(signal.SIGCONT)
    await asyncio.to_thread(network.heal)
    line.repair()
