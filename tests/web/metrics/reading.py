"""A scrape, read by the parser of those who wrote the format."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import Client

Scrape = Mapping[tuple[str, frozenset[tuple[str, str]]], float]
MACHINE = {"REMOTE_ADDR": "127.0.0.1"}


def read(text: str) -> Scrape:
    """Each sample by its name and labels; one that stands there twice is an error."""
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    scraped = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}
    assert len(scraped) == len(samples)
    return scraped


def scrape(http: Client) -> Scrape:
    """`/metrics`, asked for from this machine."""
    answer = http.get("/metrics", environ_base=MACHINE)
    assert answer.status_code == 200
    return read(answer.text)


def value(scraped: Scrape, name: str, **labels: str) -> float:
    """The value of one series."""
    return scraped[f"tickercast_{name}", frozenset(labels.items())]


def total(scraped: Scrape, name: str) -> float:
    """What all series of that name come to."""
    return sum(value for (of, _), value in scraped.items() if of == f"tickercast_{name}")
