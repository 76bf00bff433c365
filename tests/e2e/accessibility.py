"""axe-core over a page: what keeps people from using it."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.e2e.page import ROOT

_AXE = ROOT / "web" / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
_VIOLATIONS = """
async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.flatMap((violation) =>
    violation.nodes.map((node) => `${violation.id}: ${node.target.join(" ")}: ${node.failureSummary}`))
"""


def violations(page: Page) -> list[str]:
    """What axe-core objects to. It is evaluated, as from a console: the page's policy forbids it to be added as a script."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(f"() => {{ {_AXE.read_text(encoding='utf-8')} }}")
    found: list[str] = page.evaluate(_VIOLATIONS)
    return found
