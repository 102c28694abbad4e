"""How IRSA is asked, and what must hold before an answer of it is believed.

pyvo knows the protocols (TAP, SIA 1); the bytes come by `remote`, whose rules hold: time limits,
another try, never offline, no redirect away from https.
"""

from __future__ import annotations

import io
import os
import re
import warnings
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode, urlsplit

import numpy as np
from astropy.table import MaskedColumn, Table

from ..errors import FetchError, TwomassError

__all__ = ["ask", "base", "needs", "on_service", "tap", "whole"]

_HOST = "irsa.ipac.caltech.edu"
# A scan along the Milky Way has some 100,000 sources of a kilobyte each.
_LARGEST = 400_000_000
_TITLE = re.compile(rb"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
#: Units that IRSA's answers spell in ways of their own.
_SPELLINGS = {"arcseconds": "arcsec", "meters": "m", "degrees": "deg", "hr": "h", "degC": "deg_C"}


def base() -> str:
    """Return IRSA's address, or that of a mirror: ``TWOMASS_NB_IRSA``."""
    return (os.environ.get("TWOMASS_NB_IRSA") or f"https://{_HOST}").rstrip("/")


def on_service(url: str) -> str:
    """Return an address that an answer gave, as one of the service that was asked.

    So a mirror's answers lead to the mirror, http becomes the service's https, and no answer can
    send us to another host.

    Raises
    ------
    FetchError
        If it is of a host that is neither IRSA nor the one asked.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        parts, host = urlsplit(""), None
    if host not in (_HOST, urlsplit(base()).hostname):
        msg = f"IRSA's answer leads to {host or 'no host'}, where we do not go: report it to IRSA"
        raise FetchError(msg)
    return f"{base()}{parts.path}" + (f"?{parts.query}" if parts.query else "")


def tap(adql: str, *, what: str, needed: Iterable[str]) -> Table:
    """Return all rows that an ADQL query selects; see `ask` for what is refused."""
    needs("pyvo")
    from pyvo.dal.tap import TAPQuery

    return ask(TAPQuery(f"{base()}/TAP", adql), what=what, needed=needed)


def ask(query: Any, *, what: str, needed: Iterable[str]) -> Table:
    """Send a query of pyvo, or an address, and return its whole answer as a table.

    Parameters
    ----------
    query : pyvo.dal.DALQuery or str
    what : str
        What to call the answer in messages.
    needed : iterable of str
        Columns that it must have.

    Returns
    -------
    `~astropy.table.Table`
        Texts as text, positions in double precision, units those that the answer gives; meta has
        its PARAMs.

    Raises
    ------
    FetchError
        If the service cannot be reached, says that something went wrong, cut the answer off, or
        answered with something else.
    """
    from .remote import fetch_bytes

    if isinstance(query, str):
        url = query
    else:
        mark = "&" if "?" in query.queryurl else "?"
        url = f"{query.queryurl}{mark}{urlencode(query)}"
    return whole(fetch_bytes(url, what=what, limit=_LARGEST), what=what, needed=needed)


def whole(content: bytes, *, what: str, needed: Iterable[str]) -> Table:
    """Return the table in an answer, if it is whole and right; see `ask`."""
    votable = _parse(content, what)
    resources = [r for r in votable.resources if r.type == "results"] or votable.resources
    tables = [table for resource in resources for table in resource.tables]
    infos = [*votable.infos, *(i for r in resources for i in r.infos)]
    infos += [info for table in tables for info in table.infos]
    for info in infos:
        if info.name.upper() == "QUERY_STATUS" and info.value.upper() != "OK":
            said = " ".join((info.content or "").split())[:200]
            if info.value.upper() == "OVERFLOW":
                _refuse(what, "the service cut it off at its limit of rows", "ask for less")
            _refuse(what, f"the service says {info.value}: {said}", "correct the question")
    if not tables:
        _refuse(what, "there is no table in the answer", "try again later")
    table = tables[0].to_table(use_names_over_ids=True)
    table.meta |= {p.name: p.value for r in resources for p in r.params}
    missing = [name for name in needed if name not in table.colnames]
    if missing:
        _refuse(what, f"it is another table: it lacks {', '.join(missing)}", "report it to IRSA")
    promised = str(table.meta.get("RowsRetrieved", len(table)))
    if promised.isdigit() and int(promised) != len(table):
        why = f"it has {len(table)} rows where {promised} were promised"
        _refuse(what, why, "try again later")
    return _plain(table)


def _parse(content: bytes, what: str) -> Any:
    from astropy.io.votable import parse

    if b"<TABLEDATA" in content:
        # Gator declares positions as float although it writes six decimals: 0.05 arcsec lost.
        content = content.replace(b'datatype="float"', b'datatype="double"')
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # real answers break the standard in harmless ways
            return parse(io.BytesIO(content))
    except Exception:  # parsers raise whatever they like; the person gets one line
        title = _TITLE.search(content[:100_000])
        start = title[1] if title else content[:120]
        words = " ".join(start.decode("utf-8", "replace").split())
        kind = "a web page" if title or b"<html" in content[:2000].lower() else "no VOTable"
        return _refuse(what, f"the service answered with {kind}: {words!r}", "try again later")


def _refuse(what: str, why: str, advice: str) -> None:
    msg = f"{what} cannot be had from {urlsplit(base()).hostname}: {why}; {advice}"
    raise FetchError(msg)


def _plain(table: Table) -> Table:
    """Texts as numpy's, and units as astropy knows them."""
    for name in table.colnames:
        column = table[name]
        column.info.format = None  # Gator says that three digits of a position are enough
        texts = (isinstance(value, str) or value is np.ma.masked for value in column)
        if column.dtype.kind == "O" and all(texts):
            mask = np.ma.getmaskarray(column)
            plain = ["" if hidden else str(v) for v, hidden in zip(column, mask, strict=True)]
            kept = {"description": column.description, "mask": mask}
            table[name] = MaskedColumn(np.array(plain, str), name, **kept)
        spelt = str(table[name].unit or "")
        if spelt in _SPELLINGS:
            table[name].unit = _SPELLINGS[spelt]
    return table


def needs(package: str) -> None:
    """Raise `TwomassError` if a package that asking IRSA takes is not installed."""
    from importlib.util import find_spec

    if find_spec(package) is None:
        msg = f"asking IRSA needs {package}: pip install 'twomass_nb[lab]'"
        raise TwomassError(msg)
