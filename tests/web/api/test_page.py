"""The page's files: what is compressed, what may be kept, and the policy that keeps other hosts out."""

from __future__ import annotations

import gzip
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from web.api.page import NONCE_MARK, ROWS_MARK, page

BUILD = Path(__file__).parents[3] / "web" / "frontend" / "dist"
SCRIPT = "assets/index-Ab12Cd34.js"
SOURCE = b"export const prices = [1, 2, 3];\n" * 50


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """A build like Vite's: a document, a hashed script, an icon and a file that gzip can't make smaller."""
    (tmp_path / "assets").mkdir()
    (tmp_path / SCRIPT).write_bytes(SOURCE)
    (tmp_path / "icon.svg").write_bytes(b"<svg/>" * 40)
    (tmp_path / "icon.png").write_bytes(bytes(range(256)))
    (tmp_path / "index.html").write_bytes(b'<!doctype html><meta name="csp-nonce" content="' + NONCE_MARK + b'">')
    (tmp_path / "tape.html").write_bytes((tmp_path / "index.html").read_bytes() + b"<title>tape</title>")
    return tmp_path


def client_of(dist: Path, *frame_ancestors: str) -> FlaskClient:
    """A client of an application that has the page and nothing else."""
    app = Flask("page-test", static_folder=None)
    app.register_blueprint(page(dist, frame_ancestors))
    return app.test_client()


@pytest.fixture
def client(dist: Path) -> FlaskClient:
    """A client of the page built in `dist`."""
    return client_of(dist)


def nonce_in(policy: str) -> str:
    """The nonce that the policy's style-src admits."""
    found = re.search(r"style-src 'self' 'nonce-([A-Za-z0-9_-]{20,})'", policy)
    assert found is not None, policy
    return found[1]


def test_document_carries_the_nonce_of_its_policy(client: FlaskClient) -> None:
    """The nonce in the document is the one its own policy admits, and another answer has another."""
    first, second = client.get("/"), client.get("/")
    nonces = [nonce_in(answer.headers["Content-Security-Policy"]) for answer in (first, second)]
    assert f'content="{nonces[0]}"' in first.text
    assert NONCE_MARK.decode() not in first.text
    assert nonces[0] != nonces[1]


