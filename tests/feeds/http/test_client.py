"""The session of a feed against a real server that does everything wrong."""

import gc
import socket
import ssl
import time
import tracemalloc
from pathlib import Path
from typing import Any, ClassVar

import pytest
import requests
import urllib3.exceptions
from pydantic import SecretStr

from feeds.http.answers import MAX_BODY_BYTES
from feeds.http.client import Http, Response
from feeds.http.cookies import Cookies
from feeds.http.limit_headers import remaining_calls
from tests.feeds.support import complaint
from tests.providers.client import RunningProvider
from ticker import __version__
from ticker.errors import BudgetSpent
from ticker.rate_limit import Gate, Rate
from ticker.runtime import Runtime
from ticker.settings import PolledSettings

TICKER = "/products/BTC-USD/ticker"


def settings(url: str, **keys: Any) -> PolledSettings:
    """Settings of a feed that asks at `url`."""
    return PolledSettings.model_validate({"kind": "x", "base_url": url, **keys})


@pytest.fixture
def http(coinbase: RunningProvider, runtime: Runtime) -> Http:
    """A session with a server that answers."""
    return Http(settings(coinbase.url), runtime)


@pytest.fixture
def hasty(coinbase: RunningProvider, runtime: Runtime) -> Http:
    """A session that waits 0.3 s, for servers that never come to an end."""
    return Http(settings(coinbase.url, timeout_s=0.3), runtime)


def closed_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def test_a_good_answer_comes_whole_and_the_connection_is_kept(http: Http, coinbase: RunningProvider) -> None:
    """Two calls, one connection; the provider learns who we are and gets no cookie, no key, no referrer."""
    answers = [http.get(TICKER) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200]
    assert all(answer.body.startswith(b'{"ask":') for answer in answers)
    assert answers[0].headers["content-type"] == "application/json; charset=utf-8"
    seen = coinbase.requests()
    assert len({request["client_port"] for request in seen}) == 1
    assert seen[0]["headers"].keys() == {"host", "user-agent", "accept-encoding", "accept", "connection"}
    assert seen[0]["headers"]["user-agent"] == f"tickercast/{__version__}"


def test_the_query_is_written_as_the_providers_write_it(kraken: RunningProvider, runtime: Runtime) -> None:
    """Commas stay commas; everything that means something in an address is encoded."""
    Http(settings(kraken.url + "/0/"), runtime).get("/public/Ticker", {"pair": "XBTUSD,ETHUSD", "x": 'a&b=["ä c"]#?'})
    (request,) = kraken.requests()
    assert request["path"] == "/0/public/Ticker"
    assert request["query"] == {"pair": "XBTUSD,ETHUSD", "x": 'a&b=["ä c"]#?'}


@pytest.mark.parametrize("fault", ["empty", "null", "garbage", "html", "nan", "torn", "wrong_type"])
def test_a_whole_answer_is_handed_on_whatever_it_says(http: Http, coinbase: RunningProvider, fault: str) -> None:
    """What is in it is the parser's business."""
    coinbase.fault(fault)
    assert http.get(TICKER).status == 200


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("truncate", "the answer broke off"),
        ("not_gzip", "the answer can't be decompressed"),
        ("huge", "the answer is longer than 8192 KiB"),
        ("bomb", "the answer is longer than 8192 KiB"),
        ("hang_up", "the connection was closed without an answer"),
        ("reset", "the connection was closed without an answer"),
        ("noise", "the connection failed (ConnectionError)"),
        ("slow", "no full answer within 0.3 s"),
        ("drip", "no full answer within 0.3 s"),
        ("drip_headers", "no full answer within 0.3 s"),
    ],
)
def test_a_broken_answer_is_a_feed_error_and_the_session_goes_on(
    hasty: Http, http: Http, coinbase: RunningProvider, fault: str, message: str
) -> None:
    """One short sentence with the address; the next call is good."""
    session = hasty if "within" in message else http
    coinbase.fault(fault)
    error = complaint(lambda: session.get(TICKER))
    assert str(error).startswith(f"127.0.0.1{TICKER}: {message}")
    assert (error.retryable, error.retry_after_s, error.rejects_symbol) == (True, None, False)
    coinbase.heal()
    assert session.get(TICKER).status == 200


def test_a_decompression_bomb_is_never_unpacked(http: Http, coinbase: RunningProvider) -> None:
    """200 MB in 200 KB: what is kept of it stays near the limit."""
    coinbase.fault("bomb")
    tracemalloc.start()
    try:
        error = complaint(lambda: http.get(TICKER))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "longer than" in str(error)
    assert peak < 4 * MAX_BODY_BYTES


