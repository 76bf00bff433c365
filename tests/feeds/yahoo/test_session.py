"""Cookie, consent and crumb against a server that wants all three."""

import threading
import time
from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.http.client import Http, Response
from feeds.http.cookies import Cookies
from feeds.yahoo.session import MAX_PAGES, Crumb, Limit, YahooSession, consent_form
from tests.feeds.support import complaint
from tests.providers.client import RunningProvider
from tests.providers.yahoo import CONSENT, COOKIE, CRUMB
from ticker.runtime import Runtime
from ticker.settings import PolledSettings

GETCRUMB = "/v1/test/getcrumb"
CONSENT_WALK = ["/", "/consent", "/v2/collectConsent", "/v2/collectConsent", "/copyConsent"]


class Clock:
    """A monotonic clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The session's clock."""
    clock = Clock()
    monkeypatch.setattr("feeds.yahoo.session.time.monotonic", clock)
    return clock


def session_with(
    server: RunningProvider, runtime: Runtime, *, pages: Collection[str] | None = None, hosts: Collection[str] = (), timeout_s: float = 5.0
) -> YahooSession:
    """A session that asks `server`, and gets its cookie there too unless told otherwise."""
    settings = PolledSettings.model_validate({"kind": "x", "base_url": server.url, "timeout_s": timeout_s})
    cookies = Cookies()
    http = Http(settings, runtime, {"User-Agent": "Mozilla/5.0"}, cookies)
    return YahooSession(http, cookies, Limit(15), base_url=server.url, pages=list(pages or [server.url + "/"]), hosts=hosts, rest_s=60)


@pytest.fixture
def session(yahoo: RunningProvider, runtime: Runtime) -> YahooSession:
    """A session with nothing in it."""
    return session_with(yahoo, runtime)


def soon() -> float:
    """An end that is far enough away."""
    return time.monotonic() + 10


def test_a_crumb_comes_with_a_cookie_and_is_kept(session: YahooSession, yahoo: RunningProvider) -> None:
    """Two calls, however often it is asked for."""
    assert [session.crumb(soon()) for _ in range(3)] == [Crumb(CRUMB, 1)] * 3
    assert yahoo.paths() == ["/", GETCRUMB]
    assert yahoo.requests()[1]["headers"]["cookie"] == f"A3={COOKIE}"


def test_a_refused_crumb_is_replaced_with_its_cookie(session: YahooSession, yahoo: RunningProvider) -> None:
    """Both, and from scratch; also where Yahoo hands out the same crumb again."""
    first = session.crumb(soon())
    yahoo.set(switches={"crumb": "n3w/cr.mb", "cookie": "d=two"})
    second = session.crumb(soon(), refused=first)
    assert second == Crumb("n3w/cr.mb", 2)
    assert session.crumb(soon(), refused=second) == Crumb("n3w/cr.mb", 3)
    assert session.crumb(soon(), refused=first) == Crumb("n3w/cr.mb", 3)
    assert yahoo.paths() == ["/", GETCRUMB] * 3
    assert [request["headers"].get("cookie") for request in yahoo.requests()[2:4]] == [None, "A3=d=two"]


def test_however_many_ask_at_a_time_one_renews(session: YahooSession, yahoo: RunningProvider) -> None:
    """The others wait for what comes of it; late comers with the old crumb get the new one, too."""
    first = session.crumb(soon())
    yahoo.forget()
    yahoo.fault("slow", path=GETCRUMB, wait_s=0.2)
    got: list[Crumb] = []
    tasks = [threading.Thread(target=lambda: got.append(session.crumb(soon(), refused=first))) for _ in range(20)]
    for task in tasks:
        task.start()
    for task in tasks:
        task.join()
    assert got == [Crumb(CRUMB, 2)] * 20
    assert session.crumb(soon(), refused=first) == Crumb(CRUMB, 2)
    assert yahoo.paths() == ["/", GETCRUMB]


def test_many_share_one_failure_too(session: YahooSession, yahoo: RunningProvider) -> None:
    """Twenty polls that find no session do not try twenty times."""
    yahoo.set(switches={"getcrumb": "Too Many Requests"})
    errors: list[str] = []
    tasks = [threading.Thread(target=lambda: errors.append(str(complaint(lambda: session.crumb(soon()))))) for _ in range(20)]
    for task in tasks:
        task.start()
    for task in tasks:
        task.join()
    assert len(errors) == 20
    assert all("no crumb" in error for error in errors)
    assert yahoo.paths() == ["/", GETCRUMB]


