"""Budgets in the settings: what a provider documents is the default and the most, and what does not fit is said before it happens."""

import pytest
from pydantic import Field

from tests.ticker.settings.kinds import HttpSettings, WalkSettings
from ticker.errors import SettingsError
from ticker.rate_limit import Demand, Rate
from ticker.settings.load import FeedKind, Loaded, parse
from ticker.settings.model import BudgetSettings


class ShopBudget(BudgetSettings):
    """Ten calls a second, or 1,000 of weight a minute."""

    calls_per_s: int = Field(10, ge=1, le=10, description="calls")
    weight_per_min: int = Field(1000, ge=2, le=1000, description="weight")


class ShopSettings(HttpSettings):
    """A provider with limits."""

    budget: ShopBudget = Field(ShopBudget(), description="limits")


def demand(symbols: int, interval_s: float) -> Demand:
    """A call a symbol."""
    return {"calls": symbols / interval_s, "weight": 2 * symbols / interval_s}


KINDS = {"shop": FeedKind(ShopSettings, demand=demand), "walk": FeedKind(WalkSettings)}


def load(symbols: int, *feeds: str, **environ: str) -> Loaded:
    """Settings with these feeds, and so many symbols for the first of them."""
    tables = "".join(f'[feeds.{name}]\nkind = "shop"\n{keys}\n' for name, _, keys in (feed.partition(" ") for feed in feeds))
    lines = "".join(f"S{number} = {{ feed = {[feed.partition(' ')[0] for feed in feeds]} }}\n" for number in range(symbols))
    return parse(f"{tables}[symbols]\n{lines}".encode(), KINDS, environ)


def said(loaded: Loaded) -> list[str]:
    """The warnings."""
    return [str(problem) for problem in loaded.warnings]


def test_the_documented_limits_are_the_default() -> None:
    """In the order of the keys."""
    assert ShopBudget().rates() == [Rate("calls", 10, "s"), Rate("weight", 1000, "min")]
    assert BudgetSettings().rates() == []
    assert BudgetSettings(calls_per_day=25).rates() == [Rate("calls", 25, "day")]


def test_limits_can_be_lowered_and_added() -> None:
    """In the file or from the environment."""
    (feed,) = load(1, "a budget = { calls_per_s = 2, calls_per_day = 500 }").settings.feeds.values()
    assert isinstance(feed, ShopSettings)
    assert feed.budget.rates() == [Rate("calls", 2, "s"), Rate("calls", 500, "day"), Rate("weight", 1000, "min")]
    (feed,) = load(1, "a", TICKERCAST_FEEDS__A__BUDGET='{"weight_per_min": 100}').settings.feeds.values()
    assert isinstance(feed, ShopSettings)
    assert feed.budget.weight_per_min == 100


@pytest.mark.parametrize(
    ("budget", "complaint"),
    [
        ("{ calls_per_s = 11 }", "feeds.a.budget.calls_per_s: must be a whole number from 1 to 10 (is 11)"),
        ("{ calls_per_s = 0 }", "feeds.a.budget.calls_per_s: must be a whole number from 1 to 10 (is 0)"),
        ("{ weight_per_min = 1 }", "feeds.a.budget.weight_per_min: must be a whole number from 2 to 1000 (is 1)"),
        ("{ weigth_per_min = 9 }", "feeds.a.budget.weigth_per_min: unknown key; did you mean weight_per_min?"),
        ("10", "feeds.a.budget: must be a table (is 10)"),
    ],
)
def test_limits_can_not_be_raised(budget: str, complaint: str) -> None:
    """What the provider allows is not for us to say; the error names the key and the bounds."""
    with pytest.raises(SettingsError) as refused:
        load(1, f"a budget = {budget}")
    assert [str(problem) for problem in refused.value.problems] == [complaint]


def test_a_budget_has_windows_that_exist() -> None:
    """A key of another form is a mistake in our code."""
    with pytest.raises(TypeError, match="calls_per_week is not called UNIT_per_WINDOW"):
        type("Odd", (BudgetSettings,), {"__annotations__": {"calls_per_week": "int"}, "calls_per_week": 1})


def test_what_does_not_fit_is_warned_of() -> None:
    """With the interval that it will be; what fits is fine."""
    (warning,) = said(load(20, "a interval_s = 2.0"))
    assert warning == (
        "feeds.a.interval_s: 20 symbols can't be polled so often with 1000 weight a minute; it will be every 2.4 s (is 2.0); make it longer"
    )
    assert said(load(20, "a interval_s = 3.0")) == []
    assert said(load(1, "a interval_s = 1.0\nbudget = { calls_per_min = 10 }")) == [
        "feeds.a.interval_s: 1 symbol can't be polled so often with 10 calls a minute; it will be every 6 s (is 1.0); make it longer"
    ]


def test_feeds_of_one_account_are_counted_together() -> None:
    """By server and key: another server has its own limits."""
    here, there = "base_url = 'http://here'", "base_url = 'http://there'"
    assert len(said(load(10, f"a interval_s = 2.0\n{here}", f"b interval_s = 2.0\n{there}"))) == 0
    warnings = said(load(10, f"a interval_s = 2.0\n{here}", f"b interval_s = 2.0\n{here}"))
    assert len(warnings) == 2
    assert "with 1000 weight a minute, shared by 2 feeds; it will be every 2.4 s" in warnings[0]


def test_what_depends_on_watchers_is_not_warned_of() -> None:
    """It may fit most of the time; where it does not, the log says so."""
    assert said(load(1000, "a interval_s = 2.0\ninterest = true")) == []


def test_what_is_idle_is_not_faster() -> None:
    """The error names both."""
    with pytest.raises(SettingsError) as refused:
        load(1, "a interval_s = 5.0\nidle_interval_s = 4.0")
    assert "feeds.a.idle_interval_s: must not be shorter than interval_s, 5 s (is 4.0)" in str(refused.value)
