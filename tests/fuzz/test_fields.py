"""Only the price, the symbol and an impossible time can cost a quote, whoever wrote it."""

import pytest

from feeds.registry import kinds
from tests.fuzz.of_feeds import feed_targets
from tests.fuzz.of_fields import ODD, check, samples
from tests.fuzz.test_fuzz import NO_TICKS

WITHOUT_JSON = {"ecb", "http_csv", "yahoo_stream"}
"""What they answer is no JSON, or has it in base64: their own tests have such values."""
MOST_FIELDS = 100
KINDS = sorted(feed_targets().keys() - NO_TICKS - WITHOUT_JSON)


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_that_can_be_left_out_costs_no_price(kind: str) -> None:
    """Whatever stands there: the same prices, and as many."""
    fields = [(sample, path) for sample in samples(kind) for path in sample.optional()]
    assert fields
    for sample, path in fields[:MOST_FIELDS]:
        for value in ODD:
            check(sample, path, value)


def test_every_kind_that_asks_or_listens_is_among_them() -> None:
    """A new one brings its samples, unless it is another by its parser; the simulated and the recorded ones read nothing of anybody's."""
    covered = {*KINDS, *WITHOUT_JSON, "simulated", "replay"}
    assert [kind for kind, feed in kinds().items() if not any(vars(base).get("kind") in covered for base in feed.__mro__)] == []