def test_who_waits_for_another_waits_no_longer_than_it_has(session: YahooSession, yahoo: RunningProvider) -> None:
    """Each poll keeps its own end."""
    yahoo.fault("slow", path=GETCRUMB, wait_s=0.5)
    task = threading.Thread(target=lambda: session.crumb(soon()))
    task.start()
    assert "no time left" in str(complaint(lambda: session.crumb(time.monotonic() + 0.05)))
    task.join()
    assert session.crumb(soon()).text == CRUMB


@pytest.mark.parametrize("text", [
    "Too Many Requests", "Edge: Too Many Requests", "", " ", "<html><body>Sorry</body></html>", '{"finance":{}}', "x" * 65, "a b", "ä",
    "a\x00"])  # fmt: skip
def test_what_is_no_crumb_is_never_kept_as_one(session: YahooSession, yahoo: RunningProvider, clock: Clock, text: str) -> None:
    """And asked for again only after a rest, which doubles."""
    yahoo.set(switches={"getcrumb": text})
    for rest_s in (60, 120, 240):
        error = complaint(lambda: session.crumb(clock.now_s + 10))
        assert "getcrumb: no crumb" in str(error)
        assert error.retry_after_s is None
        clock.now_s += rest_s - 1
        asked = len(yahoo.paths())
        assert "no session with Yahoo for now" in str(complaint(lambda: session.crumb(clock.now_s + 10)))
        assert len(yahoo.paths()) == asked
        clock.now_s += 1
    yahoo.set(switches={})
    assert session.crumb(clock.now_s + 10) == Crumb(CRUMB, 1)


@pytest.mark.parametrize("crumb", ["haT3oykhHqZ", "a/b.c&d=e", "#!%;'~|", "x"])
def test_a_crumb_may_hold_what_means_something_elsewhere(session: YahooSession, yahoo: RunningProvider, crumb: str) -> None:
    """It is a word, not an address."""
    yahoo.set(switches={"crumb": crumb})
    assert session.crumb(soon()).text == crumb


@pytest.mark.parametrize("path", ["/", GETCRUMB])
def test_a_limit_says_when_to_come_back_and_the_session_rests_for_twice_as_long(
    session: YahooSession, yahoo: RunningProvider, clock: Clock, path: str
) -> None:
    """So that what needs no session can go on in between."""
    yahoo.fault("status", status=429, body="Edge: Too Many Requests", retry_after="120", path=path, times=1)
    error = complaint(lambda: session.crumb(clock.now_s + 10))
    assert error.retry_after_s == 120
    assert "Edge: Too Many Requests" in str(error)
    clock.now_s += 239
    assert complaint(lambda: session.crumb(clock.now_s + 10)).retry_after_s is None
    clock.now_s += 1
    assert session.crumb(clock.now_s + 10).text == CRUMB


@pytest.mark.parametrize("fault", ["reset", "html", "hang_up", "slow"])
def test_a_crumb_is_asked_for_even_without_a_cookie(yahoo: RunningProvider, runtime: Runtime, fault: str) -> None:
    """What it takes is for Yahoo to say. Here it takes one."""
    session = session_with(yahoo, runtime, timeout_s=0.5)
    yahoo.fault(fault, path="/", times=1)
    assert "Invalid Cookie" in str(complaint(lambda: session.crumb(soon())))


def test_a_page_that_is_blocked_is_replaced_by_the_next(yahoo: RunningProvider, runtime: Runtime) -> None:
    """Ad blockers know the first."""
    session = session_with(yahoo, runtime, pages=["http://127.0.0.1:1/", yahoo.url + "/"])
    assert session.crumb(soon()).text == CRUMB


def test_consent_is_given_once_and_leads_to_a_cookie(session: YahooSession, yahoo: RunningProvider) -> None:
    """The hidden fields go back as they came, with two agreements."""
    yahoo.set(switches={"consent": True})
    assert session.crumb(soon()).text == CRUMB
    requests = yahoo.requests()
    assert [request["path"] for request in requests] == [*CONSENT_WALK, GETCRUMB]
    assert requests[3]["form"] == {
        "namespace": ["yahoo"],
        "csrfToken": ["k9-Tok_en"],
        "sessionId": ["3_cc-session_5f"],
        "originalDoneUrl": ["https://finance.yahoo.com/?a=1&b=2"],
        "agree": ["agree", "agree"],
    }
    assert requests[-1]["headers"]["cookie"] == f"GUCS=AV78X-IQ; A3={COOKIE}"


