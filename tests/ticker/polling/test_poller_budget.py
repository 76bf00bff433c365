"""A poller whose provider counts: limits are kept by everything that asks, intervals grow until all fits, and people are told why."""

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ticker.polling.metered import Metered
from tests.ticker.polling.pollers import names
from tests.ticker.stepped import SteppedSchedule, SteppedTime, subscriptions
from ticker.errors import FeedError
from ticker.polling.poller import Poller
from ticker.quote import Tick
from ticker.rate_limit import Accounts, Rate
from ticker.source import Answer, Subscription

TEN = Rate("calls", 10, "s")


class Bench:
    """A poller that is run as the scheduler would: at its planned interval, or when it asked to be."""

    def __init__(
        self,
        symbols: int,
        *rates: Rate,
        interval_s: float = 2.0,
        batch_size: int | None = 1,
        time: SteppedTime | None = None,
        name: str = "feed",
        account: str = "",
    ) -> None:
        self.time = time or SteppedTime()
        self.source = Metered(name, self.time, rates, batch_size, account=account)
        self.delivered: list[Answer] = []
        self.schedule = SteppedSchedule()
        self.retries = self.schedule.retries
        self.paced = 0
        self.poller = Poller(
            self.source,
            interval_s,
            self.time,
            self.time,
            self.schedule,
            random=Random(1),
            deliver=self.delivered.append,
            changed=lambda: None,
            paced=self.count_paced,
        )
        self.poller.want(subscriptions(*names(symbols)))

    def count_paced(self) -> None:
        """Take note."""
        self.paced += 1

    def run(self) -> list[list[str]]:
        """The next round; returns what was asked."""
        before = len(self.source.batches)
        began_s = self.time.monotonic()
        self.retries.clear()
        self.poller.run()
        next_s = self.retries[-1] if self.retries else max(0.0, began_s + self.poller.planned_s - self.time.monotonic())
        self.time.pass_s(next_s)
        return self.source.batches[before:]


def test_what_fits_is_polled_as_the_settings_say(caplog: pytest.LogCaptureFixture) -> None:
    """Twenty symbols at 2 s are ten calls a second."""
    bench = Bench(20, TEN)
    assert [len(bench.run()) for _ in range(3)] == [20, 20, 20]
    assert (bench.poller.planned_s, bench.poller.wire_state().interval_s, bench.poller.wire_state().widened) == (2.0, 2.0, None)
    assert bench.source.exceeded() == []
    assert caplog.text == ""


def test_the_interval_grows_until_all_fits(caplog: pytest.LogCaptureFixture) -> None:
    """Evenly: no round is cut short, no call comes too early; said once, and shown always."""
    bench = Bench(60, TEN)
    for _ in range(3):
        assert [batch[0] for batch in bench.run()] == names(60)
    assert bench.poller.planned_s == pytest.approx(6.0)
    gaps = [later - earlier for earlier, later in zip(bench.source.asked_at_s, bench.source.asked_at_s[1:], strict=False)]
    assert all(0.09 <= gap <= 0.2 for gap in gaps)
    state = bench.poller.wire_state()
    assert state.interval_s == pytest.approx(6.0)
    assert state.widened == "60 symbols every 2 s are more than 10 calls a second allow"
    assert caplog.text.count("polls every 6 s: 60 symbols every 2 s are more than 10 calls a second allow") == 1
    assert bench.source.exceeded() == []
    assert bench.poller.intervals_s(strict=lambda symbol: True) == pytest.approx(dict.fromkeys(names(60), 6.0))


def test_the_interval_shrinks_again(caplog: pytest.LogCaptureFixture) -> None:
    """When symbols leave; each change is said, and told to those who measure silence."""
    caplog.set_level("INFO")
    bench = Bench(60, TEN)
    bench.run()
    told = bench.paced
    bench.poller.want(subscriptions(*names(40)))
    assert bench.poller.planned_s == pytest.approx(4.0)
    assert bench.paced == told + 1
    bench.poller.want(subscriptions(*names(5)))
    assert bench.poller.wire_state().widened is None
    assert [len(bench.run()) for _ in range(3)] == [5, 5, 5]
    assert [line.message.partition(": ")[2] for line in caplog.records] == [
        "polls every 6 s: 60 symbols every 2 s are more than 10 calls a second allow",
        "polls every 4 s: 40 symbols every 2 s are more than 10 calls a second allow",
        "polls every 2 s again",
    ]


