"""What a coadd of our own is: an image in the form of the survey's, with coverage and error."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from ..atlas import AtlasImage
from ..atlas.reading import read_image, read_planes
from ..errors import AtlasError
from ..files import as_path, refuse_existing, whole_file

__all__ = ["ORIGIN", "Coadd"]

#: What the header of a coadd of ours has for the survey's "2MASS".
ORIGIN = "twomass_nb"
_PLANES = ("COVERAGE", "UNCERT")


@dataclass(frozen=True, eq=False, repr=False)
class Coadd(AtlasImage):
    """An image coadded here from raw frames; made by `twomass_nb.coadd.stack`.

    Everything an `~twomass_nb.AtlasImage` can say, and two planes of the same shape.

    Attributes
    ----------
    coverage : array of uint8
        Frames that have a part in a pixel.
    uncertainty : array of float32
        Standard deviation of a pixel, DN; NaN where there is no frame. Neighbouring pixels are
        correlated by the kernel: the error of a sum is larger than these added in quadrature.
    """

    coverage: NDArray[np.uint8] | None = None
    uncertainty: NDArray[np.float32] | None = None

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Coadd:
        """Read what `write_to` wrote.

        Raises
        ------
        AtlasError
            If the file is no coadd of ours, or broken.
        """
        path = as_path(path)
        data, header = read_image(path)
        if header.get("ORIGIN") != ORIGIN:
            msg = f"{path} is no coadd of ours: use AtlasImage.open for images of the survey"
            raise AtlasError(msg)
        coverage, uncertainty = read_planes(path, _PLANES)
        return cls(data, header, path, coverage.astype(np.uint8), uncertainty)

    def __repr__(self) -> str:
        return super().__repr__().replace("AtlasImage", "Coadd")

    def write_to(self, path: str | os.PathLike[str], overwrite: bool = False) -> Path:
        """Write image, coverage and uncertainty as FITS, packed if the name ends in ``.gz``.

        Raises
        ------
        ExistsError
            If the file is there and `overwrite` is not set.
        """
        path = as_path(path)
        refuse_existing(path, overwrite)
        image = fits.PrimaryHDU(np.asarray(self.data, np.float32))
        image.header.extend(self.header, strip=True, update=True)
        hdus = fits.HDUList([image])
        for name, plane, unit in zip(
            _PLANES, (self.coverage, self.uncertainty), ("frame", "adu"), strict=True
        ):
            hdu = fits.ImageHDU(plane, self.wcs.to_header(), name=name)
            hdu.header["BUNIT"] = unit
            if self.simulated:
                hdu.header["SIMULATE"] = (True, "this is a simulation by twomass_nb")
            hdus.append(hdu)
        buffer = io.BytesIO()
        hdus.writeto(buffer)
        content: bytes | memoryview = buffer.getbuffer()
        if path.suffix == ".gz":
            from isal import igzip

            content = igzip.compress(content, compresslevel=1, mtime=0)
        with whole_file(path) as file:
            file.write(content)
        return path