@pytest.mark.parametrize(("status", "retryable"), [
    (400, False), (401, False), (403, False), (404, False), (408, True), (410, False), (418, True), (422, False), (425, True), (429, True),
    (451, False), (500, True), (502, True), (503, True), (520, True), (304, True)])  # fmt: skip
def test_a_status_says_whether_to_ask_again(http: Http, coinbase: RunningProvider, status: int, retryable: bool) -> None:
    """What is wrong with our question stays wrong; what is wrong with the provider, or with our pace, passes."""
    coinbase.fault("status", status=status, retry_after="7", body="<b>no</b>" if status != 304 else "")
    error = complaint(lambda: http.get(TICKER))
    assert str(error).startswith(f"127.0.0.1{TICKER}: HTTP {status}")
    assert (error.retryable, error.retry_after_s) == (retryable, 7.0)
    assert error.excerpt == ("<b>no</b>" if status != 304 else "")


def test_a_status_outranks_what_became_of_its_body(http: Http, hasty: Http, coinbase: RunningProvider) -> None:
    """A 429 that drips, and one with 10 MB of text, still say how long to wait."""
    coinbase.fault("status", status=429, retry_after="42", body="x" * 10_000_000)
    assert complaint(lambda: http.get(TICKER)).retry_after_s == 42
    coinbase.fault("status", status=429, retry_after="43", drip_s=0.05)
    error = complaint(lambda: hasty.get(TICKER))
    assert (error.retry_after_s, "HTTP 429 Too Many Requests" in str(error)) == (43, True)
    assert complaint(lambda: hasty.get(TICKER, accept=(429,))).retry_after_s == 43


def test_a_caller_may_read_an_error_itself(http: Http, coinbase: RunningProvider) -> None:
    """Some providers say in the body of a 400 what the status does not."""
    coinbase.fault("status", status=400, body="a symbol")
    answer = http.get(TICKER, accept=(400,))
    assert (answer.status, answer.ok, answer.body) == (400, False, b"a symbol")
    assert not answer.error().retryable


def test_a_poll_of_several_calls_has_one_end(http: Http, coinbase: RunningProvider) -> None:
    """A call that begins after it asks nobody."""
    assert "no time left" in str(complaint(lambda: http.get(TICKER, until_s=0.0)))
    assert coinbase.paths() == []


@pytest.mark.parametrize("location", ["/products/ETH-USD/ticker", "../ETH-USD/ticker", "{url}/products/ETH-USD/ticker"])
def test_a_redirect_on_the_same_host_is_followed(http: Http, coinbase: RunningProvider, location: str) -> None:
    """However it is written."""
    coinbase.fault("redirect", path="/products/BTC-USD", location=location.format(url=coinbase.url))
    assert http.get(TICKER).status == 200
    assert coinbase.paths() == [TICKER, "/products/ETH-USD/ticker"]


@pytest.mark.parametrize("location", [
    "http://localhost:{port}/x", "//localhost/x", "http://127.0.0.1:1/x", "ftp://127.0.0.1:{port}/x", "file:///etc/passwd", "http://[::1/x",
    "http://127.0.0.1:99999/x", "http://169.254.169.254/x", "javascript:alert(1)", "https://127.0.0.1:1/x", "http://127.1:{port}/x",
    "http://2130706433:{port}/x", "http://0x7f000001:{port}/x", "http://0177.0.0.1:{port}/x", "http://[::ffff:127.0.0.1]:{port}/x",
    "http://127.0.0.1.:{port}/x", "http://127.0.0.1:{port}@evil.example/x", "http://evil.example#@127.0.0.1:{port}/x",
    "gopher://127.0.0.1:{port}/x", "data:text/plain,x", "http://0.0.0.0:{port}/x", "ws://127.0.0.1:{port}/x",
    "http://user@127.0.0.1:{port}/x", "http://evil.example\\@127.0.0.1:{port}/x", "http://evil.example:80\\@127.0.0.1:{port}/x"
])  # fmt: skip
def test_a_redirect_elsewhere_is_not_followed(http: Http, coinbase: RunningProvider, location: str) -> None:
    """Nobody but the provider sees our requests, and no answer comes from anywhere else."""
    coinbase.fault("redirect", location=location.format(port=coinbase.url.rpartition(":")[2]))
    error = complaint(lambda: http.get(TICKER))
    assert (error.fault, error.retryable) == ("redirect", True)
    assert coinbase.paths() == [TICKER]


