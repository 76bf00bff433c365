"""`ca_file`: the certificates of who signs for a server that nobody else's do, a company's own authority say."""

from __future__ import annotations

import os
import ssl
import stat
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo

MAX_BYTES = 4 * 1024 * 1024
"""The largest file that is read: ten times the size of all the certificates that everybody trusts."""


def _readable(file: str | None, info: ValidationInfo) -> str | None:
    """`file` from the folder of the settings file. Raises `ValueError` where there is no certificate in it."""
    if file is None:
        return None
    path = str(Path((info.context or {}).get("folder", ""), file).absolute())
    try:
        # A named pipe is opened at once, and does not wait for somebody who writes into it.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as opened:
            if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                raise ValueError("is no file; it names one with certificates, in PEM form")
            content = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(
            f"can't be read: {(error.strerror or 'no such file').lower()}; a relative path begins in the folder of the settings file"
        ) from None
    try:
        if len(content) > MAX_BYTES or not ssl.create_default_context(cadata=content.decode("ascii", "replace")).get_ca_certs():
            raise ValueError
    except (ssl.SSLError, ValueError):
        raise ValueError(
            "has no certificate of an authority in it that can be read; it must be in PEM form, with the lines -----BEGIN CERTIFICATE-----"
        ) from None
    return path


CaFile = Annotated[
    str | None,
    Field(
        min_length=1,
        max_length=4096,
        description=(
            "a file of certificates in PEM form, relative to the settings file: who signs for this feed's server, "
            "in place of the authorities that everybody trusts"
        ),
    ),
    AfterValidator(_readable),
]
