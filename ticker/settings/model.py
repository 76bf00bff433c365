"""The settings as one table of types, units, defaults and bounds. `load.py` fills it, `docs/settings.md` is checked against it."""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Annotated, Any, ClassVar, Literal, cast

from pydantic import Field, HttpUrl, ValidationInfo, field_validator

from ticker.rate_limit import WINDOWS_S, Rate
from ticker.settings import calendars
from ticker.settings.ca_file import CaFile
from ticker.settings.server import ServerSettings
from ticker.settings.table import (
    CURRENCY_CODE,
    NO_CONTROL_CHARACTERS,
    Amount,
    LineOfText,
    OneOrMore,
    Percent,
    PositiveSeconds,
    Table,
)
from ticker.wire import Window

FEED_NAME = re.compile(r"[a-z][a-z0-9_]*")


class BroadcastSettings(Table):
    """`[broadcast]`."""

    flush_ms: int = Field(50, ge=1, le=10_000, description="conflation window of the process")
    heartbeat_s: float = Field(5, ge=0.1, le=300, allow_inf_nan=False, description="how often `beat` is sent")
    stall_limit_s: float = Field(
        30, ge=1, le=3600, allow_inf_nan=False, description="a client that makes no progress for so long is closed"
    )


class LimitSettings(Table):
    """`[limits]`."""

    max_clients: int = Field(10_000, ge=1, le=1_000_000, description="clients at a time that joined something")
    max_clients_per_address: int = Field(
        10_000, ge=1, le=1_000_000, description="clients at a time from one address (of IPv6: one /64), those that wait too"
    )
    max_symbols_per_client: int = Field(1000, ge=1, le=100_000, description='namespaces joined; a "*" subscription is one')
    join_timeout_s: float = Field(
        10, ge=1, le=3600, allow_inf_nan=False, description="a connection that joined nothing for so long is closed"
    )
    max_message_bytes: int = Field(65_536, ge=1024, le=16_777_216, description="longest message a client may send")
    connects_per_s: int = Field(
        2000, ge=1, le=1_000_000, description="new connections a second, over all clients; of one address a quarter"
    )
    requests_per_s: int = Field(50, ge=1, le=1_000_000, description="events a second of one client; namespace joins: 2000")
    http_requests_per_s: int = Field(
        200,
        ge=1,
        le=1_000_000,
        description="requests over HTTP a second of one address (IPv6: /64), "
        "twice as many at once; Socket.IO, the page's files, /healthz and /readyz apart",
    )
    max_waiting: int = Field(
        1000,
        ge=1,
        le=1_000_000,
        description="clients at a time that joined nothing yet; beyond it one goes, of the address that has most of them",
    )


class MetricsSettings(Table):
    """`[metrics]`."""

    per_symbol: int = Field(1000, ge=0, le=100_000, description="so many symbols have an age and a state of their own in /metrics")


class QualitySettings(Table):
    """`[quality]`: what prices have to be like; a symbol may have its own."""

    max_jump_pct: Percent = Field(20.0, description="a price that moves further in one tick has to be confirmed")
    max_divergence_pct: Percent = Field(5.0, description="sources of a symbol that are further apart are reported")


class FeedSettings(Table):
    """`[feeds.NAME]`, what every kind has. A kind adds its own keys in its file in `feeds/`."""

    advised_interval_s: ClassVar[float] = 0.0
    """A shorter `interval_s` is accepted with a warning: the provider advises against it."""

    kind: str = Field(description="which class in feeds/")
    interval_s: float = Field(1.0, ge=0.001, le=86_400, allow_inf_nan=False, description="time between two polls of a symbol")
    stale_after_s: PositiveSeconds | None = Field(None, description="silence after which a price is stale; default max(3 × interval_s, 10)")

    @property
    def clock_rate(self) -> float:
        """How many seconds of its clock pass in one of ours."""
        return 1.0


class BudgetSettings(Table):
    """`budget` of a feed: the most it may spend. Every key is called `UNIT_per_WINDOW`, the window one of `s min hour day`.

    A kind whose provider documents limits redefines them with that as the default and as the most that is allowed: they can be lowered.
    """

    calls_per_s: int | None = Field(None, ge=1, le=1_000_000, description="at most so many calls in any second")
    calls_per_min: int | None = Field(None, ge=1, le=1_000_000, description="the same in any minute")
    calls_per_hour: int | None = Field(None, ge=1, le=1_000_000, description="the same in any hour")
    calls_per_day: int | None = Field(None, ge=1, le=10_000_000, description="the same in any 24 hours")

    def rates(self) -> list[Rate]:
        """The limits that are set."""
        parts = [(name.rpartition("_per_"), getattr(self, name)) for name in type(self).model_fields]
        return [Rate(unit, most, cast(Window, window)) for (unit, _, window), most in parts if most is not None]

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        for name in cls.model_fields:
            if name.rpartition("_per_")[2] not in WINDOWS_S:
                raise TypeError(f"{cls.__name__}.{name} is not called UNIT_per_WINDOW")