def test_a_question_with_a_body_is_asked_again_only_where_it_arrives_whole(http: Http, coinbase: RunningProvider) -> None:
    """After a 307 it is; after a 302 it would be a GET without what was asked."""
    coinbase.fault("redirect", path="/products/BTC-USD", location="/products/ETH-USD/ticker", status=307)
    assert http.post(TICKER, b'{"a":1}').status == 200
    assert [(request["path"], request["body"]) for request in coinbase.requests()] == [
        (TICKER, '{"a":1}'),
        ("/products/ETH-USD/ticker", '{"a":1}'),
    ]
    coinbase.fault("redirect", path="/products/BTC-USD", location="/products/ETH-USD/ticker")
    assert "something else than what was sent" in str(complaint(lambda: http.post(TICKER, b"{}")))


def test_a_question_with_a_body_is_asked_again_on_a_new_connection(http: Http, coinbase: RunningProvider) -> None:
    """As one without: the server closed the old one just as it was used."""
    assert http.post(TICKER, b"{}").status == 200
    coinbase.fault("hang_up", times=1)
    assert http.post(TICKER, b"{}").status == 200
    assert [(request["fault"], request["body"]) for request in coinbase.requests()] == [(None, "{}"), ("hang_up", "{}"), (None, "{}")]


def test_a_ring_of_redirects_ends(http: Http, coinbase: RunningProvider) -> None:
    """After three."""
    coinbase.fault("redirect", location=TICKER)
    assert "redirects more than 3 times" in str(complaint(lambda: http.get(TICKER)))
    assert coinbase.paths() == [TICKER] * 4


def test_the_body_of_a_redirect_is_not_read(http: Http, coinbase: RunningProvider) -> None:
    """`requests` by itself would, to the end, before it looks at where it leads."""
    coinbase.fault("redirect", path="/products/BTC-USD", location="/products/ETH-USD/ticker", bomb=True)
    tracemalloc.start()
    try:
        assert http.get(TICKER).status == 200
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MAX_BODY_BYTES


def test_a_kept_connection_that_the_server_just_closed_is_no_failure(http: Http, coinbase: RunningProvider) -> None:
    """It can happen at any time, so the call is made once more; one on a new connection, and a second in a row, is a failure."""
    coinbase.fault("hang_up", times=1)
    assert "without an answer" in str(complaint(lambda: http.get(TICKER)))
    assert http.get(TICKER).status == 200
    coinbase.fault("hang_up", times=1)
    assert http.get(TICKER).status == 200
    coinbase.fault("hang_up", times=2)
    assert "without an answer" in str(complaint(lambda: http.get(TICKER)))
    assert [request["fault"] for request in coinbase.requests()] == ["hang_up", None, "hang_up", None, "hang_up", "hang_up"]


def test_cookies_are_not_kept(http: Http, coinbase: RunningProvider) -> None:
    """Nobody asked for them, and they tie one call to the next."""
    coinbase.fault("cookie")
    http.get(TICKER)
    http.get(TICKER)
    assert all("cookie" not in request["headers"] for request in coinbase.requests())


