"""Where the relay goes by itself: to the hosts of the settings and nowhere else, whatever the admin API is sent; and what it says there."""

from __future__ import annotations

import http.client
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.e2e.clients import node_driver
from tests.e2e.noting_server import Recorder, recording
from tests.e2e.raw import RawSocket
from tests.e2e.server import PATIENCE_S, RunningServer, command_line, environment, serving
from tests.e2e.waiting import wait
from tests.providers.client import running as provider

ADMIN = "admin-horse-battery-staple"

ADDRESSES = [
    "http://127.0.0.1:{port}/", "https://127.0.0.1:{port}/", "http://localhost:{port}/", "http://2130706433:{port}/",
    "http://0x7f000001:{port}/", "http://0177.0.0.1:{port}/", "http://017700000001:{port}/", "http://127.1:{port}/", "http://0:{port}/",
    "http://0.0.0.0:{port}/", "http://[::1]:{port}/", "http://[::ffff:127.0.0.1]:{port}/", "http://[::ffff:7f00:1]:{port}/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]:{port}/", "http://user@127.0.0.1:{port}/", "http://user:pass@127.0.0.1:{port}/",
    "http://api.example.org@127.0.0.1:{port}/", "http://127.0.0.1:{port}#@api.example.org/", "http://127.0.0.1:{port}\\@api.example.org/",
    "http://api.example.org:80@127.0.0.1:{port}/", "http://127。0。0。1:{port}/", "http://①②⑦.⓪.⓪.①:{port}/",
    "http://127.0.0.1.nip.io:{port}/", "http://localtest.me:{port}/", "http://rebind.example:{port}/", "http://127.0.0.1.:{port}/",
    "http://LOCALHOST:{port}/", "http://localhost.:{port}/", "http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/latest/",
    "http://metadata.google.internal/", "http://10.0.0.1:{port}/", "http://192.168.0.1:{port}/", "http://172.16.0.1:{port}/",
    "http://[fe80::1]:{port}/", "file:///etc/passwd", "gopher://127.0.0.1:{port}/_x", "ftp://127.0.0.1:{port}/",
    "dict://127.0.0.1:{port}/", "ldap://127.0.0.1:{port}/", "ws://127.0.0.1:{port}/", "unix:///tmp/socket", "data:text/plain,x",
    "jar:http://127.0.0.1:{port}!/x", "//127.0.0.1:{port}/", "/\\127.0.0.1:{port}/", "127.0.0.1:{port}", "http:/127.0.0.1:{port}/x",
    "http:127.0.0.1:{port}", "A@127.0.0.1:{port}/x", "A/../../x", "A/%2e%2e/x", "../x", "A?x=http://127.0.0.1:{port}/", "A:{port}/x",
]  # fmt: skip
"""Addresses of this machine and of others that nobody should reach, as people have smuggled them past checks."""


def ask(server: RunningServer, method: str, path: str, body: object = None) -> int:
    """One request of the admin's; returns its status."""
    connection = http.client.HTTPConnection(*server.address, timeout=PATIENCE_S)
    try:
        connection.request(method, path, None if body is None else json.dumps(body), {"Authorization": f"Bearer {ADMIN}"})
        return connection.getresponse().status
    finally:
        connection.close()


def test_the_admin_api_can_carry_no_address(tmp_path: Path) -> None:
    """It takes a symbol and the name of a feed. As a symbol, an address is refused or is one more product at the feed's own host; as
    anything else it is refused. Nobody comes to the canary.
    """
    assert len(ADDRESSES) >= 40
    with recording() as canary, recording() as api:
        settings = f"""
[feeds.json]
kind = "http_json"
interval_s = 0.2
base_url = "{api.url}/base"
path = "/v1/{{symbol}}/last"
price = "last"

[feeds.coinbase]
kind = "coinbase"
interval_s = 0.2
base_url = "{api.url}/base"

[symbols]
FIRST = {{ feed = "json" }}
"""
        with serving(settings, variables={"SERVER__ADMIN_TOKEN": ADMIN}) as server:
            added = []
            for number, form in enumerate(ADDRESSES):
                address = form.format(port=canary.server_port)
                status = ask(server, "POST", "/api/symbols", {"symbol": address, "feed": ("json", "coinbase")[number % 2]})
                assert status in (201, 422), (address, status)
                added += [address] if status == 201 else []
                assert ask(server, "POST", "/api/symbols", {"symbol": f"N{number}", "feed": address}) == 422
                for key in ("base_url", "url", "options", "json", "kind"):
                    assert ask(server, "POST", "/api/symbols", {"symbol": f"N{number}", "feed": "json", key: address}) == 400
                assert ask(server, "DELETE", f"/api/feeds/{number}") in (404, 405)
            assert ask(server, "POST", "/api/symbols", {"symbol": "LAST", "feed": "json"}) == 201
            wait_for(api, "/base/v1/LAST/last", len(added))
            assert all(path.startswith("/base/") and "/.." not in path for path in api.paths())
            assert canary.connections == 0
            assert "base_url" not in server.config.read_text().replace(f'base_url = "{api.url}/base"', "")


