"""What a processed Atlas Image says of itself: scan, band, coadd, frames, and the scan's track."""

from __future__ import annotations

import bz2
import io
import os
import re
import tempfile
import warnings
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from astropy import units as u
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from numpy.typing import NDArray

from .array.geometry import SIZE, ArrayGeometry, period_of
from .array.track import (
    FIRST_FRAME_FROM_EDGE,
    FOOTPRINT_LENGTH,
    HALF_WIDTH,
    MEAN_STEP,
    ScanTrack,
    lonlat,
)
from .errors import AtlasError, ScanNameError, TwomassWarning
from .scan import FileName, ScanId, parse_band

__all__ = [
    "AtlasImage", "find_coadds", "footprint_table", "positions_along", "scan_table_from_atlas",
    "track_of",
]  # fmt: skip

#: Rows of an uncut image from its first row to its reference point (CRPIX2 - 0.5).
_HALF_ROWS = 512
# A coadd's number comes out whole to 0.005 in 27 real headers.
_WHOLE = 0.05
# A coadd's centre lies within half a step of the frame its number names; arcsec.
_COADD_SLACK = MEAN_STEP / 2
# A footprint from an Atlas header is a few arcsec off across the scan.
_ACROSS = 5.0

# How Mt. Hopkins is spelt in a header is not in our sources; anything like it is taken for it.
_SITES = (("CTIO", "s"), ("HOPK", "n"), ("FLWO", "n"))
_NEEDED = (
    "ORDATE", "FN_PRFX", "SCANNO", "SCANDIR", "TELNAME", "FILTER", "NUMFRMS", "USYREF", "UT",
    "UT_SOS", "UT_EOS", "UT_OFF1", "DXFS", "DYFS", "CRVAL1", "CRVAL2", "CROTA2",
)  # fmt: skip
_WCS_CARDS = re.compile(r"NAXIS[12]|(CTYPE|CUNIT|CRPIX|CRVAL|CDELT|CROTA)[12]|(CD|PC)[12]_[12]")