def test_nothing_of_the_machine_leaks_into_a_call(
    coinbase: RunningProvider, runtime: Runtime, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither a proxy nor the password for this host from a netrc that were meant for somebody else."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    Http(settings(coinbase.url), runtime).get(TICKER)
    (request,) = coinbase.requests()
    assert "authorization" not in request["headers"]


def test_nobody_listening_is_said_without_the_query(runtime: Runtime) -> None:
    """A key in the query stays out of the message, and so does the library's chain of exceptions."""
    http = Http(settings(f"http://127.0.0.1:{closed_port()}"), runtime)
    error = complaint(lambda: http.get("/quote", {"token": "s3cret"}))
    assert str(error) == "127.0.0.1/quote: connection refused"
    assert error.__suppress_context__ or error.__context__ is None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_server_that_speaks_no_tls_is_said_to_be_so(coinbase: RunningProvider, runtime: Runtime) -> None:
    """An `https` that ought to be `http`."""
    http = Http(settings(coinbase.url.replace("http:", "https:")), runtime)
    assert str(complaint(lambda: http.get("/quote"))).startswith("127.0.0.1/quote: TLS: ")
    gc.collect()  # eventlet leaves a socket that failed its handshake to the collector, which warns of it: here, and not in another test


def test_an_unknown_host_is_said_to_be_so(coinbase: RunningProvider, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the resolver of the day raises."""

    def no_such_host(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_host)
    http = Http(settings("http://quotes.invalid"), runtime)
    assert str(complaint(lambda: http.get("/quote"))) == "quotes.invalid/quote: the host name is not known"


def test_a_certificate_that_is_not_the_hosts_is_said_to_be_so(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the words of the TLS library, as `requests` wraps them."""

    def untrusted(*_: object, **__: object) -> None:
        cause = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed")
        cause.verify_message = "Hostname mismatch"
        try:
            raise urllib3.exceptions.SSLError(cause) from cause
        except urllib3.exceptions.SSLError as error:
            raise requests.exceptions.SSLError(error)  # noqa: B904 (as the library has it)

    monkeypatch.setattr(requests.Session, "send", untrusted)
    assert str(complaint(lambda: http.get(TICKER))) == f"127.0.0.1{TICKER}: TLS: Hostname mismatch"


@pytest.mark.parametrize("error", [urllib3.exceptions.LocationParseError("x"), requests.exceptions.InvalidHeader("x"), OSError()])
def test_every_exception_of_the_wire_is_a_feed_error(http: Http, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """The rare ones too, by name."""

    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(requests.Session, "send", broken)
    assert type(error).__name__ in str(complaint(lambda: http.get(TICKER)))


def test_any_other_exception_is_a_bug_and_surfaces(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a provider's fault, so nothing to back off from."""

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(requests.Session, "send", broken)
    with pytest.raises(ZeroDivisionError):
        http.get(TICKER)


class WithKey(PolledSettings):
    """Settings of a feed that has a key."""

    secrets: ClassVar[tuple[str, ...]] = ("api_key", "other_key")

    api_key: SecretStr | None = None
    other_key: SecretStr | None = None


def test_a_secret_that_the_provider_echoes_is_blanked(coinbase: RunningProvider, runtime: Runtime) -> None:
    """Alpha Vantage, for one, writes the key into its error; no excerpt, no log and no recording may hold it."""
    keyed = WithKey.model_validate({"kind": "x", "base_url": coinbase.url, "api_key": SecretStr("k3y-123")})
    http = Http(keyed, runtime, {"X-Key": "k3y-123"})
    coinbase.fault("status", status=403, body="we do not know k3y-123, sorry")
    assert "we do not know ***, sorry" in str(complaint(lambda: http.get(TICKER)))
    coinbase.set(fault=None, rows={"BTC-USD": {"price": "k3y-123"}})
    assert b'"price":"***"' in http.get(TICKER).body
    assert coinbase.requests()[-1]["headers"]["x-key"] == "k3y-123"


def test_a_date_is_read_against_the_providers_own_clock() -> None:
    """Our clock may be minutes off."""
    headers = {"Date": "Tue, 14 Nov 2023 22:13:20 GMT", "Retry-After": "Tue, 14 Nov 2023 22:14:00 GMT"}
    assert Response("host/path", 503, headers, b"").error().retry_after_s == 40


def test_a_visit_goes_wherever_it_is_sent_and_hands_over_what_it_finds(
    http: Http, coinbase: RunningProvider, kraken: RunningProvider
) -> None:
    """Another host, a redirect, an error: for the caller to judge. Nothing is followed."""
    assert http.visit(f"{kraken.url}/0/public/SystemStatus").status == 200
    coinbase.fault("redirect", location="http://169.254.169.254/", bomb=True)
    answer = http.visit(f"{coinbase.url}/anywhere?a=1")
    assert (answer.status, answer.headers["Location"], answer.body) == (302, "http://169.254.169.254/", b"")
    coinbase.fault("status", status=503, body="later")
    assert (http.visit(coinbase.url).status, http.visit(coinbase.url).body) == (503, b"later")
    coinbase.fault("reset")
    assert str(complaint(lambda: http.visit(f"{coinbase.url}/x?token=s3cret"))).startswith("127.0.0.1/x: the connection")


def test_a_redirect_that_is_accepted_is_not_followed(http: Http, coinbase: RunningProvider) -> None:
    """A caller that wants to know where it leads sees it."""
    coinbase.fault("redirect", location="/products/ETH-USD/ticker")
    assert http.get(TICKER, accept=(302,)).headers["Location"] == "/products/ETH-USD/ticker"
    assert coinbase.paths() == [TICKER]


def test_a_form_is_sent_as_forms_are_and_never_twice(http: Http, coinbase: RunningProvider) -> None:
    """It may have arrived, though the connection broke."""
    assert http.visit(coinbase.url + TICKER, (("a", "1 &"), ("b", ""), ("a", "ü"))).status == 200
    assert coinbase.requests()[0]["form"] == {"a": ["1 &", "ü"], "b": [""]}
    coinbase.fault("hang_up", times=1)
    complaint(lambda: http.visit(coinbase.url + TICKER, (("a", "1"),)))
    assert len(coinbase.requests()) == 2


def test_a_jar_that_a_feed_brings_is_used_on_every_host(coinbase: RunningProvider, kraken: RunningProvider, runtime: Runtime) -> None:
    """Its cookies go out, those of the answers come in, whatever host or fault."""
    jar = Cookies()
    http = Http(settings(coinbase.url), runtime, {"User-Agent": "Mozilla/5.0"}, jar)
    coinbase.fault("cookie")
    http.get(TICKER)
    http.visit(f"{kraken.url}/0/public/SystemStatus")
    assert kraken.requests()[0]["headers"]["cookie"] == "track=1"
    assert kraken.requests()[0]["headers"]["user-agent"] == "Mozilla/5.0"
    jar.clear()
    http.get(TICKER)
    assert "cookie" not in coinbase.requests()[-1]["headers"]


@pytest.mark.parametrize(("status", "retry_after", "wait_s"), [
    (418, None, 120), (418, "300", 300), (418, "100000", 100_000), (418, "1000000000", 259_200), (429, "1000000000", 900),
    (429, None, None), (503, None, None), (503, "0", 1)])  # fmt: skip
def test_a_ban_lasts_as_long_as_it_says(status: int, retry_after: str | None, wait_s: float | None) -> None:
    """Three days at most; any other wait a quarter of an hour. A ban that says nothing is taken for the shortest known."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    assert Response("host/path", status, headers, b"").error().retry_after_s == wait_s


def gated(url: str, runtime: Runtime, *rates: Rate, **keys: Any) -> tuple[Http, Gate]:
    """A session behind a gate that keeps to `rates`, and reads the usual headers."""
    gate = Gate("account", rates, runtime)
    return Http(settings(url, **keys), runtime, gate=gate, usage=remaining_calls), gate


def used(gate: Gate) -> int:
    """How many calls count against the first limit now."""
    count: int = gate.budget.spent(time.monotonic())[0].used
    return count


def test_every_request_counts(coinbase: RunningProvider, runtime: Runtime) -> None:
    """One that follows a redirect, one that fails, one made again because the connection was gone: whatever the provider saw."""
    http, gate = gated(coinbase.url, runtime, Rate("calls", 100, "hour"))
    http.get(TICKER)
    coinbase.fault("redirect", path="/products/BTC-USD", location="/products/ETH-USD/ticker")
    http.get(TICKER)
    coinbase.fault("hang_up", times=1)
    http.get(TICKER)
    coinbase.fault("status", status=500)
    complaint(lambda: http.get(TICKER))
    assert used(gate) == len(coinbase.paths()) == 6


def test_a_call_without_room_is_not_made(coinbase: RunningProvider, runtime: Runtime) -> None:
    """It waits for half of its time at most; what the provider has not seen costs nothing."""
    http, gate = gated(coinbase.url, runtime, Rate("calls", 1, "min"))
    http.get(TICKER)
    with pytest.raises(BudgetSpent):
        http.get(TICKER)
    assert used(gate) == len(coinbase.paths()) == 1


def test_a_refusal_without_a_time_waits_for_the_window(coinbase: RunningProvider, runtime: Runtime) -> None:
    """Of the limit, or until the reset that its headers tell of."""
    http, _ = gated(coinbase.url, runtime, Rate("calls", 100, "s"))
    coinbase.fault("status", status=429)
    assert complaint(lambda: http.get(TICKER)).retry_after_s == 1
    http, _ = gated(coinbase.url, runtime)
    assert complaint(lambda: http.get(TICKER)).retry_after_s == 60
    http, _ = gated(coinbase.url, runtime)
    coinbase.fault("status", status=429, headers={"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": "300"})
    assert complaint(lambda: http.get(TICKER)).retry_after_s == 300


def test_what_the_headers_say_is_left_is_kept_to(coinbase: RunningProvider, runtime: Runtime) -> None:
    """Before anything is refused."""
    http, gate = gated(coinbase.url, runtime)
    coinbase.fault("headers", headers={"X-Ratelimit-Remaining": "1", "X-Ratelimit-Reset": "300"})
    http.get(TICKER)
    assert gate.has_room()
    coinbase.fault("headers", headers={"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": "300"})
    http.get(TICKER)
    assert not gate.has_room()
