"""The page `/metrics` itself, in one of Prometheus' two formats. Who may read it is `web.http.guard`'s to say."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint, Response, request
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from web.api.route import blueprint, get
from web.http.cache import OPEN_METRICS
from web.http.guard import METRICS


class Scrape:
    """The view."""

    def __init__(self, collectors: Iterable[Collector]) -> None:
        self._registry = CollectorRegistry()  # our own: nothing that a library registers for the whole process shows up
        for collector in collectors:
            self._registry.register(collector)

    @get(
        METRICS,
        "What the server counts about itself, for Prometheus",
        errors={
            401: "A token is needed (server.auth), unless server.metrics is public.",
            403: "For this machine only, as server.metrics says; or the token is for some symbols only.",
        },
        media=("text/plain", OPEN_METRICS),
        is_tagged=False,
        kept_s=1.0,
    )
    def metrics(self) -> Response:
        # Without the versions that a client may name: the library fails on one that is none.
        encode, content_type = choose_encoder(OPEN_METRICS if OPEN_METRICS in request.headers.get("Accept", "") else "")
        return Response(encode(self._registry), content_type=content_type, headers={"Cache-Control": "no-store"})


def metrics(collectors: Iterable[Collector]) -> Blueprint:
    """The blueprint."""
    return blueprint("metrics", Scrape(collectors))
