"""The row that takes its time: half the load, for as long as there is, so that what grows by little shows."""

from __future__ import annotations

import time
from statistics import linear_regression

from tests.soak.crowd import quantile
from tests.soak.stage import Stage

WARM_UP_S = 60.0
STEP_S = 10.0
MOST_MB_PER_H, MOST_RATIO = 2.0, 1.2


async def lasting(stage: Stage) -> None:
    """Row 40, the second half. Its time falls into six parts: the first and the last are compared."""
    await stage.crowd.shrink(stage.crowd.members[stage.clients // 2 :])
    await stage.crowd.p99_ms(WARM_UP_S)
    descriptors = stage.descriptors
    part = max(1, round(stage.minutes * 60 / STEP_S / 6))
    times_h: list[float] = []
    memory_mb: list[float] = []
    ages_ms: dict[bool, list[float]] = {False: [], True: []}  # by whether they are of the last part
    for step in range(6 * part):
        await stage.crowd.p99_ms(STEP_S)
        times_h.append(time.monotonic() / 3600)
        memory_mb.append(stage.rss_mb)
        if step < part or step >= 5 * part:
            ages_ms[step >= 5 * part] += stage.crowd.ages_ms
    growth = linear_regression(times_h, memory_mb).slope
    first_ms, last_ms = (quantile(ages_ms[last], 0.99) for last in (False, True))
    stage.note(
        "40",
        f"{len(stage.crowd.members)} clients for {stage.minutes:g} minutes: memory",
        f"{growth:+.2f} MB/h, {memory_mb[0]:.1f} MB to {memory_mb[-1]:.1f}",
        f"< {MOST_MB_PER_H:g} MB/h",
        growth < MOST_MB_PER_H,
    )
    stage.note("40", "… descriptors", f"{stage.descriptors - descriptors:+d}", "± 2", abs(stage.descriptors - descriptors) <= 2)
    stage.note(
        "40",
        "… p99 of the last sixth",
        f"{last_ms:.0f} ms, of the first {first_ms:.0f}",
        f"≤ {MOST_RATIO:g} ×",
        last_ms <= MOST_RATIO * first_ms,
    )
    stage.note("40", "… nothing out of order", str(len(stage.crowd.wrong)), "0", not stage.crowd.wrong)
