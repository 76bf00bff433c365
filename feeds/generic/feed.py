"""Any endpoint that answers JSON or CSV, described in settings alone. docs/feeds.md has some that work as they stand.

    [feeds.bank]
    kind = "http_json"
    base_url = "https://api.example.org"
    path = "/v1/quotes?ids={symbols}"
    headers = { Authorization = "Bearer {api_key}" }
    rows = "data[?active]"
    symbol = "id"
    price = "last"
    quote_time = "at"
    time_form = "ms"

for `GET /v1/quotes?ids=A,B`

    {"data":[{"id":"A","last":"12.5","at":1779998399000,"active":true}, …]}

`rows`, `symbol`, `error` and the fields are JMESPath (https://jmespath.org), of the answer and of a row in turn. A line of a CSV file is an
object with its columns for keys. `{symbol}` in `path`, a header or `body` stands for one symbol, `{symbols}` for as many as `batch_size`,
with `joiner` between them; without either, the answer has everything there is. `{api_key}` and `{api_secret}` come from the environment.

With `method = "POST"` `body` is sent as JSON, encoded as a whole and never put together from texts: `body = { ids = "{symbols}" }` becomes
`{"ids":["A","B"]}`, and `{ q = "list {symbols}" }` becomes `{"q":"list A,B"}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, TypeVar
from urllib.parse import quote

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

from feeds.api_keys import Sendable
from feeds.base import About, Answer, Subscription
from feeds.generic.csvs import Csv
from feeds.generic.expressions import check_expression, compiled
from feeds.generic.extraction import FIELDS, Extraction, FoundField
from feeds.generic.notation import Notation, check_time_form, zone_of
from feeds.generic.templates import SECRETS, SYMBOL, SYMBOLS, check_body, check_places, filled, filled_body, places, places_in
from feeds.http.client import Response
from feeds.http.feed import PolledFeed
from ticker.errors import FeedError
from ticker.quote import VolumeOf
from ticker.runtime import Runtime
from ticker.settings import PolledSettings
from ticker.settings.table import UNSHOWN

SECRET_HEADER = re.compile(r"auth|key|token|secret|cookie", re.IGNORECASE)
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""What the name of a header is made of (RFC 9110 section 5.6.2)."""
JOINER_SAFE = "!$'()*+,;:@/-._~"

T = TypeVar("T")
Expression = Annotated[str | None, AfterValidator(check_expression)]


def _zone(name: str) -> str:
    zone_of(name)
    return name


