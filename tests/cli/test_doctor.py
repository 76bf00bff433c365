"""`doctor`, on settings that are well and settings that are not. The whole command runs in e2e; here, what it finds."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.server import with_files
from tests.providers.client import running

ROOT = Path(__file__).parents[2]
SIM = '[feeds.sim]\nkind = "simulated"\n[symbols]\nACME = { feed = "sim" }\n'


def doctor(config: Path, *options: str, before: Sequence[str] = (), **variables: str) -> tuple[int, dict[str, Any]]:
    """Exit code, and findings by what they are about. `before`: a command that runs it."""
    run = subprocess.run([*before, sys.executable, "main.py", "doctor", "--json", "--config", str(config), *options], cwd=ROOT,
                         capture_output=True, text=True, check=False, env=os.environ | variables)  # fmt: skip
    report = json.loads(run.stdout)
    assert report["ok"] == (run.returncode == 0)
    assert "Traceback" not in run.stderr
    return run.returncode, {finding["what"]: finding for finding in report["findings"]}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A settings file to write."""
    return tmp_path / "settings.toml"


def test_all_is_well(config: Path) -> None:
    """A simulated feed on a free port: nothing fails, and the feed's price is told."""
    config.write_text("[server]\nport = 0\n" + SIM)
    code, findings = doctor(config)
    assert code == 0
    assert {name for name, finding in findings.items() if finding["mark"] == "fail"} == set()
    assert findings["feed sim"]["found"].startswith("ACME ")


def test_broken_settings_are_told_with_the_remedy(config: Path) -> None:
    """The first error is quoted, and the command that tells all of them is named."""
    config.write_text("[broadcast]\nflush_ms = 0\n" + SIM)
    code, findings = doctor(config)
    assert code == 1
    assert "broadcast.flush_ms" in findings["settings"]["found"]
    assert "validate" in findings["settings"]["remedy"]


def test_a_feed_that_answers_and_one_that_is_out_of_reach(config: Path) -> None:
    """A provider's server that is there gives a price; a closed port is a failure, said in words."""
    with running("coinbase") as provider:
        config.write_text(
            f'[server]\nport = 0\n[feeds.near]\nkind = "coinbase"\nbase_url = "{provider.url}"\n'
            '[feeds.far]\nkind = "coinbase"\nbase_url = "http://127.0.0.1:9"\n'
            '[symbols]\n"BTC-USD" = { feed = ["near", "far"] }\n'
        )
        code, findings = doctor(config)
    assert code == 1
    assert findings["feed near"]["mark"] == "ok"
    assert findings["feed far"]["mark"] == "fail"
    assert "nobody listens on 127.0.0.1 port 9" in findings["feed far"]["remedy"]


def test_what_helps_is_told_for_the_very_error(config: Path) -> None:
    """A price that its symbol can't have names the key, an odd field the command that shows it, a redirect the key to change."""
    with running("http_json") as provider:
        config.write_text(
            "[server]\nport = 0\n"
            + "".join(
                f'[feeds.{name}]\nkind = "http_json"\nbase_url = "{provider.url}"\npath = "/{name}/{{symbol}}"\nprice = "{name}.p"\n'
                f'bid = "{name}.b"\n'
                for name in ("power", "shares", "moved")
            )
            + '[symbols]\nDE = { feed = "power" }\nKO = { feed = "shares" }\nPEP = { feed = "moved" }\n'
        )
        provider.set(switches={"body": '{"power":{"p":-2.82},"shares":{"p":71.4,"b":"unch"}}'})
        provider.fault("redirect", path="/moved", location="https://login.example/")
        code, findings = doctor(config)
    assert code == 1
    assert findings["feed power"]["found"] == "DE: the price is zero or below, -2.82"
    assert findings["feed power"]["remedy"].endswith('say so in its line: DE = { feed = "power", allow_negative = true }')
    assert (findings["feed shares"]["mark"], findings["feed shares"]["remedy"]) == (
        "warn",
        "python main.py doctor --try feeds.shares KO shows why",
    )
    assert findings["feed shares"]["found"].endswith("what can't be read: bid")
    assert "redirect to login.example" in findings["feed moved"]["found"]
    assert "set base_url in [feeds.moved]" in findings["feed moved"]["remedy"]


