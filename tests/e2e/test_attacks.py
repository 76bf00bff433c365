"""Nothing that a stranger sends stops the quotes of others. How long they may have to wait `make soak` measures; here they must come."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.attacks.__main__ import attacked
from tests.attacks.clients import ATTACKS
from tests.attacks.witness import Witness
from tests.e2e.server import PATIENCE_S, RunningServer

ENOUGH = 5
"""So many quotes and answers, however long they take on a busy machine: of a relay that is stopped there are none."""


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """A relay that anybody may read, with 200 symbols and as good as no limit of requests."""
    with attacked("none", 1_000_000, symbols=200) as (server, _):
        yield server


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack(server: RunningServer, name: str) -> None:
    """The witness goes on reading and is answered while it lasts; afterwards it is over."""
    port = server.address[1]
    attacker = subprocess.Popen(
        [sys.executable, "-m", "tests.attacks.clients", name, str(port), str(2 * PATIENCE_S), "127.0.0.2", ""], stdout=subprocess.DEVNULL
    )
    try:
        witness = Witness(port, PATIENCE_S, enough=ENOUGH)
        witness.begun()
        seen = witness.seen()
        assert attacker.poll() is None, "the attack goes on"
    finally:
        attacker.kill()
        attacker.wait()
    assert seen.quotes >= ENOUGH
    assert seen.answers >= ENOUGH
    assert server.get("/healthz").status == 200


def test_where_requests_are_limited_an_address_is_told_so_and_others_are_not() -> None:
    """With the limit that is the default."""
    with attacked("none", 200, symbols=10) as (server, _):
        attacker = subprocess.Popen(
            [sys.executable, "-m", "tests.attacks.clients", "requests on 200 connections", str(server.address[1]), "60", "127.0.0.2", ""],
            stdout=subprocess.DEVNULL,
        )
        try:
            statuses = {server.get("/api/quotes").status for _ in range(50)}
        finally:
            attacker.kill()
            attacker.wait()
        assert statuses == {200}
