"""Which names are answered to."""

from __future__ import annotations

from typing import Any

import pytest

from ticker.settings.server import ServerSettings
from web.http.hosts import Hosts, is_loopback, name_of, why_not
from web.http.proxies import PASSED_ON


def ours(asked: str | None, *, peer: str = "127.0.0.1", path: str = "/api/quotes", passed_on: bool = False, **server: Any) -> bool:
    """Whether a request with this `Host` means a server with these settings."""
    environ = {"REMOTE_ADDR": peer, "PATH_INFO": path, PASSED_ON: passed_on} | ({} if asked is None else {"HTTP_HOST": asked})
    return Hosts(ServerSettings(**server)).is_ours(environ)


@pytest.mark.parametrize("listens_on", ["127.0.0.1", "localhost", "::1", "127.8.8.8"])
@pytest.mark.parametrize(("host", "expected"), [
    ("localhost", True), ("localhost:5000", True), ("LocalHost.", True), ("app.localhost", True), ("127.0.0.1", True),
    ("127.0.0.1:5000", True), ("127.1.2.3", True), ("[::1]:5000", True), ("::1", False), ("[::ffff:127.0.0.1]", True),
    ("evil.example", False), ("evil.example:5000", False), ("localhost.evil.example", False), ("127.0.0.1.evil.example", False),
    ("notlocalhost", False), ("192.168.1.5", False), ("0.0.0.0", False), ("", False), ("[", False), ("a b", False), ("2130706433", False),
    ("friend.example", True), ("friend.example:8443", True), ("sub.friend.example", False), (None, True),
])  # fmt: skip
def test_on_loopback_only_its_own_names(listens_on: str, host: str | None, expected: bool) -> None:
    """A page whose name was made to resolve to this machine asks under that name; friends are those whose pages may connect."""
    assert ours(host, host=listens_on, allowed_origins=["https://friend.example"]) is expected


@pytest.mark.parametrize("server", [{"host": "0.0.0.0"}, {"host": "192.168.1.5"}, {"host": "::"},
                                    {"host": "127.0.0.1", "trusted_proxies": ["127.0.0.1"]}, {"allowed_hosts": ["*"]}])  # fmt: skip
def test_elsewhere_and_behind_a_proxy_any(server: dict[str, Any]) -> None:
    """Nobody here knows by which names others find it."""
    assert ours("whatever.example", **server)
    assert Hosts(ServerSettings(**server)).anybody


@pytest.mark.parametrize(("host", "expected"), [
    ("quotes.example", True), ("QUOTES.example:443", True), ("quotes.example.", True), ("192.0.2.7:5000", True), ("[2001:db8::1]", True),
    ("evil.example", False), ("sub.quotes.example", False), ("", False), (None, True),
])  # fmt: skip
@pytest.mark.parametrize("server", [{"host": "127.0.0.1"}, {"host": "0.0.0.0"}, {"trusted_proxies": ["127.0.0.1"]}])
def test_what_is_listed_and_nothing_else(server: dict[str, Any], host: str | None, expected: bool) -> None:
    """Names in any case, whatever the port, wherever it listens."""
    assert ours(host, peer="192.0.2.1", allowed_hosts=["quotes.example", "192.0.2.7", "2001:db8::1"], **server) is expected


def test_who_is_here_and_who_asks_whether_it_lives_needs_no_name() -> None:
    """A terminal on this machine, directly; and the probe of a container, which knows an address only."""
    listed: dict[str, Any] = {"host": "0.0.0.0", "allowed_hosts": ["quotes.example"]}
    assert ours("localhost:5000", **listed)
    assert not ours("localhost:5000", peer="192.0.2.1", **listed)
    assert not ours("localhost:5000", passed_on=True, **listed)
    assert ours("10.1.2.3:5000", peer="10.1.2.1", path="/healthz", **listed)
    assert not ours("10.1.2.3:5000", peer="10.1.2.1", **listed)


def test_origins_without_a_host_are_no_names() -> None:
    """That such a program may connect makes an empty `Host` none of ours."""
    assert not ours("", host="127.0.0.1", allowed_origins=["file://", "null"])


@pytest.mark.parametrize(("host", "says"), [
    ("Q.example:80", ["answer to the name q.example", 'server.allowed_hosts = ["q.example"]', "must pass Host on"]),
    ('q"]\r\nx', ["what stands in Host is no name"]), ("q" * 500, ["what stands in Host is no name"]), ("", ["is no name"])])  # fmt: skip
def test_why_not_and_what_to_do(host: str, says: list[str]) -> None:
    """The line to write, with nothing in it that somebody else could have put there."""
    told = "; ".join(why_not(host))
    assert not [words for words in says if words not in told]
    assert told.isprintable()


def test_names() -> None:
    """What is left of a `Host`."""
    assert [name_of(host) for host in ("A.Example:80", "[::1]:5000", "a.example.", "[", "", ":80")] == [
        "a.example", "::1", "a.example", "", "", ""]  # fmt: skip
    assert not is_loopback("")
