"""How sky offsets and positions are kept between the pieces of a reduction: exactly."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from astropy import units as u
from astropy.io import fits
from astropy.table import QTable, Table

from ..array import ArrayGeometry, ScanTrack
from ..astrometry import Positions
from ..calibrate import LeftOut, SkyOffsets
from ..files import whole_file

__all__ = ["load_positions", "load_sky", "save_positions", "save_sky", "write_fits", "write_table"]

_MARK = "simulated: no telescope has seen this"
#: Columns of a table of positions for two numbers of each frame: along the scan, and west.
_PAIRS = {"offsets": ("along", "west"), "errors": ("along_error", "west_error")}


def write_fits(hdus: list[Any], path: Path, simulated: bool) -> None:
    """Write a FITS file, each part of it marked if it is simulated."""
    if simulated:
        for hdu in hdus:
            hdu.header["SIMULATE"] = (True, _MARK)
    buffer = io.BytesIO()
    fits.HDUList(hdus).writeto(buffer, output_verify="exception")
    with whole_file(path) as file:
        file.write(buffer.getbuffer())


def write_table(table: Table, path: Path) -> None:
    """Write a table as ECSV, with its units and all that its ``meta`` says."""
    text = io.StringIO()
    table.write(text, format="ascii.ecsv")
    with whole_file(path) as file:
        file.write(text.getvalue().encode())


def save_sky(sky: SkyOffsets, path: Path) -> None:
    """Write sky offsets: cubes of the offsets and of their errors, the rest as JSON."""
    rest, cubes = {}, []
    for field in dataclasses.fields(sky):
        value = getattr(sky, field.name)
        if isinstance(value, np.ndarray):
            cubes.append(fits.ImageHDU(value, name=field.name))
        else:
            rest[field.name] = value
    said = json.dumps(rest, default=dataclasses.asdict)
    facts = fits.BinTableHDU.from_columns(
        [fits.Column("JSON", f"{len(said)}A", array=np.array([said.encode()]))], name="FACTS"
    )
    write_fits([fits.PrimaryHDU(), *cubes, facts], path, sky.simulated)


def load_sky(path: Path) -> SkyOffsets:
    """Read what `save_sky` wrote."""
    with fits.open(path, memmap=False) as hdus:
        facts: dict[str, Any] = json.loads(hdus["FACTS"].data["JSON"][0])
        cubes: dict[str, Any] = {
            hdu.name.lower(): np.asarray(hdu.data, np.float32)
            for hdu in hdus[1:]
            if hdu.name != "FACTS"
        }
    facts["left_out"] = tuple(LeftOut(**one) for one in facts["left_out"])
    facts = {name: _tuples(value) for name, value in facts.items()}
    return SkyOffsets(**facts, **cubes)


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list | tuple) else value


def save_positions(positions: Positions, path: Path) -> None:
    """Write where the frames looked: a row a frame, the rest in ``meta``."""
    n = positions.track.n_frames
    table = QTable({"frame": np.arange(n)})
    at = np.arange(n) * positions.track.step + positions.offsets[:, 0]
    ra, dec = positions.track.positions(at, positions.offsets[:, 1])
    table["ra"], table["dec"] = ra * u.deg, dec * u.deg
    for name, columns in _PAIRS.items():
        for column, values in zip(columns, getattr(positions, name).T, strict=True):
            table[column] = values * u.arcsec
    table["matched"] = positions.matched
    meta: dict[str, Any] = {"SIMULATE": bool(positions.simulated)}
    for field in dataclasses.fields(positions):
        value = getattr(positions, field.name)
        if not isinstance(value, np.ndarray):
            meta[field.name] = _plain(value)
    table.meta.update(meta)
    write_table(table, path)


def _plain(value: Any) -> Any:
    if isinstance(value, u.Quantity):
        return float(value.value)
    if dataclasses.is_dataclass(value):
        fields = dataclasses.fields(value)
        return {field.name: _plain(getattr(value, field.name)) for field in fields}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value.item() if isinstance(value, np.generic) else value


def load_positions(path: Path) -> Positions:
    """Read what `save_positions` wrote."""
    table = QTable.read(path, format="ascii.ecsv")
    said = {name: _tuples(value) for name, value in table.meta.items() if name != "SIMULATE"}
    said["track"] = ScanTrack(**{n: _tuples(value) for n, value in said["track"].items()})
    said["geometry"] = ArrayGeometry(**said["geometry"])  # bare numbers: arcsec and degrees
    for name, columns in _PAIRS.items():
        pair = [table[column].to_value(u.arcsec) for column in columns]
        said[name] = np.stack(pair, axis=1)
    return Positions(**said, matched=np.asarray(table["matched"], np.int64))
