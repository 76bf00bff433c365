"""The loader: what it accepts, and the one problem it finds in each of many broken files."""

import math
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from tests.ticker.settings.kinds import KINDS, HttpSettings, KeyedSettings, WalkOptions, WalkSettings
from ticker.errors import SettingsError
from ticker.settings import Settings
from ticker.settings.load import load, parse
from ticker.settings.model import SYMBOL_KEYS

JARGON = ("pydantic", "Input should", "Value error", "errors.", "literal", "NoneType", "tuple", "dict", "int_", "ValidationError")
SIM = '[feeds.sim]\nkind = "walk"\n'
GOOD = SIM + '[feeds.web]\nkind = "http"\n[symbols]\nACME = { feed = "sim" }\nGLOW = { feed = "web" }\n'


def problems_of(text: str | bytes, environ: dict[str, str] | None = None, overrides: dict[str, object] | None = None) -> list[Any]:
    """What is wrong with a file, and it must be something."""
    with pytest.raises(SettingsError) as caught:
        parse(text if isinstance(text, bytes) else text.encode(), KINDS, environ or {}, overrides)
    for problem in caught.value.problems:
        assert not any(word in str(problem) for word in JARGON), problem
    return caught.value.problems


# Each file is broken in one way: the key that is blamed, a part of the reason, a part of the hint.
BROKEN = {
    "an unknown table": ("[serverr]\nport = 1\n", "serverr", "unknown key", "did you mean server?"),
    "a table with a typing error in the plural": ('[feed.sim]\nkind = "walk"\n', "feed", "unknown key", "did you mean feeds?"),
    "a key outside its table": ("port = 5000\n", "port", "unknown key", "it belongs in [server]"),
    "a table that is a number": ("limits = 5\n", "limits", "must be a table", "write [limits]"),
    "feeds that are a string": ('feeds = "sim"\n', "feeds", "must be a table", "write [feeds.NAME]"),
    "symbols that are a list of tables": ("[[symbols]]\n", "symbols", "must be a table", "write [symbols]"),
    "an unknown key": ("[server]\nprot = 5000\n", "server.prot", "unknown key", "did you mean port?"),
    "a key that is like no other": ("[broadcast]\nxyz = 1\n", "broadcast.xyz", "unknown key", "the keys here: flush_ms, "),
    "a number in quotes": ('[server]\nport = "5000"\n', "server.port", "a whole number from 0 to 65535", "write 5000, without quotes"),
    "a word for a number": ('[server]\nport = "http"\n', "server.port", "a whole number from 0 to 65535", ""),
    "true for a number": ("[server]\nport = true\n", "server.port", "a whole number", ""),
    "a fraction for a whole number": ("[server]\nport = 80.5\n", "server.port", "a whole number", ""),
    "a whole number with a point": ("[server]\nping_interval_s = 5.0\n", "server.ping_interval_s", "a whole number", "write 5"),
    "a list for a number": ("[broadcast]\nflush_ms = [50]\n", "broadcast.flush_ms", "a whole number", ""),
    "a date for a number": ("[broadcast]\nflush_ms = 2024-01-01\n", "broadcast.flush_ms", "a whole number", ""),
    "a port out of range": ("[server]\nport = 65536\n", "server.port", "from 0 to 65535", ""),
    "a negative number": ("[limits]\nmax_clients = -1\n", "limits.max_clients", "from 1 to 1000000", ""),
    "a zero": ("[broadcast]\nflush_ms = 0\n", "broadcast.flush_ms", "from 1 to 10000", ""),
    "a huge number": (f"[limits]\nmax_clients = 1{'0' * 400}\n", "limits.max_clients", "from 1 to 1000000", ""),
    "a number with thousands of digits": (f"[limits]\nmax_clients = {'9' * 5000}\n", "settings.toml", "thousands of digits", ""),
    "true for a fraction": ("[broadcast]\nheartbeat_s = true\n", "broadcast.heartbeat_s", "a number from 0.1 to 300", ""),
    "not a number": ("[broadcast]\nheartbeat_s = nan\n", "broadcast.heartbeat_s", "a number from 0.1 to 300", ""),
    "infinity": ("[limits]\njoin_timeout_s = inf\n", "limits.join_timeout_s", "a number from 1 to 3600", ""),
    "a number for a string": ("[server]\nhost = 127\n", "server.host", "a string", 'write "127", in quotes'),
    "an empty string": ('[server]\nhost = ""\n', "server.host", "a string of 1 to 253 characters", ""),
    "another library": ('[server]\nasync_mode = "gevent"\n', "server.async_mode", '"eventlet", the only choice for now', ""),
    "a string for a list": ('[server]\nallowed_origins = "*"\n', "server.allowed_origins", "a list of strings", 'write ["*"]'),
    "a number in a list": ("[server]\nallowed_origins = [1]\n", "server.allowed_origins[0]", "a string", 'write "1", in quotes'),
    "an origin with a path": (
        '[server]\nallowed_origins = ["https://a.example/x"]\n',
        "server.allowed_origins",
        'write "https://a.example"',
        "",
    ),
    "an origin without a scheme": (
        '[server]\nallowed_origins = ["a.example"]\n',
        "server.allowed_origins",
        'write "https://a.example"',
        "",
    ),
    "a star in an origin": ('[server]\nallowed_origins = ["https://*.example.org"]\n', "server.allowed_origins", "list each origin", ""),
    "a feed without a kind": ("[feeds.sim]\nseed = 1\n", "feeds.sim.kind", "is missing", "the kinds: http, keyed, walk"),
    "an unknown kind": ('[feeds.sim]\nkind = "wlak"\n', "feeds.sim.kind", "no such kind", "walk? the kinds: http, keyed, walk"),
    "a kind that is a number": ("[feeds.sim]\nkind = 1\n", "feeds.sim.kind", "must be a string", "the kinds: http, keyed, walk"),
    "a key of another kind": (SIM + 'base_url = "https://a.example"\n', "feeds.sim.base_url", "unknown key", "interval_s"),
    "a feed that is a number": ("[feeds]\nsim = 5\n", "feeds.sim", "must be a table", "[feeds.NAME]"),
    "a key of a feed in no feed": ("[feeds]\ninterval_s = 5\n", "feeds.interval_s", "must be a table", "[feeds.NAME]"),
    "a feed's name in capitals": ('[feeds.Sim]\nkind = "walk"\n', "feeds.Sim", "a-z, 0-9 and _", "write [feeds.sim]"),
    "a feed's name with a dash": ('[feeds.my-sim]\nkind = "walk"\n', 'feeds."my-sim"', "a-z, 0-9 and _", "write [feeds.my_sim]"),
    "a feed's name that begins with a digit": ('[feeds.1st]\nkind = "walk"\n', "feeds.1st", "starts with a letter", "choose another"),
    "a feed called like a symbol's key": ('[feeds.group]\nkind = "walk"\n', "feeds.group", "no feed can be called group", "another name"),
    "an interval that is too short": ('[feeds.web]\nkind = "http"\ninterval_s = 0.01\n', "feeds.web.interval_s", "from 0.1 to 86400", ""),
    "a limit of zero": (SIM + "stale_after_s = 0\n", "feeds.sim.stale_after_s", "above 0 and at most 86400", ""),
    "an interval of an unknown kind": ('[feeds.sim]\nkind = ""\ninterval_s = "1"\n', "feeds.sim.interval_s", "a number", "without quotes"),
    "a flag in quotes": (SIM + 'loop = "true"\n', "feeds.sim.loop", "true or false", "write true, without quotes"),
    "an address that is a file": ('[feeds.web]\nkind = "http"\nbase_url = "file:///etc/passwd"\n', "feeds.web.base_url", "http://", ""),
    "an address without a scheme": ('[feeds.web]\nkind = "http"\nbase_url = "a.example"\n', "feeds.web.base_url", "http://", ""),
    "an address with a query": ('[feeds.web]\nkind = "http"\nbase_url = "https://a.example/?x"\n', "feeds.web.base_url", "may follow", ""),
    "a symbol without a feed": (SIM + '[symbols]\nA = { name = "A" }\n', "symbols.A.feed", "is missing", 'write feed = "sim"'),
    "a symbol with no feed in its list": (SIM + "[symbols]\nA = { feed = [] }\n", "symbols.A.feed", "at least one feed", "the feeds: sim"),
    "an unknown feed": (SIM + '[symbols]\nA = { feed = "sin" }\n', "symbols.A.feed", "no such feed", "did you mean sim?"),
    "an unknown feed in a list": (SIM + '[symbols]\nA = { feed = ["sim", "x"] }\n', "symbols.A.feed[1]", "no such feed", "the feeds: sim"),
    "a feed named twice": (SIM + '[symbols]\nA = { feed = ["sim", "sim"] }\n', "symbols.A.feed", "names the feed sim twice", "once"),
    "a feed that is a table": (SIM + "[symbols]\nA = { feed = {} }\n", "symbols.A.feed", "a string or a list of strings", ""),
    "a number among feeds": (SIM + '[symbols]\nA = { feed = ["sim", 1] }\n', "symbols.A.feed[1]", "a string", "in quotes"),
    "a symbol that is a string": (SIM + '[symbols]\nA = "sim"\n', "symbols.A", "must be a table", 'write { feed = "sim" }'),
    "a symbol that is a flag": (SIM + "[symbols]\nA = true\n", "symbols.A", "must be a table", 'write { feed = "FEED" }'),
    "a symbol with a space": (SIM + '[symbols]\n"A B" = { feed = "sim" }\n', 'symbols."A B"', "the symbol has a space", ""),
    "a symbol that is too long": (SIM + f'[symbols]\n{"A" * 33} = {{ feed = "sim" }}\n', f"symbols.{'A' * 33}", "33 characters", ""),
    "a symbol that is empty": (SIM + '[symbols]\n"" = { feed = "sim" }\n', 'symbols.""', "the symbol is empty", ""),
    "a symbol with a dot segment": (SIM + '[symbols]\n"A/../B" = { feed = "sim" }\n', 'symbols."A/../B"', "between slashes", ""),
    "an unquoted dot": (SIM + '[symbols]\nBRK.B = { feed = "sim" }\n', 'symbols."BRK.B"', "the dot", 'quote it: "BRK.B" = { … }'),
    "two unquoted dots": (SIM + '[symbols]\nA.B.C = { feed = "sim" }\n', 'symbols."A.B.C"', "the dot", 'quote it: "A.B.C" = { … }'),
    "an unquoted dot beside its stem": (
        SIM + '[symbols]\nBRK = { feed = "sim" }\nBRK.B = { feed = "sim" }\n',
        'symbols."BRK.B"',
        "the dot",
        'quote it: "BRK.B" = { … }',
    ),
    "an unquoted dot in a header": (SIM + '[symbols.BRK.B]\nfeed = "sim"\n', 'symbols."BRK.B"', "the dot", 'quote it: "BRK.B" = { … }'),
    "an unquoted slash": (SIM + '[symbols]\nBTC/USD = { feed = "sim" }\n', 'symbols."BTC/USD"', "needs quotes", '"BTC/USD" = { … }'),
    "an unquoted caret": (SIM + '[symbols]\n^GSPC = { feed = "sim" }\n', 'symbols."^GSPC"', "needs quotes", '"^GSPC" = { … }'),
    "an unquoted equals sign": (SIM + '[symbols]\nEURUSD=X = { feed = "sim" }\n', 'symbols."EURUSD=X"', "needs quotes", '"EURUSD=X" = {'),
    "a symbol listed twice": (
        SIM + '[symbols]\nA = { feed = "sim" }\nB = { feed = "sim" }\nA = { feed = "sim" }\n',
        "symbols.A",
        "in line 4 and in line 6",
        "remove one",
    ),
    "a symbol listed twice, quoted once": (
        SIM + '[symbols]\nA = { feed = "sim" }\n"A" = { feed = "sim" }\n',
        "symbols.A",
        "in line 4 and in line 5",
        "remove one",
    ),
    "a symbol as a line and as a table": (
        SIM + '[symbols]\nA = { feed = "sim" }\n[symbols.A]\nfeed = "sim"\n',
        "symbols.A",
        "in line 4 and in line 5",
        "remove one",
    ),
    "a key twice in a symbol": (SIM + '[symbols]\nA = { feed = "sim", feed = "sim" }\n', "symbols.A.feed", "twice in line 4", "remove one"),
    "a key listed twice": ("[server]\nport = 1\nport = 2\n", "server.port", "in line 2 and in line 3", "remove one"),
    "a table listed twice": ("[server]\nport = 1\n[limits]\n[server]\n", "server", "in line 1 and in line 4", "remove one"),
    "an unknown key of a symbol": (SIM + '[symbols]\nA = { feed = "sim", nmae = "x" }\n', "symbols.A.nmae", "unknown key", "name?"),
    "an internal word as a key": (SIM + '[symbols]\nA = { feed = "sim", options = {} }\n', "symbols.A.options", "unknown key", "sim"),
    "an id for a feed that is not used": (GOOD + 'X = { feed = "sim", web = "XX" }\n', "symbols.X.web", "not use the feed web", "add web"),
    "a number for an id": (SIM + '[symbols]\nA = { feed = "sim", sim = 7203 }\n', "symbols.A.sim", "a string, or a table", '"7203"'),
    "an empty id": (SIM + '[symbols]\nA = { feed = "sim", sim = "" }\n', "symbols.A.sim.id", "a string of 1 to 128 characters", ""),
    "an unknown option": (
        SIM + '[symbols]\nA = { feed = "sim", sim = { volatility = 1 } }\n',
        "symbols.A.sim.volatility",
        "unknown key",
        "did you mean volatility_pct?",
    ),
    "an option out of range": (
        SIM + '[symbols]\nA = { feed = "sim", sim = { volatility_pct = 9 } }\n',
        "symbols.A.sim.volatility_pct",
        "from 0 to 5",
        "",
    ),
    "an option its kind does not have": (
        '[feeds.web]\nkind = "http"\n[symbols]\nA = { feed = "web", web = { volatility_pct = 1 } }\n',
        "symbols.A.web.volatility_pct",
        "unknown key",
        "id",
    ),
    "decimals in quotes": (SIM + '[symbols]\nA = { feed = "sim", decimals = "2" }\n', "symbols.A.decimals", "from 0 to 12", "write 2"),
    "too many decimals": (SIM + '[symbols]\nA = { feed = "sim", decimals = 13 }\n', "symbols.A.decimals", "from 0 to 12", ""),
    "a name with an escape": (SIM + '[symbols]\nA = { feed = "sim", name = "\\u001b[2J" }\n', "symbols.A.name", "without control", ""),
    "a currency that is a sign": (SIM + '[symbols]\nA = { feed = "sim", currency = "$" }\n', "symbols.A.currency", "2 to 10 letters", ""),
    "a number for a group": (SIM + '[symbols]\nA = { feed = "sim", group = 5 }\n', "symbols.A.group", "a string or a list", ""),
    "an empty group in a list": (SIM + '[symbols]\nA = { feed = "sim", group = ["x", ""] }\n', "symbols.A.group[1]", "1 to 80", ""),
    "a symbol in a feed's table": (
        '[symbols]\n[feeds.sim]\nkind = "walk"\nA = { feed = "sim" }\n',
        "feeds.sim.A",
        "in the wrong table",
        "move the line to [symbols]",
    ),
    "text without quotes": ("[feeds.sim]\nkind = walk\n", "feeds.sim.kind", "not valid TOML at line 2, column 8", "text needs quotes"),
    "True for true": (SIM + "loop = True\n", "feeds.sim.loop", "not valid TOML at line 3", "write true"),
    "an open string": ('[server]\nhost = "127.0.0.1\nport = 1\n', "server.host", "not valid TOML at line 2", ""),
    "an open list": ('[server]\nallowed_origins = [\n"*"\nport = 1\n', "server.allowed_origins", "at line 2: unclosed array", ""),
    "an open header": ("[server\nport = 1\n", "server", "not valid TOML at line 1", ""),
    "an open symbol": (SIM + '[symbols]\nA = { feed = "sim"\n', "symbols.A", "not valid TOML at line 4", ""),
    "a value that is not there": ("[server]\nport =\n", "server.port", "not valid TOML at line 2", ""),
    "lists in lists without end": (f"x = {'[' * 100_000}", "settings.toml", "nested too deeply", ""),
    "an empty file": ("", "settings.toml", "is empty", "[symbols]"),
    "a file of spaces": (" \n\t\n", "settings.toml", "is empty", "[symbols]"),
    "another encoding": (b"[symbols]\n# caf\xe9\n", "settings.toml", "line 2 has the byte 0xe9", "UTF-8"),
    "UTF-16": ("[symbols]\n".encode("utf-16"), "settings.toml", "is not UTF-8", "UTF-8"),
    "a NUL": (b"[symbols]\n\x00", "symbols", "not valid TOML at line 2", ""),
    "a key of a feed": (
        '[feeds.k]\nkind = "keyed"\napi_key = "hunter2hunter2"\n',
        "feeds.k.api_key",
        "does not belong in this file",
        "set TICKERCAST_FEEDS__K__API_KEY, or TICKERCAST_FEEDS__K__API_KEY_FILE",
    ),
    "a key that is nowhere": ('[feeds.k]\nkind = "keyed"\n', "feeds.k.api_key", "is missing", "set TICKERCAST_FEEDS__K__API_KEY, or"),
    "a key of another feed": ('[feeds.web]\nkind = "http"\napi_key = "hunter2hunter2"\n', "feeds.web.api_key", "unknown key", "base"),
    "a key under a wrong name": (
        '[feeds.k]\nkind = "keyed"\napikey = "hunter2hunter2"\n',
        "feeds.k.apikey",
        "not belong in this file",
        "set TICKERCAST_FEEDS__K__API_KEY, or",
    ),
    "a table in a feed, without a key": (
        '[feeds.k]\nkind = "keyed"\ncolumns = { time = "t" }\n',
        "feeds.k.columns.price",
        "is missing",
        "it must be a string",
    ),
    "an unknown key in a feed's table": (
        '[feeds.k]\nkind = "keyed"\ncolumns = { price = "p", tiem = "t" }\n',
        "feeds.k.columns.tiem",
        "unknown key",
        "did you mean time?",
    ),
    "a list that is too long": ('[feeds.k]\nkind = "keyed"\nchannels = ["a", "b", "c"]\n', "feeds.k.channels", "at most 2 items", ""),
}