class HttpJsonSettings(PolledSettings):
    """`[feeds.NAME]` of kind `http_json`."""

    secrets: ClassVar[tuple[str, ...]] = SECRETS

    method: Literal["GET", "POST"] = Field("GET", description="how it is asked")
    path: str = Field(
        min_length=1,
        max_length=2000,
        pattern=r"^/[!-~]*$",
        description="what follows base_url: path and query, with "
        "{symbol} or {symbols}, {api_key}, {api_secret}; what else must be is percent-encoded",
    )
    body: Annotated[dict[str, Any] | list[Any] | None, UNSHOWN] = Field(
        None, description='what is sent as JSON with POST; in its strings the same as in path, and "{symbols}" alone is the list of them'
    )
    batch_size: int = Field(50, ge=1, le=1000, description="how many symbols {symbols} stands for at most")
    joiner: str = Field(",", min_length=1, max_length=10, description="what stands between them")
    headers: dict[str, SecretStr] = Field({}, description="headers of the request, with the same as in path")
    format: Literal["json", "csv"] = Field("json", description="what the answer is")
    delimiter: str = Field(",", min_length=1, max_length=1, description="between two cells of a CSV file")
    columns: list[str] = Field([], description="the columns of a CSV file that has no line with their names")
    error: Expression = Field(None, description="JMESPath: finds something in an answer that is an error")
    rows: Expression = Field(None, description="JMESPath: the rows of an answer; unset: all of it")
    symbol: Expression = Field(None, description="JMESPath: the symbol in a row; unset: the rows' keys, or the one symbol of the call")
    price: Annotated[str, AfterValidator(check_expression)] = Field(description="JMESPath: the price in a row")
    bid: Expression = Field(None, description="JMESPath")
    ask: Expression = Field(None, description="JMESPath")
    open: Expression = Field(None, description="JMESPath")
    high: Expression = Field(None, description="JMESPath")
    low: Expression = Field(None, description="JMESPath")
    prev_close: Expression = Field(None, description="JMESPath: the close before; leave it out where that is the price of 24 hours ago")
    volume: Expression = Field(None, description="JMESPath")
    change: Expression = Field(None, description="JMESPath")
    change_pct: Expression = Field(None, description="JMESPath: in percent, with or without the sign; see fractions")
    currency: Expression = Field(None, description="JMESPath; one for all is a literal: \"'EUR'\"")
    quote_time: Expression = Field(None, description="JMESPath: when the price was made; see time_form")
    session: Expression = Field(None, description="JMESPath: pre, regular, post, overnight or closed")
    halted: Expression = Field(None, description="JMESPath: true where trading is halted: \"status == 'HALT'\"")
    decimal: Literal[".", ","] = Field(".", description="the decimal mark of numbers in strings")
    ignore: str = Field("", max_length=20, description='characters of such numbers that mean nothing, like "$," or "."')
    fractions: bool = Field(False, description="change_pct is a fraction: 0.0127 for 1.27 %")
    time_form: Annotated[str, AfterValidator(check_time_form)] = Field(
        "iso", description='s, ms, us, ns since 1970, iso, or a format of Python\'s strptime, like "%d.%m.%Y %H:%M:%S"'
    )
    time_zone: Annotated[str, AfterValidator(_zone)] = Field("UTC", description='of times that name none, like "Europe/Berlin"')
    delay_min: float | None = Field(None, ge=0, le=100_000, allow_inf_nan=False, description="how far the prices are behind, minutes")
    volume_of: VolumeOf = Field("24h", description="what volume counts: trades of the session, since midnight UTC, of 24 hours")
    cadence: Literal["day"] | None = Field(None, description="priced once a trading day, as funds, fixings and reference rates are")
    api_key: Annotated[SecretStr | None, Sendable] = Field(None, max_length=1000, description="stands for {api_key}")
    api_secret: Annotated[SecretStr | None, Sendable] = Field(None, max_length=1000, description="stands for {api_secret}")

    @field_validator("path")
    @classmethod
    def _path(cls, path: str) -> str:
        check_places(path)
        if "#" in path:
            raise ValueError("has a # in it, and what follows one is never sent")
        return _either_or(path, set(places(path)))

    @field_validator("headers")
    @classmethod
    def _headers(cls, headers: dict[str, SecretStr], info: ValidationInfo) -> dict[str, SecretStr]:
        for name, hidden in headers.items():  # one that should not be in the file is not to be shown either
            value = hidden.get_secret_value()
            if not TOKEN.fullmatch(name) or not re.fullmatch(r"[ -~]*", value):
                raise ValueError(f"the header {name!r} can't be sent: it or its value has characters that no header has")
            check_places(value)
            if SECRET_HEADER.search(name) and not set(places(value)) & set(SECRETS):
                raise ValueError(f"the header {name} holds a secret: write {{api_key}} there and set it in the environment")
        return _either_or(headers, _places(info.data.get("path", ""), info.data.get("body"), headers))

    @field_validator("body")
    @classmethod
    def _body(cls, body: Any, info: ValidationInfo) -> Any:
        if body is not None:
            if info.data.get("method") == "GET":
                raise ValueError('is sent with method = "POST" only')
            check_body(body)
        return _either_or(body, _places(info.data.get("path", ""), body, {}))

    @property
    def places(self) -> set[str]:
        """The places for symbols and secrets in what is sent."""
        return _places(self.path, self.body, self.headers)

    def extraction(self) -> Extraction:
        """What these settings make of an answer."""

        def expression(name: str) -> Any:
            text = getattr(self, name)
            return None if text is None else compiled(text)

        notation = Notation(self.decimal, self.ignore, self.time_form, zone_of(self.time_zone), self.fractions)
        layout = Csv(self.delimiter, tuple(self.columns)) if self.format == "csv" else None
        return Extraction(
            {name: expression(name) for name in FIELDS if getattr(self, name) is not None},
            notation,
            expression("rows"),
            expression("symbol"),
            expression("error"),
            layout,
            SYMBOL in self.places,
            self.delay_min,
            self.cadence,
        )


def _places(path: str, body: Any, headers: Mapping[str, SecretStr]) -> set[str]:
    return {*places(path), *places_in(body), *(name for value in headers.values() for name in places(value.get_secret_value()))}


