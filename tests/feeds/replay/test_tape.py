"""A recording's lines, each when it is due: files are real, time is stepped."""

from __future__ import annotations

import gzip
import logging
from pathlib import Path

import msgspec
import pytest

from feeds.replay.tape import MOST_LINES, OVER, Play, Tape
from tests.feeds.support import complaint
from tests.ticker.stepped import SteppedTime
from ticker.errors import FeedError
from ticker.quote import Quote
from ticker.settings.model import Settings
from ticker.sinks.recording import batch, header, read_batch
from ticker.source import Ended

START_MS = 1_795_377_851_000
HEADER = header(Settings(), "cf98", START_MS)


def line(passed_ms: int, *symbols: str, price: float = 1.0) -> bytes:
    """A batch so long after the start."""
    return batch(
        [
            Quote(symbol=symbol, price=price, received_time=1, seq=1, source="a", kind="polled", state="fresh")
            for symbol in symbols or ("A",)
        ],
        START_MS + passed_ms,
    )


class Deck:
    """A tape of these bytes, and what it plays."""

    def __init__(self, folder: Path, content: bytes, play: Play | None = None) -> None:
        self.time = SteppedTime()
        self.path = folder / "tape.ndjson"
        self.path.write_bytes(content)
        self.tape = Tape(self.path, self.time, play or Play(), self.time.monotonic)

    def play(self, seconds: float, step_s: float = 0.25) -> list[tuple[float, bytes]]:
        """What comes in so many seconds, and when; headers are left out."""
        came: list[tuple[float, bytes]] = []
        until_s = self.time.monotonic() + seconds
        while (rest_s := until_s - self.time.monotonic()) > 1e-9:
            received = self.tape.receive(min(step_s, rest_s))
            came += [(round(self.time.monotonic(), 6), message) for message in received or [] if not message.startswith(b'{"recording"')]
        return came

    def times(self, seconds: float) -> list[float]:
        """When batches come."""
        return [at_s for at_s, message in self.play(seconds) if message != OVER]


def test_gaps_are_those_of_the_recording(tmp_path: Path) -> None:
    """The first batch at once, whenever the recording began; the others as long after it as they were, to the millisecond."""
    deck = Deck(tmp_path, HEADER + line(5000) + line(5001) + line(5750) + line(65_750))
    assert deck.tape.receive(0.0) == [HEADER[:-1], line(5000)[:-1]]
    assert deck.times(70) == [0.001, 0.75, 60.75]
    deck.tape.close()


@pytest.mark.parametrize(("speed", "times"), [(10.0, [0.0, 0.1, 0.2]), (0.5, [0.0, 2.0, 4.0])])
def test_speed_divides_gaps(tmp_path: Path, speed: float, times: list[float]) -> None:
    """Without adding up errors."""
    deck = Deck(tmp_path, HEADER + line(0) + line(1000) + line(2000), Play(speed))
    assert deck.times(10) == pytest.approx(times)


def test_who_is_late_catches_up(tmp_path: Path) -> None:
    """A busy moment delays what was due in it, and nothing after it; many lines come in parts."""
    deck = Deck(tmp_path, HEADER + b"".join(line(number * 10) for number in range(200)) + line(9000))
    deck.tape.receive(0.0)
    deck.time.pass_s(5)
    sizes = [len(deck.tape.receive(0.0) or []) for _ in range(4)]
    assert sizes[:3] == [MOST_LINES] * 3
    assert deck.times(5) == [9.0]


def test_the_end_is_told_once_and_silence_is_not_death(tmp_path: Path) -> None:
    """Whoever asks for a sign of life gets one."""
    deck = Deck(tmp_path, HEADER + line(0))
    assert [message for _, message in deck.play(5) if message == OVER] == [OVER]
    assert deck.tape.receive(1.0) is None
    deck.tape.ping()
    assert deck.tape.receive(1.0) == []
    assert deck.tape.receive(1.0) is None


def test_a_loop_begins_again_a_second_later(tmp_path: Path) -> None:
    """By a planned end, after which older times are all right."""
    deck = Deck(tmp_path, HEADER + line(0) + line(500), Play(loop=True))
    came: list[Ended] = []
    for _ in range(20):
        try:
            deck.tape.receive(0.25)
        except Ended as ended:
            came.append(ended)
            break
    assert (came[0].planned, came[0].anew, round(deck.time.monotonic(), 3)) == (True, True, 1.5)


def test_a_loop_of_nothing_is_over(tmp_path: Path) -> None:
    """It does not go round and round."""
    deck = Deck(tmp_path, HEADER, Play(loop=True))
    assert [message for _, message in deck.play(5)] == [OVER]


