"""The page's types are those of the server."""

from __future__ import annotations

from web.api.page_types import FILE, page_types


def test_the_pages_types_are_up_to_date() -> None:
    """`python -m cli.document` would change nothing."""
    assert FILE.read_text(encoding="utf-8") == page_types(), "run make docs"


def test_what_a_type_looks_like() -> None:
    """Words of the struct and its fields; what may be absent, what may be null, and what is one of several."""
    text = page_types()
    assert "/** A symbol of the settings, and how it stands. */\nexport interface Symbol {\n  symbol: string;\n" in text
    for field in (
        "  name: string | null;",
        "  group: readonly string[];",
        "  feed: string | readonly string[];",
        "  bid?: number;",
        "  halted?: true;",
        "  widened?: string | null;",
        '  state: "down" | "ok" | "retrying";',
        "  /** The keys that wait for a restart */\n  restart_required: readonly string[];",
        "  sparklines: Readonly<Record<string, readonly (readonly [number, number])[]>>;",
        "  unread?: UnreadRows;",
        "  quotes: readonly Quote[];",
    ):
        assert field + "\n" in text
