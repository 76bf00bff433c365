"""Of the clients: how many, what they are sent, how much waits for them, and how connections end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from prometheus_client import Metric
from prometheus_client.registry import Collector

from web.fanout.close_reasons import CloseReason
from web.fanout.engine import Engine
from web.metrics.families import counter, counters, gauge, gauges, histograms
from web.refusals import Reason

_A_BREATH = 500  # so many clients are looked at between two pauses for others: about half a millisecond


class ClientsCollector(Collector):
    """Reads the engine. `breathe` lets others run, where there are many clients to look at."""

    def __init__(self, engine: Engine, breathe: Callable[[], None]) -> None:
        self._engine = engine
        self._breathe = breathe

    def collect(self) -> Iterator[Metric]:
        """All families."""
        yield from self._connections()
        yield from self._traffic()
        yield from self._times()

    def _connections(self) -> Iterator[Metric]:
        engine = self._engine
        meters, closes = engine.counters, engine.ledger.closes
        polling = len(engine.polling)
        yield gauges(
            "clients", "Connected clients.", ["transport"], [(["websocket"], len(engine.clients) - polling), (["polling"], polling)]
        )
        yield gauge("clients_waiting", "Those of them that joined nothing yet.", len(engine.pools.waiting))
        yield gauge("clients_limit", "limits.max_clients: more find no place when they join.", engine.limits.max_clients)
        yield counter("connections_opened", "Connections that were let in.", engine.ledger.opened)
        yield counters(
            "connections_closed",
            "Connections that ended, by reason.",
            ["reason"],
            [([reason], closes[reason]) for reason in dict.fromkeys([*(one.word for one in CloseReason), *closes])],
        )
        yield counters(
            "connects_refused",
            "Requests to connect that were refused, by HTTP status and reason.",
            ["status", "reason"],
            [([str(reason.status.value), reason.word], engine.refusals.counts[reason]) for reason in Reason],
        )
        yield counter("joins", "Namespaces joined.", meters.joins)
        yield counters(
            "joins_refused",
            "Namespaces that were refused, by code.",
            ["code"],
            [([code], count) for code, count in sorted({"unknown_symbol": 0, **meters.refused_joins}.items())],
        )

    def _traffic(self) -> Iterator[Metric]:
        engine, flusher = self._engine, self._engine.flusher
        yield counter("updates", "Updates that came to the fan-out.", flusher.updates)
        yield counter("updates_folded", "Updates that a newer one replaced before they were sent to anybody.", flusher.folded)
        yield counter("updates_delivered", "Quotes sent, each client counted.", flusher.delivered)
        yield counter("flushes", "Flushes.", engine.subscriptions.number)
        yield counter("sent_bytes", "Bytes of frames that sockets and polls took.", flusher.bytes_sent)
        yield counter("stalls", "Times that a client's socket turned out to be full.", engine.counters.stalls)
        yield gauge("clients_stalled", "Clients whose socket is full now.", engine.timeouts.stalled)
        sizes = self._queued_bytes()
        yield gauge("queued_bytes", "Bytes that wait for single clients, all added up.", sizes.total())
        yield gauge("queued_bytes_max", "The same of the client that has most.", max(sizes.values(), default=0))

    def _times(self) -> Iterator[Metric]:
        meters = self._engine.counters
        yield histograms(
            "loop_lag_seconds", "How late the fan-out loop was for its own timer, four times a second.", [], [([], meters.lag_s)]
        )
        yield histograms("flush_seconds", "How long a flush took, its pauses for others included.", [], [([], meters.flush_s)])
        yield histograms(
            "age_at_send_seconds", "From received_time to the end of the flush, of one quote a flush.", [], [([], meters.age_s)]
        )

    def _queued_bytes(self) -> Counter[str]:
        """By the id of each client that is owed anything."""
        sizes: Counter[str] = Counter()
        for number, client in enumerate(list(self._engine.clients), 1):
            if size := client.unsent_bytes:
                sizes[client.sid] = size
            if number % _A_BREATH == 0:
                self._breathe()
        return sizes
