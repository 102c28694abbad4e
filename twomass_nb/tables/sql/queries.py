"""The documented queries: what people ask of the archive's tables, each with its SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...array.hardware import HARDWARE_EVENTS
from ...errors import TableError

__all__ = ["QUERIES", "Query"]


@dataclass(frozen=True)
class Query:
    """A documented query.

    Attributes
    ----------
    what : str
        The question it answers.
    sql : str
        With its parameters as ``$name``.
    parameters : mapping of str
        Name of each to what it is.
    needs : tuple of str
        Tables of which it needs at least one.
    """

    what: str
    sql: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()

    def values(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters' values.

        Raises
        ------
        TableError
            If one is missing, unknown, or no hardware event where one is asked for.
        """
        if set(given) != set(self.parameters):
            wanted = ", ".join(f"{key} ({what})" for key, what in self.parameters.items())
            msg = (
                f"the query {name} takes {wanted or 'no values'}: got {', '.join(given) or 'none'}"
            )
            raise TableError(msg)
        values = dict(given)
        for key, what in self.parameters.items():
            if what is _EVENT and str(values[key]) not in _SITES:
                msg = f"{values[key]!r} is no known hardware event: choose of {', '.join(_SITES)}"
                raise TableError(msg)
        events = [values[key] for key, what in self.parameters.items() if what is _EVENT]
        if len({_SITES[event] for event in events}) > 1:
            msg = f"{' and '.join(events)} are of different observatories: no night is between them"
            raise TableError(msg)
        for key in ("disk", "hemis"):
            if key in values:
                values[key] = str(values[key]).lower()
        return values


_SITES = {event.name: event.hemis for event in HARDWARE_EVENTS}
_EVENT = "name of a hardware event"
_TYPES = ("raw_scans", "lgo")

#: By name. All use the table ``scans``, which joins whatever tables are there.
QUERIES = {
    "scans_without_darks": Query(
        "scans of nights that have no dark of the same exposure (lda for lsc and lca, else dar)",
        """
SELECT date, hemis, scan, s_type, tile, frames, tape_label, disk_label
FROM scans
WHERE s_type NOT IN ('dar', 'lda')
  AND NOT EXISTS (
    SELECT 1 FROM scans AS dark
    WHERE dark.date = scans.date AND dark.hemis = scans.hemis
      AND dark.s_type = CASE WHEN scans.s_type IN ('lsc', 'lca') THEN 'lda' ELSE 'dar' END)
ORDER BY date, hemis, scan""",
        needs=_TYPES,
    ),
    "nights_between": Query(
        "nights surely after one hardware event and surely before another of the same site, with "
        "how many scans, darks and twilights each has",
        """
SELECT date, hemis, count(*) AS scans,
  count(*) FILTER (WHERE s_type = 'dar') AS darks,
  count(*) FILTER (WHERE s_type = 'flt') AS twilights
FROM scans
JOIN (SELECT hemis, new_from FROM hardware_events WHERE name = $after) USING (hemis)
JOIN (SELECT hemis, old_until FROM hardware_events WHERE name = $before) USING (hemis)
WHERE date BETWEEN new_from AND old_until
GROUP BY date, hemis
ORDER BY date, hemis""",
        {"after": _EVENT, "before": _EVENT},
    ),
    "calibration_tiles": Query(
        "tiles of calibration scans, how often and when each was observed",
        """
SELECT tile, count(*) AS scans, count(DISTINCT date || hemis) AS nights,
  min(date) AS first, max(date) AS last
FROM scans WHERE s_type IN ('cal', 'lca') AND tile IS NOT NULL
GROUP BY tile ORDER BY scans DESC, tile""",
        needs=_TYPES,
    ),
    "repeats": Query(
        "all scans of a tile, in the order of time",
        """
SELECT date, hemis, scan, s_type, sd, frames, ut, as_cat, tape_label, disk_label
FROM scans WHERE tile = $tile
ORDER BY date, hemis, scan""",
        {"tile": "number of the tile"},
    ),
    "disk": Query(
        "where a disk's scans are: its night folders, their scans, files and bytes, and their tape",
        """
SELECT strftime(date, '%y%m%d') || hemis AS folder, date, hemis, count(*) AS scans,
  min(scan) AS first_scan, max(scan) AS last_scan, sum(files) AS files,
  sum(bytes) AS bytes,
  any_value(tape_label) AS tape_label
FROM scans WHERE lower(disk_label) = $disk
GROUP BY date, hemis
ORDER BY date, hemis""",
        {"disk": "label of the disk, as s04"},
        needs=("raw_scans", "inventory"),
    ),
    "truncated": Query(
        "the four files that are cut on tape, and what the tables say of their scans",
        """
SELECT t.*, s.frames, coalesce(s.in_raw_scans, false) AS in_raw_scans, s.files
FROM truncated_files t LEFT JOIN scans s USING (date, hemis, scan)
ORDER BY date, hemis, scan""",
    ),
    "incomplete": Query(
        "scans that have not six files, a raw one in each band among them",
        """
SELECT date, hemis, scan, s_type, coalesce(files, 0) AS files,
  coalesce(raw_files, 0) AS raw_files, tape_label, disk_label
FROM scans WHERE coalesce(files, 0) <> 6 OR coalesce(raw_files, 0) <> 3
ORDER BY date, hemis, scan""",
        needs=("inventory",),
    ),
    "listed_twice": Query(
        "scans that the raw scan table lists more than once",
        """
SELECT date, hemis, scan, entries, s_type, tape_label, disk_label
FROM scans WHERE entries > 1
ORDER BY date, hemis, scan""",
        needs=("raw_scans",),
    ),
}
