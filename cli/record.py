"""`record`: runs the feeds and writes what they deliver into a file, serving nothing."""

from __future__ import annotations

import errno
import logging
import secrets
import signal
from pathlib import Path

import click

from cli.process.failure import EXIT_WRONG, fail
from cli.process.logs import LEVELS, log_to_stderr
from cli.process.recording_file import RecordingFile
from cli.process.settings import config_option, load_settings
from cli.process.stderr import leave
from cli.process.terminal import Terminal
from feeds.registry import kinds
from ticker.clock import SystemClock
from ticker.core import Core
from ticker.runtime import Aside
from ticker.settings import Settings
from ticker.sinks.recording import header
from web.runtime import EventletRuntime, Signals

log = logging.getLogger("tickercast")

FLUSH_EVERY_S = 0.25


@click.command(short_help="Write what the feeds deliver into a file.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@config_option
@click.option("--force", is_flag=True, help="Replace FILE if there is something in it.")
@click.option("--log-level", type=click.Choice(LEVELS), default="info", show_default=True, help="Least important line to log.")
def command(file: Path, config: Path, force: bool, log_level: str) -> None:
    """Run the feeds of the settings, as they are at the start, and write what they deliver into FILE, serving nothing, until SIGTERM or
    Ctrl-C. Packed by gzip if FILE ends in .gz. `replay FILE` serves it.
    """
    log_to_stderr(log_level)
    loaded = load_settings(config)
    for warning in loaded.warnings:
        log.warning("settings: %s", warning)
    try:
        record(file, loaded.settings, replace=force)
    except FileExistsError:
        fail(f"{file} exists and is not empty: name another file, or replace it with --force", EXIT_WRONG)
    except OSError as error:
        fail(f"{file} can't be written: {error.strerror or error}")
    leave(0)


def record(path: Path, settings: Settings, *, replace: bool) -> None:
    """Record until a signal. Raises `OSError` where the file can't be written (any more).

    It is written in a thread: a disk may be slow, and feeds are listened to meanwhile. In the end it is waited for, until a second signal.
    """
    runtime, clock = EventletRuntime(), SystemClock()
    core = Core(runtime, clock, lambda name, feed: kinds()[feed.kind](name, feed, runtime), epoch=secrets.token_hex(6))
    started_ms, started_s = clock.now_ms(), clock.monotonic()
    file = RecordingFile(
        path,
        header(settings, core.epoch, started_ms),
        lambda: started_ms + round((clock.monotonic() - started_s) * 1000),
        core.volume_of,
        replace=replace,
    )
    terminal = Terminal()
    signals = Signals(runtime, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    core.on_quotes.append(file.put)
    core.configure(settings)
    core.watching.watch_everything()
    core.start()
    log.info("recording %d symbols of %d feeds into %s", len(settings.symbols), len(settings.feeds), path)
    disk = runtime.aside(f"writing {path.name}")
    failures: list[OSError] = []
    flushing = runtime.spawn(_keep_flushing, runtime, disk, file, failures)
    while not failures and not file.is_behind:
        came = signals.wait(FLUSH_EVERY_S)
        terminal.look(clock.monotonic())
        if signal.SIGTERM in came or signal.SIGINT in came:
            break
        if signal.SIGHUP in came and terminal.was_closed(clock.monotonic()):
            break
    core.stop()
    flushing.kill()
    if failures:
        raise failures[0]
    if file.is_behind:
        raise OSError(errno.ETIMEDOUT, "the disk is slower than the feeds")
    disk.run(file.close)
    log.info("recorded %d updates in %d batches, %d bytes, into %s", file.updates, file.batches, file.size, path)


def _keep_flushing(runtime: EventletRuntime, disk: Aside, file: RecordingFile, failures: list[OSError]) -> None:
    """Until it fails."""
    try:
        while True:
            disk.run(file.flush)
            runtime.sleep(FLUSH_EVERY_S)
    except OSError as error:
        failures.append(error)
