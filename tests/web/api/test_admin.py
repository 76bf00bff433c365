"""Adding and removing symbols over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from pydantic import SecretStr

from ticker.errors import Problem, SettingsError
from web.api.admin import admin

TOKEN = "correct-horse-battery"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


class File:
    """A settings file's symbols."""

    def __init__(self) -> None:
        self.symbols = {"ACME": "sim"}
        self.read_only = False

    def add(self, symbol: str, feed: str | None) -> None:
        """Add one, unless it is there."""
        if self.read_only:
            raise OSError(30, "Read-only file system")
        if symbol in self.symbols:
            raise SettingsError([Problem(f"symbols.{symbol}", "is there already")])
        self.symbols[symbol] = feed or "sim"

    def remove(self, symbol: str) -> None:
        """Remove one that is there."""
        if symbol not in self.symbols:
            raise SettingsError([Problem(f"symbols.{symbol}", "is not there")])
        del self.symbols[symbol]


@pytest.fixture
def file() -> File:
    """One for each test."""
    return File()


def client(file: File, token: str | None = TOKEN) -> Any:
    """A client of an app with the admin's blueprint."""
    app = Flask("test")
    app.register_blueprint(admin(lambda: None if token is None else SecretStr(token), file.add, file.remove))
    return app.test_client()


def test_the_bearer_adds_and_removes(file: File) -> None:
    """With the token a symbol comes and goes, slashes and all."""
    web = client(file)
    assert web.post("/api/symbols", json={"symbol": "BTC/USD", "feed": "kraken"}, headers=BEARER).status_code == 201
    assert file.symbols["BTC/USD"] == "kraken"
    assert web.delete("/api/symbols/BTC/USD", headers=BEARER).status_code == 200
    assert "BTC/USD" not in file.symbols


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong-horse-battery"}, {"Authorization": f"Basic {TOKEN}"},
                                     {"Authorization": "Bearer"}, {"Authorization": "Bearer é"}])  # fmt: skip
def test_nobody_else_may(file: File, headers: dict[str, str]) -> None:
    """Without the token, or with another, nothing changes and nothing is said about it."""
    refused = client(file).post("/api/symbols", json={"symbol": "NEW"}, headers=headers)
    assert refused.status_code == 401
    assert TOKEN not in refused.text
    assert "NEW" not in file.symbols


@pytest.mark.parametrize("address", ["/api/symbols?admin_token=", "/api/symbols;token=", "/api/symbols?a=1;API-Key="])
def test_a_token_in_an_address_is_refused(file: File, address: str) -> None:
    """Also beside one that is where it belongs: it is in somebody's log by now."""
    refused = client(file).post(address + TOKEN, json={"symbol": "NEW"}, headers=BEARER)
    assert refused.status_code in (401, 404, 405)
    assert "NEW" not in file.symbols


def test_without_a_token_it_is_switched_off(file: File) -> None:
    """No token is set: the answer names the variable that sets one."""
    refused = client(file, None).post("/api/symbols", json={"symbol": "NEW"}, headers=BEARER)
    assert (refused.status_code, refused.json["error"]["code"]) == (403, "no_admin_token")
    assert "TICKERCAST_SERVER__ADMIN_TOKEN" in refused.text


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"symbol": 5}', b'{"symbol": "A", "feed": 5}', b"[" * 5000, b"x" * 9000])
def test_a_body_that_makes_no_sense_is_refused(file: File, body: bytes) -> None:
    """Any other body gets a sentence, and changes nothing."""
    assert client(file).post("/api/symbols", data=body, headers=BEARER).status_code == 400


def test_the_settings_own_reasons_are_told(file: File) -> None:
    """What the edit refuses is told with its reason."""
    refused = client(file).post("/api/symbols", json={"symbol": "ACME"}, headers=BEARER)
    assert (refused.status_code, "is there already" in refused.text) == (422, True)
    assert client(file).delete("/api/symbols/NOPE", headers=BEARER).status_code == 422


def test_a_file_that_cannot_be_written_is_no_secret_spilled(file: File) -> None:
    """The answer has no path and no errno."""
    file.read_only = True
    refused = client(file).post("/api/symbols", json={"symbol": "NEW"}, headers=BEARER)
    assert (refused.status_code, refused.json["error"]["code"]) == (500, "not_written")
    assert "Read-only" not in refused.text
