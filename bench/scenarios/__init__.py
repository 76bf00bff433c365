"""What is measured; a module a scenario, each with `NAME`, `TITLE` and `run(bench)`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bench.rows import Row
from bench.run import Bench
from bench.scenarios import crowd, joins, latency, matrix, requests, stall, throughput

SCENARIOS: dict[str, tuple[str, Callable[[Bench], Iterator[Row]]]] = {
    module.NAME: (module.TITLE, module.run) for module in (throughput, latency, joins, crowd, stall, requests, matrix)
}
