"""The OpenAPI document says what is: the routes, the fields, and, held against it request by request, every answer."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from pydantic import SecretStr
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from tests.web.api.test_admin import BEARER, TOKEN, File
from tests.web.relaying import Relaying, relaying
from ticker.errors import Problem, SettingsError
from ticker.quote import Quote
from ticker.symbols import check
from web.api.admin import admin
from web.app import openapi_document

DOCUMENT: dict[str, Any] = msgspec.to_builtins(openapi_document())
COPY = Path(__file__).parents[3] / "docs" / "openapi.json"
EXAMPLES = int(os.environ.get("EXAMPLES", "15"))
"""Requests to each operation; `make fuzz` sends 1,000."""
SYMBOLS = ["ACME", "BTC/USD", "^GSPC", "EURUSD=X", "A+B"]


class Checked(File):
    """A settings file that takes no nonsense, as the real one."""

    def add(self, symbol: str, feed: str | None) -> None:
        """Add one, if it can be one."""
        if (why := check(symbol)) is not None:
            raise SettingsError([Problem(f"symbols.{symbol}", why)])
        super().add(symbol, feed)


@pytest.fixture(scope="module")
def running() -> Iterator[Relaying]:
    """A server with prices, and with the admin's routes."""
    with relaying(SYMBOLS, dict.fromkeys(SYMBOLS, 100.5)) as core:
        file = Checked()
        core.server.app.register_blueprint(admin(lambda: SecretStr(TOKEN), file.add, file.remove))
        core.wait("ACME")
        yield core


@pytest.fixture(scope="module")
def published(running: Relaying) -> Any:
    """The document as a client gets it."""
    return schemathesis.openapi.from_wsgi("/openapi.json", running.server.app)


def test_the_document_is_published(running: Relaying) -> None:
    """As JSON, with a tag; the copy among the docs is the same."""
    answer = running.http.get("/openapi.json")
    assert (answer.status_code, answer.mimetype, answer.get_json()) == (200, "application/json", DOCUMENT)
    assert running.http.get("/openapi.json", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert json.loads(COPY.read_text(encoding="utf-8")) == DOCUMENT, "make docs writes it"


def test_every_route_is_in_it_and_no_other(running: Relaying) -> None:
    """With its methods; HEAD and OPTIONS are everywhere and go without saying."""
    routes = {
        (re.sub(r"<path:(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in running.server.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert routes == {(path, method) for path, operations in DOCUMENT["paths"].items() for method in operations}


def test_every_field_of_a_quote_is_in_it() -> None:
    """And none that is not on the wire."""
    described = DOCUMENT["components"]["schemas"]["Quote"]["properties"].keys()
    assert described == set(Quote.__struct_fields__) - {"upstream_state"}


@pytest.mark.parametrize("symbol", [*SYMBOLS, "BRK.B", "a" * 32, "a" * 33, "", "/A", "A/", "A//B", "A/./B", "A/../B", "A/..", "A/.b",
                                    "A/.../b", "A.", "A B", "-A", "A\n", "A/-", "é"])  # fmt: skip
def test_the_pattern_of_a_symbol_is_ours(symbol: str) -> None:
    """It admits what the settings admit."""
    described = DOCUMENT["components"]["parameters"]["symbol"]["schema"]
    matches = re.fullmatch(described["pattern"].removeprefix("^").removesuffix("$"), symbol) is not None
    assert (matches and described["minLength"] <= len(symbol) <= described["maxLength"]) == (check(symbol) is None)


OPERATIONS = [(path, method) for path, operations in DOCUMENT["paths"].items() for method in operations]
TAKES = {
    (path, method)
    for path, method in OPERATIONS
    if DOCUMENT["paths"][path][method].keys() & {"requestBody"} or DOCUMENT["paths"][path][method].get("parameters")
}


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_answer_is_as_described(published: Any, path: str, method: str, mode: GenerationMode) -> None:
    """Whatever is sent, as described or against it: no 5xx, only the statuses, types and bodies of the document, 405 for other methods."""
    if mode is GenerationMode.NEGATIVE and (path, method) not in TAKES:
        return  # there is nothing to get wrong

    @given(case=published[path][method].as_strategy(generation_mode=mode))
    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    def hold(case: Any) -> None:
        # A symbol may be well-formed and unknown, or there already: what is answered then is described, but no acceptance. And wrong
        # tokens, again and again, are soon answered with 429 whatever follows.
        case.call_and_validate(headers=BEARER, excluded_checks=[positive_data_acceptance, ignored_auth])

    load_all_checks()
    hold()
