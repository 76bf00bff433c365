"""The rows that share one relay: who stalls, forges, idles, floods or drips harms nobody else. Each leaves the relay as it found it."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import suppress
from random import Random

from tests.conformance.peer import HANDSHAKE, TEXT, masked
from tests.e2e.raw import WEBSOCKET
from tests.faults import FaultProxy
from tests.soak.crowd import Crowd, quantile, until
from tests.soak.stage import JOIN_S, PING_S, PONG_S, QUIET, STALL_S, Stage

FACTOR, FLOOR_MS = 1.5, 250.0
CYCLES = 20_000


async def calibrate(stage: Stage, most: int) -> None:
    """So many clients that the relay needs half a core at most, and 1,000 at best."""
    await stage.crowd.grow(most, QUIET, pick=5)
    before_s, began_s = stage.cpu_s, time.monotonic()
    await asyncio.sleep(3)
    share = (stage.cpu_s - before_s) / (time.monotonic() - began_s)
    stage.clients = most if share <= 0.5 else int(most * 0.5 / share)
    await stage.crowd.shrink(stage.crowd.members[stage.clients :])
    print(f"load: {stage.clients} clients × 5 symbols × 1 update/s; the relay uses {share:.0%} of a core with {most}", flush=True)


async def beside(stage: Stage, seconds: float) -> tuple[float, float]:
    """The bound for others' p99 while something goes on, and that p99: the best of three pairs is not needed, the bound has a floor."""
    return max(FACTOR * stage.quiet_p99_ms, FLOOR_MS), await stage.crowd.p99_ms(seconds)


async def stalled_readers(stage: Stage) -> None:
    """Rows 1 to 3."""
    stage.quiet_p99_ms = await stage.crowd.p99_ms(stage.unit_s / 2)
    rss_mb = stage.rss_mb
    heavy = await stage.crowd.grow(50, "*", receive_bytes=4096)
    await asyncio.sleep(1)
    for member in heavy:
        member.reading.clear()
    stall_s = min(stage.unit_s, STALL_S * 0.8)
    bound_ms, p99_ms = await beside(stage, stall_s)
    grown_mb = stage.rss_mb - rss_mb
    counts = [member.messages for member in heavy]
    still = sum(member.here for member in heavy)
    for member in heavy:
        member.reading.set()
    want = await stage.reference()
    took_s = await until(lambda: all(len(member.newest) == len(want) for member in heavy), 30, "the stalled have caught up")
    await asyncio.sleep(1)
    messages = max(member.messages - count for member, count in zip(heavy, counts, strict=True))
    stage.note("1", f"50 readers of all that stall for {stall_s:.0f} s: memory", f"{grown_mb:+.1f} MB", "< 64 MB", grown_mb < 64)
    stage.note(
        "1", "… and the others' p99", f"{p99_ms:.0f} ms (quiet: {stage.quiet_p99_ms:.0f})", f"≤ {bound_ms:.0f} ms", p99_ms <= bound_ms
    )
    stage.note(
        "1",
        "… and nothing lost or out of order for others",
        f"{len(stage.crowd.wrong)} of {len(stage.crowd.ages_ms)} updates",
        "0",
        not stage.crowd.wrong,
    )
    stage.note(
        "3",
        "they stay, and have the newest of 200 symbols soon",
        f"{still} stayed, {took_s:.1f} s, {messages} messages each",
        "50, ≤ 2 s, ≤ 30",
        still == 50 and took_s <= 2 and messages <= 30,
    )
    for member in heavy:
        member.reading.clear()
    gone_s = await stage.clients_are(stage.clients, STALL_S * 3)
    stage.note("4", "who takes no byte is closed", f"{gone_s:.1f} s", f"≤ {STALL_S + 5} s", gone_s <= STALL_S + 5)
    await stage.crowd.shrink(heavy)


