"""Any endpoint that answers JSON or CSV to a GET, described in settings alone. docs/feeds.md has three that work as they stand.

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
object with its columns for keys. `{symbol}` in `path` stands for one symbol, `{symbols}` for as many as `batch_size`, with `joiner`
between them; without either, the answer has everything there is. `{api_key}` and `{api_secret}`, in `path` or in a header, come from the
environment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import quote

from pydantic import AfterValidator, Field, SecretStr, field_validator

from feeds.base import Answer, Subscription
from feeds.csvs import Csv
from feeds.expressions import check_expression, compiled
from feeds.extraction import FIELDS, Extraction, Finding
from feeds.http import Response
from feeds.keys import Sendable
from feeds.notation import Notation, check_time_form, zone_of
from feeds.polled import PolledFeed
from ticker.errors import FeedError
from ticker.quote import VolumeOf
from ticker.runtime import Runtime
from ticker.settings import PolledSettings

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
SECRETS = ("api_key", "api_secret")
SECRET_HEADER = re.compile(r"auth|key|token|secret|cookie", re.IGNORECASE)
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""What the name of a header is made of (RFC 9110 section 5.6.2)."""
JOINER_SAFE = "!$'()*+,;:@/-._~"

Expression = Annotated[str | None, AfterValidator(check_expression)]


def _zone(name: str) -> str:
    zone_of(name)
    return name


def _check_placeholders(template: str, known: Sequence[str]) -> None:
    for name in PLACEHOLDER.findall(template):
        if name not in known:
            raise ValueError(f"has {{{name}}} in it; there are {', '.join(f'{{{one}}}' for one in known)}")


class HttpJsonSettings(PolledSettings):
    """`[feeds.NAME]` of kind `http_json`."""

    secrets: ClassVar[tuple[str, ...]] = SECRETS

    path: str = Field(min_length=1, max_length=2000, pattern=r"^/[!-~]*$", description="what follows base_url: path and query, with "
                      "{symbol} or {symbols}, {api_key}, {api_secret}; what else must be is percent-encoded")
    batch_size: int = Field(50, ge=1, le=1000, description="how many symbols {symbols} stands for at most")
    joiner: str = Field(",", min_length=1, max_length=10, description="what stands between them")
    headers: dict[str, SecretStr] = Field({}, description="headers of the request; {api_key} and {api_secret} come from the environment")
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
    ignore: str = Field("", max_length=20, description="characters of such numbers that mean nothing, like \"$,\" or \".\"")
    fractions: bool = Field(False, description="change_pct is a fraction: 0.0127 for 1.27 %")
    time_form: Annotated[str, AfterValidator(check_time_form)] = Field(
        "iso", description="s, ms, us, ns since 1970, iso, or a format of Python's strptime, like \"%d.%m.%Y %H:%M:%S\"")
    time_zone: Annotated[str, AfterValidator(_zone)] = Field("UTC", description="of times that name none, like \"Europe/Berlin\"")
    delay_min: float | None = Field(None, ge=0, le=100_000, allow_inf_nan=False, description="how far the prices are behind, minutes")
    volume_of: VolumeOf = Field("24h", description="what volume counts: trades of the session, since midnight UTC, of 24 hours")
    cadence: Literal["day"] | None = Field(None, description="priced once a trading day, as funds, fixings and reference rates are")
    api_key: Annotated[SecretStr | None, Sendable] = Field(None, max_length=1000, description="stands for {api_key}")
    api_secret: Annotated[SecretStr | None, Sendable] = Field(None, max_length=1000, description="stands for {api_secret}")

    @field_validator("path")
    @classmethod
    def _path(cls, path: str) -> str:
        _check_placeholders(path, ("symbol", "symbols", *SECRETS))
        if {"symbol", "symbols"} <= set(PLACEHOLDER.findall(path)):
            raise ValueError("has both {symbol} and {symbols} in it")
        if "#" in path:
            raise ValueError("has a # in it, and what follows one is never sent")
        return path

    @field_validator("headers")
    @classmethod
    def _headers(cls, headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, hidden in headers.items():  # one that should not be in the file is not to be shown either
            value = hidden.get_secret_value()
            if not TOKEN.fullmatch(name) or not re.fullmatch(r"[ -~]*", value):
                raise ValueError(f"the header {name!r} can't be sent: it or its value has characters that no header has")
            _check_placeholders(value, SECRETS)
            if SECRET_HEADER.search(name) and not PLACEHOLDER.search(value):
                raise ValueError(f"the header {name} holds a secret: write {{api_key}} there and set it in the environment")
        return headers

    def extraction(self) -> Extraction:
        """What these settings make of an answer."""
        def expression(name: str) -> Any:
            text = getattr(self, name)
            return None if text is None else compiled(text)

        notation = Notation(self.decimal, self.ignore, self.time_form, zone_of(self.time_zone), self.fractions)
        layout = Csv(self.delimiter, tuple(self.columns)) if self.format == "csv" else None
        return Extraction({name: expression(name) for name in FIELDS if getattr(self, name) is not None}, notation, expression("rows"),
                          expression("symbol"), expression("error"), layout, "{symbol}" in self.path, self.delay_min, self.cadence)


class HttpJson(PolledFeed):
    """`kind = "http_json"`."""

    kind = "http_json"
    Settings: ClassVar[type[PolledSettings]] = HttpJsonSettings
    settings: HttpJsonSettings
    batch_size: ClassVar[int | None] = None
    volume_of: ClassVar[VolumeOf] = "24h"
    """Of the class, as the size of a batch. A feed has a class of its own, with what its settings say: `cost` and `demand` are asked of
    classes."""

    def __new__(cls, name: str, settings: HttpJsonSettings, runtime: Runtime) -> HttpJson:
        size = 1 if "{symbol}" in settings.path else settings.batch_size if "{symbols}" in settings.path else None
        feed: HttpJson = super().__new__(type(cls.__name__, (cls,), {"batch_size": size, "volume_of": settings.volume_of}))
        return feed

    def __init__(self, name: str, settings: HttpJsonSettings, runtime: Runtime) -> None:
        self._secrets = {secret: key.get_secret_value() for secret in SECRETS if (key := getattr(settings, secret)) is not None}
        accept = "text/csv, text/plain" if settings.format == "csv" else "application/json"
        headers = {header: value.get_secret_value() for header, value in settings.headers.items()}
        filled = {header: _filled(value, self._secrets) for header, value in headers.items()}
        super().__init__(name, settings, runtime, {"Accept": accept, **filled})
        self._extraction = settings.extraction()
        templates = (settings.path, *headers.values())
        self._missing = sorted({secret for text in templates for secret in PLACEHOLDER.findall(text)} & set(SECRETS) - self._secrets.keys())

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
            raise FeedError(f"{self._missing[0]} is missing: set {variable}", retryable=False)
        ids = [quote(id, safe="") for id in dict.fromkeys(subscription.id for subscription in batch)]
        secrets = {name: quote(secret, safe="") for name, secret in self._secrets.items()}
        joined = quote(self.settings.joiner, safe=JOINER_SAFE).join(ids)
        return self.http.get(_filled(self.settings.path, {"symbol": ids[0], "symbols": joined, **secrets}))

    def explain(self, response: Response, subscription: Subscription) -> list[Finding]:
        """What each expression finds in an answer, for `doctor --try`."""
        return self._extraction.explain(response.body, subscription)


def _filled(template: str, values: Mapping[str, str]) -> str:
    return PLACEHOLDER.sub(lambda match: values.get(match[1], ""), template)
