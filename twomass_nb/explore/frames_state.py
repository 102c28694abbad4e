"""What of a frame explorer is kept in its state, in what words, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..array.geometry import SIZE
from ..errors import NotFoundError
from . import colours

if TYPE_CHECKING:
    from .frames_model import FramesModel

__all__ = ["of", "restore"]

MANUAL = "manual"
#: Told, for whoever reads a state; restoring one leaves them alone.
_TOLD = ("scan", "target", "coadd", "simulated")


def of(model: FramesModel) -> dict[str, Any]:
    """Return all that is shown, as JSON can hold it."""
    low, high = model.range_of(model.data())
    coadd = model.coadd()
    target = model.target
    return {
        "scan": None if model.scan.scan_id is None else str(model.scan.scan_id),
        "band": model.band,
        "read": model.read,
        "frame": model.frame,
        "view": model.view,
        "stretch": model.stretch,
        "limits": MANUAL if model.manual else model.limits,
        "low": low,
        "high": high,
        "colours": model.colours,
        "plots": sorted(model.plots),
        "marks": sorted(model.marks),
        "pixel": model.pixel,
        "selection": model.selection,
        "target": model.target_pixel(),
        "target_position": None if target is None else (target.ra.deg, target.dec.deg),
        "coadd": None if coadd is None else coadd.coadd,
        "simulated": model.simulated,
    }


def restore(model: FramesModel, state: Mapping[str, Any]) -> None:
    """Show what a state of this scan, or of another, says; what it does not name stays.

    Raises
    ------
    NotFoundError
        If it names what is not there; then nothing is changed.
    """
    _check(model, state)
    if "band" in state:
        model.show_band(state["band"])
    for name in ("read", "view", "stretch", "colours"):
        setattr(model, name, state.get(name, getattr(model, name)))
    for name in ("plots", "marks"):
        if name in state:
            setattr(model, name, set(state[name]))
    for name in ("pixel", "selection"):
        if name in state:
            value = state[name]
            setattr(model, name, None if value is None else tuple(value))
    if "limits" in state:
        by_hand = state["limits"] == MANUAL
        model.manual = (float(state["low"]), float(state["high"])) if by_hand else None
        model.limits = model.limits if by_hand else state["limits"]
    if "target_position" in state:
        model.target = _position(state["target_position"])
    if "frame" in state:
        model.go(state["frame"])


def _check(model: FramesModel, state: Mapping[str, Any]) -> None:
    from .frames_model import MARKS, PLOTS, VIEWS

    band = state.get("band", model.band)
    if not model.has_band(band):
        _refuse("band", band)
    reads, n = model.bands_of_scan.reads(band), model.bands_of_scan[band].n_frames
    allowed = {
        "read": reads, "view": VIEWS, "stretch": colours.ALL_STRETCHES, "colours": colours.MAPS,
        "limits": (*colours.LIMITS, MANUAL), "frame": range(n),
    }  # fmt: skip
    for name, value in state.items():
        if name in allowed:
            good = value in allowed[name]
        elif name in ("plots", "marks"):
            good = set(value) <= set(PLOTS if name == "plots" else MARKS)
        elif name in ("pixel", "selection"):
            good = value is None or (
                len(value) == (2 if name == "pixel" else 4)
                and all(isinstance(v, int) and 0 <= v < SIZE for v in value)
            )
        elif name in ("low", "high"):
            good = state.get("limits") != MANUAL or state["low"] < state["high"]
        else:
            good = name in ("band", "target_position", *_TOLD)
        if not good:
            _refuse(name, value)


def _refuse(name: str, value: Any) -> None:
    message = f"a frame explorer of this scan has no {name} = {value!r}"
    raise NotFoundError(message)


def _position(degrees: Any) -> Any:
    from astropy.coordinates import SkyCoord

    return None if degrees is None else SkyCoord(*degrees, unit="deg")
