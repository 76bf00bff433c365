"""The OpenAPI 3.1 document of the HTTP part, made of what is said where the views are (`web.api.route`); served at `/openapi.json`.

Tests hold every answer against it, and `docs/openapi.json` is a copy (`python -m cli.document`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from math import inf
from typing import Any

import msgspec
from flask import Blueprint

from ticker import __version__, wire
from web.api.route import JSON, Route, Who, blueprint, get
from web.api.schema import Schema, Schemas

_TOO_MANY = "Too many requests or wrong tokens from this address: Retry-After says when to ask again."
_REFUSALS: dict[Who, dict[int, str]] = {
    "anybody": {},
    "reader": {
        401: "A token is needed, or the one given is no good (server.auth).",
        403: "The token does not allow this.",
        429: _TOO_MANY,
    },
    "admin": {401: "The admin token is missing or wrong.", 403: "No admin token is set.", 429: _TOO_MANY},
}
_OF_EVERYBODY = {421: "Host names somebody else (server.allowed_hosts)."}
_DONE: dict[Who, str] = {"anybody": "As asked.", "reader": "As asked.", "admin": "Done: it is in force within two seconds."}
_SECURITY: dict[Who, list[dict[str, list[str]]]] = {"anybody": [], "reader": [{}, {"reader": []}], "admin": [{"admin": []}]}


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """What there is over HTTP: https://spec.openapis.org/oas/v3.1"""

    openapi: str
    info: dict[str, Any]
    servers: list[Any]
    paths: dict[str, Any]
    components: dict[str, Any]


class Published:
    """The document as a view; `make` makes it when it is first asked for."""

    def __init__(self, make: Callable[[], Document]) -> None:
        self._make = make

    @cached_property
    def _document(self) -> Document:
        return self._make()

    @get("/openapi.json", "This document", who="anybody", kept_s=inf)
    def openapi(self) -> Document:
        return self._document


def openapi(make: Callable[[], Document]) -> Blueprint:
    """The blueprint that serves the document."""
    return blueprint("openapi", Published(make))


def document(routes: Iterable[Route]) -> Document:
    """The document of these routes."""
    schemas = Schemas()
    parameters: dict[str, Schema] = {}
    paths: dict[str, dict[str, Schema]] = {}
    for route in routes:
        paths.setdefault(route.template, {})[route.method.lower()] = _operation(route, schemas, parameters)
    return Document(
        openapi="3.1.0",
        info={
            "title": "tickercast",
            "version": __version__,
            "license": {"name": "MIT", "identifier": "MIT"},
            "description": "The HTTP part of a live ticker. Prices in motion come over Socket.IO: docs/protocol.md.",
        },
        servers=[{"url": "."}],  # where the document lies, which may be below a path
        paths=paths,
        components={
            "schemas": dict(sorted(schemas.named.items())),
            "parameters": parameters,
            "securitySchemes": {
                "reader": {"type": "http", "scheme": "bearer", "description": "Where server.auth asks for one."},
                "admin": {"type": "http", "scheme": "bearer", "description": "TICKERCAST_SERVER__ADMIN_TOKEN"},
            },
        },
    )


def _operation(route: Route, schemas: Schemas, parameters: dict[str, Schema]) -> Schema:
    refusals = {**_REFUSALS[route.who], **_OF_EVERYBODY, **route.errors}
    others = {status: _content(other.meaning, schemas.of(other.answer)) for status, other in route.others.items()}
    errors = {status: _content(meaning, schemas.of(wire.Error)) for status, meaning in refusals.items()}
    done = _content(_DONE[route.who], schemas.of(route.answer()), route.media)
    if route.is_tagged:
        done["headers"] = {"ETag": {"schema": {"type": "string"}}}
        others[304] = {"description": "What the client has is the newest (If-None-Match)."}
    for place, found in (("path", route.parameters()), ("query", route.query)):
        for name, kind in found.items():
            parameters[name] = _parameter(name, place, schemas.of(kind))
    body = {} if route.body is None else {"requestBody": {"required": True, "content": {JSON: {"schema": schemas.of(route.body)}}}}
    return {
        "summary": route.summary,
        "security": _SECURITY[route.who],
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in (*route.parameters(), *route.query)],
        **body,
        "responses": {str(status): said for status, said in sorted({route.status: done, **others, **errors}.items())},
    }


def _content(meaning: str, schema: Schema, media: tuple[str, ...] = (JSON,)) -> Schema:
    return {"description": meaning, "content": {kind: {"schema": schema} for kind in media}}


def _parameter(name: str, place: str, schema: Schema) -> Schema:
    description = schema.pop("description", None)
    return {
        "name": name,
        "in": place,
        **({"required": True} if place == "path" else {}),
        "schema": schema,
        **({"description": description} if description else {}),
    }
