"""The page `/metrics` itself: who may read it, and in which of Prometheus' two formats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv6Address, ip_address
from typing import Any, Literal

from flask import Blueprint, Response, request
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from web.proxies import PASSED_ON
from web.rest import error

Access = Literal["open", "loopback"]
_OPEN_METRICS = "application/openmetrics-text"


def metrics(collectors: Iterable[Collector], access: Access) -> Blueprint:
    """The blueprint. `loopback`: only for requests of this machine that no proxy has passed on."""
    blueprint = Blueprint("metrics", __name__)
    registry = CollectorRegistry()  # our own: nothing that a library registers for the whole process shows up
    for collector in collectors:
        registry.register(collector)

    @blueprint.get("/metrics")
    def scrape() -> Response:
        if access == "loopback" and not from_this_machine(request.environ):
            return error(403, "loopback_only", 'metrics are for this machine; server.metrics = "open" lets others read them')
        # Without the versions that a client may name: the library fails on one that is none.
        encode, content_type = choose_encoder(_OPEN_METRICS if _OPEN_METRICS in request.headers.get("Accept", "") else "")
        return Response(encode(registry), content_type=content_type, headers={"Cache-Control": "no-store"})

    return blueprint


def from_this_machine(environ: Mapping[str, Any]) -> bool:
    """Whether the request was made here, and not by a proxy here for somebody else, as far as that proxy says so."""
    if environ.get(PASSED_ON):
        return False
    try:
        address = ip_address(environ.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped.is_loopback
    return address.is_loopback
