"""What each piece of a reduction does: reads files, makes products, says what it found.

Pieces hand nothing to each other but files, so that they are the same wherever and whenever they
are done: in one process, in many, or on after a kill.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..atlas import AtlasImage
from ..calibrate import Calibrator, nearest
from ..coadd import Coadd
from ..coadd.coadder import Coadder
from ..coadd.grid import grid_like, grid_of_tile
from ..errors import TwomassError, TwomassWarning
from ..raw import RawScan
from ..scan import ScanId
from ..sources import zero_point
from .cube import write_frames
from .keeping import load_positions, load_sky, save_positions, save_sky, write_table
from .lists import (
    FrameStars,
    band_list,
    image_list,
    merged_list,
    read_catalog,
    zero_point_of,
)
from .places import place_of
from .tasks import Job, Name, Record, Task, state_of

__all__ = ["STEPS", "carry_out", "open_raw"]

#: Images of the survey whose stars say where the frames looked: more make it no better.
_REFERENCES = 5


def carry_out(task: Task) -> Record:
    """Do a piece of work; whatever goes wrong is in the record, and stops no other."""
    record = Record(task.name, task.key)
    began = time.monotonic()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", TwomassWarning)
        try:
            paths, record.figures = STEPS[task.name.kind](task)
            states = {path: state_of(task.job.folder / path) for path in paths}
            record.products = {path: state for path, state in states.items() if state}
        except TwomassError as error:
            record.error = " ".join(str(error).split())
        except Exception as error:  # one piece never stops the others
            record.error = f"{type(error).__name__}: {' '.join(str(error).split())}"
    record.warnings = list(dict.fromkeys(str(one.message) for one in said))
    record.seconds = round(time.monotonic() - began, 3)
    return record


Made = tuple[list[str], dict[str, Any]]


def _calibrator(task: Task) -> Made:
    """Make the calibrator of a night and band from the nearest darks and twilights."""
    choice = nearest(_scan(task), task.job.nights)
    calibrator = choice.calibrator()
    place = place_of(task.name)
    calibrator.save(task.job.folder / place, overwrite=True)
    return [place], {
        "darks": list(calibrator.darks), "twilights": list(calibrator.twilights),
        "reasons": list(choice.reasons), "left_out": [str(one) for one in calibrator.left_out],
        "dark_frames": calibrator.n_dark, "twilight_frames": calibrator.n_twilight,
        "gain": calibrator.gain, "simulated": calibrator.simulated,
    }  # fmt: skip


def _sky(task: Task) -> Made:
    """Learn saturation from a scan's stars, and measure its sky offsets."""
    scan, folder = _scan(task), task.job.folder
    night = Calibrator.load(folder / place_of(Name("calibrator", 0, task.name.band)))
    calibrator = night.with_saturation(scan)
    sky = calibrator.sky_offsets(scan)
    places = [place_of(task.name, "calibrator"), place_of(task.name)]
    calibrator.save(folder / places[0], overwrite=True)
    save_sky(sky, folder / places[1])
    return places, {
        "frames": scan.n_frames, "truncated": scan.truncated, "layout": str(scan.layout),
        "layout_source": scan.layout_source,
        "blocks": len(sky.blocks), "left_out": [str(one) for one in sky.left_out],
        "rms": float(np.nanstd(sky.offset)),
        "saturated_from": int(np.median(calibrator.saturation)),
    }  # fmt: skip


def _positions(task: Task) -> Made:
    """Measure where the frames looked, against a catalogue or the survey's images if at hand."""
    from ..astrometry import reconstruct

    scan, folder = _scan(task), task.job.folder
    calibrator, sky = _calibration(task)
    reference: Any = None
    if task.job.catalog is not None:
        reference = read_catalog(task.job.catalog)
    elif task.archive:
        spread = np.linspace(0, len(task.archive) - 1, min(len(task.archive), _REFERENCES))
        reference = [AtlasImage.open(task.archive[int(k)]) for k in spread.round()]
    found = reconstruct(scan, calibrator, sky=sky, reference=reference)
    save_positions(found, folder / place_of(task.name))
    measured = found.errors[found.measured]
    return [place_of(task.name)], {
        "reference": found.reference, "reference_stars": found.reference_stars,
        "frames_measured": int(found.measured.sum()),
        "stars_a_frame": float(np.median(found.matched)),
        "error": float(np.median(measured)) if len(measured) else float("nan"),
        "jitter": found.jitter, "star_error": found.star_error, "fwhm": found.fwhm,
        "step": list(found.step), "step_error": list(found.step_error),
        "rotation": float(found.geometry.rotation.value),
    }  # fmt: skip


def _frames(task: Task) -> Made:
    """Write the calibrated frames."""
    scan = _scan(task)
    write_frames(scan, *_calibration(task), task.job.folder / place_of(task.name))
    return [place_of(task.name)], {"frames": scan.n_frames}


