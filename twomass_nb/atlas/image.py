"""What a processed Atlas Image says of itself: scan, band, coadd, frames, and the scan's track."""

from __future__ import annotations

import os
import re
import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.io import fits
from astropy.wcs import WCS
from numpy.typing import NDArray

from ..array.geometry import SIZE, ArrayGeometry, period_of
from ..array.track import ScanTrack
from ..errors import AtlasError, ScanNameError, TwomassWarning
from ..files import as_path
from ..scan import FileName, ScanId, hemisphere_of, parse_band
from .reading import read_image, write_image

__all__ = ["WCS_CARDS", "AtlasImage", "find_coadds"]

#: Rows of an uncut image from its first row to its reference point.
_HALF_ROWS = 512
#: The last image of a tile has so many rows (IPAC IV.3). That its reference point is in its own
#: middle is a guess: none was at hand.
_LAST_ROWS = 698
# A coadd's number comes out whole to 0.005 in 27 real headers.
_WHOLE = 0.05

_NEEDED = (
    "ORDATE", "FN_PRFX", "SCANNO", "SCANDIR", "TELNAME", "FILTER", "NUMFRMS", "USYREF", "UT",
    "UT_SOS", "UT_EOS", "UT_OFF1", "DXFS", "DYFS", "CRVAL1", "CRVAL2", "CROTA2",
)  # fmt: skip
#: Keywords of which the WCS is made.
WCS_CARDS = re.compile(r"NAXIS[12]|(CTYPE|CUNIT|CRPIX|CRVAL|CDELT|CROTA)[12]|(CD|PC)[12]_[12]")


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
        NotFoundError
            If `path` is no path.
        """
        path = as_path(path)
        data, header = read_image(path)
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
        hemis = hemisphere_of(self.header["TELNAME"])
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
            if WCS_CARDS.fullmatch(card.keyword):
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
        last = self.data.shape == (_LAST_ROWS, 512) and self.header.get("CRPIX2") == 349.5
        return self.number("USYREF") + (_LAST_ROWS // 2 if last else _HALF_ROWS)

    @cached_property
    def track(self) -> ScanTrack:
        """Where the scan's frames are.

        The first frame is (USYREF + 512) arcsec back along CROTA2 from CRVAL; the mean step is
        that divided by (coadd - 1). The first frame is good to arcsecs, but a coadd's centre is
        only within half a step of its frame, which is what the uncertainty says, scaled to the
        scan's end.
        """
        from .footprint import track_of

        return track_of([self])

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
        write_image(path, self.data, self.header)
        return path


def find_coadds(folder: str | os.PathLike[str], scan_id: ScanId, band: str) -> list[Path]:
    """List the coadds of a scan and band that a night's folder holds, sorted by their number.

    Parameters
    ----------
    folder : path
        A night's folder, or one that holds images; ``s063/image`` and ``s063`` (UMass) in it are
        looked into.
    scan_id : ScanId
    band : {"j", "h", "k"}
    """
    band = parse_band(band)
    found: dict[int, Path] = {}
    images = Path(folder) / scan_id.coadd_folder
    for place in (images, images.parent, Path(folder)):
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
