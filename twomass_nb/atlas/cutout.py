"""What a cutout is: one square of sky in J, H and Ks on one grid, and where it came from."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from numpy.typing import NDArray

from ..errors import NotFoundError, TwomassError
from ..files import refuse_existing, whole_file
from ..scan import BAND_NAMES, parse_band

if TYPE_CHECKING:
    from astropy.nddata import CCDData
    from matplotlib.figure import Figure

__all__ = ["Cutout"]


@dataclass(frozen=True, eq=False, repr=False)
class Cutout:
    """A square of sky cut from Atlas Images: north up, east left, 1 arcsec pixels.

    Made by `twomass_nb.cutout`. The last expression of a notebook's cell is drawn.

    Attributes
    ----------
    position : `~astropy.coordinates.SkyCoord`
        Its centre.
    size : `~astropy.units.Quantity`
        Its side, arcsec.
    images : dict of str to `~astropy.nddata.CCDData`
        By band ("j", "h", "k"), all on the same TAN grid: DN, with ``wcs``, ``mask`` (True, and
        the pixel NaN, where no image covers) and ``meta`` (MAGZP is the zero point).
    coverage : dict of str to array of uint8
        How many Atlas Images each pixel is made from.
    sources : `~astropy.table.Table`
        One row an Atlas Image: band, scan_id, coadd, pixels it gave, the scale, offset and slope
        (DN, over the image's length along the scan) that brought it to the common zero point and
        sky, simulated, file.
    """

    position: SkyCoord
    size: u.Quantity
    images: dict[str, CCDData]
    coverage: dict[str, NDArray[np.uint8]]
    sources: Table

    def __repr__(self) -> str:
        made = "SIMULATED " if self.simulated else ""
        return (
            f"<{made}Cutout {self.position.to_string('hmsdms', precision=1)}, "
            f"{self.size.value:g} arcsec, {' '.join(BAND_NAMES[band] for band in self.bands)}, "
            f"from {len(self.sources)} Atlas Images>"
        )

    @property
    def bands(self) -> tuple[str, ...]:
        """The bands it has."""
        return tuple(self.images)

    @property
    def wcs(self) -> WCS:
        """WCS of all its images."""
        return next(iter(self.images.values())).wcs

    @property
    def simulated(self) -> bool:
        """Whether it shows a sky that never was."""
        return bool(self.sources["simulated"][0])

    @property
    def j(self) -> CCDData:
        """The image in J."""
        return self._image("j")

    @property
    def h(self) -> CCDData:
        """The image in H."""
        return self._image("h")

    @property
    def k(self) -> CCDData:
        """The image in Ks."""
        return self._image("k")

    def _image(self, band: str) -> CCDData:
        if band not in self.images:
            msg = f"this cutout has no {BAND_NAMES[band]} image: no Atlas Image in it covered it"
            raise NotFoundError(msg)
        return self.images[band]

    def covered(self, band: str) -> float:
        """Return the part of the square that images of a band cover, 0 to 1."""
        band = parse_band(band)
        return float((self.coverage[band] > 0).mean()) if band in self.coverage else 0.0

    def plot(self) -> Figure:
        """Draw the bands side by side with the J2000 grid, scale bars and DN.

        Raises
        ------
        TwomassError
            If matplotlib is not installed.
        """
        from .picture import draw

        return draw(self)

    def to_png(self) -> bytes:
        """Return what `plot` draws, as the content of a PNG file."""
        from .picture import png

        return png(self)

    def _repr_png_(self) -> bytes | None:
        try:
            return self.to_png()
        except TwomassError:  # no matplotlib: its repr will do
            return None

    def write(self, path: str | os.PathLike[str], overwrite: bool = False) -> Path:
        """Write FITS: an image and its coverage for each band, and the table of sources.

        Extensions are ``J``, ``J_COVERAGE``, ``H``, ..., ``SOURCES``; each image has its WCS.

        Raises
        ------
        ExistsError
            If the file is there and `overwrite` is not set.
        WriteError
            If it cannot be written.
        """
        path = Path(path)
        refuse_existing(path, overwrite)
        primary = fits.PrimaryHDU()
        primary.header["ORIGIN"] = ("twomass_nb", "cutout of 2MASS Atlas Images")
        hdus = fits.HDUList([primary])
        wcs_cards = self.wcs.to_header()
        for band, image in self.images.items():
            name = BAND_NAMES[band].upper()
            hdu = fits.ImageHDU(image.data, wcs_cards, name=name)
            hdu.header.extend(_cards(image.meta))
            hdu.header["BUNIT"] = "adu"  # the standard's word for data numbers
            hdus.append(hdu)
            hdus.append(fits.ImageHDU(self.coverage[band], wcs_cards, name=f"{name}_COVERAGE"))
        hdus.append(fits.BinTableHDU(self.sources, name="SOURCES"))
        if self.simulated:
            for hdu in hdus:
                hdu.header["SIMULATE"] = (True, "this sky never was")
        with whole_file(path) as file:
            hdus.writeto(file)
        return path


def _cards(meta: Any) -> list[fits.Card]:
    return [fits.Card(key, value) for key, value in meta.items()]
