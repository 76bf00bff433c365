"""The settings as one table of types, units, defaults and bounds. `load.py` fills it, `docs/settings.md` is checked against it."""

from __future__ import annotations

import re
from collections.abc import Hashable
from ipaddress import ip_network
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, HttpUrl, SecretStr, ValidationInfo, field_validator

from ticker import secrets
from ticker.rate_limit import WINDOWS_S, Rate
from ticker.settings import calendars, origins
from ticker.settings.ca_file import CaFile


def listed(value: object) -> object:
    """A single name stands for a list of one."""
    return (value,) if isinstance(value, str) else value


Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
NO_CONTROL_CHARACTERS = r"^[^\x00-\x1f\x7f-\x9f]*$"
NO_SPACES = r"^\S*$"
CURRENCY_CODE = r"^[A-Za-z0-9]{2,10}$"

Line = Annotated[str, Field(min_length=1, max_length=80, pattern=NO_CONTROL_CHARACTERS)]
"""Text shown to people, on a page and in a terminal: one line, no control characters."""
OneOrMore = (BeforeValidator(listed), Field(strict=False))
"""For a tuple field: a bare string will do. Not strict, because a strict tuple refuses a TOML array; its items stay strict."""

UNSHOWN = "unshown"
"""For a field whose value no error shows: somebody may have written a secret into it."""

LONGEST_UNIX_PATH = 107
FEED_NAME = re.compile(r"[a-z][a-z0-9_]*")


class Table(BaseModel):
    """A table of the file: frozen, strict (`"5"` and `true` are no numbers, 5.0 is no whole one), unknown keys are errors.

    `secrets` names the fields that come from the environment only, never from the file. They must be `SecretStr`,
    so that no repr, error or log shows them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    secrets: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        for name in cls.secrets:
            if cls.model_fields[name].annotation not in (SecretStr, SecretStr | None):
                raise TypeError(f"{cls.__name__}.{name} is declared secret and must be a SecretStr")

    def model_post_init(self, context: Any, /) -> None:
        """Have its secrets blanked wherever a stranger's words are shown."""
        for name in self.secrets:
            secret = getattr(self, name, None)
            if isinstance(secret, SecretStr):  # who edits the file need not hold them
                secrets.HIDDEN.add(secret.get_secret_value())


