"""What the archive's own description says of its holdings: totals, cut files, rows listed twice."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DUPLICATED", "N_FILES", "N_RAW_SCANS", "TRUNCATED_ON_TAPE", "TruncatedFile"]

#: Rows of the raw scan table, and files of the archive (seed 000). Two rows are second entries of
#: a scan, and every scan has six files: a .rds.gz and a .par.gz in each of three bands.
N_RAW_SCANS = 205_071
N_FILES = 1_230_414
#: Scans that the archive's tables list twice: date, hemis, scan.
DUPLICATED = (("1997-04-23", "n", 2), ("1997-04-23", "n", 45))


@dataclass(frozen=True)
class TruncatedFile:
    """A file that is cut on its tape; the disk has a whole copy."""

    date: str
    hemis: str
    scan: int
    file: str
    s_type: str
    tape_label: str
    disk_label: str


#: All of them that are known (seed 000).
TRUNCATED_ON_TAPE = (
    TruncatedFile("1998-09-21", "n", 83, "k0570083.rds.gz", "dar", "rawn0057", "n12"),
    TruncatedFile("2000-04-06", "n", 137, "k1133137.rds.gz", "cal", "rawn0141", "n03"),
    TruncatedFile("2000-05-19", "n", 110, "k1176110.rds.gz", "cal", "rawn0147", "n02"),
    TruncatedFile("1999-05-08", "s", 112, "k0799112.rds.gz", "dar", "raws0070", "s11"),
)