def test_feeds_of_one_account_grow_together() -> None:
    """Neither alone is too much."""
    time = SteppedTime()
    one, two = (Bench(15, TEN, time=time, name=name, account="same") for name in ("one", "two"))
    Accounts().share({"one": one.source.its_gate, "two": two.source.its_gate})
    for bench in (one, two):
        bench.poller.want(subscriptions(*names(15)))
    for bench in (one, two):
        bench.poller.run()
    assert one.poller.planned_s == two.poller.planned_s == pytest.approx(3.0)
    assert one.poller.wire_state().widened == "15 symbols every 2 s are more than 10 calls a second allow together with other feeds"


def test_a_batch_is_never_larger_than_the_limits() -> None:
    """Eight credits a minute: eight symbols a call, whatever a call could carry."""
    bench = Bench(20, Rate("credits", 8, "min"), batch_size=120)

    def cost(symbols: int) -> dict[str, int]:
        return {"credits": symbols}

    bench.source.cost = cost  # type: ignore[method-assign]
    assert bench.poller._rounds.batch_size == 8


def test_the_search_for_bad_symbols_keeps_to_the_limits() -> None:
    """It goes on over several seconds; in the end all good ones have their price, and the round that follows is whole."""
    bench = Bench(100, TEN, batch_size=100, interval_s=10.0)
    bench.source.rejects("S3", "S50", "S99")
    bench.run()
    priced = {symbol for answer in bench.delivered for symbol, news in answer.items() if isinstance(news, Tick)}
    assert priced == set(names(100)) - {"S3", "S50", "S99"}
    assert bench.source.exceeded() == []
    assert bench.source.asked_at_s[-1] > 1.0
    assert len(bench.run()) == 1


def test_new_symbols_keep_to_the_limits() -> None:
    """Polled at once, as fast as there is room."""
    bench = Bench(10, TEN, interval_s=60.0)
    bench.run()
    bench.poller.run_for(bench.poller.want(subscriptions(*names(40))))
    assert len(bench.source.batches) == 40
    assert bench.source.exceeded() == []


def test_spent_limits_are_waited_out_and_are_no_failure() -> None:
    """A day's calls are gone: nobody is asked, the feed says so, and goes on where it stopped."""
    bench = Bench(10, Rate("calls", 25, "day"), interval_s=60.0)
    bench.source.its_gate.budget.stretch = lambda: 1.0  # type: ignore[method-assign] # as if others had spent it
    assert [len(bench.run()) for _ in range(2)] == [10, 10]
    assert [batch[0] for batch in bench.run()] == names(5)
    assert (bench.poller.feed_state.state, bench.poller.feed_state.error) == ("ok", None)
    assert bench.retries[-1] > 80_000
    bench.time.passed_s -= 100
    assert bench.run() == []
    assert [batch[0] for batch in bench.run()][:6] == ["S5", "S6", "S7", "S8", "S9", "S0"]
    assert bench.source.exceeded() == []


def test_a_feed_that_may_not_ask_says_so() -> None:
    """Where a round can't even begin."""
    bench = Bench(3, TEN)
    bench.source.its_gate.pause(500.0)
    assert bench.run() == []
    states = [(bench.poller.feed_state.state, bench.poller.feed_state.error)]
    assert len(bench.run()) == 3
    states.append((bench.poller.feed_state.state, bench.poller.feed_state.error))
    assert states == [("retrying", "the provider's limits allow no call for 500 s"), ("ok", None)]


def test_a_ban_stops_all_who_share_the_account() -> None:
    """For as long as it says: two days, here; and a new source for the same account is no way around it."""
    time = SteppedTime()
    one, two = (Bench(1, TEN, time=time, name=name, account="same") for name in ("one", "two"))
    accounts = Accounts()
    accounts.share({"one": one.source.its_gate, "two": two.source.its_gate})

    def banned(batch: Sequence[Subscription]) -> Answer:
        raise FeedError("HTTP 418 Banned", retry_after_s=172_800.0)

    one.source.answer = banned
    one.poller.run()
    assert one.retries[-1] >= 172_800
    two.poller.run()
    assert two.source.batches == []
    assert two.retries[-1] == pytest.approx(172_800)
    fresh = Bench(1, TEN, time=time, name="fresh", account="same")
    accounts.share({"fresh": fresh.source.its_gate})
    fresh.poller.run()
    fresh.poller.run_for(subscriptions("S0"))
    assert fresh.source.batches == []
    time.pass_s(172_801)
    fresh.poller.run()
    assert len(fresh.source.batches) == 1


def test_a_429_never_leads_to_a_faster_retry() -> None:
    """However short a wait it asks for: not before the interval in force is over."""
    bench = Bench(60, TEN)

    def refused(batch: Sequence[Subscription]) -> Answer:
        raise FeedError("HTTP 429", retry_after_s=1.0)

    bench.source.answer = refused
    for _ in range(4):
        bench.poller.run()
        assert bench.retries[-1] >= 6.0
        bench.time.pass_s(bench.retries[-1])


