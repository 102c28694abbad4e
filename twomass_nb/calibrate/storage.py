"""How a calibrator is kept: one FITS file, a map an extension, and a table of the rest."""

from __future__ import annotations

import dataclasses
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

from .. import __version__
from ..errors import CalibrationError, NotFoundError
from ..files import refuse_existing, whole_file
from .calibrator import Calibrator
from .flags import Flag
from .leftout import LeftOut
from .response import FirstColumn

__all__ = ["load", "save"]

_FORMAT = 1
#: Extension of each map.
_MAPS = {
    "DARK": "dark",
    "DARKERR": "dark_error",
    "DARKR1": "dark_r1",
    "DARKR1ER": "dark_r1_error",
    "NOISE": "noise",
    "NOISER1": "noise_r1",
    "RESP": "responsivity",
    "RESPERR": "responsivity_error",
    "SHARE1": "share1",
    "SATURATE": "saturation",
    "MASK": "mask",
}
_RECORD = "FACTS"


def save(calibrator: Calibrator, path: Path, overwrite: bool) -> Path:
    """Write a calibrator; see `Calibrator.save`."""
    refuse_existing(path, overwrite)
    primary = fits.PrimaryHDU()
    header = primary.header
    header["CALFMT"] = (_FORMAT, "twomass_nb calibrator, format")
    header["FILTER"] = (calibrator.band, "band")
    header["CREATOR"] = (f"twomass_nb {__version__}", "software")
    hdus = [primary]
    for name, attribute in _MAPS.items():
        hdus.append(fits.ImageHDU(getattr(calibrator, attribute), name=name))
    for flag in Flag:
        hdus[-1].header[f"BIT{int(flag).bit_length() - 1}"] = (str(flag.name), "of the mask")
    hdus.append(_record(calibrator))
    if calibrator.simulated:
        for hdu in hdus:
            hdu.header["SIMULATE"] = (True, "simulated: no telescope has seen this")
    with whole_file(path) as file:
        fits.HDUList(hdus).writeto(file, output_verify="exception", checksum=True)
    return path


def _record(calibrator: Calibrator) -> fits.BinTableHDU:
    """Return all that is no map, a row each: its name and its value as JSON."""
    rows = [
        (field.name, json.dumps(_plain(getattr(calibrator, field.name))))
        for field in dataclasses.fields(calibrator)
        if field.name not in _MAPS.values()
    ]
    names, values = (np.array(column, dtype="S") for column in zip(*rows, strict=True))
    columns = [
        fits.Column(name, f"{texts.dtype.itemsize}A", array=texts)
        for name, texts in (("NAME", names), ("VALUE", values))
    ]
    return fits.BinTableHDU.from_columns(columns, name=_RECORD)


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return value


def load(path: Path) -> Calibrator:
    """Read a calibrator; see `Calibrator.load`."""
    if not path.is_file():
        msg = f"there is no file {path}: name one that calibrator.save has written"
        raise NotFoundError(msg)
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            maps, facts = _read(path)
        if said:  # of a wrong checksum, or an end that is missing
            raise ValueError(said[0].message)
        facts["left_out"] = tuple(LeftOut(**one) for one in facts["left_out"])
        facts["first_columns"] = tuple(FirstColumn(**one) for one in facts["first_columns"])
        for name in ("darks", "twilights", "canonical", "levels"):
            facts[name] = tuple(facts[name])
        return Calibrator(**maps, **facts)
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        msg = f"{path} is no calibrator, or damaged: make it again from its darks and twilights"
        raise CalibrationError(msg) from error


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the maps of a file, and the rest."""
    with fits.open(path, checksum=True, memmap=False) as hdus:
        if hdus[0].header.get("CALFMT") != _FORMAT:
            msg = "another format"
            raise ValueError(msg)
        maps = {
            attribute: np.asarray(hdus[name].data, np.uint8 if name == "MASK" else np.float32)
            for name, attribute in _MAPS.items()
        }
        table = hdus[_RECORD].data
        return maps, dict(zip(table["NAME"], map(json.loads, table["VALUE"]), strict=True))