def test_consent_pages_may_be_on_the_hosts_that_are_named_and_on_no_other(yahoo: RunningProvider, runtime: Runtime) -> None:
    """By name, or by name and port."""
    elsewhere = yahoo.url.replace("127.0.0.1", "localhost")
    yahoo.set(switches={"consent": elsewhere})
    assert "Invalid Cookie" in str(complaint(lambda: session_with(yahoo, runtime).crumb(soon())))
    assert yahoo.paths() == ["/", GETCRUMB]
    for host in ("LocalHost", elsewhere.removeprefix("http://")):
        yahoo.forget()
        yahoo.set(switches={"consent": elsewhere})
        assert session_with(yahoo, runtime, hosts=[host]).crumb(soon()).text == CRUMB
        assert yahoo.paths() == [*CONSENT_WALK, GETCRUMB]


@pytest.mark.parametrize("location", [
    "http://169.254.169.254/", "//localhost/x", "file:///etc/passwd", "http://[::1/", "http://127.0.0.1:1/", "ftp://127.0.0.1/",
    "http://me:secret@{netloc}/", "javascript:alert(1)"])  # fmt: skip
def test_a_redirect_elsewhere_is_not_followed(session: YahooSession, yahoo: RunningProvider, location: str) -> None:
    """What it set is kept, and there the walk ends."""
    yahoo.fault("redirect", path="/", times=1, location=location.format(netloc=yahoo.url.removeprefix("http://")))
    complaint(lambda: session.crumb(soon()))
    assert yahoo.paths() == ["/", GETCRUMB]


def test_pages_that_lead_in_circles_are_left(session: YahooSession, yahoo: RunningProvider) -> None:
    """After ten."""
    yahoo.fault("redirect", location="/")
    assert "in circles" in str(complaint(lambda: session.crumb(soon())))
    assert len(yahoo.paths()) == 2 * MAX_PAGES


def test_a_walk_sends_one_form(session: YahooSession, yahoo: RunningProvider) -> None:
    """A page that asks again and again does not get its way."""
    page = CONSENT.format(token="t", session="s")
    yahoo.fault("status", status=200, body=page, path="/")
    complaint(lambda: session.crumb(soon()))
    assert [request["form"] is not None for request in yahoo.requests()] == [False, True] * 3


@pytest.mark.parametrize("page", [
    b"", b"csrfToken", b"<form><input type=hidden name=other value=1></form>csrfToken", b"<form>csrfToken</form>",
    b"<form></form><input type=hidden name=csrfToken value=1>", b"<form><input type=text name=csrfToken value=1></form>",
    b"x" * 1_048_576 + b"<form><input type=hidden name=csrfToken value=1></form>"])  # fmt: skip
def test_any_other_page_has_no_consent_form(page: bytes) -> None:
    """A hidden `csrfToken` in a form makes one, in the first megabyte."""
    assert consent_form(page) is None


def test_a_consent_form_is_read_however_it_is_written() -> None:
    """Quotes or none, any case, entities, an address of its own, no fields but the token."""
    page = (
        b"<FORM ACTION='/v2/x?a=1&amp;b=2'><INPUT TYPE=HIDDEN VALUE=t&#111;k NAME=csrfToken>"
        b'<input type="hidden" name="reject" value="reject"></FORM>'
    )
    assert consent_form(page) == ("/v2/x?a=1&b=2", (("namespace", "yahoo"), ("csrfToken", "tok"), ("agree", "agree"), ("agree", "agree")))


@given(
    st.text(max_size=200)
    | st.lists(
        st.sampled_from(["<form", ">", "<input ", "type=hidden ", "name=", '"csrfToken"', "value='", "</form", "<!--", "<![", "&#0;"])
    ).map("".join)
)
def test_any_page_is_looked_through(page: str) -> None:
    """Nothing in it raises."""
    form = consent_form(page.encode("utf-8", "surrogatepass"))
    assert form is None or form[1][-1] == ("agree", "agree")


def test_a_limit_doubles_from_two_intervals_to_fifteen_minutes(clock: Clock) -> None:
    """Until something good comes; a wait that Yahoo names counts instead."""
    limit = Limit(15)
    answer = Response("host/path", 429, {}, b"Edge: Too Many Requests")
    assert [limit.reached(answer).retry_after_s for _ in range(7)] == [30, 60, 120, 240, 480, 900, 900]
    assert complaint(limit.check).retry_after_s == 900
    assert limit.reached(answer._replace(headers={"Retry-After": "77"})).retry_after_s == 77
    clock.now_s += 76.5
    assert complaint(limit.check).retry_after_s == 1
    clock.now_s += 0.5
    limit.check()
    limit.good()
    assert limit.reached(answer).retry_after_s == 30