@pytest.mark.parametrize(("kind", "symbol"), [("kraken_stream", "BTC/USD"), ("coinbase_stream", "BTC-USD"), ("binance_stream", "BTCUSDT")])
def test_a_stream_is_connected_to(config: Path, kind: str, symbol: str) -> None:
    """It has a price to show as any feed has; one that lets us in and says nothing has not."""
    with running(kind) as provider:
        config.write_text(
            f'[server]\nport = 0\n[feeds.live]\nkind = "{kind}"\nbase_url = "{provider.url}"\n[symbols]\n"{symbol}" = {{ feed = "live" }}\n'
        )
        code, findings = doctor(config)
        assert (code, findings["feed live"]["mark"]) == (0, "ok")
        assert len(provider.streams()) == 1
        provider.fault("status", status=401)
        code, findings = doctor(config)
    assert (code, findings["feed live"]["mark"]) == (1, "fail")
    assert "HTTP 401" in findings["feed live"]["found"]


def test_a_clock_that_is_wrong_is_a_warning(config: Path) -> None:
    """By the clocks of the providers reached, if all of them say so; one that is wrong itself is no proof. An error's clock counts too."""
    with running("coinbase") as one, running("kraken") as other:
        config.write_text(
            f'[server]\nport = 0\n[feeds.one]\nkind = "coinbase"\nbase_url = "{one.url}"\n'
            f'[feeds.other]\nkind = "kraken"\nbase_url = "{other.url}"\n'
            '[symbols]\n"BTC-USD" = { feed = ["one", "other"] }\n'
        )
        one.fault("headers", headers={"Date": formatdate(time.time() - 90)})
        assert doctor(config)[1]["clock"]["mark"] == "ok"
        other.fault("status", status=503, headers={"Date": formatdate(time.time() - 300)})
        clock = doctor(config)[1]["clock"]
    assert clock["mark"] == "warn"
    assert re.fullmatch(r"(9\d|1\d\d) s ahead, by one", clock["found"])
    assert "NTP" in clock["remedy"]


def test_without_a_provider_nothing_is_said_of_the_clock(config: Path) -> None:
    """There is nothing to compare it with."""
    config.write_text("[server]\nport = 0\n" + SIM)
    assert "clock" not in doctor(config)[1]


def test_open_files_and_variables(config: Path) -> None:
    """What the system allows is held against the settings; a variable that has no effect is told by its name."""
    config.write_text("[server]\nport = 0\n[limits]\nmax_clients = 5000\n" + SIM)
    code, findings = doctor(config, before=with_files(4096, 4096), TICKERCAST_SERVER__AUHT="token")
    assert (code, findings["open files"]["mark"]) == (0, "warn")
    assert "max_clients = 5000 takes 5098 open files, and the process may have 4096" in findings["open files"]["found"]
    assert "LimitNOFILE" in findings["open files"]["remedy"]
    assert (findings["settings"]["mark"], findings["settings"]["remedy"]) == ("warn", "did you mean TICKERCAST_SERVER__AUTH?")
    assert "TICKERCAST_SERVER__AUHT" in findings["settings"]["found"]
    code, findings = doctor(config, before=with_files(90, 90))
    assert (code, findings["open files"]["mark"]) == (1, "fail")


def test_a_taken_port_is_a_warning(config: Path, listener: int) -> None:
    """It may be tickercast itself that listens there."""
    config.write_text(f"[server]\nport = {listener}\n" + SIM)
    _, findings = doctor(config)
    assert findings["port"]["mark"] == "warn"


@pytest.fixture
def listener() -> Any:
    """A port that is taken."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]
