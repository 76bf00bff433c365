"""`python -m tests.ops [nginx] [caddy] [haproxy]`: their files of docs/operations, in real ones before a real relay, all on loopback."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.conftest import CHROMIUM_NAMES
from tests.e2e.browser import FLAGS
from tests.ops.checks import all_running, check_pages, check_programs, open_pages
from tests.ops.proxies import KINDS


def main() -> int:
    """Try all that are named; the first thing that is wrong raises."""
    parser = argparse.ArgumentParser(prog="python -m tests.ops", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="PROXY", help=f"which: {', '.join(KINDS)}; all of them by default")
    names = tuple(parser.parse_args().names) or tuple(KINDS)
    if unknown := set(names) - set(KINDS):
        parser.error(f"no proxy of ours: {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}")
    try:
        chromium = _chromium()
        for name in names:
            KINDS[name].path()
    except FileNotFoundError as problem:
        print(problem, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        with all_running(Path(folder), names) as (_, proxies, noted):
            for proxy in proxies:
                check_programs(proxy)
                context, pages, asked = open_pages(browser, proxy)
                check_pages(proxy, pages, asked)
                context.close()
                print(f"{proxy.name}: quotes over wss and long polling, REST, /metrics; the page's faces live below /ticker/ over HTTP/2")
            assert noted.asked == []
        browser.close()
    return 0


def _chromium() -> str:
    for name in CHROMIUM_NAMES:
        if path := shutil.which(name):
            return path
    raise FileNotFoundError("Chromium is missing. On Debian, as root: apt-get install -y chromium")


if __name__ == "__main__":
    sys.exit(main())
