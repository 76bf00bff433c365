"""What a scanner that only looks would find: headers of every kind of answer, and what errors reveal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Response
from werkzeug.test import TestResponse

from tests.web.metrics.reading import MACHINE
from tests.web.relaying import Relaying, relaying
from web.api.page import NONCE_MARK, page

PATHS = ["/", "/embed", "/tape", "/assets/main-Ab12Cd34.js", "/icon.svg", "/api/symbols", "/api/quotes", "/api/quotes/ACME",
         "/api/quotes/NOPE", "/api/sparkline", "/api/candles/ACME", "/api/status", "/healthz", "/readyz", "/metrics", "/openapi.json",
         "/nope", "/fails", "/socket.io/?EIO=4&transport=polling", "/socket.io/?EIO=3", "/socket.io/?EIO=4&transport=polling&sid=nobody"
]  # fmt: skip
SECRETS = ("Traceback", "site-packages", 'File "', ".py", "Werkzeug", "eventlet", "Python/", "a secret of the server's")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relaying]:
    """A relay with a page, and a route that fails."""
    dist = tmp_path_factory.mktemp("dist")
    (dist / "assets").mkdir()
    (dist / "assets/main-Ab12Cd34.js").write_bytes(b"export const a = 1;\n")
    (dist / "icon.svg").write_bytes(b"<svg/>")
    for name in ("index.html", "tape.html"):
        (dist / name).write_bytes(b"<!doctype html>" + NONCE_MARK)
    with relaying(["ACME"], {"ACME": 1.0}) as core:
        app = core.server.app
        app.register_blueprint(page(Path(dist)))

        @app.get("/fails")
        def fails() -> Response:
            raise RuntimeError("a secret of the server's")

        core.wait("ACME")
        yield core


@pytest.fixture(params=PATHS)
def answer(running: Relaying, request: pytest.FixtureRequest) -> TestResponse:
    """To each path."""
    return running.http.get(request.param, environ_base=MACHINE)


def test_every_answer_says_what_it_is(answer: TestResponse) -> None:
    """A type with its character set, no guessing, and how long it may be kept."""
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"]
    assert answer.mimetype in ("text/html", "text/javascript", "text/plain", "image/svg+xml", "application/json")
    if answer.mimetype in ("text/html", "text/plain"):
        assert "charset=utf-8" in answer.content_type.lower()


def test_no_answer_says_who_we_are(answer: TestResponse) -> None:
    """No banner, no cookie, no trace of an error, no path of a file; what failed says that it did and no more."""
    assert not {"server", "x-powered-by", "set-cookie", "via"} & {name.lower() for name, _ in answer.headers}
    if not answer.request.path.startswith(("/metrics", "/api/status", "/openapi.json")):
        assert not [secret for secret in SECRETS if secret in answer.text]
    if answer.request.path == "/fails":
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (500, "internal_error")


def test_every_document_has_a_policy(answer: TestResponse) -> None:
    """Nobody frames the page or an answer; what is shown runs what it brought itself, and nothing written inline."""
    if answer.mimetype == "text/html":
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy or answer.request.path in ("/embed", "/tape")
        assert "object-src 'none'" in policy
        assert "base-uri 'none'" in policy
        assert answer.headers["Referrer-Policy"] == "no-referrer"
    elif answer.mimetype == "application/json" or answer.request.path == "/metrics":
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    else:
        assert "Content-Security-Policy" not in answer.headers, "a worker would take its script's policy for its own"


@pytest.mark.parametrize("path", [path for path in PATHS if path.startswith("/api/")])
def test_data_is_not_kept_without_asking(running: Relaying, path: str) -> None:
    """A cache may keep what has a tag, and must ask; all else not at all."""
    answer = running.http.get(path)
    assert answer.headers["Cache-Control"] == ("no-cache" if "ETag" in answer.headers else "no-store")


@pytest.mark.parametrize("query", ["?", "?&&&", "?symbols", "?symbols=%00", "?symbols=%", "?symbols=%FF%FE", "?symbols=\xe9",
                                   "?a[]=1&a[]=2", "?symbols=" + "A," * 20_000,
                                   "?symbols=ACME;DROP", "?symbols=" + "%25" * 100, "?x=" + "y" * 60_000])  # fmt: skip
@pytest.mark.parametrize("path", ["/api/quotes", "/api/sparkline", "/api/symbols", "/healthz", "/metrics"])
def test_odd_queries(running: Relaying, path: str, query: str) -> None:
    """Are answered."""
    assert running.http.get(path + query, environ_base=MACHINE).status_code == 200


@pytest.mark.parametrize("headers", [
    {"Accept": "*/*;q=oops"}, {"Accept": "application/openmetrics-text; version=oops"}, {"Accept": "text/plain; version=1.0.0; escaping=x"},
    {"Accept": "application/openmetrics-text"}, {"Accept": ","}, {"If-None-Match": '"' * 1000},
    {"If-None-Match": "*, *"}, {"Origin": "null"}, {"Origin": "\x7f"}, {"Host": ""},
    {"Host": "["}, {"Host": "a b"}, {"Content-Type": "text/html; charset=utf-7"}, {"Content-Encoding": "gzip"}, {"Range": "bytes=0-0"},
    {"Cookie": "session=" + "x" * 5000}, {"Accept-Encoding": "gzip;q=-1"}, {"Authorization": "Bearer"}, {"Authorization": "Basic !"},
])  # fmt: skip
@pytest.mark.parametrize("path", ["/", "/api/quotes", "/api/status", "/metrics", "/openapi.json", "/assets/main-Ab12Cd34.js"])
def test_odd_headers(running: Relaying, path: str, headers: dict[str, str]) -> None:
    """Never make it fail."""
    assert running.http.get(path, headers=headers, environ_base=MACHINE).status_code in (200, 304, 400, 421)