class PolledSettings(FeedSettings):
    """Keys of every feed that asks over HTTP."""

    hosts: ClassVar[tuple[str, ...]] = ()
    """All hosts where the provider answers: a redirect from one to another says what `base_url` has to be."""

    interval_s: float = Field(2.0, ge=0.1, le=86_400, allow_inf_nan=False, description="time between two polls of a symbol")
    timeout_s: PositiveSeconds = Field(5.0, description="for a whole poll: connect, headers and body")
    base_url: HttpUrl = Field(description="scheme, host and path prefix of the provider")
    ca_file: CaFile = None
    interest: bool = Field(False, description="poll what nobody watches at idle_interval_s only")
    idle_interval_s: PositiveSeconds | None = Field(
        None, description="for symbols that nobody watches, or whose market is shut; default 10 × interval_s"
    )
    budget: BudgetSettings = Field(BudgetSettings(), description="the most to spend with the provider; intervals grow until they fit")

    @field_validator("idle_interval_s")
    @classmethod
    def _idle_is_slower(cls, idle_interval_s: float | None, info: ValidationInfo) -> float | None:
        if idle_interval_s is not None and idle_interval_s < info.data.get("interval_s", 0.0):
            raise ValueError(f"must not be shorter than interval_s, {info.data['interval_s']:g} s")
        return idle_interval_s

    def account(self) -> Hashable:
        """Whose limits are spent: feeds of one kind that ask one server with one key share them."""
        return self.kind, self.base_url.host, self.base_url.port, tuple(getattr(self, name) for name in self.secrets)

    @field_validator("base_url")
    @classmethod
    def _no_credentials(cls, url: HttpUrl) -> HttpUrl:
        # A user and password written into a URL would reach logs and error messages, where nobody expects a secret.
        if url.username or url.password:
            raise ValueError("a user and password do not belong in the URL")
        if url.query is not None or url.fragment is not None:
            raise ValueError("only scheme, host, port and path are used: nothing may follow a ? or #")
        return url


class SymbolOptions(Table):
    """What a symbol may say to one feed, `SYMBOL = { feed = …, FEED = { … } }`; a bare string there is its `id`."""

    id: str | None = Field(None, min_length=1, max_length=128, pattern=NO_CONTROL_CHARACTERS, description="the feed's own id of the symbol")


class SymbolSettings(Table):
    """One line of `[symbols]`. `options` holds, for each feed of `feed`, that feed's own options (its class' `Options`)."""

    feed: Annotated[tuple[str, ...], *OneOrMore] = Field(
        min_length=1, description="a feed's name, or a list of them: the first healthy one wins"
    )
    name: LineOfText | None = Field(None, description="what people call it")
    decimals: int | None = Field(None, ge=0, le=12, description="digits shown after the point; default by magnitude")
    currency: str | None = Field(None, pattern=CURRENCY_CODE, description="ISO 4217 or crypto code, where the source names none")
    group: Annotated[tuple[LineOfText, ...], *OneOrMore] = Field((), description="a tab of the page, or a list of them")
    calendar: LineOfText | None = Field(None, description='exchange calendar ("XNYS"), "24/7", or "24/5" for currencies')
    stale_after_s: PositiveSeconds | None = Field(None, description="overrides the feed's")
    cadence: Literal["day"] | None = Field(
        None,
        description="priced once a trading day, as funds, fixings and reference rates are; where the source says so it need not be said",
    )
    allow_negative: bool = Field(False, description="its price may be zero or below: a rate, a spread, power")
    max_jump: Amount | None = Field(
        None, description="with allow_negative: how far it may move in one tick, in its own unit; default what it has moved so far"
    )
    max_jump_pct: Percent | None = Field(None, description="overrides `[quality]`")
    max_divergence_pct: Percent | None = Field(None, description="overrides `[quality]`")
    options: dict[str, SymbolOptions] = Field({}, description="by feed name")

    @field_validator("calendar")
    @classmethod
    def _calendar_is_known(cls, calendar: str | None) -> str | None:
        return None if calendar is None else calendars.check(calendar)

    @field_validator("max_jump")
    @classmethod
    def _jump_fits_its_sign(cls, jump: float | None, info: ValidationInfo) -> float | None:
        if jump is not None and not info.data.get("allow_negative"):
            raise ValueError("is for symbols with allow_negative = true; for the others there is max_jump_pct")
        return jump


SYMBOL_KEYS: tuple[str, ...] = tuple(name for name in SymbolSettings.model_fields if name != "options")
"""The words a line of `[symbols]` may use besides feed names; no feed may be called like one of them."""


class Settings(Table):
    """Everything, validated."""

    server: ServerSettings = ServerSettings()
    broadcast: BroadcastSettings = BroadcastSettings()
    limits: LimitSettings = LimitSettings()
    metrics: MetricsSettings = MetricsSettings()
    quality: QualitySettings = QualitySettings()
    feeds: dict[str, FeedSettings] = Field({})
    symbols: dict[str, SymbolSettings] = Field({})