def test_slow_calls_stretch_what_counts_as_silence_unless_a_limit_was_named() -> None:
    """Ten calls of a second each take ten seconds, whatever the interval says."""
    bench = Bench(10)
    bench.source.takes_s = 1.0
    bench.run()
    bench.run()
    assert bench.poller.planned_s == 2.0
    assert bench.poller.wire_state().widened == "10 symbols every 2 s take 10 s"
    assert bench.poller.intervals_s(strict="S1".__eq__) == {symbol: 2.0 if symbol == "S1" else 10.0 for symbol in names(10)}
    bench.source.takes_s = 0.0
    bench.run()
    bench.run()
    assert bench.poller.wire_state().widened is None


def test_slow_symbols_and_those_that_hurry() -> None:
    """Unwatched ones in turn; one that is watched again is polled at once, if it was not just now, and is measured so from then on."""
    bench = Bench(10, TEN, interval_s=2.0)
    bench.run()
    bench.poller.slow(dict.fromkeys(names(10)[5:], 20.0))
    assert bench.poller.intervals_s(strict=lambda symbol: True)["S9"] == 20.0
    rounds = [sorted(batch[0] for batch in bench.run()) for _ in range(10)]
    assert all(len(asked) in {5, 6} for asked in rounds)
    assert {symbol for asked in rounds for symbol in asked} == set(names(10))
    bench.time.pass_s(2.0)
    faster = bench.poller.slow(dict.fromkeys(names(9)[5:], 20.0))
    assert [subscription.symbol for subscription in faster] == ["S9"]
    assert bench.poller.intervals_s(strict=lambda symbol: True)["S9"] == 20.0
    bench.poller.run_for(faster)
    assert bench.source.batches[-1] == ["S9"]
    assert bench.poller.intervals_s(strict=lambda symbol: True)["S9"] == 2.0
    bench.poller.slow({"S9": 20.0})
    assert bench.poller.slow({}) == []  # asked for a moment ago


def test_watched_symbols_are_not_slowed_down_by_those_nobody_watches() -> None:
    """200 symbols at ten calls a second: 20 s all; five watched and the rest slower still: as the settings say."""
    bench = Bench(200, TEN)
    assert bench.poller.planned_s == pytest.approx(20.0)
    bench.poller.slow(dict.fromkeys(names(200)[5:], 30.0))
    assert bench.poller.planned_s == 2.0
    for _ in range(60):
        assert [batch[0] for batch in bench.run()][:5] == names(5)
    assert bench.source.exceeded() == []
    asked = {symbol for batch in bench.source.batches for symbol in batch}
    assert asked == set(names(200))


@given(st.integers(1, 40), st.sampled_from([1, 3, None]), st.sampled_from([0.1, 1.0, 5.0]), st.sampled_from([0.0, 0.05, 0.7]),
       st.lists(st.sampled_from([Rate("calls", 3, "s"), Rate("calls", 10, "s"), Rate("calls", 40, "min"), Rate("calls", 500, "day")]),
                min_size=1, max_size=3, unique=True),
       st.sets(st.integers(0, 39), max_size=3), st.sets(st.integers(1, 40), max_size=6), st.sets(st.integers(0, 39)))  # fmt: skip
def test_whatever_is_asked_the_limits_are_kept(
    count: int,
    batch_size: int | None,
    interval_s: float,
    takes_s: float,
    rates: list[Rate],
    unknown: set[int],
    failing: set[int],
    slow: set[int],
) -> None:
    """Any limits, batches, bad symbols and failures, some symbols slow: no limit is ever exceeded, and nobody is forgotten."""
    bench = Bench(count, *rates, interval_s=interval_s, batch_size=batch_size)
    bench.source.takes_s = takes_s
    bench.source.rejects(*(f"S{number}" for number in unknown))
    refuse, calls = bench.source.answer, 0

    def answer(batch: Sequence[Subscription]) -> Answer:
        nonlocal calls
        calls += 1
        if calls in failing:
            raise FeedError("HTTP 500", retry_after_s=2.0 if calls % 2 else None)
        return refuse(batch)

    bench.source.answer = answer
    bench.run()
    bench.poller.slow({f"S{number}": 4 * interval_s for number in slow})
    bench.poller.run_for(bench.poller.want(subscriptions(*names(count), "NEW")))
    priced: set[str] = set()
    for _ in range(60):
        bench.run()
        priced |= {symbol for answer in bench.delivered for symbol, news in answer.items() if isinstance(news, Tick)}
        if priced == {*names(count), "NEW"} - {f"S{number}" for number in unknown}:
            break
    assert priced == {*names(count), "NEW"} - {f"S{number}" for number in unknown}
    assert bench.source.exceeded() == []