@dataclass(frozen=True, eq=False, repr=False)
class AtlasImage:
    """One processed image: a coadd of raw frames on 1 arcsec pixels.

    Open real ones with `open`. Everything is taken from the header, so a file may have any name;
    a name that contradicts its header is warned about and the header believed.

    Parameters
    ----------
    data : array, shape (1024, 512) unless cut out
        Data numbers (DN), float32, row 0 in the south, x to the west.
    header : `~astropy.io.fits.Header`
    path : path, optional
        Where it was read from.

    Raises
    ------
    AtlasError
        If it is not an Atlas Image, lacks a keyword, or contradicts itself.
    """

    data: NDArray[np.float32]
    header: fits.Header
    path: Path | None = None

    def __post_init__(self) -> None:
        missing = [key for key in _NEEDED if key not in self.header]
        if missing:
            missing = missing[:4]  # one line, also for a file of quite another kind
            msg = f"{self._name} is not a 2MASS Atlas Image: its header has no {', '.join(missing)}"
            raise AtlasError(msg)
        self._check_identity()
        self._check_name()

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> AtlasImage:
        """Read an Atlas Image, plain or packed with gzip or bzip2.

        Raises
        ------
        AtlasError
            If the file is missing, broken, not FITS or not an Atlas Image.
        """
        path = Path(path)
        data, header = _read_fits(path)
        return cls(data, header, path)

    def __repr__(self) -> str:
        made = "simulated " if self.simulated else ""
        return (
            f"<{made}AtlasImage {self.scan_id} {self.band} coadd {self.coadd}, frames "
            f"{self.first_frame} to {self.last_frame}>"
        )

    @property
    def _name(self) -> str:
        return str(self.path) if self.path else "this image"

    def number(self, key: str) -> float:
        """Return a finite number from the header.

        Raises
        ------
        AtlasError
            If the card holds something else.
        """
        try:
            value = float(self.header[key])
        except (TypeError, ValueError):
            value = np.nan
        if not np.isfinite(value):
            msg = f"{self._name} is broken: its {key} is {self.header[key]!r}, not a number"
            raise AtlasError(msg)
        return value

    def _seconds(self, key: str) -> float:
        match = re.fullmatch(
            r"(\d{1,2}):(\d{1,2}):(\d{1,2}(?:\.\d*)?)", str(self.header[key]).strip()
        )
        if not match:
            msg = f"{self._name} is broken: its {key} is {self.header[key]!r}, not a time hh:mm:ss"
            raise AtlasError(msg)
        return 3600 * int(match[1]) + 60 * int(match[2]) + float(match[3])

    def _check_identity(self) -> None:
        """Header cards that say the same thing twice must agree."""
        stem, expected = str(self.header["FN_PRFX"]).strip().lower(), self.scan_id.stem(self.band)
        if stem != expected:
            msg = (
                f"{self._name} contradicts itself: FN_PRFX is {stem}, ORDATE, SCANNO and FILTER"
                f" make {expected}"
            )
            raise AtlasError(msg)
        if self.direction != ("s" if self.number("DYFS") < 0 else "n"):
            msg = (
                f"{self._name} contradicts itself: SCANDIR is {self.direction}, DYFS is"
                f" {self.number('DYFS'):g}"
            )
            raise AtlasError(msg)
        if self.n_frames < 1 or self.coadd < 1:
            what = "no frames" if self.n_frames < 1 else f"coadd {self.coadd}"
            msg = f"{self._name} is broken: its header makes it {what} of a scan"
            raise AtlasError(msg)

    def _check_name(self) -> None:
        if self.path is None:
            return
        try:
            name = FileName.parse(self.path.name)
        except ScanNameError:
            return  # any name may be given to a file; only a telling one can be wrong
        said = [
            f"{word} {got}, not {own}"
            for word, got, own in (
                ("scan", name.scan_id, self.scan_id),
                ("band", name.band, self.band),
                ("coadd", name.coadd if name.kind == "atlas" else None, self.coadd),
            )
            if got is not None and got != own
        ]
        if said:
            msg = f"the name of {self._name} says {', '.join(said)} as its header; the header holds"
            warnings.warn(msg, TwomassWarning, stacklevel=4)

    @cached_property
    def scan_id(self) -> ScanId:
        """The scan, from ORDATE, TELNAME and SCANNO."""
        site = str(self.header["TELNAME"]).upper()
        hemis = next((letter for word, letter in _SITES if word in site), None)
        if not hemis:
            telescope = self.header["TELNAME"]
            msg = f"{self._name}: TELNAME {telescope!r} is neither CTIO nor Mt. Hopkins"
            raise AtlasError(msg)
        try:
            number = int(self.number("SCANNO"))
            return ScanId.parse(f"{str(self.header['ORDATE']).strip():0>6}{hemis}{number:03d}")
        except ScanNameError as error:
            msg = f"{self._name} is broken: {error}"
            raise AtlasError(msg) from None

    @cached_property
    def band(self) -> str:
        """Band: j, h or k."""
        try:
            return parse_band(self.header["FILTER"])
        except ScanNameError as error:
            msg = f"{self._name} is broken: {error}"
            raise AtlasError(msg) from None

    @property
    def direction(self) -> str:
        """The way the scan went: "n" or "s"."""
        return str(self.header["SCANDIR"]).strip().lower()

    @property
    def n_frames(self) -> int:
        """Frames of the whole scan (NUMFRMS)."""
        return int(self.number("NUMFRMS"))

    @property
    def simulated(self) -> bool:
        """Whether the header says that this is no real observation."""
        return bool(self.header.get("SIMULATE", False))

    @cached_property
    def coadd(self) -> int:
        """Number of the coadd in its scan, from the times in the header.

        coadd = 1 + (UT - UT_SOS - UT_OFF1) / ((UT_EOS - UT_SOS) / NUMFRMS)
        """
        sos, eos, now = (self._seconds(key) for key in ("UT_SOS", "UT_EOS", "UT"))
        day = 86400.0  # a scan may run over midnight
        length, since = (eos - sos) % day, (now - sos - self.number("UT_OFF1")) % day
        since = since - day if since > day / 2 else since
        if length == 0:
            msg = f"{self._name} is broken: UT_SOS and UT_EOS are the same"
            raise AtlasError(msg)
        coadd = 1 + since / (length / self.n_frames)
        if abs(coadd - round(coadd)) > _WHOLE:
            msg = f"{self._name} is broken: its times make coadd {coadd:.3f}, not a whole number"
            raise AtlasError(msg)
        return round(coadd)

    @cached_property
    def frame_step(self) -> u.Quantity:
        """Frame step here: cross-scan and in-scan (DXFS, DYFS), arcsec."""
        return u.Quantity([self.number("DXFS"), self.number("DYFS")], u.arcsec)

    @property
    def rotation(self) -> u.Quantity:
        """Rotation of the array as this header shows it, atan(DXFS / DYFS), degrees."""
        dx, dy = self.frame_step.value
        return np.rad2deg(np.arctan(dx / dy)) * u.deg

    @cached_property
    def wcs(self) -> WCS:
        """Celestial WCS (SIN). Its cards alone are used, so the header's others cannot disturb."""
        cards = fits.Header()
        for card in self.header.cards:
            if _WCS_CARDS.fullmatch(card.keyword):
                cards[card.keyword] = card.value
        cards["RADESYS"] = "ICRS"  # 2MASS positions are tied to ICRS; the header says J2000
        wcs = WCS(cards)
        wcs.array_shape = self.data.shape
        return wcs

    @property
    def from_first(self) -> float:
        """Arcsec from the first frame's centre to CRVAL, northward along the scan.

        USYREF and CRVAL belong to the uncut image; a cutout changes CRPIX alone.
        """
        return self.number("USYREF") + _HALF_ROWS

    @cached_property
    def track(self) -> ScanTrack:
        """Where the scan's frames are.

        The first frame is (USYREF + 512) arcsec back along CROTA2 from CRVAL; the mean step is
        that divided by (coadd - 1). The first frame is good to arcsecs, but a coadd's centre is
        only within half a step of its frame, which is what the uncertainty says, scaled to the
        scan's end.
        """
        return _track([self])

    @cached_property
    def _frames(self) -> tuple[int, int]:
        height, width = self.data.shape
        edge = np.array([-0.5, height - 0.5])
        ra, dec = self.wcs.wcs_pix2world((width - 1) / 2 * np.ones(2), edge, 0)
        along, _ = self.track.offsets(ra, dec)
        geometry = ArrayGeometry.preset(period_of(self.scan_id), self.band)
        half = SIZE / 2 * geometry.plate_scale.to_value(u.arcsec)
        step = self.track.step
        ends = np.sort(np.array([along.min() - half, along.max() + half]) / step)
        first, last = np.floor(ends[0]) + 1, np.ceil(ends[1]) - 1
        first, last = np.clip([first, last], 0, self.n_frames - 1)
        return int(first), int(last)

    @property
    def first_frame(self) -> int:
        """First raw frame, counted from 0, that overlaps this image's rows."""
        return self._frames[0]

    @property
    def last_frame(self) -> int:
        """Last raw frame, counted from 0, that overlaps this image's rows."""
        return self._frames[1]

    def write_to(self, path: str | os.PathLike[str], overwrite: bool = False) -> Path:
        """Write a simulated image as FITS, packed if the name ends in ``.gz``.

        Real images are kept as they came.

        Raises
        ------
        AtlasError
            If the image is a real one, or the file is there and `overwrite` is not set.
        """
        path = Path(path)
        if not self.simulated:
            msg = f"{self._name} is a real image: copy its file instead of writing it anew"
            raise AtlasError(msg)
        if path.exists() and not overwrite:
            msg = f"{path} is there already: give another name or overwrite=True"
            raise AtlasError(msg)
        buffer = io.BytesIO()
        fits.PrimaryHDU(np.asarray(self.data, np.float32), self.header).writeto(buffer)
        content = buffer.getvalue()
        if path.suffix == ".gz":
            from isal import igzip

            content = igzip.compress(content, compresslevel=1, mtime=0)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".part-", delete=False) as part:
            try:
                part.write(content)
                part.close()
                Path(part.name).chmod(0o644)
                Path(part.name).replace(path)
            except BaseException:
                Path(part.name).unlink(missing_ok=True)
                raise
        return path


