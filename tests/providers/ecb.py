"""The ECB: `/stats/eurofxref/eurofxref-daily.xml`.

Switches: `"document_type": true` (the file with a document type and an entity that grows: a billion laughs).

Where from: the address is the one that many programs ask (mayswind/lab, io.yac.ecb.rate.client), who read `Cube`, `currency` and `rate`;
the elements around them are those of the file itself as its page at www.ecb.europa.eu shows it. It knows no parameter.

Recordings: the first `*eurofxref*.xml` is served as it is.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from tests.providers.wire import Provider, Reply, Request, not_found

CURRENCIES = ("USD", "JPY", "GBP", "CHF")
DATE = "2026-11-20"
FILE = """<?xml version="1.0" encoding="UTF-8"?>
{document_type}<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
\t<gesmes:subject>Reference rates{entity}</gesmes:subject>
\t<gesmes:Sender>
\t\t<gesmes:name>European Central Bank</gesmes:name>
\t</gesmes:Sender>
\t<Cube>
\t\t<Cube time='{date}'>
{rates}
\t\t</Cube>
\t</Cube>
</gesmes:Envelope>"""
LAUGHS = '<!DOCTYPE x [<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{number} "{f"&a{number - 1};" * 10}">' for number in range(1, 10)) + "]>\n"


class Ecb(Provider):
    """`python -m tests.providers ecb`."""

    name: ClassVar[str] = "ecb"

    def load(self, fixtures: Path) -> None:
        for path in sorted(fixtures.glob("*eurofxref*.xml")):
            self.record("file", path.read_bytes())

    def answer(self, request: Request) -> Reply:
        if request.path != "/stats/eurofxref/eurofxref-daily.xml":
            return not_found()
        return Reply(200, self.recorded("file") or self._made_up(), {"Content-Type": "text/xml"})

    def _made_up(self) -> bytes:
        rates = {name: self.price(f"EUR{name}").last for name in CURRENCIES if name not in self.control.unknown}
        rates |= {name: overlay["rate"] for name, overlay in self.control.rows.items()}
        laughs = bool(self.control.switches.get("document_type"))
        lines = "\n".join(f"\t\t\t<Cube currency='{name}' rate='{rate}'/>" for name, rate in rates.items())
        return FILE.format(document_type=LAUGHS if laughs else "", entity="&a9;" if laughs else "", date=DATE, rates=lines).encode()
