"""Families of metrics in few words. Every name begins with `tickercast_`; labels are given as pairs of a value and what it counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.samples import Sample

from ticker.counters import Histogram

PREFIX = "tickercast_"
_A_BREATH = 250
"""So many samples of a long family are written between two pauses for others: about a millisecond."""

Rows = Iterable[tuple[Sequence[str], float]]
"""The values of the labels, and the value."""


def gauge(name: str, meaning: str, value: float) -> Metric:
    """What can rise and fall."""
    return GaugeMetricFamily(PREFIX + name, meaning, value=value)


def gauges(name: str, meaning: str, labels: Sequence[str], rows: Rows) -> Metric:
    """The same by labels."""
    family = GaugeMetricFamily(PREFIX + name, meaning, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family


def counter(name: str, meaning: str, value: float) -> Metric:
    """What only rises until the process ends; its samples are called `…_total`."""
    return CounterMetricFamily(PREFIX + name, meaning, value=value)


def counters(name: str, meaning: str, labels: Sequence[str], rows: Rows) -> Metric:
    """The same by labels."""
    family = CounterMetricFamily(PREFIX + name, meaning, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family


def histograms(name: str, meaning: str, labels: Sequence[str], rows: Iterable[tuple[Sequence[str], Histogram]]) -> Metric:
    """How values are spread, by labels."""
    family = HistogramMetricFamily(PREFIX + name, meaning, labels=labels)
    for values, histogram in rows:
        bounds = [*(str(bound) for bound in histogram.bounds), "+Inf"]
        family.add_metric(values, list(zip(bounds, histogram.cumulative(), strict=True)), histogram.sum)
    return family


def long_gauges(name: str, meaning: str, label: str, values: Mapping[str, float], breathe: Callable[[], None]) -> Metric:
    """As `gauges` with one label, for thousands: its samples are made while they are written, with pauses for others."""
    family = GaugeMetricFamily(PREFIX + name, meaning)
    family.samples = _Breathing(PREFIX + name, label, values, breathe)
    return family


class _Breathing(list[Sample]):
    """Samples that come one by one."""

    def __init__(self, name: str, label: str, values: Mapping[str, float], breathe: Callable[[], None]) -> None:
        super().__init__()
        self._name = name
        self._label = label
        self._values = values
        self._breathe = breathe

    def __iter__(self) -> Iterator[Sample]:
        for number, (value_of_label, value) in enumerate(self._values.items(), 1):
            yield Sample(self._name, {self._label: value_of_label}, value)
            if number % _A_BREATH == 0:
                self._breathe()
