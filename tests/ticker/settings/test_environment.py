"""Variables: which key each sets, how its text becomes a value, and how secrets are kept."""

import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.ticker.settings.kinds import KINDS, KeyedSettings
from ticker.errors import Problem, SettingsError
from ticker.settings import Settings
from ticker.settings.load import Loaded, parse

FILE = b"""
[feeds.sim]
kind = "walk"
[feeds.keyed_1]
kind = "keyed"
[symbols]
A = { feed = ["sim", "keyed_1"] }
"""
KEY = {"TICKERCAST_FEEDS__KEYED_1__API_KEY": "hunter2hunter2"}


def load(environ: dict[str, str]) -> Loaded:
    """The file above with `environ`, its key included."""
    return parse(FILE, KINDS, KEY | environ)


def settings_with(environ: dict[str, str]) -> Settings:
    """The same, without warnings."""
    loaded = load(environ)
    assert loaded.warnings == ()
    return loaded.settings


def problem_with(environ: dict[str, str]) -> Problem:
    """The one thing that is wrong with `environ`, in which no secret shows."""
    with pytest.raises(SettingsError) as caught:
        load(environ)
    (problem,) = caught.value.problems
    assert "hunter2" not in f"{problem!r} {caught.value}"
    return problem


def test_fixed_tables() -> None:
    """Each key has its variable; strings stand for themselves, the rest is JSON."""
    settings = settings_with({
        "TICKERCAST_SERVER__PORT": "8080", "TICKERCAST_SERVER__HOST": "127", "TICKERCAST_SERVER__ALLOWED_ORIGINS": '["https://a.example"]',
        "TICKERCAST_BROADCAST__HEARTBEAT_S": "2.5", "TICKERCAST_LIMITS__MAX_CLIENTS": "7", "HOME": "/root", "TICKER": "x"})  # fmt: skip
    assert (settings.server.port, settings.server.host, settings.server.allowed_origins) == (8080, "127", ["https://a.example"])
    assert (settings.broadcast.heartbeat_s, settings.limits.max_clients) == (2.5, 7)


def test_feeds() -> None:
    """A feed's keys too, also with an underscore in its name, a flag, an address, a list, a table."""
    settings = settings_with({
        "TICKERCAST_FEEDS__SIM__SEED": "9", "TICKERCAST_FEEDS__SIM__LOOP": "true", "TICKERCAST_FEEDS__SIM__STALE_AFTER_S": "60",
        "TICKERCAST_FEEDS__KEYED_1__BASE_URL": "http://127.0.0.1:1", "TICKERCAST_FEEDS__KEYED_1__CHANNELS": '["a", "b"]',
        "TICKERCAST_FEEDS__KEYED_1__COLUMNS": '{"price": "p"}'})  # fmt: skip
    assert settings.feeds["sim"].model_dump() == {"kind": "walk", "interval_s": 1.0, "stale_after_s": 60, "seed": 9, "loop": True}
    keyed = settings.feeds["keyed_1"]
    assert isinstance(keyed, KeyedSettings)
    assert (str(keyed.base_url), keyed.channels, keyed.columns and keyed.columns.price) == ("http://127.0.0.1:1/", ("a", "b"), "p")
    assert keyed.api_key == SecretStr("hunter2hunter2")
    assert settings_with({"TICKERCAST_FEEDS__KEYED_1__CHANNELS": "a"}).feeds["keyed_1"].model_dump()["channels"] == ("a",)


def test_a_feed_of_the_environment_alone() -> None:
    """With its kind given, a feed need not stand in the file."""
    loaded = parse(b"[symbols]\n", KINDS, {"TICKERCAST_FEEDS__NEW__KIND": "walk", "TICKERCAST_FEEDS__NEW__SEED": "3"})
    assert loaded.settings.feeds["new"].model_dump()["seed"] == 3