@pytest.mark.parametrize(("text", "key", "reason", "hint"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file(text: str | bytes, key: str, reason: str, hint: str) -> None:
    """The key is named as it stands in the file, the reason is in plain words, and the hint says what to write."""
    problems = {problem.key: problem for problem in problems_of(text)}
    assert key in problems
    assert reason in problems[key].reason
    assert hint in problems[key].hint
    assert "hunter2" not in f"{problems} {SettingsError(list(problems.values()))}"
    # Nothing else is blamed, but what the example leaves open besides its one mistake.
    besides = problems.keys() - {key}
    assert besides <= {"feeds.k.api_key", "feeds.sim.kind"}


def test_all_problems_at_once() -> None:
    """One run tells of everything, also beyond what stops a TOML parser."""
    text = """
[server]
port = "x"
tls = true
[limits]
max_clients = 0
[feeds.sim]
kind = "walk"
seed = -1
[feeds.web]
kind = "htpp"
timeout_s = -1
stale_after_s = -1
[symbols]
A = { feed = "sim" }
A = { feed = "sim" }
BTC/USD = { feed = "sim" }
BRK.B = { feed = "sim" }
C = { feed = "sim }
D = { feed = "wbe", decimals = 2.5, web = "x" }
E = { feed = "web", sim = "x" }
"""
    keys = [problem.key for problem in problems_of(text, overrides={"server.host": ""})]
    assert sorted(keys) == sorted([
        "symbols.A", 'symbols."BTC/USD"', "symbols.C", "server.port", "server.tls", "server.host", "limits.max_clients", "feeds.sim.seed",
        "feeds.web.kind", "feeds.web.stale_after_s", 'symbols."BRK.B"', "symbols.D.feed", "symbols.D.decimals", "symbols.E.sim"
    ])  # fmt: skip


def test_values_are_kept_for_the_report() -> None:
    """A problem holds the offending value, as a plain one."""
    values = {
        problem.key: problem.value
        for problem in problems_of(
            '[server]\nport = "x"\nhost = 5\n[broadcast]\nflush_ms = [1, "a"]\nheartbeat_s = inf\nstall_limit_s = 1979-05-27T07:32:00Z\n'
        )
    }
    assert values["server.port"] == "x"
    assert values["server.host"] == 5
    assert values["broadcast.flush_ms"] == [1, "a"]
    assert values["broadcast.heartbeat_s"] == math.inf
    assert values["broadcast.stall_limit_s"] == "1979-05-27 07:32:00+00:00"


def test_a_password_in_an_address_is_not_repeated() -> None:
    """It is refused, and the message can be pasted into a bug report."""
    for scheme in ("https", "ftp"):
        (problem,) = problems_of(f'[feeds.web]\nkind = "http"\nbase_url = "{scheme}://user:hunter2@a.example"\n')
        assert problem.key == "feeds.web.base_url"
        assert "hunter2" not in f"{problem} {problem!r}"


def test_the_whole_of_a_good_file() -> None:
    """Types, defaults, options by feed, order: all as written."""
    text = """\ufeff# comment
[server]
port = 0
allowed_origins = ["https://a.example:8443", "*"]
[feeds.sim]
kind = "walk"
interval_s = 1
seed = 3
[feeds.web]
kind = "http"
base_url = "http://127.0.0.1:9/api"
[symbols]
ZULU = { feed = ["sim", "web"], web = "ZZ", sim = { volatility_pct = 2 }, group = ["a", "b"], decimals = 3, name = "Zulu" }
"BRK.B" = { feed = "web", stale_after_s = 5, currency = "USD", calendar = "XNYS", group = "a" }
[symbols."A/B"]
feed = "sim"
sim = { id = "ab" }
"""
    settings = parse(text.encode(), KINDS, {}).settings
    assert settings.server.port == 0
    assert settings.server.allowed_origins == ["https://a.example:8443", "*"]
    assert settings.broadcast.flush_ms == 50
    assert settings.feeds["sim"] == WalkSettings(kind="walk", interval_s=1, seed=3)
    assert isinstance(settings.feeds["web"], HttpSettings)
    assert str(settings.feeds["web"].base_url) == "http://127.0.0.1:9/api"
    assert list(settings.symbols) == ["ZULU", "BRK.B", "A/B"]
    zulu = settings.symbols["ZULU"]
    assert (zulu.feed, zulu.group, zulu.decimals, zulu.name) == (("sim", "web"), ("a", "b"), 3, "Zulu")
    assert zulu.options["web"].id == "ZZ"
    assert zulu.options["sim"] == WalkOptions(volatility_pct=2)
    assert settings.symbols["A/B"].options["sim"].id == "ab"
    assert settings.symbols["BRK.B"].options["web"].id is None


def test_no_symbols_and_no_feeds_is_a_start() -> None:
    """One can start with nothing and add symbols while it runs."""
    loaded = parse(b"# nothing yet\n", KINDS, {})
    assert loaded.settings.symbols == {}
    assert [warning.key for warning in loaded.warnings] == ["symbols"]


@pytest.mark.parametrize(("text", "key", "words"), [
    (GOOD + '[feeds.spare]\nkind = "walk"\n', "feeds.spare", "no symbol uses this feed"),
    (GOOD.replace('"http"\n', '"http"\ninterval_s = 0.5\n'), "feeds.web.interval_s", "the provider advises 1 s or more"),
    (GOOD.replace('"walk"\n', '"walk"\ninterval_s = 20\nstale_after_s = 10\n'), "feeds.sim.stale_after_s", "not longer than interval_s"),
    (GOOD + 'Acme = { feed = "sim" }\n', "symbols.Acme", "differs from ACME by case only"),
    (GOOD + 'RATE = { feed = "sim", allow_negative = true, max_jump_pct = 3 }\n', "symbols.RATE.max_jump_pct",
     "judged in its own unit, by max_jump, and without it by how far it has moved so far"),
    (GOOD + 'RATE = { feed = "sim", allow_negative = true, max_jump_pct = 3, max_jump = 0.5 }\n', "symbols.RATE.max_jump_pct",
     "judged in its own unit, by max_jump, 0.5"),
])  # fmt: skip
def test_warnings(text: str, key: str, words: str) -> None:
    """What works and is hardly meant is told, and stops nothing."""
    (warning,) = parse(text.encode(), KINDS, {}).warnings
    assert warning.key == key
    assert words in warning.reason


def test_a_good_file_has_no_warnings() -> None:
    """A warning is worth reading: there is none without a reason."""
    assert parse(GOOD.encode(), KINDS, {}).warnings == ()


def test_order_of_precedence() -> None:
    """An option wins over a variable, a variable over the file; an option that was not given changes nothing."""
    text, environ = b"[server]\nport = 1\nping_interval_s = 3\n", {"TICKERCAST_SERVER__PORT": "2", "TICKERCAST_SERVER__HOST": "::1"}
    assert parse(text, KINDS, {}).settings.server.port == 1
    assert parse(text, KINDS, environ).settings.server.port == 2
    server = parse(text, KINDS, environ, {"server.port": 3, "server.host": None}).settings.server
    assert (server.port, server.host, server.ping_interval_s) == (3, "::1", 3)


def test_what_is_overridden_must_be_right_all_the_same() -> None:
    """A mistake in the file does not wait for the day on which the option is left out."""
    text = '[server]\nport = "x"\nallowed_origins = [5]\n[feeds.sim]\nkind = "walk"\nseed = -1\n'
    environ = {"TICKERCAST_SERVER__ALLOWED_ORIGINS": "[]", "TICKERCAST_FEEDS__SIM__SEED": "1"}
    problems = problems_of(text, environ, {"server.port": 0})
    blamed = {problem.key: problem.value for problem in problems}
    assert blamed == {"server.allowed_origins[0]": 5, "feeds.sim.seed": -1, "server.port": "x"}
    assert not any("it comes from" in problem.hint for problem in problems)


def test_a_wrong_option_is_named() -> None:
    """The reader must not search the file for what was typed on the command line."""
    (problem,) = problems_of("[symbols]\n", overrides={"server.port": 70_000})
    assert problem.key == "server.port"
    assert problem.hint == "it comes from the option --port"


def test_a_secret_in_the_file_is_refused_even_if_the_environment_has_it() -> None:
    """It would stay in the file, unused and forgotten. Also where only the environment says which kind the feed is."""
    environ = {"TICKERCAST_FEEDS__K__API_KEY": "from-outside", "TICKERCAST_FEEDS__K__KIND": "keyed"}
    (problem,) = problems_of('[feeds.k]\napi_key = "hunter2hunter2"\n[symbols]\nA = { feed = "k" }\n', environ)
    assert problem.key == "feeds.k.api_key"
    (problem,) = problems_of('[feeds.k]\ntoken = "hunter2hunter2"\n[symbols]\nA = { feed = "k" }\n', environ)
    assert problem.key == "feeds.k.token"
    assert "hunter2" not in repr(problem)


def test_who_edits_the_file_needs_no_secrets() -> None:
    """With `secrets_required` off, a missing key is no problem, a wrong one elsewhere is."""
    text = b'[feeds.k]\nkind = "keyed"\n[symbols]\nA = { feed = "k" }\n'
    assert list(parse(text, KINDS, {}, secrets_required=False).settings.symbols) == ["A"]
    with pytest.raises(SettingsError) as caught:
        parse(text.replace(b"[symbols]", b"timeout_s = 0\n[symbols]"), KINDS, {}, secrets_required=False)
    assert [problem.key for problem in caught.value.problems] == ["feeds.k.timeout_s"]


def test_load_reads_the_file(tmp_path: Path) -> None:
    """The path's name stands for the file in errors about the whole of it."""
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    assert list(load(path, KINDS, {}).settings.symbols) == ["ACME", "GLOW"]
    path.write_text("")
    with pytest.raises(SettingsError, match=r"mine\.toml: is empty"):
        load(path, KINDS, {})


SCALARS = st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["sim", "walk", "5", "true", "https://a.example"])
WORDS = st.sampled_from(
    [*Settings.model_fields, *SYMBOL_KEYS, *KeyedSettings.model_fields, "port", "host", "allowed_origins", "flush_ms", "max_clients", "sim",
     "web", "k", "ACME", "BTC/USD", "id", "volatility_pct"]) | st.text(max_size=5)  # fmt: skip
TREES = st.dictionaries(
    WORDS,
    st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=20),
    max_size=5,
)
DAMAGED = st.builds(
    lambda at, junk: GOOD.encode()[:at] + junk + GOOD.encode()[at + len(junk) :], st.integers(0, len(GOOD)), st.binary(max_size=4)
)


def blamed_keys(data: bytes) -> list[str] | None:
    """The keys that are blamed for what is wrong with `data`; `None` where nothing is."""
    try:
        parse(data, KINDS, {})
    except SettingsError as error:
        return [problem.key for problem in error.problems]
    return None


@given(TREES)
def test_any_tree_gives_settings_or_problems(tree: dict[str, Any]) -> None:
    """Whatever stands in a file, nothing but settings or a list of problems comes out, one for each key."""
    keys = blamed_keys(tomlkit.dumps(tree).encode("utf-8", "replace"))
    assert keys is None or (keys and len(set(keys)) == len(keys) and all(keys))


@given(st.binary(max_size=200) | DAMAGED)
def test_any_bytes_give_settings_or_problems(data: bytes) -> None:
    """The same of a file that was damaged."""
    assert blamed_keys(data) != []
