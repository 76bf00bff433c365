"""What is said of a route where its view is written is what happens."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from tests.web.api.test_admin import TOKEN, File
from tests.web.relaying import Relaying
from web.api.admin import admin
from web.api.route import Route, lasts_s, shown
from web.app import ROUTES
from web.auth.tokens import TokenVerifier
from web.http.cache import route_of

OPEN = {"anybody": True, "reader": False, "admin": False}


@pytest.fixture(scope="module")
def asking() -> Relaying:
    """A server that asks for a token."""
    running = Relaying(["ACME"], {}, verifier=TokenVerifier(["a-token-of-the-tests"]), server={"metrics": "open"})
    file = File()
    running.server.app.register_blueprint(admin(lambda: SecretStr(TOKEN), file.add, file.remove))
    return running


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_who_may_ask(asking: Relaying, route: Route) -> None:
    """Who has no token gets what is for anybody, and 401 for the rest."""
    answer = asking.http.open(route.path.replace("<path:symbol>", "ACME"), method=route.method)
    assert (answer.status_code != 401) is OPEN[route.who]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_addresses_that_are_kept_as_one_are_kept_alike(route: Route) -> None:
    """The cache knows an address by its first two parts: whatever GET begins with them lasts as long and shows the same."""
    if route.method == "GET":
        key = route_of(route.path)
        assert lasts_s(ROUTES).get(key) == route.kept_s
        assert route.kept_s is None or shown(ROUTES)[key] == route.shows