def _unpack(path: Path) -> bytes:
    from isal import igzip, igzip_lib

    try:
        raw = path.read_bytes()
        if raw[:2] == b"\x1f\x8b":
            return igzip.decompress(raw)
        return bz2.decompress(raw) if raw[:3] == b"BZh" else raw
    except FileNotFoundError:
        msg = f"there is no file {path}"
    except IsADirectoryError:
        msg = f"{path} is a folder, not an image: use find_coadds to list the images in it"
    except (EOFError, zlib.error, igzip_lib.IsalError):  # type: ignore[misc]
        msg = f"{path} is truncated or broken: it cannot be unpacked; get it again"
    except (OSError, ValueError) as error:
        msg = f"{path} cannot be read: {error}"
    raise AtlasError(msg)


def _read_fits(path: Path) -> tuple[NDArray[np.float32], fits.Header]:
    content = _unpack(path)
    if not content.startswith(b"SIMPLE  ="):
        msg = f"{path} is not a FITS file" if content else f"{path} is empty"
        raise AtlasError(msg)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old cards; a short file is found below
            with fits.open(io.BytesIO(content), memmap=False) as hdus:
                hdu: Any = hdus[0]
                header = hdu.header.copy()
                if header.get("NAXIS") != 2:
                    msg = f"{path} is not a 2MASS Atlas Image: it holds no image of two axes"
                    raise AtlasError(msg)
                size = abs(header["BITPIX"]) // 8 * header["NAXIS1"] * header["NAXIS2"]
                if len(content) < hdu.fileinfo()["datLoc"] + size:
                    msg = f"{path} is truncated: its pixels are not all there; get it again"
                    raise AtlasError(msg)
                data = np.asarray(hdu.data).astype(np.float32)  # native byte order
    except (OSError, ValueError, KeyError, TypeError, IndexError, fits.VerifyError) as error:
        if isinstance(error, AtlasError):
            raise
        msg = f"{path} is a broken FITS file: {' '.join(str(error).split())}"
        raise AtlasError(msg) from None
    return data, header


