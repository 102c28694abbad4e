"""The raw archive's own tables as they might be: raw scans with darks and twilights, logs, files.

What is documented (seed 000) is kept: 205,071 rows of raw scans, of which scans 2 and 45 of
1997-04-23 n are there twice; six files a scan, which makes 1,230,414; tapes and disks of one site
each, a night never on two; types, frames and labels as in the rows it quotes. The rest is made up,
sizes as well, and every table says SIMULATE.
"""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.table import Column, MaskedColumn, Table, vstack
from numpy.typing import NDArray

from ..files import refuse_existing, whole_file
from ..scan import DAY_ONE
from ..tables.known import DUPLICATED, N_RAW_SCANS
from .scan_table import scan_table

__all__ = ["RawArchive", "raw_archive", "write_dump"]

# Of a night: twilights at dusk and dawn, and darks, with their numbers of frames (seed 000).
_EXTRA = (("flt", 5, 53, 199_998), ("dar", 3, 48, 199_999))
_PER_NIGHT = sum(count for _, count, _, _ in _EXTRA)
# The earliest night, of test scans, has the numbers that are listed twice.
_FIRST_SCANS = 45
# A share of nights whose darks were lost.
_WITHOUT_DARKS = 0.02
# Nights of the simulated survey, of both sites.
_NIGHTS = 1_800
_TAPES = {"n": 150, "s": 185}
_DISKS = {"n": 16, "s": 19}
_FRAME_BYTES = 95_000  # of a frame, gzipped: 10.4 TB over all frames
_PAR_BYTES = 1_700


@dataclass(frozen=True)
class RawArchive:
    """Simulated tables of the raw archive.

    Attributes
    ----------
    scans, raw_scans, lgo, inventory : `~astropy.table.Table`
        In the columns that the readers of `twomass_nb.tables` give. `scans` are those of the
        All-Sky catalogue, and the others include them.
    """

    scans: Table
    raw_scans: Table
    lgo: Table
    inventory: Table


