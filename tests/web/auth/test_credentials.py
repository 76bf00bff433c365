"""Where a token is looked for."""

from __future__ import annotations

from typing import Any

import pytest

from web.auth.credentials import in_header, in_payload, in_url


@pytest.mark.parametrize(("header", "token"), [
    ("Bearer abc", "abc"), ("bearer abc", "abc"), ("BEARER  abc ", "abc"), ("Basic abc", None), ("", None), ("abc", None), ("Bearer", ""),
    ("Bearer a,Bearer b", "a,Bearer b"),
])  # fmt: skip
def test_in_a_header(header: str, token: str | None) -> None:
    """Any case of the scheme; two headers are one that is wrong."""
    assert in_header({"HTTP_AUTHORIZATION": header}) == token
    assert in_header({}) is None


@pytest.mark.parametrize(("auth", "token"), [
    (None, None), ({}, None), ({"token": None}, None), ({"token": "abc"}, "abc"), ({"token": ""}, ""), ({"token": 5}, ""),
    ({"token": ["abc"]}, ""), ({"token": {"$ne": 1}}, ""), ("abc", None), (["abc"], None),
])  # fmt: skip
def test_in_a_connect(auth: Any, token: str | None) -> None:
    """`auth.token`; anything but a string is a wrong one."""
    assert in_payload(auth) == token


@pytest.mark.parametrize(("query", "found"), [
    ("", False), ("EIO=4&transport=polling&sid=x&t=abc", False), ("EIO=4&transport=websocket&sid=key&t=token", False),
    ("symbols=token", False), ("token=x", True), ("EIO=4&token=", True), ("a=b&access_token=x", True),
    ("ToKeN=x", True), ("%74oken=x", True), ("jwt", True),
    ("tokens=x", False), ("+token=x", True), ("api_key=x", True), ("apikey=x", True), ("API-Key=x", True), ("api%5Fkey=x", True),
    ("key=x", True), ("secret=x", True), ("password=x", True), ("X-Api-Key=x", True), ("symbols=A;token=x", True),
    ("a;b;KEY=1", True), ("token[]=x", True),
    ("symbols=A,B", False), ("ticket=x", False), ("keys=1&monkey=2&keyword=3", False), ("=token", False), ("&;&", False),
])  # fmt: skip
def test_in_an_address(query: str, found: bool) -> None:
    """By the names that people give it, however they are written."""
    assert in_url({"QUERY_STRING": query}) is found


@pytest.mark.parametrize(("path", "found"), [
    ("/api/quotes", False), ("/api/quotes;token=x", True), ("/api/quotes/AAPL;API_KEY=x", True), ("/api;jwt=x/quotes", True),
    ("/api/token", False), ("/api/quotes;v=1;key=x", True), ("/api/quotes;v=token", False), ("/api/quotes%3Btoken%3Dx", True),
    ("/api/quotes;to%6Ben=x", True),
    ("/api/quotes/BTC/USD", False), ("/api/quotes/^GSPC", False), ("/api/quotes/A=key", False), ("", False), ("/;", False), ("/%", False),
])  # fmt: skip
def test_in_a_path(path: str, found: bool) -> None:
    """Behind a semicolon, as some write parameters; a symbol has none."""
    assert in_url({"PATH_INFO": path, "QUERY_STRING": ""}) is found
