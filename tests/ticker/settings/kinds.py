"""Kinds of feed as a settings loader sees them, made for these tests: one without network, one polled, one with a key."""

from typing import Annotated, ClassVar

from pydantic import Field, HttpUrl, SecretStr

from ticker.settings import FeedSettings, PolledSettings, SymbolOptions
from ticker.settings.load import FeedKind
from ticker.settings.table import OneOrMore, Table


class WalkSettings(FeedSettings):
    """Prices without a network."""

    seed: int = Field(7, ge=0, le=1000, description="the same seed gives the same prices")
    loop: bool = Field(False, description="start again at the end")


class WalkOptions(SymbolOptions):
    """What a symbol may say to it."""

    volatility_pct: float = Field(0.05, ge=0, le=5, allow_inf_nan=False, description="of one tick")


class HttpSettings(PolledSettings):
    """A provider that is polled."""

    advised_interval_s: ClassVar[float] = 1.0

    base_url: HttpUrl = Field(HttpUrl("https://api.example.com"), description="where")


class Columns(Table):
    """A table inside a feed's."""

    price: str = Field(min_length=1, description="where the price is")
    time: str | None = Field(None, description="where the time is")


class KeyedSettings(PolledSettings):
    """A provider that wants a key."""

    secrets: ClassVar[tuple[str, ...]] = ("api_key", "token")

    base_url: HttpUrl = Field(HttpUrl("https://keyed.example.com"), description="where")
    api_key: SecretStr = Field(min_length=4, description="the key")
    token: SecretStr | None = Field(None, description="another one")
    channels: Annotated[tuple[str, ...], *OneOrMore] = Field((), max_length=2, description="what to listen to")
    columns: Columns | None = Field(None, description="how to read the answer")


KINDS = {"walk": FeedKind(WalkSettings, WalkOptions), "http": FeedKind(HttpSettings), "keyed": FeedKind(KeyedSettings)}