def raw_archive(n: int = N_RAW_SCANS, seed: int = 0) -> RawArchive:
    """Return the archive's tables, simulated.

    Parameters
    ----------
    n : int, optional
        Rows of the raw scan table; 205,071 are all of it. At least 1,000.
    seed : int, optional

    Returns
    -------
    RawArchive
    """
    rng = np.random.default_rng(seed)
    nights = min(_NIGHTS, n // 100)
    sky = scan_table(n - nights * _PER_NIGHT - _FIRST_SCANS - len(DUPLICATED), seed)
    raw = _raw_scans(sky, n, rng)
    catalogued = sky if "as_cat" not in sky.colnames else sky[np.asarray(sky["as_cat"]) == "y"]
    catalogued = catalogued[[c for c in sky.colnames if c not in ("s_type", "frames", "as_cat")]]
    archive = RawArchive(catalogued, raw, _lgo(raw, sky, rng), _inventory(raw, rng))
    for table in vars(archive).values():
        table.meta.clear()
        table.meta.update(SIMULATE=True, made_by=f"simulate.raw_archive(n={n}, seed={seed})")
    return archive


def _raw_scans(sky: Table, n: int, rng: np.random.Generator) -> Table:
    base = Table({name: np.asarray(sky[name]) for name in ("date", "hemis", "scan", "tile")})
    base["s_dir"] = np.asarray(sky["sd"])
    if "s_type" in sky.colnames:
        for name in ("s_type", "frames", "as_cat"):
            base[name] = np.asarray(sky[name])
    else:
        base["s_type"], base["as_cat"] = "sci", "y"
        base["frames"] = np.where(base["hemis"] == "n", 273, 274)
    first = Table({"scan": np.arange(1, _FIRST_SCANS + 1)})
    first["date"], first["hemis"], first["tile"] = *DUPLICATED[0][:2], 199_990
    first["s_dir"], first["s_type"], first["frames"], first["as_cat"] = "n", "tst", 48, "n"
    twice = first[np.isin(first["scan"], [scan for _, _, scan in DUPLICATED])]
    extra = _extra(base, n - len(base) - len(first) - len(twice), rng)
    table = vstack([base, extra, first, twice], metadata_conflicts="silent")
    table = table[np.lexsort((table["scan"], table["hemis"], table["date"]))]
    day = np.asarray(table["date"]).astype("datetime64[D]") - np.datetime64(DAY_ONE)
    table.add_column(day.astype(int) + 1, index=1, name="day_no")
    _set_labels(table)
    order = ("date", "day_no", "hemis", "scan", "tile", "s_dir", "s_type", "frames", "as_cat",
             "tape_label", "disk_label")  # fmt: skip
    return table[order]


def _extra(base: Table, n: int, rng: np.random.Generator) -> Table:
    """Return `n` darks and twilights, numbered after the other scans of their nights."""
    night = np.char.add(np.asarray(base["date"]), np.asarray(base["hemis"]))
    names, place = np.unique(night, return_inverse=True)
    last = np.zeros(len(names), int)
    np.maximum.at(last, place, np.asarray(base["scan"]))
    kinds = np.repeat(np.arange(len(_EXTRA)), [count for _, count, _, _ in _EXTRA])
    of_night = np.tile(np.arange(len(names)), -(-n // len(names)))[:n]
    number = np.arange(n) // len(names)
    kind = kinds[number % len(kinds)]
    # nights without darks have twilights only
    dark = kind == 1
    lost = rng.random(len(names)) < _WITHOUT_DARKS
    kind[dark & lost[of_night]] = 0
    types, _, frames, tiles = (np.array(column) for column in zip(*_EXTRA, strict=True))
    table = Table({"date": names[of_night].astype("U10")})
    table["hemis"] = [name[-1] for name in names[of_night]]
    table["scan"] = last[of_night] + 1 + number
    table["tile"], table["s_type"], table["frames"] = tiles[kind], types[kind], frames[kind]
    table["s_dir"], table["as_cat"] = "s", "n"
    return table


def _set_labels(table: Table) -> None:
    """Put nights on tapes and disks of their site, in the order of time."""
    for name, counts, form in (
        ("tape_label", _TAPES, "raw{}{:04d}"),
        ("disk_label", _DISKS, "{}{:02d}"),
    ):
        label = np.empty(len(table), "U8")
        for hemis, count in counts.items():
            rows = np.flatnonzero(np.asarray(table["hemis"]) == hemis)
            if not rows.size:
                continue
            nights, place = np.unique(np.asarray(table["date"])[rows], return_inverse=True)
            made = [form.format(hemis, 1 + i * count // len(nights)) for i in range(len(nights))]
            label[rows] = np.array(made)[place]
        table[name] = label


def _lgo(raw: Table, sky: Table, rng: np.random.Generator) -> Table:
    """Return what logs would say: as the raw scan table, with where and when scans started."""
    table = raw["date", "hemis", "scan"].copy()
    table["ut"] = Column(np.round((1 + np.asarray(raw["scan"]) * 0.04) % 24, 4), unit=u.hour)
    table["tile"] = raw["tile"]
    table["r"] = np.full(len(raw), "-")
    keys = [np.char.add(np.char.add(np.asarray(t["date"]), np.asarray(t["hemis"])),
                        np.asarray(t["scan"]).astype(str)) for t in (raw, sky)]  # fmt: skip
    order = np.argsort(keys[1])
    at = np.clip(np.searchsorted(keys[1], keys[0], sorter=order), 0, len(sky) - 1)
    absent = keys[1][order[at]] != keys[0]
    for name in ("ra", "dec"):
        start = (np.asarray(sky[f"{name}_1"]) + np.asarray(sky[f"{name}_2"])) / 2
        start = np.asarray(sky["ra"]) if name == "ra" else start
        table[name] = MaskedColumn(np.round(start[order[at]], 5), mask=absent, unit="deg")
    table["airm"] = np.round(1 + 0.5 * rng.random(len(raw)) ** 2, 3)
    table["frames"], table["sd"], table["s_type"] = raw["frames"], raw["s_dir"], raw["s_type"]
    table["comment"] = np.full(len(raw), "SIMULATED")
    return table


def _inventory(raw: Table, rng: np.random.Generator) -> Table:
    """Return six files of every scan: .rds.gz and .par.gz in three bands."""
    night = np.char.add(np.asarray(raw["date"]), np.asarray(raw["hemis"]))
    _, first = np.unique(
        np.char.add(night, np.asarray(raw["scan"]).astype("U3")), return_index=True
    )
    scans = raw[np.sort(first)]
    rows = np.repeat(np.arange(len(scans)), 6)
    table = scans["date", "hemis", "scan"][rows]
    table["band"] = np.tile(list("jjhhkk"), len(scans))
    table["kind"] = np.tile(["raw", "par"], 3 * len(scans))
    table["file"] = _file_names(scans)
    frames = np.asarray(scans["frames"])[rows] * _FRAME_BYTES
    noise = rng.normal(1, 0.05, len(rows))
    size = np.where(table["kind"] == "raw", frames * noise, _PAR_BYTES * noise)
    table["size"] = Column(size.astype(int), unit=u.byte)
    for name in ("tape_label", "disk_label"):
        table[name] = np.asarray(scans[name])[rows]
    return table


def _file_names(scans: Table) -> NDArray[np.str_]:
    day, scan = (np.char.zfill(np.asarray(scans[name]).astype(str), width)
                 for name, width in (("day_no", 4), ("scan", 3)))  # fmt: skip
    stem = np.char.add(day, scan)
    each = [np.char.add(np.char.add(band, stem), f".{kind}.gz")
            for band in "jhk" for kind in ("rds", "par")]  # fmt: skip
    return np.stack(each, axis=1).ravel()


def write_dump(table: Table, path: str | PathLike[str], name: str, overwrite: bool = False) -> None:
    """Write a simulated table as PostgreSQL would dump it, with a line that says SIMULATE = T.

    Parameters
    ----------
    table : `~astropy.table.Table`
    path : path
    name : str
        What the dump calls it.
    overwrite : bool, optional
    """
    refuse_existing(Path(path), overwrite)
    head = (
        "--\n-- SIMULATE = T: made by twomass_nb, never observed\n--\n"
        f"COPY {name} ({', '.join(table.colnames)}) FROM stdin;\n"
    )
    columns = []
    for column in table.columns.values():
        text = np.asarray(column).astype(str)
        columns.append(np.where(np.ma.getmaskarray(np.ma.asarray(column)), "\\N", text).tolist())
    with whole_file(Path(path)) as file:
        file.write(head.encode())
        for row in zip(*columns, strict=True):
            file.write(("\t".join(row) + "\n").encode())
        file.write(b"\\.\n")
