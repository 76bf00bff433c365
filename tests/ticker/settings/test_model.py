"""The tables: strict, frozen, and careful with secrets."""

from typing import ClassVar

import pytest
from pydantic import HttpUrl, SecretStr, ValidationError

from tests.ticker.settings.kinds import HttpSettings, KeyedSettings
from ticker.settings import FeedSettings, Settings, SymbolSettings
from ticker.settings.model import SYMBOL_KEYS


def test_defaults_are_the_contracts() -> None:
    """Without a file there are the documented defaults, and no feeds."""
    settings = Settings()
    assert (settings.server.host, settings.server.port, settings.server.async_mode) == ("127.0.0.1", 5000, "eventlet")
    assert (settings.server.ping_interval_s, settings.server.ping_timeout_s, settings.server.allowed_origins) == (10, 25, [])
    assert (settings.broadcast.flush_ms, settings.broadcast.heartbeat_s, settings.broadcast.stall_limit_s) == (50, 5, 30)
    assert settings.limits.model_dump() == {
        "max_clients": 10_000, "max_clients_per_address": 10_000, "max_symbols_per_client": 1000, "join_timeout_s": 10,
        "max_message_bytes": 65_536, "connects_per_s": 2000, "requests_per_s": 50, "http_requests_per_s": 200,
        "max_waiting": 1000}  # fmt: skip
    assert settings.quality.model_dump() == {"max_jump_pct": 20.0, "max_divergence_pct": 5.0}
    assert settings.feeds == {}
    assert settings.symbols == {}


def test_a_name_stands_for_a_list_of_one() -> None:
    """`feed` and `group` take a string or a list, and are always tuples."""
    assert SymbolSettings.model_validate({"feed": "sim", "group": "Shares"}).group == ("Shares",)
    assert SymbolSettings.model_validate({"feed": ["a", "b"]}).feed == ("a", "b")


def test_words_of_a_symbol() -> None:
    """The words no feed may be called are those of the contract, and `feed` itself."""
    assert set(SYMBOL_KEYS) == {"feed", "name", "decimals", "currency", "group", "calendar", "stale_after_s",
                                "max_jump_pct", "max_divergence_pct", "cadence", "allow_negative", "max_jump"}  # fmt: skip


@pytest.mark.parametrize(
    "url",
    ["https://user:pass@api.example.com", "https://user@api.example.com", "https://api.example.com/?key=1", "https://api.example.com/#x"],
)
def test_a_base_url_is_only_a_base(url: str) -> None:
    """Neither a password nor a query has a place in a base URL, also where a kind declares the field anew."""
    with pytest.raises(ValidationError):
        HttpSettings(kind="http", base_url=HttpUrl(url))


def test_a_secret_has_no_repr() -> None:
    """Printing settings shows no secret."""
    settings = KeyedSettings(kind="keyed", api_key=SecretStr("hunter2hunter2"))
    assert "hunter2" not in f"{settings} {settings!r} {settings.model_dump()} {settings.model_dump_json()}"
    assert settings.api_key.get_secret_value() == "hunter2hunter2"


def test_a_secret_must_be_declared_as_one() -> None:
    """A kind that names a plain string as secret is a bug that shows when it is imported."""
    with pytest.raises(TypeError, match="must be a SecretStr"):

        class Careless(FeedSettings):
            secrets: ClassVar[tuple[str, ...]] = ("password",)

            password: str = ""


def test_settings_are_frozen() -> None:
    """Nobody changes settings under those who hold them."""
    with pytest.raises(ValidationError):
        Settings().server.port = 1  # type: ignore[misc]  # that is the point
