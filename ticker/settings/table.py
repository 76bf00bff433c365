"""What the tables of the settings are made of: how strict they are, and the types that several of them use."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from ticker import secrets

NO_CONTROL_CHARACTERS = r"^[^\x00-\x1f\x7f-\x9f]*$"
NO_SPACES = r"^\S*$"
CURRENCY_CODE = r"^[A-Za-z0-9]{2,10}$"

PositiveSeconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
Percent = Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]
Amount = Annotated[float, Field(gt=0, le=1e18, allow_inf_nan=False)]


def listed(value: object) -> object:
    """A single name stands for a list of one."""
    return (value,) if isinstance(value, str) else value


LineOfText = Annotated[str, Field(min_length=1, max_length=80, pattern=NO_CONTROL_CHARACTERS)]
"""Text shown to people, on a page and in a terminal: one line, no control characters."""
OneOrMore = (BeforeValidator(listed), Field(strict=False))
"""For a tuple field: a bare string will do. Not strict, because a strict tuple refuses a TOML array; its items stay strict."""

UNSHOWN = "unshown"
"""For a field whose value no error shows: somebody may have written a secret into it."""


class Table(BaseModel):
    """A table of the file: frozen, strict (`"5"` and `true` are no numbers, 5.0 is no whole one), unknown keys are errors.

    `secrets` names the fields that come from the environment only, never from the file. They must be `SecretStr`,
    so that no repr, error or log shows them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    secrets: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        for name in cls.secrets:
            if cls.model_fields[name].annotation not in (SecretStr, SecretStr | None):
                raise TypeError(f"{cls.__name__}.{name} is declared secret and must be a SecretStr")

    def model_post_init(self, context: Any, /) -> None:
        """Have its secrets blanked wherever a stranger's words are shown."""
        for name in self.secrets:
            secret = getattr(self, name, None)
            if isinstance(secret, SecretStr):  # who edits the file need not hold them
                secrets.HIDDEN.add(secret.get_secret_value())
