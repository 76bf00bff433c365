"""What goes onto the wire when the same is asked again and again; what must not leak is told in test_client.py."""

from collections.abc import Iterator

import pytest

from feeds.http.transport import MAX_MADE, HttpTransport
from tests.providers.client import RunningProvider, running


@pytest.fixture(scope="module")
def provider() -> Iterator[RunningProvider]:
    """Any one will do."""
    with running("coinbase", limits=False) as provider:
        yield provider


@pytest.fixture
def transport(provider: RunningProvider) -> Iterator[HttpTransport]:
    """With a header of its own."""
    provider.forget()
    transport = HttpTransport({"User-Agent": "me"})
    yield transport
    transport.close()


def ask(transport: HttpTransport, url: str, cookie: str | None = None, form: tuple[tuple[str, str], ...] | None = None) -> int:
    """Ask, and read the answer to its end."""
    with transport.send(url, form, cookie, 5.0) as response:
        assert response.content
        return response.status_code


def test_the_same_again_is_the_same_on_the_wire(transport: HttpTransport, provider: RunningProvider) -> None:
    """Each time, over one connection."""
    url = f"{provider.url}/products/BTC-USD/ticker?a=%2F"
    assert [ask(transport, url) for _ in range(3)] == [200] * 3
    requests = provider.requests()
    assert all(request == requests[0] for request in requests)
    assert requests[0]["headers"]["user-agent"] == "me"


def test_a_cookie_goes_with_the_request_that_it_was_given_to(transport: HttpTransport, provider: RunningProvider) -> None:
    """And with no other for the same address."""
    url = f"{provider.url}/products/BTC-USD/ticker"
    for cookie in ("a=1", None, "a=2", "a=1"):
        ask(transport, url, cookie)
    assert [request["headers"].get("cookie") for request in provider.requests()] == ["a=1", None, "a=2", "a=1"]


def test_a_form_is_sent_each_time(transport: HttpTransport, provider: RunningProvider) -> None:
    """Its fields in order, next to requests for the same address without one."""
    url = f"{provider.url}/anything"
    for form in ((("x", "1"), ("x", "2")), None, (("x", "3"),)):
        ask(transport, url, None, form)
    assert [request["form"] for request in provider.requests()] == [{"x": ["1", "2"]}, None, {"x": ["3"]}]


def test_what_is_kept_is_bounded(transport: HttpTransport) -> None:
    """A feed that never asks the same twice fills no memory."""
    for number in range(3 * MAX_MADE):
        transport._get(f"http://127.0.0.1/{number}", None)
    assert len(transport._made) <= MAX_MADE
