"""The OpenAPI 3.1 document of the HTTP part, written by hand beside `web/api/routes.py` and `web/api/admin.py`; served at `/openapi.json`.

Tests hold every route and every answer against it, and `docs/openapi.json` is a copy (`python -m cli.document`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response

from ticker import __version__
from web.api.routes import tagged

Schema = dict[str, Any]

_NUMBER: Schema = {"type": "number"}
_STRING: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer"}
_BOOLEAN: Schema = {"type": "boolean"}
_MS: Schema = {"type": "integer", "description": "Unix epoch, milliseconds"}
_SYMBOL: Schema = {  # `ticker.symbols.check`
    "type": "string",
    "minLength": 1,
    "maxLength": 32,
    "pattern": r"^[A-Za-z0-9^][A-Za-z0-9.\-_=^:+]*(/(\.*[A-Za-z0-9\-_=^:+][A-Za-z0-9.\-_=^:+]*|\.{3,}))*$",
}


_UNAUTHORIZED = {
    "401": "A token is needed, or the one given is no good (server.auth).",
    "403": "The token does not allow this.",
    "429": "Too many requests or wrong tokens from this address: Retry-After says when to ask again.",
}
_MISDIRECTED = {"421": "Host names somebody else (server.allowed_hosts)."}


def openapi() -> Blueprint:
    """The blueprint that serves the document."""
    blueprint = Blueprint("openapi", __name__)

    @blueprint.get("/openapi.json")
    def served() -> Response:
        return tagged(DOCUMENT)

    return blueprint


def _maybe(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """An object; fields may be added to any of ours at any time."""
    return {"type": "object", "properties": {**required, **(optional or {})}, "required": list(required)}


def _json(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _get(
    summary: str,
    schema: Schema,
    *,
    parameters: tuple[str, ...] = (),
    errors: Mapping[str, str] | None = None,
    conditional: bool = True,
    guarded: bool = True,
) -> Schema:
    refusals = {**(_UNAUTHORIZED if guarded else {}), **_MISDIRECTED, **(errors or {})}
    responses = {"200": _json("As asked.", schema), **{status: _json(why, _ref("Error")) for status, why in refusals.items()}}
    if conditional:
        responses["200"]["headers"] = {"ETag": {"schema": _STRING}}
        responses["304"] = {"description": "What the client has is the newest (If-None-Match)."}
    return {
        "summary": summary,
        "security": [{}, {"reader": []}] if guarded else [],
        "responses": responses,
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in parameters],
    }


def _changed(summary: str, status: str, **rest: Any) -> Schema:
    refusals = {"400": "The body makes no sense.", "401": "The admin token is missing or wrong.", "403": "No admin token is set.",
                "404": "What stands in the path can be no symbol.", "422": "The settings refuse it.",
                "413": "The body is too long.", "429": _UNAUTHORIZED["429"], **_MISDIRECTED,
                "500": "The settings file could not be written."}  # fmt: skip
    done = _json("Done: it is in force within two seconds.", _object({"ok": _BOOLEAN, "symbol": _STRING}))
    return {
        "summary": summary,
        "security": [{"admin": []}],
        **rest,
        "responses": {status: done, **{refused: _json(why, _ref("Error")) for refused, why in refusals.items()}},
    }


_UNKNOWN = {"404": "The symbol is not in the settings, or has no price yet."}

_SCHEMAS: Schema = {
    "Error": _object({"error": _object({"code": _STRING, "message": _STRING})}),
    "Quote": _object(
        {"symbol": _STRING, "price": _NUMBER, "received_time": _MS, "seq": {"type": "integer", "minimum": 1}, "source": _STRING,
         "kind": {"enum": ["simulated", "polled", "streamed", "replayed", "relayed"]},
         "state": {"enum": ["fresh", "stale", "closed", "failed"]}},
        {**dict.fromkeys(("bid", "ask", "open", "high", "low", "prev_close", "volume", "change", "change_pct", "delay_min", "ext_price",
                          "ext_change_pct"), _NUMBER),
         "currency": _STRING, "quote_time": _MS, "ext_time": _MS, "origin": _STRING, "hops": {"type": "integer"},
         "session": {"enum": ["pre", "regular", "post", "overnight", "closed"]},
         "halted": {"const": True, "description": "Trading is halted, by the source's own word"}}),
    "Symbol": _object({
        "symbol": _STRING, "name": _maybe(_STRING), "decimals": {"type": ["integer", "null"]}, "group": _list(_STRING),
        "feed": {"type": ["string", "array"], "items": _STRING}, "currency": _maybe(_STRING), "stale_after_s": _NUMBER,
        "status": {"enum": ["pending", "live", "rejected"]}, "error": _maybe(_STRING),
        "volume_of": {"enum": ["session", "day_utc", "24h"], "description": "What the volume of its quotes counts"}}),
    "Feed": _object(
        {"feed": _STRING, "kind": _STRING, "state": {"enum": ["ok", "retrying", "down"]}, "last_success": _maybe(_MS),
         "next_try": _maybe(_MS), "error": _maybe(_STRING)},
        {"interval_s": _NUMBER, "widened": _maybe(_STRING), "unread": _object({"rows": _COUNT, "first": _STRING}), "budget": _list(_object({
            "unit": _STRING, "per": {"enum": ["s", "min", "hour", "day"]}, "most": _COUNT, "used": _COUNT, "left": _COUNT}))}),
    "Reload": _object({"ok": _BOOLEAN, "at": _MS, "error": _maybe(_STRING), "restart_required": _list(_STRING)}),
    "Candle": _object({"time_ms": _MS, **dict.fromkeys(("open", "high", "low", "close"), _NUMBER)},
                      {"volume": {**_NUMBER, "description": "Absent where what the source counts can't tell"}}),
}  # fmt: skip

_PATHS: Schema = {
    "/api/symbols": {
        "get": _get("Every symbol of the settings, and how it stands", _object({"symbols": _list(_ref("Symbol"))})),
        "post": _changed("Add a symbol to the settings", "201", requestBody={"required": True, "content": {"application/json": {
            "schema": {**_object({"symbol": _SYMBOL}, {"feed": _maybe(_STRING)})}}}}),
    },
    "/api/symbols/{symbol}": {
        "delete": _changed("Remove a symbol from the settings", "200", parameters=[{"$ref": "#/components/parameters/symbol"}]),
    },
    "/api/quotes": {
        "get": _get("The newest quotes", _object({"epoch": _STRING, "quotes": _list(_ref("Quote")), "unknown": _list(_STRING)}),
                    parameters=("symbols",)),
    },
    "/api/quotes/{symbol}": {"get": _get("The newest quote of a symbol", _ref("Quote"), parameters=("symbol",), errors=_UNKNOWN)},
    "/api/sparkline": {
        "get": _get("Prices of the last 60 minutes, by symbol", _object({
            "epoch": _STRING, "step_s": {"type": "integer"}, "unknown": _list(_STRING),
            "sparklines": {"type": "object", "additionalProperties": _list({
                **_list(_NUMBER), "minItems": 2, "maxItems": 2, "description": "Epoch ms, price"})}}), parameters=("symbols",)),
    },
    "/api/candles/{symbol}": {
        "get": _get("One-minute candles of the last 60 minutes", _object({
            "symbol": _STRING, "interval_s": _COUNT, "candles": _list(_ref("Candle"))}), parameters=("symbol",), errors=_UNKNOWN),
    },
    "/api/status": {
        "get": _get("How the relay is", _object({
            "version": _STRING, "epoch": _STRING, "uptime_s": _NUMBER, "clients": {"type": "integer"}, "feeds": _list(_ref("Feed")),
            "last_reload": _ref("Reload")}), conditional=False),
    },
    "/healthz": {"get": _get("200 while the process serves", _object({"ok": _BOOLEAN}), conditional=False, guarded=False)},
    "/readyz": {"get": _get("Whether there is anything to offer", _ref("Ready"), conditional=False, guarded=False)},
    "/metrics": {
        "get": {
            "summary": "What the relay counts about itself, for Prometheus",
            "responses": {
                "200": {"description": "Metrics.", "content": {media: {"schema": _STRING} for media in
                                                               ("text/plain", "application/openmetrics-text")}},
                "401": _json("A token is needed (server.auth), unless server.metrics is public.", _ref("Error")),
                "421": _json(_MISDIRECTED["421"], _ref("Error")),
                "403": _json("For this machine only, as server.metrics says; or the token is for some symbols only.", _ref("Error")),
                "429": _json(_UNAUTHORIZED["429"], _ref("Error")),
            },
        },
    },
    "/openapi.json": {"get": _get("This document", _object({"openapi": _STRING, "paths": {"type": "object"}}), guarded=False)},
}  # fmt: skip
_SCHEMAS["Ready"] = _object({"ready": _BOOLEAN, "reason": _maybe(_STRING)})
_PATHS["/readyz"]["get"]["responses"]["503"] = _json("No quotes yet, or every feed is down.", _ref("Ready"))

DOCUMENT: Schema = {
    "openapi": "3.1.0",
    "info": {
        "title": "tickercast",
        "version": __version__,
        "license": {"name": "MIT", "identifier": "MIT"},
        "description": "The HTTP part of a live ticker. Prices in motion come over Socket.IO: docs/protocol.md.",
    },
    "servers": [{"url": "."}],  # where the document lies, which may be below a path
    "paths": _PATHS,
    "components": {
        "schemas": _SCHEMAS,
        "parameters": {
            "symbol": {
                "name": "symbol",
                "in": "path",
                "required": True,
                "schema": _SYMBOL,
                "description": "Percent-decoded once; a slash in it may be sent as it is.",
            },
            "symbols": {
                "name": "symbols",
                "in": "query",
                "schema": _STRING,
                "description": "Symbols, separated by commas; without it, all. A plus sign is a plus sign.",
            },
        },
        "securitySchemes": {
            "reader": {"type": "http", "scheme": "bearer", "description": "Where server.auth asks for one."},
            "admin": {"type": "http", "scheme": "bearer", "description": "TICKERCAST_SERVER__ADMIN_TOKEN"},
        },
    },
}
