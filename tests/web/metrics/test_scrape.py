"""Who may read `/metrics`, and in which formats."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from tests.web.metrics.reading import MACHINE
from tests.web.relaying import Relaying
from web.auth.tokens import TokenVerifier
from web.http.guard import from_this_machine
from web.metrics.families import counter, long_gauges
from web.metrics.scrape import metrics

TOKEN = "correct-horse-battery"


@pytest.mark.parametrize(("environ", "here"), [
    ({"REMOTE_ADDR": "127.0.0.1"}, True), ({"REMOTE_ADDR": "127.8.8.8"}, True), ({"REMOTE_ADDR": "::1"}, True),
    ({"REMOTE_ADDR": "::ffff:127.0.0.1"}, True), ({"REMOTE_ADDR": "::ffff:10.0.0.1"}, False), ({"REMOTE_ADDR": "10.0.0.1"}, False),
    ({"REMOTE_ADDR": "127.0.0.1.evil.example"}, False), ({"REMOTE_ADDR": ""}, False), ({}, False),
])  # fmt: skip
def test_this_machine(environ: dict[str, str], here: bool) -> None:
    """Any address of the loopback, in any spelling, and no other."""
    assert from_this_machine(environ) is here


@pytest.mark.parametrize("trusted", [(), ("127.0.0.1",)])
@pytest.mark.parametrize("header", [{"X-Forwarded-For": "1.2.3.4"}, {"X-Forwarded-For": "127.0.0.1"}, {"Forwarded": "for=127.0.0.1"},
                                    {"X-Real-IP": "127.0.0.1"}, {"Via": "1.1 proxy"}])  # fmt: skip
def test_a_proxy_on_this_machine_is_not_this_machine(header: dict[str, str], trusted: tuple[str, ...]) -> None:
    """What a proxy passes on comes from its address, but not from here, whether it is trusted or not, whatever it says."""
    http = Relaying(["ACME"], {}, trusted_proxies=trusted).http
    assert http.get("/metrics", environ_base=MACHINE, headers=header).status_code == 403
    assert http.get("/metrics", environ_base=MACHINE).status_code == 200


def test_with_tokens_one_is_needed_unless_they_are_public() -> None:
    """`auth` goes for `open` metrics, and for those of this machine too: a page that was led here by its name is on it as well."""
    for access, without in (("open", 401), ("loopback", 401), ("public", 200)):
        http = Relaying(["ACME"], {}, server={"metrics": access}, verifier=TokenVerifier([TOKEN])).http
        assert http.get("/metrics", environ_base=MACHINE).status_code == without
        assert http.get("/metrics", environ_base=MACHINE, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


@pytest.mark.parametrize(
    ("access", "local", "remote"), [("loopback", 200, 403), ("open", 200, 200), ("public", 200, 200), ("off", 404, 404)]
)
def test_access(access: str, local: int, remote: int) -> None:
    """`server.metrics` says who may; who may not is told what to change, and no number."""
    http = Relaying(["ACME"], {}, server={"metrics": access}).http
    assert http.get("/metrics", environ_base=MACHINE).status_code == local
    refused = http.get("/metrics", environ_base={"REMOTE_ADDR": "203.0.113.9"})
    assert refused.status_code == remote
    if remote == 403:
        assert refused.get_json()["error"]["code"] == "loopback_only"
        assert "tickercast_" not in refused.text


def test_both_formats() -> None:
    """Prometheus' own, and OpenMetrics for those who ask for it; each as its own parser wants it, and never out of a cache."""
    http = Relaying(["ACME"], {}).http
    plain = http.get("/metrics", environ_base=MACHINE)
    assert plain.content_type.startswith("text/plain; version=0.0.4")
    assert plain.headers["Cache-Control"] == "no-store"
    asked = {"Accept": "application/openmetrics-text; version=1.0.0, text/plain;q=0.5"}
    other = http.get("/metrics", environ_base=MACHINE, headers=asked)
    assert other.content_type.startswith("application/openmetrics-text")
    parse: Any = text_string_to_metric_families  # it has no types
    assert {family.name for family in parse(other.text)} >= {"tickercast_updates", "tickercast_clients"}


def test_a_long_family_lets_others_breathe() -> None:
    """Thousands of series don't hold up the quotes; and all of them are there."""
    breaths: list[None] = []

    class Many(Collector):
        def collect(self) -> list[Metric]:
            values = {f"S{number}": float(number) for number in range(1000)}
            return [long_gauges("age", "Age.", "symbol", values, lambda: breaths.append(None)), counter("odd", "a\\b\nc", 1)]

    app = Flask("alone")
    app.register_blueprint(metrics([Many()]))
    text = app.test_client().get("/metrics").text
    assert text.count("\ntickercast_age{") == 1000
    assert len(breaths) == 4
    assert "# HELP tickercast_odd_total a\\\\b\\nc\n" in text
