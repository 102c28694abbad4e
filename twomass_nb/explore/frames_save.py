"""How what the frame explorer shows is written: names after raw2fits, nothing ever overwritten."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import NotFoundError
from ..files import refuse_existing, whole_file
from . import still
from .frames_bands import CALIBRATED

if TYPE_CHECKING:
    from .frames_model import FramesModel

__all__ = ["KINDS", "save"]

KINDS = (".png", ".fits")


def save(model: FramesModel, path: Any) -> Path:
    """Write the picture (``.png``), or the frame in the band and read chosen (``.fits``).

    Parameters
    ----------
    path : path, or ".png" or ".fits"
        An ending alone is given a name of its own in the current folder, as
        ``j1186063_r2-r1_220.fits``; if there is one already, ``_2`` is put to it.

    Returns
    -------
    Path

    Raises
    ------
    ExistsError
        If there is a file of the name given.
    NotFoundError
        If the name ends otherwise.
    """
    kind = str(path) if str(path) in KINDS else Path(path).suffix
    if kind not in KINDS:
        message = f"{path} is neither .png nor .fits: give it one of these endings"
        raise NotFoundError(message)
    target = _free_name(model, kind) if str(path) == kind else Path(path)
    refuse_existing(target)
    if kind == ".png":
        with whole_file(target) as file:
            still.of_frames(model, scale=2).save(file, "PNG")
    elif model.read == CALIBRATED:
        with whole_file(target) as file:
            image = model.bands_of_scan.calibrated(model.band, model.frame)
            image.to_hdu().writeto(file, checksum=True)
    else:
        model.scan.to_fits(model.frame, model.read, target)
    return target


def _free_name(model: FramesModel, kind: str) -> Path:
    stem = model.scan.path.name.removesuffix(".gz").rpartition(".")[0]
    stem = f"{stem}_{model.read}_{model.frame}"
    names = (f"{stem}{'' if i == 1 else f'_{i}'}{kind}" for i in count(1))
    return next(Path(name) for name in names if not Path(name).exists())