class ServerSettings(Table):
    """`[server]`: needs a restart."""

    secrets = ("admin_token", "tokens", "tokens_previous", "jwt_key", "jwt_key_previous")

    host: str = Field(
        "127.0.0.1",
        min_length=1,
        max_length=253,
        pattern=NO_SPACES,
        description="address to listen on; a name, an IPv4/IPv6 address, or unix:PATH for a Unix socket, whose peers are trusted proxies",
    )
    port: int = Field(5000, ge=0, le=65535, description="TCP port; 0 takes a free one and logs it")
    async_mode: Literal["eventlet"] = Field("eventlet", description="the concurrency library; the only one for now")
    allowed_origins: list[str] = Field(
        [], description='origins that may connect besides our own, exactly; "file://" and "null" where programs send these; "*" for all'
    )
    allowed_hosts: list[str] = Field(
        [],
        description='names it answers to, "*" for any; empty: on loopback its own names, the hosts of '
        "allowed_origins and no other, unless trusted_proxies is set; elsewhere any",
    )
    keep_alive_s: int = Field(
        75, ge=1, le=3600, description="how long an HTTP connection may wait between two requests, whole seconds; for its first it has 15"
    )
    ping_interval_s: int = Field(10, ge=1, le=300, description="Engine.IO ping, whole seconds")
    ping_timeout_s: int = Field(25, ge=1, le=300, description="a client that does not answer a ping so long is gone, whole seconds")
    drain_s: float = Field(
        5, ge=0, le=300, allow_inf_nan=False, description="at the end: the most to wait for clients that have not taken everything yet"
    )
    drain_min_s: float = Field(
        0,
        ge=0,
        le=300,
        allow_inf_nan=False,
        description="at the end: go on answering 503 for at least so long, until balancers send nobody any more",
    )
    frame_ancestors: list[str] = Field([], description="origins that may show /embed and /tape in a frame, besides our own")
    metrics: Literal["open", "loopback", "public", "off"] = Field(
        "loopback",
        description="who may read /metrics: anybody who may read quotes, this machine only (with a token where auth asks for "
        "one), anybody at all, nobody",
    )
    log_format: Literal["text", "json"] = Field("text", description="log lines as text, or each as a JSON object")
    admin_token: SecretStr | None = Field(
        None, min_length=16, description="lets its bearer add and remove symbols over HTTP; unset: nobody may"
    )
    auth: Literal["none", "token", "jwt"] = Field("none", description="who may read: everybody, who knows a token, or who has a signed one")
    tokens: SecretStr | None = Field(
        None,
        min_length=16,
        description='auth = "token": one or several that let their bearers read, with spaces, commas or line ends between',
    )
    tokens_previous: SecretStr | None = Field(None, min_length=16, description="the same, still good while clients change over")
    jwt_algorithm: Literal["HS256", "RS256", "EdDSA"] = Field("HS256", description='auth = "jwt": how tokens must be signed')
    jwt_key: SecretStr | None = Field(
        None, min_length=32, description="what they are checked with: the shared secret (HS256), or the public key as PEM"
    )
    jwt_key_previous: SecretStr | None = Field(None, min_length=32, description="the same, still good while the issuer changes over")
    jwt_issuer: str = Field("", max_length=200, pattern=NO_CONTROL_CHARACTERS, description="what must stand in their `iss`")
    jwt_audience: str = Field(
        "tickercast", min_length=1, max_length=200, pattern=NO_CONTROL_CHARACTERS, description="what must stand in their `aud`"
    )
    trusted_proxies: list[str] = Field(
        [], description="addresses, or networks as 10.0.0.0/8, whose X-Forwarded-For, -Proto and -Host are believed, and the PROXY protocol"
    )

    @field_validator("host")
    @classmethod
    def _unix_path(cls, host: str) -> str:
        if host.startswith("unix:") and not 0 < len(host.removeprefix("unix:").encode()) <= LONGEST_UNIX_PATH:
            raise ValueError(f"the path of a Unix socket has 1 to {LONGEST_UNIX_PATH} bytes")
        return host

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, proxies: list[str]) -> list[str]:
        for proxy in proxies:
            try:
                ip_network(proxy)
            except ValueError as error:
                raise ValueError(f"a proxy is an IP address, or a network as 10.0.0.0/8: {error}") from None
        return proxies

    @field_validator("allowed_hosts")
    @classmethod
    def _hosts(cls, hosts: list[str]) -> list[str]:
        return [origins.host(host) for host in hosts]

    @field_validator("allowed_origins")
    @classmethod
    def _origins(cls, listed: list[str]) -> list[str]:
        return [origins.origin(origin) for origin in listed]

    @field_validator("frame_ancestors")
    @classmethod
    def _framers(cls, listed: list[str]) -> list[str]:
        return [origins.framer(origin) for origin in listed]


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


Percent = Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]


Amount = Annotated[float, Field(gt=0, le=1e18, allow_inf_nan=False)]


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
    stale_after_s: Seconds | None = Field(None, description="silence after which a price is stale; default max(3 × interval_s, 10)")

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
        return [Rate(unit, most, window) for (unit, _, window), most in parts if most is not None]

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
    timeout_s: Seconds = Field(5.0, description="for a whole poll: connect, headers and body")
    base_url: HttpUrl = Field(description="scheme, host and path prefix of the provider")
    ca_file: CaFile = None
    interest: bool = Field(False, description="poll what nobody watches at idle_interval_s only")
    idle_interval_s: Seconds | None = Field(
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
    name: Line | None = Field(None, description="what people call it")
    decimals: int | None = Field(None, ge=0, le=12, description="digits shown after the point; default by magnitude")
    currency: str | None = Field(None, pattern=CURRENCY_CODE, description="ISO 4217 or crypto code, where the source names none")
    group: Annotated[tuple[Line, ...], *OneOrMore] = Field((), description="a tab of the page, or a list of them")
    calendar: Line | None = Field(None, description='exchange calendar ("XNYS"), "24/7", or "24/5" for currencies')
    stale_after_s: Seconds | None = Field(None, description="overrides the feed's")
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
    feeds: dict[str, FeedSettings] = {}
    symbols: dict[str, SymbolSettings] = {}
