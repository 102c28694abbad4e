"""The sample, scan 63 of 2000-05-29 s and its companions: which there are, how one is simulated."""

from __future__ import annotations

import json
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from ..array.track import FRAMES, ScanTrack
from ..atlas import footprint_table
from ..errors import NotFoundError, WriteError
from ..files import as_path, whole_file
from ..scan import BANDS, ScanId
from .places import sample_folder
from .real_sample import fetch_sample

if TYPE_CHECKING:
    from ..simulate.files import Observation

__all__ = ["SCAN63", "sample"]

# Scans, directions, tiles and frames are those of the archive's own sample (seed 000's table).
SCAN63 = ScanId("2000-05-29", "s", 63)
_DARK = ScanId("2000-06-02", "s", 90)
_TWILIGHTS = [ScanId("2000-05-31", "s", n) for n in range(155, 160)]
_TILE = 318737
_SHORT, _SHORT_COMPANIONS = 40, 16

# Where tile 318737 is: derived as far as our sources go, the rest chosen. Tiles are numbered
# along rings of 6 degrees from the equator to the pole: 303105 (RA 14.19) is in the ring of
# Dec -6 to -12 and 308164 to 308167 (RA 275.00 to 275.37) in the next, so a ring at Dec d has
# about 2970 cos(d) tiles, and 318737 is in the ring of -36 to -42, at RA 266 give or take 2
# degrees. On that night it crossed the meridian of Cerro Tololo at about 6 h UT. The first frame
# lies as far outside of the ring as in the north-going M17 scans (headers): 0.0492 degrees.
_RA, _DEC, _PA, _UT = 266.2, -42.0492, 0.006, 5.75
#: Mean step: the middle of what headers of CTIO allow.
_STEP = 82.2
_SEED = 63
# Counted up when the simulation changes, so that an older sample is made again.
_VERSION = 2
_MARKER = "sample.json"

_README = """\
EVERYTHING IN THIS FOLDER IS SIMULATED. No telescope has seen any of it.

twomass_nb made it so that its notebooks run without a network: raw frames as scan 63 of
2000-05-29 (Cerro Tololo) might have them, with the dark scan 90 of 2000-06-02 and the twilight
scans 155 to 159 of 2000-05-31 that the archive's own sample has too. Names, word sizes, numbers
of frames and directions are those of the archive; stars, galaxy, meteor and noise are made up,
and so are the syntax of the .par files and the order of the words in the .rds files.
docs/simulation.md of twomass_nb says what is modelled and what is a guess.

000529s/                scan 63: .rds.gz, .rdo.gz and .par in J, H, Ks; the night's log
000529s/s063/image/     images like Atlas Images, painted from the same made-up sky
000531s/  000602s/      twilights and dark
scan_table.csv          the row of scan 63 as twomass_scn would have it
"""


def sample(
    name: str = "scan63",
    source: str = "simulated",
    folder: str | PathLike[str] | None = None,
    short: bool = False,
) -> Path:
    """Return the folder of the sample scan, made if it is not there yet.

    Parameters
    ----------
    name : {"scan63"}
        Scan 63 of 2000-05-29, Cerro Tololo, with a dark and five twilight scans.
    source : {"simulated", "archive"}
        The simulated one needs no network. The real one, 48 files, is fetched from UMass if it
        still answers (``TWOMASS_NB_UMASS_RAW`` is the address); each ``.rds`` that has an
        ``.rdo`` twin is compared with it, and the word order that they show is remembered. One
        never stands in for the other.
    folder : path, optional
        Where it goes; a folder of its own in the cache (``TWOMASS_NB_CACHE``) if not given.
    short : bool, optional
        40 frames of the scan and 16 of its companions, made in seconds; simulated only.

    Returns
    -------
    path
        The folder that holds the night folders ``000529s``, ``000531s`` and ``000602s`` and a
        README; the simulated one has a ``scan_table.csv``, too.

    Raises
    ------
    NotFoundError
        If there is no such sample, or the real one cannot be had: ``looked`` then has every
        file that did not come, with the reason. Another call continues.
    OfflineError
        If the real one is asked for and ``TWOMASS_NB_OFFLINE`` is set.
    LayoutError
        If a real ``.rds`` file is not what its ``.rdo`` twin says.
    RawFileError
        If `folder` holds a real night of the same name.
    """
    if name != "scan63":
        msg = f"there is no sample {name!r}: the only one is 'scan63'"
        raise NotFoundError(msg)
    if source not in ("simulated", "archive"):
        msg = f"source {source!r} is not known: use 'simulated' or 'archive'"
        raise NotFoundError(msg)
    if source == "archive" and short:
        msg = "the real sample cannot be shortened: leave short out, or use source='simulated'"
        raise NotFoundError(msg)
    place = sample_folder(source, short) if folder is None else as_path(folder)
    if source == "archive":
        return fetch_sample(place)
    marker = place / _MARKER
    what = {"name": name, "source": source, "short": short, "version": _VERSION}
    if _said(marker) != what:
        _make(place, marker, what, short)
    return place


def _said(marker: Path) -> object:
    try:
        return json.loads(marker.read_text())
    except (OSError, ValueError):
        return None


def _make(place: Path, marker: Path, what: dict[str, object], short: bool) -> None:
    """Make the sample; every file is whole, and the marker comes last.

    Two processes that do it at once write the same bytes.
    """
    from ..simulate import observe
    from ..simulate.exposure import presets, run
    from ..simulate.files import Observation, refuse_real

    for scan_id in (SCAN63, _TWILIGHTS[0], _DARK):
        refuse_real(place / scan_id.night, scan_id)
    try:
        marker.unlink(missing_ok=True)
    except OSError as error:
        msg = (
            f"{place} cannot be written: {error.strerror or error}; give the sample another folder"
        )
        raise WriteError(msg) from error
    for old in (place / SCAN63.night / SCAN63.coadd_folder).glob("*.fits.gz"):
        old.unlink(missing_ok=True)  # a short sample has fewer

    n_frames = _SHORT if short else FRAMES["s"]
    track = ScanTrack(_RA, _DEC, _PA, _STEP, n_frames, "sim")
    scan63 = Observation(SCAN63, "sci", track, _TILE, _UT, "The sky is made up.", presets(SCAN63))
    exposures, images = observe.science(scan63, BANDS, _SEED)
    for one in exposures:
        one.pair = True
    companions = {"n_frames": _SHORT_COMPANIONS} if short else {}
    exposures += observe.dark(_companion(scan63, _DARK), BANDS, _SEED, **companions)
    for k, twilight in enumerate(_TWILIGHTS):
        like = _companion(scan63, twilight)
        exposures += observe.twilight(like, BANDS, _SEED, k, **companions)
    run(exposures, place, coadds=images)

    table = footprint_table([(SCAN63, _TILE, track)])
    lines = ["# SIMULATED by twomass_nb", ",".join(table.colnames)]
    lines += [",".join(str(row[name]) for name in table.colnames) for row in table]
    for name, text in (
        ("scan_table.csv", "\n".join(lines) + "\n"),
        ("README.txt", _README),
        (_MARKER, json.dumps(what) + "\n"),
    ):
        with whole_file(place / name) as file:
            file.write(text.encode())


def _companion(scan63: Observation, scan_id: ScanId) -> Observation:
    """Return a calibration scan elsewhere on the sky: near the zenith. The place is chosen."""
    track = replace(scan63.track, ra=190.0, dec=-29.0, pa=0.0)
    return replace(scan63, scan_id=scan_id, track=track)
