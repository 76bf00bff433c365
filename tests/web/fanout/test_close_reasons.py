"""The ledger of connections: all that were opened are accounted for, and the log has a line about rule-breakers now and then."""

import logging

import pytest

from web.fanout.close_reasons import SAY_EVERY_S, CloseReason, Ledger


def test_codes_and_reasons_are_told_apart() -> None:
    """Each close has a reason of its own; ours have codes from 4000, where RFC 6455 has none that fits."""
    assert len({reason.word for reason in CloseReason}) == len({reason.code for reason in CloseReason}) == len(CloseReason)
    assert {reason.code for reason in CloseReason if reason.code < 4000} == {1000, 1001, 1002, 1007, 1009, 1011}


def test_sums() -> None:
    """What was opened and turned away counts on both sides."""
    ledger = Ledger()
    ledger.opened += 2
    ledger.close(CloseReason.CLIENT, "a", 0)
    ledger.turn_away(CloseReason.SECOND_WEBSOCKET, "a", 0)
    assert (ledger.opened, ledger.closes) == (3, {"client": 1, "second_websocket": 1})


def test_a_flood_of_nonsense_is_a_line_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """The first at once, then sums; who only left is not mentioned."""
    caplog.set_level(logging.INFO)
    ledger = Ledger()
    for tenth in range(1, 2 * int(SAY_EVERY_S * 10)):
        ledger.close(CloseReason.BAD_PACKET if tenth % 3 else CloseReason.PROTOCOL, "192.0.2.1", tenth / 10)
        ledger.close(CloseReason.CLIENT, "192.0.2.2", tenth / 10)
    assert [record.message for record in caplog.records] == [
        "closed clients that broke the rules, 1 of them (bad_packet 1); the last came from 192.0.2.1",
        "closed clients that broke the rules, 600 of them (bad_packet 400, protocol_error 200); the last came from 192.0.2.1",
    ]
