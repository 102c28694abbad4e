"""The SQL that joins the tables: one row a scan, whichever of the tables know it."""

from __future__ import annotations

from collections.abc import Iterable

from ...array.hardware import HARDWARE_EVENTS
from ..known import TRUNCATED_ON_TAPE

__all__ = ["DESCRIPTIONS", "known_tables", "scans_sql"]

#: What is in each table.
DESCRIPTIONS = {
    "twomass_scn": "scans of the All-Sky catalogue",
    "raw_scans": "all raw scans: type, frames, tape, disk",
    "lgo": "the nights' logs: start of each scan",
    "inventory": "every file: scan, size, tape, disk",
    "scans": "one row a scan that any of these tables knows: the four of them joined",
    "hardware_events": "changes of hardware that are known; others exist",
    "truncated_files": "files that are cut on tape and good on disk",
}
# Column of `scans`: its type, and where it is from in the order of preference.
_COLUMNS = {
    "tile": ("INTEGER", ("raw_scans.tile", "twomass_scn.tile", "lgo.tile")),
    "sd": ("VARCHAR", ("raw_scans.s_dir", "twomass_scn.sd", "lgo.sd")),
    "s_type": ("VARCHAR", ("raw_scans.s_type", "lgo.s_type")),
    "frames": ("INTEGER", ("raw_scans.frames", "lgo.frames")),
    "as_cat": ("VARCHAR", ("raw_scans.as_cat",)),
    "tape_label": ("VARCHAR", ("raw_scans.tape_label", "inventory.tape_label")),
    "disk_label": ("VARCHAR", ("raw_scans.disk_label", "inventory.disk_label")),
    "ra": ("DOUBLE", ("twomass_scn.ra",)),
    "dec": ("DOUBLE", ("twomass_scn.dec",)),
    "qual": ("INTEGER", ("twomass_scn.qual",)),
    "ra_start": ("DOUBLE", ("lgo.ra",)),
    "dec_start": ("DOUBLE", ("lgo.dec",)),
    "ut": ("DOUBLE", ("lgo.ut",)),
    "airm": ("DOUBLE", ("lgo.airm",)),
}
_SOURCES = ("twomass_scn", "raw_scans", "lgo", "inventory")
_KEY = "date, hemis, scan"


def scans_sql(tables: Iterable[str]) -> str:
    """Return the query that makes the table ``scans`` of those tables that are there."""
    there = [name for name in _SOURCES if name in set(tables)]
    parts = ",\n".join(f"{name}_ AS ({_one_row_a_scan(name)})" for name in there)
    keys = " UNION ".join(f"SELECT {_KEY} FROM {name}_" for name in there)
    columns = [
        f"{_first(there, places, kind)} AS {name}" for name, (kind, places) in _COLUMNS.items()
    ]
    columns += [
        "raw_scans_.entries" if "raw_scans" in there else "NULL::INTEGER AS entries",
        *(
            f"inventory_.{name}" if "inventory" in there else f"NULL::{kind} AS {name}"
            for name, kind in (("files", "INTEGER"), ("raw_files", "INTEGER"), ("bytes", "BIGINT"))
        ),
        *(
            f"{name}_.scan IS NOT NULL AS in_{name}" if name in there else f"false AS in_{name}"
            for name in _SOURCES
        ),
        " OR ".join(f"coalesce({name}_.simulated, false)" for name in there) + " AS simulated",
    ]
    joins = "\n".join(f"LEFT JOIN {name}_ USING ({_KEY})" for name in there)
    chosen = ",\n  ".join(columns)
    return (
        f"WITH {parts},\nkeys AS ({keys})\n"
        "SELECT date, (date - DATE '1997-02-28')::INTEGER AS day_no, hemis, scan,\n  "
        f"{chosen}\nFROM keys\n{joins}\nORDER BY date, hemis, scan"
    )


def _one_row_a_scan(name: str) -> str:
    """Return the query for a table's scans, each once: some are listed twice."""
    wanted = {p.split(".")[1] for _, places in _COLUMNS.values() for p in places
              if p.startswith(f"{name}.")}  # fmt: skip
    chosen = [f"any_value({column}) AS {column}" for column in sorted(wanted)]
    chosen.append("bool_or(simulated) AS simulated")
    if name == "raw_scans":
        chosen.append("count(*)::INTEGER AS entries")
    if name == "inventory":
        chosen += [
            "count(*)::INTEGER AS files",
            "(count(*) FILTER (kind = 'raw'))::INTEGER AS raw_files",
            "sum(size)::BIGINT AS bytes",
        ]
    there = "date IS NOT NULL AND hemis IS NOT NULL AND scan IS NOT NULL"
    return f"SELECT {_KEY}, {', '.join(chosen)} FROM {name} WHERE {there} GROUP BY {_KEY}"


def _first(there: list[str], places: tuple[str, ...], kind: str) -> str:
    known = [place.replace(".", "_.") for place in places if place.split(".")[0] in there]
    return f"coalesce({', '.join(known)})" if known else f"NULL::{kind}"


def known_tables() -> dict[str, tuple[str, list[tuple[object, ...]]]]:
    """Return the tables that this package itself knows: columns with their types, and rows.

    Of a hardware event ``old_until`` is the last night that is surely before it, ``new_from`` the
    first that is surely after.
    """
    events = [
        (e.name, e.hemis, e.first, e.last, e.exact, e.old_until, e.new_from, e.what, e.source)
        for e in HARDWARE_EVENTS
    ]
    files = [tuple(vars(file).values()) for file in TRUNCATED_ON_TAPE]
    return {"hardware_events": (_EVENT, events), "truncated_files": (_FILE, files)}


_EVENT = (
    "name VARCHAR, hemis VARCHAR, first DATE, last DATE, exact BOOLEAN, old_until DATE, "
    "new_from DATE, what VARCHAR, source VARCHAR"
)
_FILE = (
    "date DATE, hemis VARCHAR, scan INTEGER, file VARCHAR, s_type VARCHAR, tape_label VARCHAR, "
    "disk_label VARCHAR"
)
