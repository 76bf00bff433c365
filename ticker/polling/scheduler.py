"""When feeds are polled: one APScheduler job a feed, each run in a task of its own, or the beats of a loop for what is faster than that.

The only module that knows APScheduler.
"""

from __future__ import annotations

import logging
import math
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from apscheduler.executors.base import BaseExecutor, run_job
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from ticker.runtime import Runtime

log = logging.getLogger(__name__)


class Schedule(Protocol):
    """What a poller asks of the scheduler, under its feed's name."""

    def every(self, name: str, interval_s: float, work: Callable[[], None]) -> None:
        """Run `work` now and then each `interval_s` > 0 seconds; replaces what had this `name`."""

    def pace(self, name: str, interval_s: float) -> None:
        """Change the interval of `name`; its next run is no later than it would have been. Nothing where it was removed."""

    def run_in(self, name: str, delay_s: float) -> None:
        """Let the next run of `name` be in `delay_s` seconds; the interval is counted from there. Nothing where it was removed."""

    def remove(self, name: str) -> None:
        """Run it no more; a run under way goes on."""


class Scheduler:
    """Runs work at intervals, by name. A run that is not over when the next is due is not joined by a second one; what was missed
    (a long run, a machine that slept) is made up for by a single run, however much it was.
    """

    def __init__(self, runtime: Runtime) -> None:
        logging.getLogger("apscheduler").setLevel(logging.WARNING)  # else every run of every job is announced, twice
        self._scheduler: Any = BackgroundScheduler(
            timezone=UTC,  # of a local one, a change to summer time would stall or double the jobs
            executors={"default": _TaskExecutor(runtime)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def start(self) -> None:
        """Begin to run what was and will be added."""
        logging.getLogger("apscheduler.scheduler").addFilter(_is_no_skip)
        self._scheduler.start()

    def stop(self) -> None:
        """Start no further run; those under way are not waited for. Final."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        logging.getLogger("apscheduler.scheduler").removeFilter(_is_no_skip)

    def every(self, name: str, interval_s: float, work: Callable[[], None]) -> None:
        """Run `work` now and then each `interval_s` > 0 seconds; replaces what had this `name`."""
        self._scheduler.add_job(work, _Every(interval_s), id=name, name=name, replace_existing=True, next_run_time=_in(0))

    def pace(self, name: str, interval_s: float) -> None:
        """Change the interval of `name`; its next run is no later than it would have been. Nothing where it was removed."""
        job = self._scheduler.get_job(name)
        if job is not None:
            first = _in(interval_s) if job.next_run_time is None else min(job.next_run_time, _in(interval_s))
            with suppress(JobLookupError):
                self._scheduler.modify_job(name, trigger=_Every(interval_s), next_run_time=first)

    def remove(self, name: str) -> None:
        """Run it no more; a run under way goes on."""
        with suppress(JobLookupError):
            self._scheduler.remove_job(name)

    def run_in(self, name: str, delay_s: float) -> None:
        """Let the next run of `name` be in `delay_s` seconds; the interval is counted from there. Nothing where it was removed."""
        with suppress(JobLookupError):
            self._scheduler.modify_job(name, next_run_time=_in(delay_s))

    def run_all_now(self) -> None:
        """Let the next run of everything be now: after the wall clock was set back, the next runs would be that much too late."""
        for job in self._scheduler.get_jobs():
            self.run_in(job.id, 0)


class Pace:
    """Beats at a steady rate that neither drift nor bunch up, for loops faster than the scheduler: a grid of beats `interval_s` apart from
    `start_s` on, in seconds of one monotonic clock.
    """

    def __init__(self, interval_s: float, start_s: float) -> None:
        self.interval_s = interval_s
        self._due_s = start_s

    def wait_s(self, now_s: float) -> float:
        """How long to wait, after the work of one beat, for the next: 0 if that is due already.

        Late by less than a beat, the next follows at once, so that the mean rate holds. Late by whole beats, those are left out
        and never made up for.
        """
        self._due_s += self.interval_s
        behind_s = now_s - self._due_s
        if behind_s >= self.interval_s:
            self._due_s += math.floor(behind_s / self.interval_s) * self.interval_s
        return max(0.0, self._due_s - now_s)


def _in(delay_s: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=delay_s)


class _Every(IntervalTrigger):  # type: ignore[misc]  # APScheduler has no types
    """The library's interval, but for what was missed: that is stepped over at once, not enumerated tick by tick, which takes
    seconds after a night's sleep at 10 Hz."""

    def __init__(self, interval_s: float) -> None:
        super().__init__(seconds=interval_s, timezone=UTC)

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        if previous_fire_time is None:
            return now
        missed = max(0, (now - previous_fire_time) // self.interval)
        return previous_fire_time + (missed + 1) * self.interval  # type: ignore[no-any-return]


class _TaskExecutor(BaseExecutor):  # type: ignore[misc]  # APScheduler has no types
    """Each run in a task of its own: the library's pool would make the eleventh slow feed wait for the first ten."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__()
        self._runtime = runtime

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
        self._runtime.spawn(self._run, job, run_times)

    def _run(self, job: Any, run_times: list[datetime]) -> None:
        try:
            events = run_job(job, job._jobstore_alias, run_times, self._logger.name)
        except BaseException:
            self._run_job_error(job.id, *sys.exc_info()[1:])
            raise
        self._run_job_success(job.id, events)


def _is_no_skip(record: logging.LogRecord) -> bool:
    """The poller says it when a run took too long, in words that mean something to people; of a single run that is left out, only the debug
    log tells.
    """
    if "maximum number of running instances" not in record.msg:
        return True
    job = record.args[0] if isinstance(record.args, tuple) else None
    log.debug("feed %s: no poll, as the one before is not over", getattr(job, "name", job))
    return False
