"""What `--log-level debug` says of polls: a line for each decision, and nothing otherwise."""

import pytest

from tests.ticker.polling.pollers import Bench, names
from tests.ticker.polling.test_poller_budget import TEN
from tests.ticker.polling.test_poller_budget import Bench as MeteredBench
from tests.ticker.stepped import subscriptions
from ticker.errors import FeedError
from ticker.polling.bad_symbols import RETRY_S


@pytest.fixture(autouse=True)
def debug(caplog: pytest.LogCaptureFixture) -> None:
    """The level."""
    caplog.set_level("DEBUG")


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was said of the feed since this was last asked."""
    found = [record.getMessage().removeprefix("feed feed: ") for record in caplog.records]
    caplog.clear()
    return found


def test_a_poll_says_whom_it_asks_for_and_why(caplog: pytest.LogCaptureFixture) -> None:
    """Some by name, and in how many calls; new symbols are asked for at once. That all goes well needs no line."""
    bench = Bench(*names(7), batch_size=4)
    bench.run_now()
    assert lines(caplog) == ["polls S0, S1, S2, S3, S4 and 2 more (calls: 2): its interval is up"]
    bench.poller.run_for(bench.poller.want(subscriptions("NEW")))
    assert lines(caplog) == ["polls NEW (calls: 1): new, or asked for more often from now on"]


def test_a_poll_that_fails_says_when_it_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    """At each failure, of which only the first is a warning; and what comes too early is left out."""
    bench = Bench("A")
    bench.fails(FeedError("HTTP 502"))
    bench.run_now()
    next_s = bench.retries[-1]
    failed = [f"HTTP 502; next try in {next_s:.1f} s"]
    assert lines(caplog) == ["polls A (calls: 1): its interval is up", "calls answered: 0, failed: 1", *failed]
    bench.run_now()
    assert lines(caplog) == [f"no poll for another {next_s:.1f} s: it is to be left alone"]
    bench.run()
    still = [f"still HTTP 502; next try in {bench.retries[-1]:.1f} s"]
    assert lines(caplog) == ["polls A (calls: 1): another try after a failure", "calls answered: 0, failed: 1", *still]


def test_what_was_rejected_is_retried(caplog: pytest.LogCaptureFixture) -> None:
    """And named."""
    bench = Bench("A", "B", batch_size=1)
    bench.source.rejects("B")
    bench.run_now()
    bench.time.pass_s(RETRY_S)
    lines(caplog)
    bench.run_now()
    assert lines(caplog)[0] == "asks again for B, rejected before"


def test_limits_are_seen_at_work(caplog: pytest.LogCaptureFixture) -> None:
    """An interval that grows, a call that waits for room."""
    bench = MeteredBench(60, TEN)
    why = "60 symbols every 2 s are more than 10 calls a second allow"
    assert f"6 s from poll to poll: {why}" in lines(caplog)
    bench.poller.run_for(subscriptions(*names(11)))
    assert [line for line in lines(caplog) if line.startswith("waits")] == ["waits 1 s for room in the provider's limits"]
