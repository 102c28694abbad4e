"""A scan in memory, so that explorers can be tested without files; also imported by notebooks."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np

from twomass_nb.array.geometry import ArrayGeometry
from twomass_nb.array.track import ScanTrack
from twomass_nb.errors import NotFoundError
from twomass_nb.scan import ScanId

# The track that real coadds 80 and 92 of this scan (M17) tell, so that they can lie beside it.
TRACK = ScanTrack(ra=274.999, dec=-18.0492, pa=-0.0075, step=82.04, n_frames=96)


class Scan:
    """What the explorers use of an open scan; pixels are a known function of frame and place."""

    simulated = True

    def __init__(self, band="j", bands="jk", folder=None, track=TRACK):
        self.band = band
        self.scan_id = ScanId("1999-05-02", "s", 135)
        self.track = track
        self.n_frames = track.n_frames
        self.folder = Path(folder or "nowhere")
        self.path = self.folder / f"{self.scan_id.stem(band)}.rds.gz"
        self._bands = bands

    def r1(self, i):
        y, x = np.mgrid[:256, :256]
        values = 3000 + 7 * i + (x * 31 + y * 17 + 5 * "jhk".index(self.band)) % 251
        return values.astype(">u2")  # as a memory map of an .rdo would come

    def r2(self, i):
        y, x = np.mgrid[:256, :256]
        values = 3100 + 11 * i + (x * 13 + y * 29) % 509
        values[y == x] = 65535
        values[10, 20] = 0  # so that r2 - r1 is negative somewhere
        return values.astype(">u2")

    def difference(self, i):
        return self.r2(i).astype(np.int32) - self.r1(i)

    @cached_property
    def frames(self):
        return np.stack([np.stack([self.r1(i), self.r2(i)]) for i in range(self.n_frames)])

    def wcs(self, i, band=None):
        return self.track.wcs(i, ArrayGeometry.preset("South", band or self.band))

    def sibling(self, band):
        if band not in self._bands:
            message = f"no {band} file"
            raise NotFoundError(message)
        return Scan(band, self._bands, self.folder, self.track)

    def touch_files(self):
        """Make (empty) files of its bands, as the explorer looks for them."""
        for band in self._bands:
            (self.folder / f"{self.scan_id.stem(band)}.rds.gz").touch()
        return self
