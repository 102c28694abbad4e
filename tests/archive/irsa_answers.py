"""What a stand-in for IRSA answers: real answers where there are some, else made in their form.

No real answer of TAP for fp_scan_dat was at hand: pages are made of the simulated scan table.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from astropy.io.votable import from_table
from astropy.table import Table

from twomass_nb.scan import ScanId

__all__ = ["COLUMNS", "answering", "listing", "page_of", "status", "votable"]

#: Columns of the scan table that the made-up pages have, under IRSA's names.
COLUMNS = ("scan_key", "hemis", "date", "scan", "tile", "ra", "dec", "sd",
           *(f"{axis}_{k}" for k in "1234" for axis in ("ra", "dec")), "source")  # fmt: skip


def votable(table: Table, *, binary: bool = False) -> bytes:
    """A table as TAP services send it, with its status."""
    made = from_table(table)
    made.resources[0].type = "results"
    made.set_all_tables_format("binary2" if binary else "tabledata")
    stream = io.BytesIO()
    made.to_xml(stream)
    said = b'<INFO name="QUERY_STATUS" value="OK"/>'
    return re.sub(rb"(<RESOURCE[^>]*>)", rb"\1" + said, stream.getvalue(), count=1)


def status(content: bytes, value: str, words: str = "") -> bytes:
    """The same answer with another status."""
    new = f'<INFO name="QUERY_STATUS" value="{value}">{words}</INFO>'.encode()
    return re.sub(rb'<INFO name="QUERY_STATUS"[^>]*?/>', new, content, count=1)


def listing(real: bytes, images: Iterable[tuple[ScanId, str, int]]) -> bytes:
    """A real list of images (sia_990309s), made to name others: scan, band, coadd."""
    start, end = real.index(b"<TR>"), real.index(b"</TABLEDATA>")
    first = real[start : real.index(b"</TR>") + 5].decode()
    rows = []
    for scan_id, band, coadd in images:
        date, hemis, scan = scan_id.night[:6], scan_id.hemis, scan_id.scan
        row = first
        for old, new in (
            ("990309 s 063 0209", f"{date} {hemis} {scan:03d} {coadd:04d}"),
            ("J-Band", f"{band.upper()}-Band"),
            ("<TD>J</TD>", f"<TD>{band.upper()}</TD>"),
            ("dh=990309s&scan=063&name=ji0630209.fits",
             f"dh={scan_id.night}&scan={scan:03d}&name={scan_id.coadd_name(band, coadd)}"),
            ("<TD>990309</TD><TD>s</TD><TD>63</TD><TD>209</TD>",
             f"<TD>{date}</TD><TD>{hemis}</TD><TD>{scan}</TD><TD>{coadd}</TD>"),
        ):  # fmt: skip
            assert old in row
            row = row.replace(old, new)
        rows.append(row)
    return real[:start] + "\n".join(rows).encode() + real[end:]


def page_of(table: Table, adql: str) -> Table:
    """The rows of a scan table that one of our page queries selects."""
    match = re.fullmatch(r"SELECT \* FROM fp_scan_dat WHERE ra >= (\S+) AND ra < (\S+)", adql)
    assert match, adql
    low, high = float(match[1]), float(match[2])
    ra = np.asarray(table["ra"])
    return table[(ra >= low) & (ra < high)]


def answering(answer: Callable[[str, dict[str, str]], bytes | None]) -> Callable[[Any], None]:
    """A server's `answer` that is told path and query, and sends what comes back; 404 for None."""

    def reply(handler: Any) -> None:
        parts = urlsplit(handler.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        content = answer(parts.path, query)
        if content is None:
            handler.head(404, Content_Length=0)
            return
        kind = "text/html" if b"<html" in content[:200].lower() else "text/xml"
        handler.head(200, Content_Length=len(content), Content_Type=kind)
        handler.wfile.write(content)

    return reply
