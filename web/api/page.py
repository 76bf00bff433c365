"""The page: serves what `npm run build` made in `web/frontend/dist`. `serve --headless` does without it.

The build is read once and kept in memory with its gzipped form, so a request costs no disk and no compression, and every answer
is of one build even while another is being made. Files in `assets/` carry a hash of their content in their name: they never change.

Content-Security-Policy: scripts come from this host only, styles from this host or with the nonce of this very answer (the table's
library adds its style elements at run time and takes the nonce from a <meta> of the document). No other host is ever asked.

A document that brings prices along (`web.api.first_rows`) is kept by nobody.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from flask import Blueprint, Response, request

from web.api.first_rows import FirstRows
from web.api.route import error
from web.http.origins import is_cross_site

NONCE_MARK = b"%CSP_NONCE%"
"""Stands in the built `index.html` where the nonce of an answer goes."""
ROWS_MARK = b"%FIRST_ROWS%"
"""Where the first rows go, in the documents that have a table."""
DOCUMENTS = {"/": "index.html", "/embed": "index.html", "/tape": "tape.html"}
"""Which document of the build stands at which address; a document may look at its address to know which face to show."""
COMPRESSED_SUFFIXES = frozenset({".css", ".html", ".js", ".json", ".svg", ".webmanifest"})
IMMUTABLE = "public, max-age=31536000, immutable"
MISSING = "The page is not built. Run `make setup`, or serve without it: `serve --headless`."

mimetypes.add_type("text/javascript", ".js")
mimetypes.add_type("application/manifest+json", ".webmanifest")


class File(NamedTuple):
    """One file of the build, ready to send. `compressed` is `None` where gzip would not make it smaller."""

    body: bytes
    compressed: bytes | None
    mimetype: str
    tag: str
    cache_control: str


def page(
    dist: Path,
    frame_ancestors: Sequence[str] = (),
    first_rows: FirstRows = lambda query, is_foreign: b"",
    aside: Callable[..., Any] = lambda work, *args: work(*args),
) -> Blueprint:
    """The blueprint of the page built in `dist`.

    `frame_ancestors`: origins that may show `/embed` and `/tape` in a frame, besides our own; the page itself is never framed.
    `first_rows`: what the table shows until its code has arrived. `aside`: does in a thread what it is given, as the disk may be slow.
    While `dist` holds no build every path of the page answers 503 and says what to do; a build made later is found at the next request.
    """
    blueprint = Blueprint("page", __name__)
    files: dict[str, File] = {}
    reading = Lock()

    def build() -> dict[str, File]:
        if not files:
            with reading:  # who comes while it is read waits for that
                files.update(files or aside(read_build, dist))
        return files

    def document() -> Response:
        index = build().get(DOCUMENTS[request.path])
        if index is None:
            return _missing()
        nonce = secrets.token_urlsafe(16)
        rows = first_rows(request.query_string, is_cross_site(request.environ)) if ROWS_MARK in index.body else b""
        response = Response(index.body.replace(NONCE_MARK, nonce.encode()).replace(ROWS_MARK, rows), mimetype="text/html")
        if rows:
            response.headers["Cache-Control"] = "no-store"
        else:
            response.headers["Cache-Control"] = "no-cache"
            response.set_etag(index.tag)
            response.make_conditional(request.environ)
        if response.status_code == 304:
            return response  # the browser keeps its copy, and with it the policy whose nonce stands in that copy
        response.headers["Content-Security-Policy"] = policy(nonce, frame_ancestors if request.path != "/" else None)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        return response

    for path in DOCUMENTS:
        blueprint.add_url_rule(path, endpoint=f"document{path}", view_func=document, methods=["GET"])

    @blueprint.get("/assets/<path:name>")
    def asset(name: str) -> Response:
        return _send(build(), f"assets/{name}")

    @blueprint.get("/<string:name>")
    def top(name: str) -> Response:
        """Icon, manifest, service worker: files that must stand at the top. Documents are served at their addresses only."""
        return _send(build(), "" if name.endswith(".html") else name)

    return blueprint


def policy(nonce: str, frame_ancestors: Sequence[str] | None) -> str:
    """The Content-Security-Policy of one answer. `frame_ancestors`: who may frame it besides ourselves; `None`: nobody at all."""
    framers = "'none'" if frame_ancestors is None else " ".join(["'self'", *frame_ancestors])
    return "; ".join([
        "default-src 'self'", "script-src 'self'", f"style-src 'self' 'nonce-{nonce}'", "img-src 'self' data:", "connect-src 'self'",
        "object-src 'none'", "base-uri 'none'", "form-action 'none'", f"frame-ancestors {framers}",
    ])  # fmt: skip


def read_build(dist: Path) -> dict[str, File]:
    """Every file of the build by its path below `dist`; empty where there is no complete build (`index.html` is written last)."""
    if not (dist / "index.html").is_file():
        return {}
    return {path.relative_to(dist).as_posix(): _read(path, path.parent == dist / "assets") for path in dist.rglob("*") if path.is_file()}


def _read(path: Path, hashed: bool) -> File:
    body = path.read_bytes()
    compressed = gzip.compress(body, 9, mtime=0) if path.suffix in COMPRESSED_SUFFIXES else body
    mimetype = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    tag = hashlib.blake2b(body, digest_size=12).hexdigest()
    return File(body, compressed if len(compressed) < len(body) else None, mimetype, tag, IMMUTABLE if hashed else "no-cache")


def _send(files: dict[str, File], name: str) -> Response:
    file = files.get(name)
    if file is None:
        return _missing() if not files else error(404, "not_found", f"there is nothing at {request.path[:80]!r}")
    zipped = file.compressed is not None and request.accept_encodings["gzip"] > 0
    response = Response(file.compressed if zipped else file.body, mimetype=file.mimetype)
    response.headers["Cache-Control"] = file.cache_control
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Vary"] = "Accept-Encoding"
    if zipped:
        response.headers["Content-Encoding"] = "gzip"
    response.set_etag(file.tag + ("-gzip" if zipped else ""))
    response.make_conditional(request.environ)
    return response


def _missing() -> Response:
    """As JSON, or as a line of text for a browser that asked for a document."""
    accepted = request.accept_mimetypes
    if accepted["text/html"] > accepted["application/json"]:
        return Response(MISSING + "\n", 503, mimetype="text/plain", headers={"Cache-Control": "no-store"})
    return error(503, "page_not_built", MISSING)
