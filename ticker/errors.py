"""Blame is in the type: `SettingsError` is ours to fix, `FeedError` is a provider's; everything else is a bug and surfaces.

What a provider or another relay says is made fit to be published here, where all of it passes: `said` and `excerpt` are the only ways
for a stranger's words into an error, a log line, an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ticker import secrets

SAID_LENGTH = 200
EXCERPT_LENGTH = 120
LOOKED_AT = 1024
"""So much of a stranger's text is looked at; of what is shown, which is less, the blanked secrets leave little."""


def said(words: str, longest: int = SAID_LENGTH) -> str:
    """What a stranger said, or what may hold it, fit for logs and clients: secrets blanked, then one line without control characters,
    marks that turn the direction of writing and the like (they are escaped), then cut to `longest` characters.
    """
    blanked = secrets.HIDDEN.blank(words[:LOOKED_AT])
    if not blanked.isprintable():
        blanked = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in blanked[: longest + 1])
    return blanked if len(blanked) <= longest else blanked[: longest - 1] + "…"


def excerpt(payload: bytes | str) -> str:
    """The first 120 characters of a payload, at most 200 as they are shown: secrets blanked, on one line, in ASCII, the rest escaped."""
    text = secrets.HIDDEN.blank(payload[:LOOKED_AT].decode("utf-8", "replace") if isinstance(payload, bytes) else payload[:LOOKED_AT])
    shown = text[:EXCERPT_LENGTH].encode("unicode_escape", "replace").decode("ascii")
    return shown if len(text) <= EXCERPT_LENGTH and len(shown) <= SAID_LENGTH else shown[: SAID_LENGTH - 1] + "…"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with the settings: where, what, and how to mend it.

    `folder`: that of a file that it names, as it stands in the others, with its slash. As text, which goes to the log and to clients, a
    problem names files without it; the commands show the fields, whole.
    """

    key: str
    reason: str
    hint: str = ""
    value: object = None
    folder: str = ""

    def __str__(self) -> str:
        shown = "" if self.value is None else f" (is {self.value!r})"
        hint = f"; {self.hint}" if self.hint else ""
        text = f"{self.key}: {self.reason}{shown}{hint}"
        return text.replace(self.folder, "") if self.folder else text


class SettingsError(Exception):
    """The settings can't be used. `problems` lists everything that is wrong with them, at least one thing; `warnings` what is odd besides,
    and may be the reason: a variable with a slip in its name.
    """

    def __init__(self, problems: list[Problem], warnings: Sequence[Problem] = ()) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
        self.warnings = list(warnings)


Fault = Literal["redirect", "name", "refused", "unreachable", "slow", "hung_up", "tls", "certificate", "page", "missing_key"]
"""What kind of thing is wrong, where that says what helps: the answer is a redirect, the host's name is not known, nobody listens there, no
way leads there, no answer in time, the connection is closed, no TLS, a certificate not to be trusted, a web page, no key."""


class FeedError(Exception):
    """A provider did not give what was asked for. The last good quote is kept, whatever the reason.

    `retryable`: asking again later may help. `retry_after_s`: what the provider asked us to wait, seconds, already bounded to 1 … 900
    (to three days where it is a ban); `None` where it said nothing. `status`: that of the HTTP answer, if that is what failed; `fault`:
    else what kind of thing is wrong, where that is known. `rejects_symbol`: the provider does not know a symbol that was asked for (in a
    batch of several it may not say which one). `excerpt`: the start of the payload, safe to log; and so is the message, whatever
    strangers' words it was made of.
    """

    def __init__(
        self,
        message: str,
        *,
        retryable: bool = True,
        retry_after_s: float | None = None,
        rejects_symbol: bool = False,
        payload: bytes | str = b"",
        status: int | None = None,
        fault: Fault | None = None,
    ) -> None:
        self.excerpt = excerpt(payload) if payload else ""
        self.status = status
        self.fault = fault
        message = said(message)
        super().__init__(f"{message} [{self.excerpt}]" if self.excerpt else message)
        self.retryable = retryable
        self.retry_after_s = retry_after_s
        self.rejects_symbol = rejects_symbol


class BudgetSpent(FeedError):
    """The call was not made: the provider's limits allow none for another `wait_s` seconds. Nobody has failed."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"the provider's limits allow no call for {wait_s:.3g} s")
        self.wait_s = wait_s


class BadTick(FeedError):
    """A provider gave a number that can't be one: a price of zero or less, not a number, out of any range."""
