"""Which addresses a feed's settings may name: those that its protocol has, and none with a secret in it."""

from __future__ import annotations

from typing import get_args

import pytest
from pydantic import AnyUrl, BaseModel, HttpUrl, SecretStr, ValidationError

from feeds.registry import kinds

GIVEN = {"path": "/x", "price": "x", "columns": []}


def addresses(model: type[BaseModel]) -> list[str]:
    """The keys of a kind that hold an address."""
    return [name for name, field in model.model_fields.items() if {HttpUrl, AnyUrl} & {field.annotation, *get_args(field.annotation)}]


KEYS = [(kind, key) for kind, feed in sorted(kinds().items()) for key in addresses(feed.Settings)]


def errors(kind: str, key: str, address: str) -> list[str]:
    """What is wrong with this address there."""
    model = kinds()[kind].Settings
    values = {
        "kind": kind,
        key: address,
        **{name: value for name, value in GIVEN.items() if name in model.model_fields},
        **{name: SecretStr("k3y-of-some-length") for name in model.secrets},
    }
    try:
        model.model_validate(values)
    except ValidationError as error:
        return [str(problem["msg"]) for problem in error.errors() if problem["loc"][0] == key]
    return []


def test_there_are_addresses_to_look_at() -> None:
    """Every feed that goes anywhere has one."""
    assert {kind for kind, _ in KEYS} >= set(kinds()) - {"simulated", "replay"}


@pytest.mark.parametrize(("kind", "key"), KEYS)
@pytest.mark.parametrize("address", [
    "file:///etc/passwd", "gopher://127.0.0.1/_x", "ftp://127.0.0.1/", "dict://127.0.0.1:11211/", "ldap://127.0.0.1/", "unix:///tmp/x",
    "data:text/plain,x", "javascript:alert(1)", "jar:http://127.0.0.1!/x", "127.0.0.1", "//127.0.0.1/", "/x", "", "http://", "http:///x",
    "http://[::1", "http://127.0.0.1:99999/", "http://user:pass@127.0.0.1/", "http://user@127.0.0.1/", "http://127.0.0.1:x/",
])  # fmt: skip
def test_no_other_protocol_and_no_password(kind: str, key: str, address: str) -> None:
    """Each is refused where it stands, and the start with it."""
    assert errors(kind, key, address)


@pytest.mark.parametrize(("kind", "key"), KEYS)
def test_who_writes_the_file_may_name_this_machine(kind: str, key: str) -> None:
    """A mirror, a test, another relay: the file is its owner's word, unlike what comes over HTTP."""
    assert errors(kind, key, "http://127.0.0.1:8080/") == []