@pytest.mark.parametrize(
    ("environ", "key", "reason", "hint"),
    [
        ({"TICKERCAST_SERVER__PORT": "http"}, "server.port", "a whole number", "the variable TICKERCAST_SERVER__PORT"),
        ({"TICKERCAST_SERVER__PORT": ""}, "server.port", "a whole number", "the variable TICKERCAST_SERVER__PORT"),
        ({"TICKERCAST_SERVER__PORT": "70000"}, "server.port", "from 0 to 65535", "the variable TICKERCAST_SERVER__PORT"),
        ({"TICKERCAST_SERVER__PORT": '"80"'}, "server.port", "a whole number", "the variable TICKERCAST_SERVER__PORT"),
        ({"TICKERCAST_BROADCAST__HEARTBEAT_S": "NaN"}, "broadcast.heartbeat_s", "a number from", "the variable"),
        ({"TICKERCAST_SERVER__ALLOWED_ORIGINS": "https://a.example"}, "server.allowed_origins", "a list", "the variable"),
        ({"TICKERCAST_SERVER__ALLOWED_ORIGINS": "[" * 100_000}, "server.allowed_origins", "a list", "the variable"),
        ({"TICKERCAST_SERVER__ALLOWED_ORIGINS": "[1]"}, "server.allowed_origins[0]", "a string", "the variable"),
        ({"TICKERCAST_FEEDS__SIM__KIND": "wlak"}, "feeds.sim.kind", "no such kind", "did you mean walk?"),
        ({"TICKERCAST_FEEDS__SIM__LOOP": "yes"}, "feeds.sim.loop", "true or false", "the variable TICKERCAST_FEEDS__SIM__LOOP"),
        ({"TICKERCAST_FEEDS__KEYED_1__API_KEY": ""}, "TICKERCAST_FEEDS__KEYED_1__API_KEY", "is empty", ""),
        ({"TICKERCAST_FEEDS__KEYED_1__API_KEY": "abc"}, "feeds.keyed_1.api_key", "a secret of at least 4 characters", "the variable"),
        ({"TICKERCAST_FEEDS__KEYED_1__API_KEY_FILE": "/x"}, "TICKERCAST_FEEDS__KEYED_1__API_KEY_FILE", "API_KEY is set too", "unset one"),
    ],
)
def test_a_wrong_variable(environ: dict[str, str], key: str, reason: str, hint: str) -> None:
    """A wrong value is blamed on its key, with the variable it came from; a wrong name on the variable."""
    problem = problem_with(environ)
    assert problem.key == key
    assert reason in problem.reason
    assert hint in problem.hint


@pytest.mark.parametrize(
    ("name", "reason", "hint"),
    [
        ("SERVER__PROT", "no such setting", "did you mean TICKERCAST_SERVER__PORT?"),
        ("PORT", "no such setting", "did you mean TICKERCAST_SERVER__PORT?"),
        ("HOST", "no such setting", "did you mean TICKERCAST_SERVER__HOST?"),
        ("SERVER_PORT", "no such setting", "did you mean TICKERCAST_SERVER__PORT?"),
        ("server__port", "no such setting", "did you mean TICKERCAST_SERVER__PORT?"),
        ("SERVR__PORT", "no such setting", "did you mean TICKERCAST_SERVER__PORT?"),
        ("SERVER__AUHT", "no such setting", "did you mean TICKERCAST_SERVER__AUTH?"),
        ("TAG", "no such setting", "docs/settings.md"),
        ("SYMBOLS__A__FEED", "no such setting", ""),
        ("SERVICE_PORT", "no such setting", ""),
        ("NAME", "no such setting", ""),
        ("SIM__ENV_X", "no such setting", ""),
        ("FEEDS__SIM__SEEED", "no such setting", "did you mean TICKERCAST_FEEDS__SIM__SEED?"),
        ("FEEDS__SIM__SEED_FILE", "no such setting", ""),
        ("FEEDS__SIN__SEED", "there is no feed sin", "did you mean TICKERCAST_FEEDS__SIM__…?"),
    ],
)
def test_a_variable_that_is_no_setting(name: str, reason: str, hint: str) -> None:
    """A warning with what was probably meant: others may use our prefix for what is theirs. Its value may be anything, and is not shown."""
    (warning,) = load({f"TICKERCAST_{name}": "hunter2"}).warnings
    assert warning.key == f"TICKERCAST_{name}"
    assert reason in warning.reason
    assert hint in warning.hint
    assert "hunter2" not in repr(warning)


def test_a_slip_in_the_name_of_what_is_missing() -> None:
    """The warning comes along with the error that it explains."""
    with pytest.raises(SettingsError) as caught:
        parse(FILE, KINDS, {"TICKERCAST_FEEDS__KEYED_1__API_KYE": "hunter2hunter2"})
    assert [problem.key for problem in caught.value.problems] == ["feeds.keyed_1.api_key"]
    (warning,) = caught.value.warnings
    assert warning.hint == "did you mean TICKERCAST_FEEDS__KEYED_1__API_KEY?"


LINKS = {
    "a Service of Kubernetes called tickercast": {
        "SERVICE_HOST": "10.96.0.12", "SERVICE_PORT": "5000", "SERVICE_PORT_HTTP": "5000", "PORT": "tcp://10.96.0.12:5000",
        "PORT_5000_TCP": "tcp://10.96.0.12:5000", "PORT_5000_TCP_PROTO": "tcp", "PORT_5000_TCP_PORT": "5000",
        "PORT_5000_TCP_ADDR": "10.96.0.12", "PORT_53_UDP": "udp://10.96.0.12:53", "PORT_53_UDP_PORT": "53"},
    "and one called tickercast-redis": {
        "REDIS_SERVICE_HOST": "fd00::12", "REDIS_SERVICE_PORT": "6379", "REDIS_SERVICE_PORT_REDIS_TLS": "6380",
        "REDIS_PORT": "tcp://[fd00::12]:6379", "REDIS_PORT_6379_TCP_ADDR": "fd00::12", "MY_OTHER_1_PORT_80_TCP_PROTO": "tcp"},
    "a link of Docker": {
        "NAME": "/web/tickercast", "ENV_PATH": "/usr/bin:/bin", "ENV_API__KEY": "hunter2", "ENV_LINES": "a\nb",
        "REDIS_NAME": "/web/tickercast-redis",
        "REDIS_ENV_REDIS_VERSION": "7.2", "PORT_5000_TCP_START": "tcp://172.17.0.2:5000", "PORT_5000_TCP_PORT_END": "5001"},
}  # fmt: skip