def _opened(images: Any) -> list[AtlasImage]:
    if isinstance(images, (AtlasImage, str, os.PathLike)):
        images = [images]
    opened = [im if isinstance(im, AtlasImage) else AtlasImage.open(im) for im in images]
    if not opened:
        msg = "no Atlas Images were given: give at least one"
        raise AtlasError(msg)
    return opened


def _mean_step(images: Sequence[AtlasImage]) -> float:
    """Mean step of a scan: least squares through the first frame over its coadds.

    Coadd 1 has no lever to tell the step; its header's local one (DYFS) stands in.
    """
    from_first = np.array([image.from_first for image in images])
    frame = np.array([image.coadd - 1 for image in images])
    step = from_first @ frame / (frame @ frame) if frame.any() else 0.0
    local = float(images[0].frame_step[1].value)
    return float(step) if step * local > 0 else local


def _track(images: Sequence[AtlasImage]) -> ScanTrack:
    vectors, angles = [], []
    for image in images:
        back = ScanTrack(
            image.number("CRVAL1") % 360, image.number("CRVAL2"), -image.number("CROTA2"),
            -image.from_first, 2,
        )  # fmt: skip
        vectors.append(np.asarray(back.center(1).cartesian.xyz))
        angles.append(back.pa_at(1))
    ra, dec = lonlat(np.mean(vectors, axis=0))
    n_frames = images[0].n_frames
    lever = max(1, *(image.coadd - 1 for image in images))
    return ScanTrack(
        float(ra), float(dec), float(np.mean(angles)), _mean_step(images), n_frames, "atlas",
        (_COADD_SLACK * max(1.0, (n_frames - 1) / lever), _ACROSS),
    )  # fmt: skip


def track_of(images: Any) -> ScanTrack:
    """Return the track of a scan from one or several of its coadds.

    Parameters
    ----------
    images : AtlasImage, path, or sequence of them
        Of one scan; bands may differ.

    Returns
    -------
    ScanTrack
        The step is fitted by least squares through the first frame; from one image it is the
        image's own.

    Raises
    ------
    AtlasError
        If there are none, or they are of several scans.
    """
    opened = _opened(images)
    scans = sorted({image.scan_id for image in opened})
    if len(scans) > 1:
        msg = f"these images are of several scans ({', '.join(map(str, scans))}): give one scan's"
        raise AtlasError(msg)
    return _track(opened)