def test_from_a_moment_on(tmp_path: Path) -> None:
    """The newest of each symbol from before comes at once, what follows in its time."""
    content = HEADER + line(0, "A", "B") + line(1000, "A", price=2.0) + line(60_500, "A", price=3.0) + line(61_000, "B", price=4.0)
    deck = Deck(tmp_path, content, Play(begin="+60"))
    came = deck.play(10)
    assert [at_s for at_s, message in came if message != OVER] == [0.0, 0.5, 1.0]
    opening = read_batch(came[0][1])
    assert opening is not None
    assert opening.t == START_MS + 60_000
    assert {quote.symbol: quote.price for quote in opening.quotes} == {"A": 2.0, "B": 1.0}


def test_from_a_moment_on_it_is_known_what_volumes_count(tmp_path: Path) -> None:
    """Though it was said before."""
    said = msgspec.json.decode(line(0, "A", "B"))
    content = HEADER + msgspec.json.encode(said | {"volume_of": {"A": "session", "B": "day_utc"}}) + b"\n" + line(60_500, "A", price=3.0)
    deck = Deck(tmp_path, content, Play(begin="+60"))
    opening = read_batch(deck.play(1)[0][1])
    deck.tape.close()
    assert opening is not None
    assert opening.volume_of == {"A": "session", "B": "day_utc"}


def test_from_before_the_start_is_from_the_start(tmp_path: Path) -> None:
    """Nobody waits for years."""
    deck = Deck(tmp_path, HEADER + line(0) + line(1000), Play(begin="2020-01-01"))
    assert deck.times(5) == [0.0, 1.0]


def test_from_after_the_end_shows_the_last_prices(tmp_path: Path) -> None:
    """And it is over."""
    deck = Deck(tmp_path, HEADER + line(0) + line(1000), Play(begin="+1h"))
    came = deck.play(5)
    assert [at_s for at_s, _ in came] == [0.0, 0.0]
    assert came[1][1] == OVER


def test_to_a_moment(tmp_path: Path) -> None:
    """It included."""
    deck = Deck(tmp_path, HEADER + line(0) + line(1000) + line(1001), Play(end="+1"))
    assert deck.times(5) == [0.0, 1.0]


def test_recordings_in_a_row_play_on(tmp_path: Path) -> None:
    """Also where the second is older."""
    deck = Deck(tmp_path, HEADER + line(0) + line(1000) + HEADER + line(-90_000) + line(-89_500))
    assert deck.times(5) == [0.0, 1.0, 1.0, 1.5]


def test_nonsense_is_handed_on_for_others_to_judge(tmp_path: Path) -> None:
    """In its place."""
    deck = Deck(tmp_path, HEADER + line(0) + b"what?\n" + line(1000))
    assert [message for _, message in deck.play(5)][1] == b"what?"


@pytest.mark.parametrize(("packed", "words"), [(False, "its last line is torn"), (True, "its compressed data is torn")])
def test_a_torn_end_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture, packed: bool, words: str) -> None:
    """All before it plays."""
    content = HEADER + line(0) + line(1000)
    content = gzip.compress(content)[:-4] if packed else content[:-4]
    deck = Deck(tmp_path, content)
    with caplog.at_level(logging.WARNING):
        assert len(deck.times(5)) == 2 - (not packed)
    assert words in caplog.text


def test_a_file_that_grows_is_played_up_to_where_it_is(tmp_path: Path) -> None:
    """While it is being recorded: what is there when the line before it plays."""
    deck = Deck(tmp_path, HEADER + line(0) + line(3000))
    assert deck.times(1) == [0.0]
    with deck.path.open("ab") as file:
        file.write(line(4000))
    assert deck.times(5) == [3.0, 4.0]


@pytest.mark.parametrize(("content", "words"), [
    (b"", "is not a recording"), (b"hello\n", "is not a recording"), (gzip.compress(b"hello\n"), "is not a recording"),
    (HEADER.replace(b'"recording":1', b'"recording":7'), "of format 7")])  # fmt: skip
def test_what_is_no_recording_is_told(tmp_path: Path, content: bytes, words: str) -> None:
    """With the file's name, and is not tried again soon."""
    error = complaint(lambda: Deck(tmp_path, content))
    assert words in str(error)
    assert "tape.ndjson" in str(error)
    assert not error.retryable


def test_a_file_that_is_missing_may_come(tmp_path: Path) -> None:
    """So it is looked for again."""
    error = complaint(lambda: Tape(tmp_path / "none", SteppedTime(), Play()))
    assert isinstance(error, FeedError)
    assert "none can't be read: No such file" in str(error)
    assert error.retryable
