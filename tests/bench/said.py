"""What the load generator says, as in its C source, with the fields a test cares about."""

from __future__ import annotations

from typing import Any


def machine(**changes: Any) -> dict[str, Any]:
    """The part of every event that spans time: sender saturated on core 0, generator with room on core 1."""
    return {
        "generator_cpu": 0.6,
        "cores": [{"busy": 0.99, "stolen": 0.0}, {"busy": 0.65, "stolen": 0.0}],
        "watched": [{"pid": 1, "cpu": 0.98, "rss_start": 50_000_000, "rss_end": 60_000_000, "rss_peak": 61_000_000},
                    {"pid": 2, "cpu": 0.02, "rss_start": 1, "rss_end": 1, "rss_peak": 1}],
        "tcp_memory_start": 0, "tcp_memory_end": 4096, "live": 500, "closed": 0, "reasons": {},
    } | changes  # fmt: skip


def joined(**changes: Any) -> dict[str, Any]:
    """500 clients with 20 namespaces each."""
    return {"event": "joined", "timed_out": False, "clients": 500, "joins": 10_000, "refused": 0, "open_s": 0.25, "join_s": 0.5,
            **machine()} | changes  # fmt: skip


def window(updates_per_s: float = 1e6, p99_ms: float = 5.0, **changes: Any) -> dict[str, Any]:
    """A window of 2 s."""
    age = {"samples": 1000, "p50": 1.0, "p95": 2.0, "p99": p99_ms, "max": 9.0, "negative": 0, "unstamped": 0}
    return {"event": "window", "seconds": 2.0, "updates": int(updates_per_s * 2), "updates_per_s": updates_per_s,
            "bytes_per_s": updates_per_s * 320, "object_bytes": 300.0, "age_ms": age, "least": 10, "most": 12, "starved": 0, "gaps": 0,
            "backwards": 0, "repeated": 0, "gone": 0, "protocol_errors": 0, **machine()} | changes  # fmt: skip
