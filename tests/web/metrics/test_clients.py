"""What a scrape says of clients: against what real clients were sent, and how their connections ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.raw import RawPolling, RawSocket
from tests.web.metrics.reading import Scrape, scrape, total, value
from tests.web.relaying import Relaying, relaying
from web.fanout.close_reasons import CloseReason
from web.refusals import Reason


@pytest.fixture
def running() -> Iterator[Relaying]:
    """A server with one price."""
    with relaying(["ACME"], {"ACME": 1.0}) as core:
        core.wait("ACME")
        yield core


@contextmanager
def websocket(running: Relaying) -> Iterator[RawSocket]:
    """A client that reads ACME."""
    client = RawSocket(running.address)
    try:
        client.join("/ACME")
        yield client
    finally:
        client.close()


def until(running: Relaying, name: str, wanted: float, **labels: str) -> Scrape:
    """Scrape until that series has the value."""
    with running.server.engine.runtime.deadline(20):
        while value(scraped := scrape(running.http), name, **labels) != wanted:
            running.server.engine.runtime.sleep(0.01)
    return scraped


def test_what_was_sent(running: Relaying) -> None:
    """Clients by transport, joins, and every quote that a client saw."""
    with websocket(running) as client:
        polling = RawPolling(running.address)
        polling.post("40/ACME,")
        seen = [client.quote("ACME")["seq"]]
        polling.wait("42/ACME,")
        for price in (2.0, 3.0):
            running.prices["ACME"] = price
            seen.append(client.quote("ACME")["seq"])
            polling.wait("42/ACME,")
        scraped = scrape(running.http)
        assert seen == [1, 2, 3]
        assert [value(scraped, "clients", transport=transport) for transport in ("websocket", "polling")] == [1, 1]
        assert (value(scraped, "connections_opened_total"), value(scraped, "joins_total")) == (2, 2)
        assert value(scraped, "updates_delivered_total") == 6
        assert value(scraped, "updates_total") - value(scraped, "updates_folded_total") == value(scraped, "flushes_total") == 3
        assert value(scraped, "sent_bytes_total") > 6 * 100
        for name in ("flush_seconds_count", "age_at_send_seconds_count"):
            assert value(scraped, name) == 3


def test_who_waits(running: Relaying) -> None:
    """Is a client like any other, and counted apart until it joins."""
    with websocket(running):
        late = RawSocket(running.address)
        scraped = until(running, "clients_waiting", 1)
        assert value(scraped, "clients", transport="websocket") == 2
        late.join("/ACME")
        until(running, "clients_waiting", 0)
        assert running.http.get("/api/status").get_json()["clients"] == 2
        late.close()


def test_every_end_has_a_reason(running: Relaying) -> None:
    """What was opened is there, or has ended for one of the reasons; the reasons are all listed from the start."""
    fresh = scrape(running.http)
    listed = {dict(labels)["reason"] for name, labels in fresh if name == "tickercast_connections_closed_total"}
    assert listed == {reason.word for reason in CloseReason}
    with websocket(running) as stays:
        for said in ("nonsense", "1", "42{}"):
            with websocket(running) as client:
                client.send(said)
                client.closing()
        scraped = until(running, "clients", 1, transport="websocket")
        stays.send("2")
    assert value(scraped, "connections_opened_total") == 4
    assert total(scraped, "connections_closed_total") == 3
    assert value(scraped, "connections_closed_total", reason="bad_packet") == 2


def test_refusals(running: Relaying) -> None:
    """Of connections by HTTP status and reason, all of which are listed from the start; of namespaces by code."""
    with pytest.raises(ConnectionRefusedError):
        RawSocket(running.address, "/socket.io/?EIO=3&transport=websocket")
    client = RawSocket(running.address)
    assert client.join("/NOPE").startswith("44")
    scraped = scrape(running.http)
    client.close()
    listed = {dict(labels)["reason"] for name, labels in scraped if name == "tickercast_connects_refused_total"}
    assert listed == {reason.word for reason in Reason}
    assert (
        value(scraped, "connects_refused_total", status="400", reason="unsupported_version")
        == total(scraped, "connects_refused_total")
        == 1
    )
    assert value(scraped, "joins_refused_total", code="unknown_symbol") == 1
