"""Tasks that really take turns, in time that passes only when all of them wait: an hour of a stream's life in a moment."""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from greenlet import GreenletExit, getcurrent, greenlet

from tests.ticker.stepped import START_MS, AtOnce, ScriptedSource
from ticker.errors import FeedError
from ticker.quote import Kind, Tick, VolumeOf
from ticker.rate_limit import Cost, Demand, Gate
from ticker.settings.model import FeedSettings
from ticker.source import Answer, Ended, Silence, Subscription, Unread


class VirtualTime:
    """Clock and runtime in one. `run_s` lets tasks run for so many seconds of theirs."""

    def __init__(self) -> None:
        self.passed_s = 0.0
        self._tasks: list[tuple[float, int, greenlet, object]] = []
        self._numbers = itertools.count()
        self._tokens: dict[greenlet, object] = {}
        self.raised: list[Exception] = []

    def now_ms(self) -> int:
        """Epoch ms."""
        return START_MS + round(self.passed_s * 1000)

    def monotonic(self) -> float:
        """Seconds since the test began."""
        return self.passed_s

    def spawn(self, work: Callable[..., Any], *args: Any) -> VirtualTask:
        """A task; what it raises is kept in `raised`."""
        task = greenlet(self._guarded(work, args), parent=self._scheduler())
        self._due(task, self.passed_s)
        return VirtualTask(task)

    def sleep(self, seconds: float) -> None:
        """Let others run."""
        assert seconds >= 0
        self.wait(seconds)

    def wait(self, seconds: float) -> None:
        """Sleep, or until `wake`."""
        self._due(getcurrent(), self.passed_s + seconds)
        self._scheduler().switch()

    def wake(self, task: greenlet) -> None:
        """Let a task that waits go on now."""
        self._due(task, self.passed_s)

    def aside(self, what: str) -> AtOnce:
        """What is done beside is done at once."""
        return AtOnce()

    @contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        """No test of streams needs one to strike."""
        yield

    def run_s(self, seconds: float) -> None:
        """Let `seconds` pass."""
        until_s = self.passed_s + seconds
        while self._tasks and self._tasks[0][0] <= until_s:
            due_s, _, task, token = heapq.heappop(self._tasks)
            if self._tokens.get(task) is not token or task.dead:
                continue
            self.passed_s = max(self.passed_s, due_s)
            task.switch()
        self.passed_s = until_s
        if self.raised:
            raise self.raised[0]

    def _due(self, task: greenlet, at_s: float) -> None:
        token = self._tokens[task] = object()  # an earlier appointment of the task is void
        heapq.heappush(self._tasks, (at_s, next(self._numbers), task, token))

    def _scheduler(self) -> greenlet:
        current = getcurrent()
        while current.parent is not None and current in self._tokens:
            current = current.parent
        return current

    def _guarded(self, work: Callable[..., Any], args: tuple[Any, ...]) -> Callable[[], None]:
        def run() -> None:
            try:
                work(*args)
            except GreenletExit:
                raise
            except Exception as error:
                self.raised.append(error)

        return run


class VirtualTask:
    """A task of `VirtualTime`."""

    def __init__(self, task: greenlet) -> None:
        self._task = task

    def kill(self) -> None:
        """End it."""
        self._task.throw(GreenletExit)


class ScriptedLink:
    """A connection whose other side is the test. `sent` is what we said."""

    def __init__(self, time: VirtualTime) -> None:
        self.sent: list[bytes] = []
        self.pings = 0
        self.closed = False
        self.left_s: float | None = None
        self.ends_when_left = True
        self.answers_pings = True
        self._time = time
        self._waiting: deque[bytes | Ended | None] = deque()
        self._reader: greenlet | None = None

    def say(self, *messages: bytes | Ended | None) -> None:
        """Send messages to us; `None` is bytes that are no message, an `Ended` the end."""
        self._waiting.extend(messages)
        if self._reader is not None:
            self._time.wake(self._reader)

    def send(self, message: bytes) -> None:
        """Remember it."""
        assert not self.closed
        self.sent.append(message)

    def receive(self, timeout_s: float) -> list[bytes] | None:
        """What the test said, or nothing within the time."""
        assert not self.closed
        if not self._waiting:
            self._reader = getcurrent()
            self._time.wait(timeout_s)
            self._reader = None
        received: list[bytes] = []
        if not self._waiting:
            return None
        while self._waiting:
            one = self._waiting[0]
            if isinstance(one, Ended):
                if received:
                    return received
                raise one
            self._waiting.popleft()
            if one is not None:
                received.append(one)
        return received

    def ping(self) -> None:
        """Answered unless told otherwise."""
        self.pings += 1
        if self.answers_pings:
            self.say(None)

    def leave(self) -> None:
        """Remember it; the other side ends the connection, unless told otherwise."""
        self.left_s = self._time.passed_s
        if self.ends_when_left:
            self.say(Ended("we have left", planned=True))

    def close(self) -> None:
        """Remember it."""
        self.closed = True