def scan_table_from_atlas(images: Iterable[AtlasImage | str | os.PathLike[str]]) -> Table:
    """Make scan-table rows from Atlas Images: what a footprint is when no scan table is at hand.

    Parameters
    ----------
    images : sequence of AtlasImage or path

    Returns
    -------
    `~astropy.table.Table`
        One row a scan, sorted: the columns of twomass_scn a locator needs (corners 1 east and
        2 west at the start of the scan, 3 east and 4 west at its end; a few arcsec off across
        the scan, about 45 along), ``frames``, ``source`` = "atlas", and the track of frames:
        ``trk_ra trk_dec trk_pa`` (deg) and ``trk_step`` (arcsec).

    Raises
    ------
    AtlasError
        If there are none, or one cannot be read.
    """
    by_scan: dict[ScanId, list[AtlasImage]] = {}
    for image in _opened(images):
        by_scan.setdefault(image.scan_id, []).append(image)
    scans = []
    for scan_id, group in sorted(by_scan.items()):
        source = "sim" if group[0].simulated else "atlas"
        tile = int(group[0].header.get("STRIP_ID", 0))
        scans.append((scan_id, tile, replace(_track(group), source=source)))
    return footprint_table(scans)


def footprint_table(scans: Iterable[tuple[ScanId, int, ScanTrack]]) -> Table:
    """Make scan-table rows from tracks: see `scan_table_from_atlas` for the columns.

    Parameters
    ----------
    scans : iterable of (ScanId, int, ScanTrack)
        Scan, number of its tile, and track; a track's source becomes the row's.
    """
    # 1 east, 2 west at the start edge; 3 east, 4 west at the end edge; the middle
    ahead = -FIRST_FRAME_FROM_EDGE + np.array([0.0, 0.0, 1.0, 1.0, 0.5]) * FOOTPRINT_LENGTH
    west = np.array([-1.0, 1.0, -1.0, 1.0, 0.0]) * HALF_WIDTH
    rows = []
    for scan_id, tile, track in scans:
        ra, dec = positions_along(track, np.sign(track.step) * ahead, west)
        row = {
            "date": scan_id.date.isoformat(),
            "hemis": scan_id.hemis,
            "scan": scan_id.scan,
            "tile": tile,
            "sd": "s" if track.step < 0 else "n",
            "ra": ra[4],
            "dec": dec[4],
        }
        for k in range(4):
            row |= {f"ra_{k + 1}": ra[k], f"dec_{k + 1}": dec[k]}
        row |= {
            "source": track.source,
            "frames": track.n_frames,
            "trk_ra": track.ra,
            "trk_dec": track.dec,
            "trk_pa": track.pa,
            "trk_step": track.step,
        }
        rows.append(row)
    table = Table(rows)
    for name in table.colnames:
        if name.split("_")[0] in ("ra", "dec") or name in ("trk_ra", "trk_dec", "trk_pa"):
            table[name].unit = u.deg
    table["trk_step"].unit = u.arcsec
    if "sim" in table["source"]:
        table.meta["SIMULATE"] = True
    return table


def positions_along(track: ScanTrack, along: Any, west: Any) -> tuple[Any, Any]:
    """Return RA and Dec (deg) at offsets in arcsec along a track and west of it.

    Undoes `ScanTrack.offsets`.
    """
    first, ahead, side = track.frame_axes
    a, w = (np.deg2rad(np.asarray(v, float) / 3600)[..., None] for v in (along, west))
    return lonlat(np.cos(w) * (np.cos(a) * first + np.sin(a) * ahead) + np.sin(w) * side)


def find_coadds(folder: str | os.PathLike[str], scan_id: ScanId, band: str) -> list[Path]:
    """List the coadds of a scan and band that a night's folder holds, sorted by their number.

    Parameters
    ----------
    folder : path
        A night's folder, or one that holds images; ``s063/image`` in it is looked into.
    scan_id : ScanId
    band : {"j", "h", "k"}
    """
    band = parse_band(band)
    found: dict[int, Path] = {}
    for place in (Path(folder) / scan_id.coadd_folder, Path(folder)):
        for path in sorted(place.glob("*.fits*")) if place.is_dir() else []:
            try:
                name = FileName.parse(path.name)
            except ScanNameError:
                continue
            if name.kind != "atlas" or name.band != band or name.coadd is None:
                continue
            # IPAC's own short names say the scan's number but not its night
            short = path.name.lower().startswith(f"{band}i{scan_id.scan:03d}")
            if name.scan_id == scan_id or (name.scan_id is None and short):
                found.setdefault(name.coadd, path)
    return [found[coadd] for coadd in sorted(found)]
