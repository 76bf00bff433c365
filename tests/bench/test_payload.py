"""The quotes that peers send, and the frames that the probe sends."""

from __future__ import annotations

import json

import pytest

from bench.payload import FULL_BYTES, SHORT_BYTES, symbol_name, template
from bench.probe import masked


@pytest.mark.parametrize("size", [93, SHORT_BYTES, 180, 250, FULL_BYTES, 317, 1000])
def test_a_quote_has_exactly_the_length_asked_for(size: int) -> None:
    """To the byte, and it always carries what the generator looks for."""
    text = template(size)
    quote = json.loads(text)
    assert len(text) == size
    assert {"symbol", "price", "received_time", "seq"} <= quote.keys()


def test_a_full_quote_has_the_fields_of_the_wire() -> None:
    """At full length nothing is left out."""
    assert {"bid", "ask", "open", "high", "low", "prev_close", "volume", "change_pct", "currency", "kind", "state"} <= json.loads(
        template(FULL_BYTES)
    ).keys()


def test_too_short_a_quote_is_refused() -> None:
    """There is no quote without its stamp."""
    with pytest.raises(ValueError, match="too short"):
        template(92)


def test_symbols_have_the_names_that_the_generator_joins() -> None:
    """Four digits, so that every quote of a case has one length."""
    assert [symbol_name(number) for number in (0, 42, 9999)] == ["S0000", "S0042", "S9999"]


@pytest.mark.parametrize(("length", "header"), [(5, 6), (125, 6), (126, 8), (1000, 8)])
def test_a_masked_frame_gives_its_payload_back(length: int, header: int) -> None:
    """RFC 6455, 5.2 and 5.3: FIN and text, the masked bit, the length, the key, the payload xor the key."""
    payload = bytes(index % 251 for index in range(length))
    frame = masked(payload)
    key, body = frame[header - 4 : header], frame[header:]
    assert frame[0] == 0x81
    assert frame[1] & 0x80
    assert int.from_bytes(frame[2:4], "big") == length if header == 8 else frame[1] & 127 == length
    assert bytes(byte ^ key[index & 3] for index, byte in enumerate(body)) == payload