def test_policy_admits_this_host_only(client: FlaskClient) -> None:
    """Scripts come from this host and never from the document itself; nobody frames the page."""
    policy = dict(part.split(" ", 1) for part in client.get("/").headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["script-src"] == policy["connect-src"] == "'self'"
    assert policy["img-src"] == "'self' data:"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in str(policy)


@pytest.mark.parametrize("path", ["/embed", "/tape"])
def test_embedded_faces_may_be_framed_by_those_named(dist: Path, path: str) -> None:
    """What is made for a frame may stand in ours and in the named ones; the page itself still may not."""
    client = client_of(dist, "https://intranet.example")
    assert client.get(path).headers["Content-Security-Policy"].endswith("frame-ancestors 'self' https://intranet.example")
    assert client.get("/").headers["Content-Security-Policy"].endswith("frame-ancestors 'none'")


def test_each_face_has_its_document(client: FlaskClient) -> None:
    """The tape has a document of its own, the other faces share one."""
    assert "<title>tape</title>" in client.get("/tape").text
    assert "<title>tape</title>" not in client.get("/embed").text


def test_document_is_asked_for_anew_but_not_sent_twice(client: FlaskClient) -> None:
    """A known ETag gets 304 with no policy of its own: the copy the browser keeps holds the nonce of its first policy."""
    first = client.get("/")
    assert first.headers["Cache-Control"] == "no-cache"
    again = client.get("/", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert again.data == b""
    assert "Content-Security-Policy" not in again.headers


def test_document_with_prices_is_kept_by_nobody(dist: Path) -> None:
    """It brings the rows that its address asks for, and no ETag: whoever asks again gets prices of then. The tape has no place for them."""
    document = b'<meta content="' + NONCE_MARK + b'"><script>' + ROWS_MARK + b"</script>"
    (dist / "index.html").write_bytes(document)
    app = Flask("page-test", static_folder=None)
    app.register_blueprint(page(dist, (), lambda query, is_foreign: b'{"of":"%b"}' % query if query else b""))
    client = app.test_client()
    answer = client.get("/?group=X", headers={"If-None-Match": client.get("/").headers["ETag"]})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert '<script>{"of":"group=X"}</script>' in answer.text
    assert "ETag" not in answer.headers
    assert nonce_in(answer.headers["Content-Security-Policy"]) in answer.text
    without = client.get("/")
    assert "<script></script>" in without.text
    assert without.headers["Cache-Control"] == "no-cache"
    assert "ETag" in client.get("/tape?group=X").headers


def test_hashed_files_are_kept_for_ever_and_compressed(client: FlaskClient) -> None:
    """A file with its hash in its name never changes; it is sent compressed to whoever takes gzip."""
    answer = client.get(f"/{SCRIPT}", headers={"Accept-Encoding": "br, gzip"})
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.mimetype == "text/javascript"
    assert gzip.decompress(answer.data) == SOURCE


@pytest.mark.parametrize("accepted", [None, "identity", "gzip;q=0"])
def test_plain_bytes_for_who_does_not_take_gzip(client: FlaskClient, accepted: str | None) -> None:
    """Whoever does not ask for gzip gets the file as it is, under another ETag than the compressed one."""
    answer = client.get(f"/{SCRIPT}", headers={} if accepted is None else {"Accept-Encoding": accepted})
    assert "Content-Encoding" not in answer.headers
    assert answer.data == SOURCE
    assert answer.headers["ETag"] != client.get(f"/{SCRIPT}", headers={"Accept-Encoding": "gzip"}).headers["ETag"]


def test_what_gzip_would_not_shrink_is_sent_plain(client: FlaskClient) -> None:
    """An image is compressed already."""
    answer = client.get("/icon.png", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers
    assert answer.data == bytes(range(256))


def test_every_answer_forbids_guessing_its_type(client: FlaskClient) -> None:
    """`nosniff` stands on documents, scripts and icons."""
    for path in ("/", f"/{SCRIPT}", "/icon.svg"):
        assert client.get(path).headers["X-Content-Type-Options"] == "nosniff", path


@pytest.mark.parametrize("path", ["/no.js", "/assets/no.js", "/assets/%2e%2e/index.html", "/index.html", "/tape.html"])
def test_unknown_path_is_told_so_in_json(client: FlaskClient, path: str) -> None:
    """What is not in the build is 404 with a code, and no path leads out of it."""
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.get_json()["error"]["code"] == "not_found"


def test_missing_build_says_what_to_do(tmp_path: Path) -> None:
    """Without a build: 503 that names the command, as text for a browser and as JSON for a program."""
    client = client_of(tmp_path / "dist")
    page_answer = client.get("/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert (page_answer.status_code, page_answer.mimetype) == (503, "text/plain")
    assert "make setup" in page_answer.text
    json_answer = client.get(f"/{SCRIPT}", headers={"Accept": "application/json"})
    assert json_answer.status_code == 503
    assert json_answer.get_json()["error"]["code"] == "page_not_built"


def test_build_made_later_is_found(tmp_path: Path, dist: Path) -> None:
    """A process that started before the build serves it once it is complete."""
    late = tmp_path / "late"
    client = client_of(late)
    assert client.get("/").status_code == 503
    late.mkdir()
    (late / "index.html").write_bytes((dist / "index.html").read_bytes())
    assert client.get("/").status_code == 200


def test_the_build_asks_for_nothing_at_the_root_of_its_host() -> None:
    """Documents, manifest, worker and scripts name their addresses relative to where the page lies, so that it may lie below any prefix."""
    files = {path.name: path.read_text() for path in BUILD.rglob("*") if path.suffix in {".html", ".js", ".css", ".webmanifest"}}
    assert {"index.html", "tape.html", "sw.js", "manifest.webmanifest"} <= set(files)
    named = r"""(?:href|src|start_url|scope)["']?\s*[=:]\s*["']|url\(["']?"""
    at_the_root = re.compile(rf"""(?:{named}|["'`](?=/(?:api|assets|sw\.js|icon|socket\.io/)))/""")
    assert {name: found for name, text in files.items() if (found := at_the_root.findall(text))} == {}


def test_who_comes_while_the_build_is_read_waits_for_that(dist: Path) -> None:
    """It is read beside the loop, where the disk may be slow, and once, however many ask at the same time."""
    read: list[Path] = []

    def aside(work: Callable[[Path], object], folder: Path) -> object:
        read.append(folder)
        time.sleep(0)  # a green one: the others ask now
        return work(folder)

    app = Flask("page-test", static_folder=None)
    app.register_blueprint(page(dist, aside=aside))
    answers = [threading.Thread(target=lambda: statuses.append(app.test_client().get("/icon.svg").status_code)) for _ in range(5)]
    statuses: list[int] = []
    for answer in answers:
        answer.start()
    for answer in answers:
        answer.join()
    assert (statuses, read) == ([200] * 5, [dist])
