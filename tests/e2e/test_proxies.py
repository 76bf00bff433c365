"""The examples of docs/operations in nginx, Caddy and HAProxy: the page below a path, and programs. So does `python -m tests.ops`."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.ops.checks import all_running, check_pages, check_programs, open_pages
from tests.ops.proxies import KINDS

pytest_plugins = ["tests.e2e.browser"]


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    """All three are here; where one is not, the test says what to install."""
    for kind in KINDS.values():
        try:
            kind.path()
        except FileNotFoundError as problem:
            pytest.fail(str(problem), pytrace=False)


def test_page_and_programs_get_through_each_proxy(browser: Browser, tmp_path: Path) -> None:
    """Page, kiosk, embed and tape below `/ticker/`, over HTTP/2, are live and ask for nothing at the root; quotes come both ways."""
    with all_running(tmp_path) as (_, proxies, noted):
        opened = [(proxy, *open_pages(browser, proxy)) for proxy in proxies]
        for proxy in proxies:
            check_programs(proxy)
        for proxy, context, pages, asked in opened:
            check_pages(proxy, pages, asked)
            context.close()
        assert noted.asked == []
