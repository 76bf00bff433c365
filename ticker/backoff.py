"""How long to wait after a failure: exponential from the interval, capped, with full jitter. A value: no clock, no state."""

from __future__ import annotations

DOWN_AFTER = 5
"""So many failures running, and a feed (or a feed's answer for one symbol) counts as down."""

CAP_S = 300.0
NOT_RETRYABLE_MIN_S = 30.0
JITTER_OF_RETRY_AFTER = 0.1


def delay_s(failures: int, interval_s: float, draw: float, *, retry_after_s: float | None = None, retryable: bool = True) -> float:
    """Seconds to wait after the last of `failures` ≥ 1 failures running of something that is done each `interval_s`.

    `draw`, uniform in 0 … 1, places the delay between `interval_s` and `interval_s` × 2^failures, but never above 300 s (nor below
    `interval_s`): a failure never leads to a faster retry, and many that failed together do not come back together.
    `retry_after_s` is what the provider asked for: kept, plus up to a tenth. What can't be mended by asking again
    (`retryable` is false: a wrong key, say) waits 30 s at least.
    """
    longest = min(max(CAP_S, interval_s), interval_s * 2.0 ** min(failures, 64))
    delay = interval_s + draw * (longest - interval_s)
    if not retryable:
        delay = max(delay, NOT_RETRYABLE_MIN_S * (1 + draw))
    if retry_after_s is not None:
        delay = max(delay, retry_after_s * (1 + JITTER_OF_RETRY_AFTER * draw))
    return delay
