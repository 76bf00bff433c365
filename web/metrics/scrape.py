"""The page `/metrics` itself, in one of Prometheus' two formats. Who may read it is `web.http.guard`'s to say."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint, Response, request
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from web.http.cache import OPEN_METRICS


def metrics(collectors: Iterable[Collector]) -> Blueprint:
    """The blueprint."""
    blueprint = Blueprint("metrics", __name__)
    registry = CollectorRegistry()  # our own: nothing that a library registers for the whole process shows up
    for collector in collectors:
        registry.register(collector)

    @blueprint.get("/metrics")
    def scrape() -> Response:
        # Without the versions that a client may name: the library fails on one that is none.
        encode, content_type = choose_encoder(OPEN_METRICS if OPEN_METRICS in request.headers.get("Accept", "") else "")
        return Response(encode(registry), content_type=content_type, headers={"Cache-Control": "no-store"})

    return blueprint
