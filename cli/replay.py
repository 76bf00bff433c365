"""`replay`: serves a recording as the only feed, with its symbols."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import click
import tomlkit
from click.core import ParameterSource
from pydantic import ValidationError
from tomlkit.exceptions import TOMLKitError

from cli.process.access import verifier_of
from cli.process.failure import EXIT_WRONG, fail
from cli.process.logs import LEVELS, log_to_stderr
from cli.process.service import Service
from cli.process.settings import config_option, feed_kinds
from cli.process.settings_file import SettingsFile
from feeds.replay.feed import ReplaySettings
from feeds.replay.tape import Reader
from ticker import symbols
from ticker.clock import SystemClock
from ticker.errors import FeedError
from ticker.settings import Settings, toml_file
from ticker.settings.environment import PREFIX
from ticker.settings.load import parse
from ticker.settings.model import SymbolSettings
from ticker.sinks.recording import Header, moment_ms
from web.auth.authenticator import Authenticator
from web.runtime import EventletRuntime
from web.socketio.library_check import LibraryMismatch

log = logging.getLogger("tickercast")

FEED = "replay"


def _moment(ctx: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    try:
        if text is not None:
            moment_ms(text, 0)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return text


@click.command(short_help="Serve a recording.")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@config_option
@click.option("--speed", type=click.FloatRange(0.01, 1000), default=1.0, show_default=True, help="So many of its seconds in one of ours.")
@click.option("--loop", is_flag=True, help="Begin again when it is over.")
@click.option("--from", "begin", callback=_moment, metavar="T", help='Where to begin: "+90" (s), "+15m", "+1.5h", or an ISO 8601 time.')
@click.option("--to", "end", callback=_moment, metavar="T", help="Where to end.")
@click.option("--host", help="Address to listen on; default from the settings.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.")
@click.option("--log-level", type=click.Choice(LEVELS), default="info", show_default=True, help="Least important line to log.")
@click.option("--headless", is_flag=True, help="No page: the relay alone.")
@click.option("--ndjson", is_flag=True, help="Also write accepted updates to stdout, one JSON quote a line.")
@click.pass_context
def command(
    ctx: click.Context,
    file: Path,
    config: Path,
    speed: float,
    loop: bool,
    begin: str | None,
    end: str | None,
    host: str | None,
    port: int | None,
    log_level: str,
    headless: bool,
    ndjson: bool,
) -> None:
    """Serve FILE, which `record` wrote, as the only feed, with its symbols, until SIGTERM or Ctrl-C. Of the settings file, which need not
    be there, what is not about feeds and symbols counts, as it is at the start.
    """
    log_to_stderr(log_level)
    try:
        reader = Reader(file)
    except FeedError as error:
        fail(str(error), EXIT_WRONG)
    reader.close()
    is_named = ctx.get_parameter_source("config") is not ParameterSource.DEFAULT
    content = toml_file.read(config) if is_named or config.exists() else b"[symbols]\n"
    environ = {name: value for name, value in os.environ.items() if not name.startswith(f"{PREFIX}FEEDS__")}
    loaded = parse(without_feeds(content), feed_kinds(), environ, {"server.host": host, "server.port": port}, name=config.name)
    feed = ReplaySettings(kind=FEED, file=str(file), speed=speed, loop=loop, begin=begin, end=end)
    try:
        settings = replayed(loaded.settings, feed, reader.header)
        runtime = EventletRuntime()
        fixed = SettingsFile(runtime, runtime.aside(""), SystemClock(), config, None)
        service = Service(runtime, settings, fixed, Authenticator(verifier_of(settings.server)), headless, ndjson)
    except ValidationError as error:
        fail(f"{file} is not a recording: {error.errors()[0]['msg']}", EXIT_WRONG)
    except LibraryMismatch as error:
        fail(str(error))
    log.info("replaying %d symbols from %s at %g times its pace", len(reader.header.symbols), file, speed)
    service.run()


def without_feeds(content: bytes) -> bytes:
    """A settings file without its feeds and symbols; what is no TOML stays as it is, for others to complain of."""
    try:
        document = tomlkit.parse(content.decode())
    except (TOMLKitError, UnicodeDecodeError):
        return content
    for name in ("feeds", "symbols"):
        document.pop(name, None)
    document["symbols"] = {}
    return tomlkit.dumps(document).encode()


def replayed(settings: Settings, feed: ReplaySettings, header: Header) -> Settings:
    """`settings` with the recording as the only feed. Raises `ValidationError` where a symbol of it can't be one."""
    odd = next((f"{symbol!r} {problem}" for symbol in header.symbols if (problem := symbols.check(symbol))), None)
    if odd is not None:
        fail(f"{feed.file} is not a recording: the symbol {odd}", EXIT_WRONG)
    # Calendars and limits are left behind: states are recorded, and the market's hours of now are not those of then.
    wishes = {
        symbol: SymbolSettings(
            feed=(FEED,),
            name=card.name,
            decimals=card.decimals,
            currency=card.currency,
            group=card.group,
            allow_negative=card.allow_negative,
        )
        for symbol, card in header.symbols.items()
    }
    # Nobody edits a recording's symbols over HTTP.
    server = settings.server.model_copy(update={"admin_token": None})
    return settings.model_copy(update={"server": server, "feeds": {FEED: feed}, "symbols": wishes})
