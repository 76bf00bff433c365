"""`serve`: feeds, scheduler, Socket.IO, REST and the page in one process; `--headless` without the page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import get_args

import click

from cli.process.access import verifier_of
from cli.process.failure import fail
from cli.process.logs import LEVELS, Format, log_to_stderr
from cli.process.service import Service, tell_warnings
from cli.process.settings import config_option, feed_kinds
from cli.process.settings_file import SettingsFile
from ticker.clock import SystemClock
from ticker.settings import toml_file
from ticker.settings.load import Loaded, parse
from ticker.settings.reload import Reloader
from web.auth.authenticator import Authenticator
from web.runtime import EventletRuntime
from web.socketio.library_check import LibraryMismatch


@click.command(short_help="Serve the feeds: page, Socket.IO and REST (the default).")
@config_option
@click.option("--host", help="Address to listen on; default from the settings.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.")
@click.option("--log-level", type=click.Choice(LEVELS), default="info", show_default=True, help="Least important line to log.")
@click.option("--log-format", type=click.Choice(get_args(Format)), help="Log lines as text or as JSON; default from the settings.")
@click.option("--headless", is_flag=True, help="No page: the relay alone.")
@click.option("--ndjson", is_flag=True, help="Also write accepted updates to stdout, one JSON quote a line.")
def command(
    config: Path, host: str | None, port: int | None, log_level: str, log_format: Format | None, headless: bool, ndjson: bool
) -> None:
    """Poll the feeds of the settings and serve their quotes until SIGTERM or Ctrl-C. Saving the settings file applies it."""
    log_to_stderr(log_level, log_format or "text")
    overrides = {"server.host": host, "server.port": port, "server.log_format": log_format}
    runtime = EventletRuntime()

    def reparse(data: bytes) -> Loaded:
        found = parse(data, feed_kinds(), os.environ, overrides, name=config.name, folder=config.parent)
        verifier_of(found.settings.server)  # raises for keys that are none: the old ones go on
        return found

    def read() -> tuple[bytes, Loaded]:
        content = toml_file.read(config)
        return content, reparse(content)

    reading = runtime.aside(f"reading {config.name}")  # so that a signal ends it on whatever mount it lies
    content, loaded = reading.run(read)
    log_to_stderr(log_level, loaded.settings.server.log_format)
    tell_warnings(loaded.warnings)
    try:
        authenticator = Authenticator(verifier_of(loaded.settings.server))
        file = SettingsFile(runtime, reading, SystemClock(), config, Reloader(config, content, loaded.settings, reparse))
        service = Service(runtime, loaded.settings, file, authenticator, headless, ndjson)
    except LibraryMismatch as error:
        fail(str(error))
    service.run()