@pytest.mark.parametrize("environ", LINKS.values(), ids=LINKS)
def test_what_containers_make_under_our_prefix(environ: dict[str, str]) -> None:
    """Nobody wrote it, and nobody hears of it."""
    assert settings_with({f"TICKERCAST_{name}": value for name, value in environ.items()}) == settings_with({})


def test_a_secret_for_a_feed_that_is_switched_off() -> None:
    """Keys stay exported: taking a feed out of the running file must not make it invalid."""
    loaded = load({"TICKERCAST_FEEDS__OTHER__TOKEN": "hunter2", "TICKERCAST_FEEDS__OTHER__API_KEY_FILE": "/x"})
    assert [warning.key for warning in loaded.warnings] == ["TICKERCAST_FEEDS__OTHER__API_KEY_FILE", "TICKERCAST_FEEDS__OTHER__TOKEN"]
    assert "hunter2" not in repr(loaded)


def secret_file(tmp_path: Path, content: bytes = b"hunter2hunter2\n", mode: int = 0o600) -> dict[str, str]:
    """The variables that name a file with `content` as the key of the feed."""
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(mode)
    return {"TICKERCAST_FEEDS__KEYED_1__API_KEY_FILE": str(path)}


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_secret_from_a_file(tmp_path: Path, mode: int) -> None:
    """The newline that editors put at the end of a file is not part of the key."""
    keyed = parse(FILE, KINDS, secret_file(tmp_path, mode=mode)).settings.feeds["keyed_1"]
    assert isinstance(keyed, KeyedSettings)
    assert keyed.api_key.get_secret_value() == "hunter2hunter2"


@pytest.mark.parametrize(
    ("content", "mode", "reason", "hint"),
    [
        (b"hunter2hunter2", 0o620, "others can write that file (mode 0620)", "chmod go-w "),
        (b"hunter2hunter2", 0o602, "others can write that file (mode 0602)", "chmod go-w "),
        (b"\n", 0o600, "is empty", ""),
        (b"hunter2\xff", 0o600, "is not UTF-8", ""),
        (b"hunter2 " * 10_000, 0o600, "is larger than 65536 bytes", ""),
    ],
)
def test_a_wrong_secret_file(tmp_path: Path, content: bytes, mode: int, reason: str, hint: str) -> None:
    """It is refused by the variable's name, once: the key is not reported as missing besides."""
    with pytest.raises(SettingsError) as caught:
        parse(FILE, KINDS, secret_file(tmp_path, content, mode))
    (problem,) = caught.value.problems
    assert problem.key == "TICKERCAST_FEEDS__KEYED_1__API_KEY_FILE"
    assert reason in problem.reason
    assert problem.hint.startswith(hint)
    assert "hunter2" not in repr(problem)
    assert str(tmp_path) not in str(problem)


@pytest.mark.parametrize(("path", "reason"), [("/nonexistent/hunter2", "No such file"), ("/", "not the path of a file"),
                                              ("hunter2\0", "not the path of a file"), ("/dev/null", "not the path of a file")
])  # fmt: skip
def test_no_secret_file(path: str, reason: str) -> None:
    """What can't be opened is not repeated: it may be the secret itself."""
    with pytest.raises(SettingsError) as caught:
        parse(FILE, KINDS, {"TICKERCAST_FEEDS__KEYED_1__API_KEY_FILE": path})
    (problem,) = caught.value.problems
    assert reason in problem.reason
    assert "hunter2" not in repr(problem)


def test_every_variable_of_the_model_is_understood() -> None:
    """For each key of the fixed tables but the secrets, its default written as a variable changes nothing."""
    defaults = Settings()
    environ = {
        f"TICKERCAST_{table.upper()}__{key.upper()}": value if isinstance(value, str) else json.dumps(value)
        for table in ("server", "broadcast", "limits")
        for key, value in getattr(defaults, table).model_dump().items()
        if key not in getattr(defaults, table).secrets
    }
    loaded = parse(b"[symbols]\n", KINDS, environ).settings
    assert (loaded.server, loaded.broadcast, loaded.limits) == (defaults.server, defaults.broadcast, defaults.limits)