def _image(task: Task) -> Made:
    """Coadd the frames of one image, and list its stars."""
    assert task.image is not None  # only images come here
    coadder, folder = _coadder(task), task.job.folder
    made = coadder.coadd(grid_of_tile(coadder.scan, coadder.positions.track, task.image))
    zero_point = zero_point_of(task.archive)
    if zero_point is not None:
        made.header["MAGZP"] = (zero_point, "zero point of the survey's images of this scan")
    table = image_list(made, coadder, _frame_stars(coadder))
    places = [place_of(task.name), place_of(task.name, "sources")]
    made.write_to(folder / places[0], overwrite=True)
    write_table(table, folder / places[1])
    return places, {**_of_image(made), **{
        name: table.meta[name] for name in ("limit", "fwhm", "zero_point_from")
    }, "sources": len(table), "solo": int(np.sum(table["solo"]))}  # fmt: skip


def _of_image(made: Coadd) -> dict[str, Any]:
    coverage, uncertainty = made.coverage, made.uncertainty
    assert coverage is not None  # every coadd just made has both
    assert uncertainty is not None
    cards = ("NCOADD", "SKYVAL", "SKYSIG", "BKGRMS", "NSOLO", "NSTREAK", "NUNLIKE")
    names = (
        "frames", "level", "noise", "background_rms", "transient_pixels", "streaks", "unlike"
    )  # fmt: skip
    figures = {name: made.header[card] for name, card in zip(names, cards, strict=True)}
    return figures | {
        "coverage": float(np.median(coverage)), "empty": float(np.mean(coverage == 0)),
        "uncertainty": float(np.nanmedian(uncertainty)),
    }  # fmt: skip


def _compare(task: Task) -> Made:
    """Coadd onto the grid of an image of the survey, and write a report of how the two agree."""
    from ..coadd import report
    from ..coadd.comparison import compare_images

    coadder = _coadder(task)
    real = AtlasImage.open(task.archive[0])
    found = compare_images(coadder.coadd(grid_like(real)), real, coadder.positions)
    report.write(found, task.job.folder / place_of(task.name), overwrite=True)
    checks = {check.what: float(check.value) for check in found.checks}
    return [place_of(task.name)], {"verdict": found.verdict, "checks": checks}


def _sources(task: Task) -> Made:
    """Put the lists of a band's images together."""
    folder = task.job.folder
    table = band_list([folder / place_of(part, "sources") for part in task.parts])
    if task.job.catalog is not None:
        table = zero_point(table, read_catalog(task.job.catalog), name=task.job.catalog.name)
    write_table(table, folder / place_of(task.name))
    return [place_of(task.name)], {
        "sources": len(table), "solo": int(np.sum(table["solo"])),
        **{name: table.meta[name] for name in ("zero_point", "zero_point_from")},
    }  # fmt: skip


def _merged(task: Task) -> Made:
    """Merge the lists of the bands by position."""
    folder = task.job.folder
    table = merged_list({part.band: folder / place_of(part) for part in task.parts})
    write_table(table, folder / place_of(task.name))
    figures = {"sources": len(table), "confused": int(np.sum(table["confused"]))}
    return [place_of(task.name)], figures


STEPS: dict[str, Callable[[Task], Made]] = {
    "calibrator": _calibrator,
    "sky": _sky,
    "positions": _positions,
    "frames": _frames,
    "image": _image,
    "compare": _compare,
    "sources": _sources,
    "merged": _merged,
}


# What a process keeps from one piece to the next ---------------------------------------------


def open_raw(path: Path, scan_id: ScanId) -> RawScan:
    """Open a raw file whose scan is known, also where its own name does not say it all."""
    scan = RawScan(path)
    if scan.scan_id is None:
        scan.scan_id = scan_id
    return scan


def _scan(task: Task) -> RawScan:
    assert task.raw is not None  # whatever is made of frames has a raw file
    return _opened(task.raw, task.scan_id, state_of(task.raw))


@lru_cache(maxsize=2)
def _opened(path: Path, scan_id: ScanId, _state: object) -> RawScan:
    return open_raw(path, scan_id)


def _calibration(task: Task) -> tuple[Calibrator, Any]:
    return _calibration_kept(task.job, task.name.scan, task.name.band, task.basis)


@lru_cache(maxsize=1)
def _calibration_kept(job: Job, scan: int, band: str, _basis: str) -> tuple[Calibrator, Any]:
    name = Name("sky", scan, band)
    calibrator = Calibrator.load(job.folder / place_of(name, "calibrator"))
    return calibrator, load_sky(job.folder / place_of(name))


def _coadder(task: Task) -> Coadder:
    return _coadder_kept(task.job, _scan(task), task.basis)


@lru_cache(maxsize=1)
def _frame_stars(coadder: Coadder) -> FrameStars:
    return FrameStars(coadder)


@lru_cache(maxsize=1)
def _coadder_kept(job: Job, scan: RawScan, basis: str) -> Coadder:
    number, band = scan.scan_id.scan, str(scan.band)  # type: ignore[union-attr]
    calibrator, sky = _calibration_kept(job, number, band, basis)
    positions = load_positions(job.folder / place_of(Name("positions", number, band)))
    return Coadder(scan, calibrator, positions, sky, job.kernel)
