"""As it is deployed: limits of the system, environment and mounts, each with a real process."""

from __future__ import annotations

import re
import resource
from contextlib import closing
from pathlib import Path

from tests.e2e.raw import RawSocket
from tests.e2e.server import RunningServer, serving, start, with_files
from tests.web.metrics.reading import read, value

SETTINGS = """
[limits]
max_clients = 300
max_waiting = 20
[feeds.sim]
kind = "simulated"
[symbols]
ACME = { feed = "sim" }
"""


def may_open(server: RunningServer) -> int:
    """How many files it may have open."""
    return resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)[0]


def test_few_files_are_made_enough() -> None:
    """A low soft limit is raised to what the settings ask for, and no further; nothing need be said."""
    with serving(SETTINGS, before=with_files(200, 4096)) as server:
        assert may_open(server) == 300 + 20 + 512 + 32 + 64 + 2
        assert server.lines("WARNING") == []
        server.edit(lambda text: text.replace("max_clients = 300", "max_clients = 5000"))
        assert "about 3998 clients find room" in server.wait_log("WARNING tickercast: (.*)")[1]
        assert may_open(server) == 4096


def test_a_limit_that_cannot_be_raised_far_enough() -> None:
    """One warning with both numbers and the cure."""
    with serving(SETTINGS, before=with_files(200, 256)) as server:
        assert may_open(server) == 256
        (warning,) = server.lines("WARNING")
    assert "limits.max_clients = 300 takes 398 open files, and the process may have 256: about 158 clients find room" in warning
    assert re.search("ulimit -n, LimitNOFILE=.*--ulimit nofile=", warning)


def test_a_limit_with_which_nothing_could_be_served(tmp_path: Path) -> None:
    """Refused with the least that works; and with that a client is served."""
    config = tmp_path / "settings.toml"
    config.write_text(SETTINGS)
    refused = start(config, "--headless", before=with_files(64, 64))
    assert refused.wait() == 1
    (line,) = refused.lines("error: the process may have 64 files open")
    least = int(re.search(r"(\d+) are the least", line)[1])  # type: ignore[index]
    with serving(SETTINGS, before=with_files(least, least)) as server, closing(RawSocket(server.address)) as client:
        client.join("/ACME")
        client.quote("ACME")
        assert server.get("/healthz").status == 200
        scraped = read(server.get("/metrics").body.decode())
    assert scraped["process_max_fds", frozenset()] == least
    assert value(scraped, "connects_refused_total", status="503", reason="too_many_connections") == 0
