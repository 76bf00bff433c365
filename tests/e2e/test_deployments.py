"""As it is deployed: limits of the system, environment and mounts, each with a real process."""

from __future__ import annotations

import re
import resource
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

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


def fill(server: RunningServer, crowd: ExitStack, most: int) -> None:
    """Join with one client after the other. Raises `ConnectionRefusedError` where there is no room for one more."""
    for _ in range(most):
        crowd.enter_context(closing(RawSocket(server.address))).join("/ACME")


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
    found = re.search(r"(\d+) are the least", line)
    assert found is not None, line
    least = int(found[1])
    with serving(SETTINGS, before=with_files(least, least)) as server, closing(RawSocket(server.address)) as client, ExitStack() as crowd:
        client.join("/ACME")
        client.quote("ACME")
        scraped = read(server.get("/metrics").body.decode())
        assert scraped["process_max_fds", frozenset()] == least
        assert value(scraped, "connects_refused_total", status="503", reason="too_many_connections") == 0
        with pytest.raises(ConnectionRefusedError, match="503"):  # where all are taken but those that are kept for the relay itself
            fill(server, crowd, least)
        client.quote("ACME")
        crowd.close()
        server.wait_log("refused 1 request \\(too_many_connections\\)")
        while server.get("/healthz").status != 200:
            client.quote("ACME")


LINKS = {
    "SERVICE_HOST": "10.96.0.12", "SERVICE_PORT": "5000", "SERVICE_PORT_HTTP": "5000", "PORT": "tcp://10.96.0.12:5000",
    "PORT_5000_TCP": "tcp://10.96.0.12:5000", "PORT_5000_TCP_PROTO": "tcp", "PORT_5000_TCP_PORT": "5000",
    "PORT_5000_TCP_ADDR": "10.96.0.12",
    "REDIS_SERVICE_HOST": "10.96.0.13", "REDIS_PORT_6379_TCP": "tcp://10.96.0.13:6379",
}  # fmt: skip


def test_as_a_container_has_it() -> None:
    """The links of a Service that is called as we are, and a secret of mode 0444 on a mount in memory: not a word about either. A variable
    that is somebody's own is a warning, and no more.
    """
    with tempfile.TemporaryDirectory(dir="/dev/shm") as mount:
        secret = Path(mount) / "tokens"
        secret.write_text("correct-horse-battery\n")
        secret.chmod(0o444)
        variables = {**LINKS, "TAG": "v1", "SERVER__AUTH": "token", "SERVER__TOKENS_FILE": str(secret)}
        with serving(SETTINGS, variables=variables) as server:
            assert server.get("/api/quotes").status == 401
            assert server.get("/api/quotes", {"Authorization": "Bearer correct-horse-battery"}).status == 200
            (warning,) = server.lines("WARNING")
    assert "TICKERCAST_TAG: has no effect" in warning