def wait_for(api: Recorder, path: str, more: int) -> None:
    """Until `path` was asked for, and each of the others has had its turn."""
    wait(lambda: api.paths().count(path) >= 2 + more // 10, lambda: api.paths()[-20:])


def record(folder: Path, settings: str, variables: Mapping[str, str]) -> tuple[str, str]:
    """Run the feeds for as long as it takes until something stands in a recording; returns that, and the log."""
    config, file = folder / "recorded.toml", folder / "recording"
    config.write_text(settings)
    process = subprocess.Popen(
        command_line("record", str(file), "--config", str(config), "--log-level", "debug"),
        stderr=subprocess.PIPE,
        text=True,
        env=environment(variables),
    )
    wait(lambda: file.exists() and b"\n" in file.read_bytes().partition(b"ACME")[2].partition(b"price")[2])
    process.terminate()
    said = process.communicate(timeout=PATIENCE_S)[1]
    assert process.returncode == 0, said
    return file.read_text(), said


KEYS = {"finnhub": "API_KEY", "alphavantage": "API_KEY", "twelvedata": "API_KEY", "massive": "API_KEY", "polygon": "API_KEY",
        "tiingo": "API_KEY"}  # fmt: skip
CANARY = "C4nary+K3y/4+th1s-Test=="
SPELLINGS = (CANARY, "C4nary%2BK3y", "C4nary%2bK3y", CANARY.replace("/", "\\/"))
SERVER_TOKEN, PREVIOUS = "C4nary-T0ken-of-the-server", "C4nary-T0ken-of-before"


def test_no_secret_reaches_anybody_but_its_provider(tmp_path: Path) -> None:
    """Keys in headers and in addresses, tokens of ours: with everything logged, through errors, echoes and redirects, in every answer, on
    the page's wire, on stdout and in the list of processes, there is none of them.
    """
    key_file = tmp_path / "key"
    key_file.touch(0o600)
    key_file.write_text(CANARY)
    stdout = tmp_path / "quotes.ndjson"
    with recording() as elsewhere, recording(redirect=elsewhere.url) as moved, provider("finnhub") as finnhub, stdout.open("wb") as pipe:
        finnhub.fault("status", status=403, body=f"who is {CANARY}?")
        settings = (
            '[server]\nauth = "token"\n'
            + "".join(
                f'[feeds.{kind}]\nkind = "{kind}"\ninterval_s = 0.5\nbase_url = "{finnhub.url if kind == "finnhub" else moved.url}"\n'
                for kind in KEYS
            )
            + (
                f'[feeds.json]\nkind = "http_json"\ninterval_s = 0.5\nbase_url = "{moved.url}"\nprice = "last"\n'
                'path = "/v1/{symbol}?key={api_key}"\nheaders = { X-Key = "{api_secret}" }\n'
                '[feeds.sim]\nkind = "simulated"\n[symbols]\nACME = { feed = "sim" }\n'
            )
        )
        settings += "".join(f'S{kind.upper()} = {{ feed = "{kind}" }}\n' for kind in (*KEYS, "json"))
        variables = {f"FEEDS__{kind.upper()}__{name}": CANARY for kind, name in KEYS.items()} | {
            "FEEDS__JSON__API_KEY": CANARY,
            "FEEDS__JSON__API_SECRET_FILE": str(key_file),
            "SERVER__ADMIN_TOKEN": ADMIN,
            "SERVER__TOKENS": f"{SERVER_TOKEN},{SERVER_TOKEN}-2",
            "SERVER__TOKENS_PREVIOUS": PREVIOUS,
        }
        with serving(settings, "--log-level", "debug", "--ndjson", variables=variables, stdout=pipe) as server, node_driver() as driver:
            client = driver.open(server.url, ["/", "/ACME"], ["polling"], auth={"token": SERVER_TOKEN})
            client.received.wait("/ACME", "quote")
            raw = RawSocket(server.address)
            for token in (SERVER_TOKEN, f"{SERVER_TOKEN}x", PREVIOUS):
                raw.join("/", token)
            raw.join("/ACME", PREVIOUS)
            raw.quote("ACME")
            assert ask(server, "POST", "/api/symbols", {"symbol": CANARY, "feed": "nope"}) == 422
            server.edit(lambda text: text.replace("interval_s = 0.5", 'interval_s = "x"'))
            server.wait_log("settings not applied")
            wait(lambda: len(moved.requests) >= len(KEYS) and finnhub.requests())
            header = {"Authorization": f"Bearer {PREVIOUS}"}
            paths = ("/api/status", "/api/symbols", "/api/quotes", "/api/sparkline", "/metrics", "/healthz", "/api/quotes/SFINNHUB")
            answers = [str(server.get(path, header)) for path in paths]
            processes = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
            client.close()
            told = str([client.received.order(place) for place in ("/", "/ACME")]) + raw.wire.decode("latin-1")
            raw.close()
        recorded, recorder_said = record(tmp_path, settings, variables)
    assert any(CANARY in request or "C4nary%2BK3y" in request for request in moved.requests), "the provider itself did get it"
    assert elsewhere.connections == 0, "whoever a redirect names gets nothing at all"
    said = {"log": "\n".join(server.log), "recording": recorded, "recorder": recorder_said, "answers": "\n".join(answers),
            "processes": processes, "stdout": stdout.read_text(), "wire": told}  # fmt: skip
    for place, text in said.items():
        for secret in (*SPELLINGS, SERVER_TOKEN, PREVIOUS, ADMIN):
            assert secret not in text, (place, secret)
    assert "who is ***?" in said["log"], "the echo did come"