async def _open(port: int, packets: bytes = b"", receive_bytes: int | None = None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    sock = socket.socket()
    if receive_bytes:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=receive_bytes or 65_536)
    head = "".join(f"{name}: {value}\r\n" for name, value in HANDSHAKE.items())
    writer.write(f"GET {WEBSOCKET} HTTP/1.1\r\n{head}\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    writer.write(packets)
    return reader, writer


EVERYTHING = masked(TEXT, "40") + masked(TEXT, '421["subscribe",{"symbols":"*"}]')


async def forgers(stage: Stage) -> None:
    """Row 4: pongs that nobody asked for from clients that read nothing, and one that reads a little."""
    rss_mb = stage.rss_mb
    deaf = [await _open(stage.port, EVERYTHING, 4096) for _ in range(20)]
    drips = [await _open(stage.port, EVERYTHING, 4096) for _ in range(5)]
    began_s, gone = time.monotonic(), 0
    while time.monotonic() - began_s < STALL_S + 8:
        for _, writer in deaf:
            with suppress(OSError):
                writer.write(masked(TEXT, "3") * 100)
        for reader, writer in drips:
            with suppress(OSError, asyncio.IncompleteReadError):
                await reader.readexactly(100)
                writer.write(masked(TEXT, "3"))
        await asyncio.sleep(0.1)
    grown_mb = stage.rss_mb - rss_mb
    gone = 25 - max(0, (await stage.status())["clients"] - stage.clients)
    stage.note(
        "4",
        "1,000 forged pongs a second of 20 clients that read nothing, 5 that read 1 KB/s",
        f"{gone} closed, {grown_mb:+.1f} MB",
        "≥ 20 closed, ≤ 25 MB",
        gone >= 20 and grown_mb <= 25,
    )
    for _, writer in (*deaf, *drips):
        writer.transport.abort()
    await stage.clients_are(stage.clients, 30)


async def half_open(stage: Stage) -> None:
    """Row 11: the network goes, without a word."""
    with FaultProxy(stage.port) as network:
        lost = Crowd(network.port)
        await lost.grow(100, QUIET, pick=5)
        await asyncio.to_thread(network.cut)
        bound_s = PING_S + PONG_S + 2.0
        took_s = await stage.clients_are(stage.clients, bound_s * 3)
        await lost.shrink(lost.members)
    stage.note("11", "100 half-open clients are found", f"{took_s:.1f} s", f"≤ {bound_s:.0f} s", took_s <= bound_s)


async def idlers(stage: Stage) -> None:
    """Row 12: sockets that join nothing, and connecting meanwhile."""
    idle = []
    for number in range(500):
        with suppress(OSError, asyncio.IncompleteReadError):
            idle.append(await _open(stage.port))
        if number % 50 == 49:
            await asyncio.sleep(0.3)
    times_s = []
    for _ in range(100):
        began_s = time.monotonic()
        _, writer = await _open(stage.port, masked(TEXT, "40"))
        times_s.append(time.monotonic() - began_s)
        writer.transport.abort()
        await asyncio.sleep(0.01)
    connect_ms = quantile(times_s, 0.99) * 1000
    gone_s = await stage.clients_are(stage.clients, JOIN_S * 4)
    stage.note("12", "500 sockets that join nothing are closed", f"{gone_s:.1f} s after the last", f"≤ {JOIN_S} s", gone_s <= JOIN_S + 0.5)
    stage.note("12", "… and a good client connects meanwhile", f"p99 {connect_ms:.0f} ms", "≤ 500 ms", connect_ms <= 500)
    for _, writer in idle:
        writer.transport.abort()


async def flood(stage: Stage) -> None:
    """Row 27: nonsense without end; every connection of it is closed, and comes again."""
    said, began_s, until_s = len(stage.server.log), time.monotonic(), time.monotonic() + stage.unit_s / 2
    frames = connects = 0

    async def one() -> None:
        nonlocal frames, connects
        while time.monotonic() < until_s:
            with suppress(OSError, asyncio.IncompleteReadError):
                reader, writer = await _open(stage.port, masked(TEXT, "4abc") * 20)
                connects, frames = connects + 1, frames + 20
                await reader.read()
                writer.transport.abort()
            await asyncio.sleep(0.1)

    flooding = [asyncio.create_task(one()) for _ in range(5)]
    bound_ms, p99_ms = await beside(stage, stage.unit_s / 2)
    await asyncio.gather(*flooding)
    log_bytes = sum(map(len, stage.server.log[said:]))
    stage.note(
        "27",
        f"{frames / (time.monotonic() - began_s):.0f} malformed frames/s on {connects} connections: the log",
        f"{log_bytes} B",
        "≤ 1 MiB",
        log_bytes <= 1_048_576,
    )
    stage.note("27", "… and the others' p99", f"{p99_ms:.0f} ms", f"≤ {bound_ms:.0f} ms", p99_ms <= bound_ms)


async def slow_loris(stage: Stage) -> None:
    """Row 37: half requests."""
    slow = []
    for _ in range(500):
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n")
        slow.append((reader, writer))
    began_s = time.monotonic()
    await stage.status()
    answered_s = time.monotonic() - began_s
    closed_s = 0.0
    while time.monotonic() - began_s < 25:
        for _, writer in slow:
            with suppress(OSError):
                writer.write(b"X: y\r\n")
        await asyncio.sleep(1)
        if all(reader.at_eof() for reader, _ in slow):
            closed_s = time.monotonic() - began_s
            break
    stage.note("37", "500 requests that drip: REST answers", f"{answered_s * 1000:.0f} ms", "≤ 1 s", answered_s <= 1)
    stage.note("37", "… and they are cut off", f"{closed_s:.0f} s" if closed_s else "never", "≤ 20 s", 0 < closed_s <= 20)
    for _, writer in slow:
        writer.transport.abort()


async def leak(stage: Stage) -> None:
    """Row 40: come, subscribe, go; by the thousand."""
    cycles, random = 0, Random(4)

    async def cycle() -> None:
        nonlocal cycles
        with suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await _open(stage.port, EVERYTHING if random.random() < 0.1 else masked(TEXT, "40/Q1,"))
            await reader.read(2000)
            writer.transport.abort()
            cycles += 1

    async def run(most: int) -> None:
        while cycles < most:
            await asyncio.gather(*(cycle() for _ in range(20)), asyncio.sleep(0.1))

    async def settle() -> None:
        await stage.clients_are(stage.clients, 30)
        await asyncio.sleep(2)

    await run(CYCLES // 10)
    await settle()
    warm, rss_mb, descriptors = cycles, stage.rss_mb, stage.descriptors
    await run(warm + CYCLES)
    await settle()
    slope_b = max(0.0, (stage.rss_mb - rss_mb) * 1e6 / max(1, cycles - warm))
    stage.note("40", f"memory after {cycles - warm} comings and goings", f"{slope_b:.0f} B each", "< 1 KB each", slope_b < 1000)
    stage.note("40", "… and descriptors", f"{stage.descriptors - descriptors:+d}", "± 2", abs(stage.descriptors - descriptors) <= 2)