def _either_or(value: T, found: set[str]) -> T:
    """`value`, if not both one symbol and several are asked for. Raises `ValueError`."""
    if {SYMBOL, SYMBOLS} <= found:
        raise ValueError("has both {symbol} and {symbols} in it, or one of them beside the other: a call is for one symbol or for several")
    return value


class HttpJson(PolledFeed):
    """`kind = "http_json"`."""

    kind = "http_json"
    about = About(
        brings="any endpoint that answers JSON or CSV, described in settings",
        ids="as the endpoint has it",
        batch="set",
        limits="whatever `budget` says",
        key="two at most",
        delay="`delay_min`",
        time="what `quote_time` finds",
        same_answer="nothing with a time, that it is current without",
        market="what `session` finds; else use a calendar",
        note='`cadence = "day"` for what is priced once a day',
    )
    Settings: ClassVar[type[PolledSettings]] = HttpJsonSettings
    settings: HttpJsonSettings
    batch_size: ClassVar[int | None] = None
    volume_of: ClassVar[VolumeOf] = "24h"
    """This stands in the class, as the size of a batch does. A feed has a class of its own, with what its settings say, because `cost` and
    `demand` are asked of classes."""

    def __new__(cls, name: str, settings: HttpJsonSettings, runtime: Runtime) -> HttpJson:
        size = 1 if SYMBOL in settings.places else settings.batch_size if SYMBOLS in settings.places else None
        feed: HttpJson = super().__new__(type(cls.__name__, (cls,), {"batch_size": size, "volume_of": settings.volume_of}))
        return feed

    def __init__(self, name: str, settings: HttpJsonSettings, runtime: Runtime) -> None:
        self._secrets = {secret: key.get_secret_value() for secret in SECRETS if (key := getattr(settings, secret)) is not None}
        accept = "text/csv, text/plain" if settings.format == "csv" else "application/json"
        sent = {"Content-Type": "application/json"} if settings.body is not None else {}
        headers = {header: value.get_secret_value() for header, value in settings.headers.items()}
        self._headers = {header: value for header, value in headers.items() if {SYMBOL, SYMBOLS} & set(places(value))}
        same = {header: filled(value, self._secrets) for header, value in headers.items() if header not in self._headers}
        super().__init__(name, settings, runtime, {"Accept": accept, **sent, **same})
        self._extraction = settings.extraction()
        self._missing = sorted(settings.places & set(SECRETS) - self._secrets.keys())

    def poll(self, batch: Sequence[Subscription]) -> Answer:
        return self.read(self.ask(batch), batch)

    def read(self, response: Response, batch: Sequence[Subscription]) -> Answer:
        """What an answer says of `batch`."""
        ticks, self.unread = self._extraction.parse(response.body, batch)
        return ticks

    def ask(self, batch: Sequence[Subscription]) -> Response:
        """The answer to one call, unread."""
        if self._missing:
            variable = f"TICKERCAST_FEEDS__{self.name.upper()}__{self._missing[0].upper()}"
            raise FeedError(f"{self._missing[0]} is missing: set {variable}", retryable=False, fault="missing_key")
        ids = list(dict.fromkeys(subscription.id for subscription in batch))
        plain = {SYMBOL: ids[0], SYMBOLS: self.settings.joiner.join(ids), **self._secrets}
        headers = tuple((header, _sendable(filled(template, plain), header)) for header, template in self._headers.items())
        encoded = {name: quote(value, safe="") for name, value in plain.items()}
        encoded[SYMBOLS] = quote(self.settings.joiner, safe=JOINER_SAFE).join(quote(id, safe="") for id in ids)
        path = filled(self.settings.path, encoded)
        if self.settings.method == "GET":
            return self.http.get(path, headers=headers)
        body = b"" if self.settings.body is None else filled_body(self.settings.body, plain, ids)
        return self.http.post(path, body, headers=headers)

    def explain(self, response: Response, subscription: Subscription) -> list[FoundField]:
        """What each expression finds in an answer, for `doctor --try`."""
        return self._extraction.explain(response.body, subscription)


def _sendable(value: str, header: str) -> str:
    """`value` if a header can carry it: ids are of any letters. Raises `FeedError`."""
    if not re.fullmatch(r"[ -~]*", value):
        raise FeedError(f"an id has characters that the header {header} can't carry", retryable=False, rejects_symbol=True, payload=value)
    return value
