"""What an identity may see, and what it is as a key."""

from __future__ import annotations

from web.auth.identity import ANYBODY, Identity


def test_one_pattern_is_enough() -> None:
    """No list means everything; an empty one, nothing."""
    assert ANYBODY.may_see("A")
    assert ANYBODY.sees_all
    assert not Identity(symbols=()).may_see("A")
    some = Identity(symbols=("BTC-*", "AAPL"))
    assert [symbol for symbol in ("BTC-USD", "AAPL", "AAPLX", "ETH-USD") if some.may_see(symbol)] == ["BTC-USD", "AAPL"]
    assert not some.sees_all


def test_as_a_key() -> None:
    """Two that allow the same are equal, however they came to be; whatever differs makes another one."""
    patterns = [f"S{number}*" for number in range(500)]
    one, same = (Identity(tuple(patterns), 2.0, 60.0) for _ in range(2))
    assert one == same
    assert one.patterns is same.patterns
    others = [Identity(tuple(patterns[1:]), 2.0, 60.0), Identity(tuple(patterns), None, 60.0), Identity(tuple(patterns), 2.0, 61.0),
              Identity(None, 2.0, 60.0), ANYBODY]  # fmt: skip
    assert len({one, same, *others}) == 1 + len(others)


def test_its_hash_does_not_look_at_its_patterns() -> None:
    """They are looked at once: from then on the hash is of one object."""
    looks = 0

    class Counted(str):
        __slots__ = ()

        def __hash__(self) -> int:
            nonlocal looks
            looks += 1
            return super().__hash__()

    identity = Identity(tuple(Counted(f"S{number}") for number in range(500)))
    hash(identity)
    first = looks
    assert [hash(identity) for _ in range(3)].count(hash(identity)) == 3
    assert looks == first > 0