class ScriptedSession:
    """A protocol of words: `SYMBOL PRICE` is a tick, `beat` a heartbeat, `ack` and `leaving` what they say, `over WHY` the end,
    `unclear SYMBOL` that more is to be known of it.
    """

    def __init__(self, source: ScriptedStream, here: str) -> None:
        self.here = here
        self.silence: Silence | None = source.silence
        self.ready = False
        self.leaving = False
        self.gaps = 0
        self.facts: Mapping[str, Any] = {}
        self._asked: set[str] = set()
        self._unclear: list[str] = []
        self._desired: dict[str, Subscription] = {}

    def want(self, subscriptions: Sequence[Subscription]) -> None:
        """Remember it for `due`."""
        self._desired = {subscription.id: subscription for subscription in subscriptions}

    def receive(self, message: bytes, now_s: float) -> Answer:
        """One word, or two."""
        word, _, rest = message.decode().partition(" ")
        if word == "ack":
            self.ready = True
        elif word == "leaving":
            self.leaving = True
        elif word == "over":
            raise Ended(rest, retryable=rest != "key", planned=rest == "planned", anew=rest == "planned")
        elif word == "gap":
            self.gaps += 1
        elif word == "fact":
            self.facts = {"upstream": [rest]}
        elif word == "unclear":
            self._unclear.append(rest)
        elif word == "bug":
            raise ZeroDivisionError
        elif word in self._desired:
            return {self._desired[word].symbol: Tick(price=float(rest))}
        elif word != "beat":
            raise FeedError("nonsense", payload=message)
        return {}

    def due(self, now_s: float) -> tuple[list[bytes], Answer]:
        """Subscribe to what is new, leave what is gone."""
        added, gone = self._desired.keys() - self._asked, self._asked - self._desired.keys()
        self._asked = set(self._desired)
        return [b"+%b" % one.encode() for one in sorted(added)] + [b"-%b" % one.encode() for one in sorted(gone)], {}

    def next_due_s(self, now_s: float) -> float:
        """Nothing by the clock."""
        return 60.0

    def ask_beside(self) -> Collection[str]:
        """What was said to be unclear, once."""
        unclear, self._unclear = self._unclear, []
        return unclear

    def take_snapshot(self, answer: Answer) -> Answer:
        """As it is."""
        return answer


class VirtualSchedule:
    """What the scheduler does, in virtual time: a run now and at each interval, or when asked for; never two of a name at a time."""

    def __init__(self, time: VirtualTime) -> None:
        self._time = time
        self._intervals_s: dict[str, float] = {}
        self._next_s: dict[str, float] = {}

    def every(self, name: str, interval_s: float, work: Callable[[], None]) -> None:
        """Begin."""
        self._intervals_s[name], self._next_s[name] = interval_s, self._time.passed_s
        self._time.spawn(self._run, name, work)

    def pace(self, name: str, interval_s: float) -> None:
        """Go on at that interval; the next run is no later than it would have been."""
        if name in self._intervals_s:
            self._intervals_s[name] = interval_s
            self._next_s[name] = min(self._next_s[name], self._time.passed_s + interval_s)

    def run_in(self, name: str, delay_s: float) -> None:
        """The next run is then."""
        self._next_s[name] = self._time.passed_s + delay_s

    def remove(self, name: str) -> None:
        """No run follows."""
        self._intervals_s.pop(name, None)

    def _run(self, name: str, work: Callable[[], None]) -> None:
        while name in self._intervals_s:
            wait_s = self._next_s[name] - self._time.passed_s
            if wait_s > 0:
                self._time.sleep(min(wait_s, 1.0))
                continue
            self._next_s[name] = self._time.passed_s + self._intervals_s[name]
            work()


class ScriptedStream:
    """A stream whose connections the test holds in its hands: `links`, oldest first. `refusals` are raised, one a try, before it opens."""

    kind = "scripted_stream"
    quote_kind: Kind = "streamed"
    batch_size: int | None = None

    def __init__(self, time: VirtualTime) -> None:
        self.name = "stream"
        self.settings = FeedSettings(kind="scripted_stream", interval_s=0.5)
        self.snapshots: ScriptedSource | None = None
        self.gate: Gate | None = None
        self.again_in_s: float | None = None
        self.cadence_s = 0.0
        self.volume_of: VolumeOf = "24h"
        self.unread: Unread | None = None
        self.snapshot_every_s = 900.0
        self.longest_s: float | None = None
        self.overlaps = True
        self.silence: Silence | None = None
        self.links: list[ScriptedLink] = []
        self.opened_s: list[float] = []
        self.refusals: list[FeedError] = []
        self.closed = False
        self._time = time

    @property
    def link(self) -> ScriptedLink:
        """The newest connection."""
        return self.links[-1]

    def native_id(self, symbol: str) -> str:
        """The symbol in lower case."""
        return symbol.lower()

    def open(self, subscriptions: Sequence[Subscription]) -> ScriptedLink:
        """A new connection."""
        self.opened_s.append(self._time.passed_s)
        if self.refusals:
            raise self.refusals.pop(0)
        self.links.append(ScriptedLink(self._time))
        return self.link

    def session(self, here: str) -> ScriptedSession:
        """The words."""
        return ScriptedSession(self, here)

    def poll(self, batch: Sequence[Subscription]) -> Answer:
        """Nothing: a stream is not asked."""
        return {}

    def cost(self, symbols: int) -> Cost:
        """Nothing."""
        return {}

    def demand(self, symbols: int, interval_s: float) -> Demand:
        """Nothing."""
        return {}

    def close(self) -> None:
        """Remember it."""
        self.closed = True
