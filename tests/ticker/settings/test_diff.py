"""Differences between two settings."""

from tests.ticker.settings.kinds import KINDS
from ticker.settings import Settings
from ticker.settings.diff import SettingsChanges, diff, live
from ticker.settings.load import parse

BEFORE = """
[server]
port = 1
[broadcast]
flush_ms = 50
[limits]
max_clients = 5
[feeds.sim]
kind = "walk"
[feeds.web]
kind = "http"
[feeds.k]
kind = "keyed"
[symbols]
A = { feed = "sim" }
B = { feed = "sim" }
C = { feed = "web" }
"""


def settings(text: str = BEFORE, key: str = "abcd") -> Settings:
    """The settings that a file with this text means."""
    return parse(text.encode(), KINDS, {"TICKERCAST_FEEDS__K__API_KEY": key}).settings


def changes(*replacements: tuple[str, str]) -> SettingsChanges:
    """What changes when the file is edited so."""
    text = BEFORE
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    return diff(settings(), settings(text))


def test_nothing() -> None:
    """The same settings, read twice, do not differ."""
    assert diff(settings(), settings()) == SettingsChanges()
    assert not diff(settings(), settings())


def test_spelling_is_no_change() -> None:
    """What is written otherwise and means the same changes nothing."""
    assert not changes(('A = { feed = "sim" }', 'A = { feed = ["sim"], group = [] }'), ("[broadcast]\nflush_ms = 50\n", ""))


def test_symbols() -> None:
    """Added, removed and changed ones, in order; one that moves from feed to feed is a changed one."""
    more = 'B = { feed = "web" }\nZ = { feed = "sim" }\nY = { feed = "sim" }'
    assert changes(('A = { feed = "sim" }\n', ""), ('B = { feed = "sim" }', more)) == SettingsChanges(
        added_symbols=("Z", "Y"), removed_symbols=("A",), changed_symbols=("B",)
    )
    assert changes(('C = { feed = "web" }', 'C = { feed = "web", web = "CC" }')) == SettingsChanges(changed_symbols=("C",))


def test_order() -> None:
    """Moving a line is a change; a line that comes or goes moves nobody."""
    moved = 'C = { feed = "web" }\nA = { feed = "sim" }\n'
    assert changes(('A = { feed = "sim" }\n', ""), ('C = { feed = "web" }\n', moved)) == SettingsChanges(reordered=True)
    assert changes(("[symbols]\n", '[symbols]\nZ = { feed = "sim" }\n')) == SettingsChanges(added_symbols=("Z",))


def test_feeds() -> None:
    """Added, removed, changed in a key, or of another kind."""
    assert changes(("[feeds.web]", "[feeds.net]"), ('"web"', '"net"'), ('"walk"', '"walk"\nseed = 1')) == SettingsChanges(
        changed_symbols=("C",), added_feeds=("net",), removed_feeds=("web",), changed_feeds=("sim",)
    )
    assert changes(('"http"', '"walk"')) == SettingsChanges(changed_symbols=("C",), changed_feeds=("web",))


def test_a_rotated_secret_changes_its_feed() -> None:
    """A feed must get the new key."""
    assert diff(settings(), settings(key="efgh")) == SettingsChanges(changed_feeds=("k",))


def test_fixed_tables() -> None:
    """Keys that changed, by name; those of `[server]` need a restart."""
    assert changes(("flush_ms = 50", "flush_ms = 60\nheartbeat_s = 1"), ("max_clients = 5", "max_clients = 6")) == SettingsChanges(
        broadcast=("broadcast.flush_ms", "broadcast.heartbeat_s"), limits=("limits.max_clients",)
    )
    assert changes(("port = 1", 'port = 2\nhost = "::"')) == SettingsChanges(restart_required=("server.host", "server.port"))


def test_live_keeps_the_running_server() -> None:
    """What needs a restart is still reported by the next comparison, and gone when it is taken back."""
    running = settings()
    new = settings(BEFORE.replace("port = 1", "port = 2").replace("flush_ms = 50", "flush_ms = 60"))
    now = live(running, new)
    assert (now.server.port, now.broadcast.flush_ms) == (1, 60)
    assert diff(now, new) == SettingsChanges(restart_required=("server.port",))
    assert diff(now, live(now, running)) == SettingsChanges(broadcast=("broadcast.flush_ms",))


def test_a_line_for_the_log() -> None:
    """It names what changed, briefly."""
    assert str(SettingsChanges()) == "nothing changed"
    many = tuple(f"S{number}" for number in range(12))
    assert str(SettingsChanges(added_symbols=many, reordered=True, limits=("limits.max_clients",))) == (
        "added symbols S0, S1, S2, S3, S4, S5, S6, S7, S8, S9 and 2 more; reordered; limits limits.max_clients"
    )
