"""Symbols that an admin adds while others read: nobody waits for the file, and no answer says where it is."""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import threading
import tomllib
from contextlib import closing
from typing import Any

from tests.e2e.raw import RawSocket
from tests.e2e.relay_settings import simulated
from tests.e2e.server import PATIENCE_S, RunningServer, serving

ADMIN = "admin-horse-battery-staple"
VARIABLES = {"SERVER__ADMIN_TOKEN": ADMIN}


def ask(server: RunningServer, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """What the admin is answered."""
    with closing(http.client.HTTPConnection(*server.address, timeout=PATIENCE_S)) as connection:
        connection.request(method, path, None if body is None else json.dumps(body), {"Authorization": f"Bearer {ADMIN}"})
        response = connection.getresponse()
        return response.status, json.loads(response.read())


def test_nobody_waits_for_an_edit() -> None:
    """One that can't begin, as another program holds the folder, keeps its own client waiting alone; then all are done in turn."""
    with serving(simulated("ACME", interval_s=0.1), variables=VARIABLES) as server, closing(RawSocket(server.address)) as reader:
        folder = os.open(server.config.parent, os.O_RDONLY)
        fcntl.flock(folder, fcntl.LOCK_EX)
        answers: list[int] = []

        def add(symbol: str) -> None:
            answers.append(ask(server, "POST", "/api/symbols", {"symbol": symbol})[0])

        admins = [threading.Thread(target=add, args=(f"NEW{number}",)) for number in range(4)]
        for admin in admins:
            admin.start()
        reader.join("/ACME")
        seqs = [reader.quote("ACME")["seq"] for _ in range(4)]
        assert sorted(set(seqs)) == seqs
        assert server.get("/healthz").status == 200
        assert answers == []
        os.close(folder)
        for admin in admins:
            admin.join(PATIENCE_S)
        assert answers == [201] * 4
        assert tomllib.loads(server.config.read_text())["symbols"].keys() == {"ACME", "NEW0", "NEW1", "NEW2", "NEW3"}


def test_no_answer_says_where_the_settings_are() -> None:
    """Nor what `config` tells every client; the file's name alone is said."""
    with serving(simulated("ACME"), variables=VARIABLES) as server, closing(RawSocket(server.address)) as reader:
        reader.join("/")
        assert reader.event("config")["ok"]
        status, unspelt = ask(server, "POST", "/api/symbols", {"symbol": "M&M.NS"})
        assert (status, '"M_M.NS" = { feed = "sim", sim = "M&M.NS" }' in unspelt["error"]["message"]) == (422, True)
        server.config.rename(server.config.with_name("settingz.toml"))
        status, refused = ask(server, "POST", "/api/symbols", {"symbol": "NEW"})
        told = reader.event("config")
        assert (status, told["ok"]) == (422, False)
        for text in (refused["error"]["message"], told["error"], json.dumps(server.get("/api/status").json)):
            assert "settings.toml: there is no such file" in text
            assert str(server.config.parent) not in text
            assert server.config.parent.name not in text
