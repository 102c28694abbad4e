"""What the artifact explorer shows: which frames tell an artifact, and its page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..array import period_of
from ..array.artifacts import FixedPattern
from ..errors import NotFoundError, TwomassError
from ..night import open_night
from ..raw import open_scan
from ..scan import BAND_NAMES
from .artifacts_page import Page
from .artifacts_pages import PAGES
from .artifacts_why import WHY

__all__ = ["ArtifactsModel"]

_FRAMES = 48  # of a scan, put together: more tell little more
_TWILIGHT_FRAMES = 120
_SITES = {"n": "Mt. Hopkins", "s": "Cerro Tololo"}
_LEAST = 5


class ArtifactsModel:
    """A scan with its darks and twilights, and the page that is looked at.

    Parameters
    ----------
    scan : `~twomass_nb.RawScan`
    darks, twilights : scan, path, or several of these, optional
        Of the same band. Looked for in the scan's own night folder if not given.
    page : str, optional
        One of `~twomass_nb.explore.artifacts_pages.PAGES`.

    Attributes
    ----------
    scan : `~twomass_nb.RawScan`
    darks, twilights : list of `~twomass_nb.RawScan`
    refused : list of str
        Why darks and twilights of the night's folder could not be opened.
    """

    def __init__(
        self, scan: Any, darks: Any = None, twilights: Any = None, page: str = "jail bars"
    ) -> None:
        self.scan = scan
        self.refused: list[str] = []
        self.darks = self._given("dark", darks)
        self.twilights = self._given("twilight", twilights)
        self._made: dict[str, Page] = {}
        self.page = ""
        self.go(page)

    def go(self, page: str) -> None:
        """Turn to a page.

        Raises
        ------
        NotFoundError
            If there is no such page.
        """
        if page not in PAGES:
            message = f"there is no page {page!r}: the pages are {', '.join(PAGES)}"
            raise NotFoundError(message)
        self.page = page

    def shown(self) -> Page:
        """Return the page, measured when it is first asked for.

        Where something is missing, the page has no picture and says in a sentence what.
        """
        if self.page not in self._made:
            try:
                page = PAGES[self.page](self)
            except NotFoundError as error:
                page = Page(None, (), (), WHY[self.page], None, missing=str(error))
            self._made[self.page] = page
        return self._made[self.page]

    # frames ------------------------------------------------------------------------------------

    def _given(self, kind: str, scans: Any) -> list[Any]:
        """Return open scans of one band: those given, or those of the night's folder."""
        if scans is None:
            return self._found(kind)
        opened = [one if hasattr(one, "frames") else open_scan(one) for one in _listed(scans)]
        for one in opened:
            if one.band != self.scan.band:
                message = f"{one!r} is not of band {self.scan.band}, as the scan is: give another"
                raise TwomassError(message)
        return opened

    def _found(self, kind: str) -> list[Any]:
        scan_id = self.scan.scan_id
        if scan_id is None or self.scan.band is None:
            return []
        try:
            night = open_night(self.scan.folder, scan_id.night)
        except NotFoundError:
            return []
        found = {"dark": night.darks, "twilight": night.twilights}[kind](self.scan.band)
        opened = []
        for one in found:
            try:
                opened.append(self.scan if one == scan_id else night.open(one, self.scan.band))
            except TwomassError as error:  # broken, or of unknown word order
                self.refused.append(str(error))
        return opened

    @cached_property
    def dark(self) -> FixedPattern | None:
        """The darks put together; None without darks."""
        frames = _some(self.darks, _FRAMES)
        return FixedPattern(frames) if len(frames) >= _LEAST else None

    @cached_property
    def own(self) -> FixedPattern:
        """The scan's own frames put together.

        Raises
        ------
        NotFoundError
            If it has fewer than five.
        """
        frames = self.frames(_FRAMES)
        if len(frames) < _LEAST:
            message = f"the scan has {len(frames)} frames: give one with {_LEAST} or more"
            raise NotFoundError(message)
        return FixedPattern(frames)

    @property
    def still(self) -> FixedPattern:
        """The darks put together, or where there are none the scan's own frames."""
        return self.own if self.dark is None else self.dark

    def still_frames(self) -> NDArray[np.uint16]:
        """Return the frames that `still` is made of."""
        return self.frames(_FRAMES) if self.dark is None else _some(self.darks, _FRAMES)

    def twilight_frames(self) -> NDArray[np.uint16]:
        """Return frames of the twilights; none without twilights."""
        return _some(self.twilights, _TWILIGHT_FRAMES)

    def frames(self, n: int | None = None) -> NDArray[np.uint16]:
        """Return the scan's frames, or `n` of them evenly spread."""
        return self.scan.frames if n is None else _some([self.scan], n)

    # what it says of itself --------------------------------------------------------------------

    @property
    def simulated(self) -> bool:
        """Whether any of the scans never was."""
        return any(one.simulated for one in (self.scan, *self.darks, *self.twilights))

    def title(self) -> str:
        """Page, scan, band, site and period; SIMULATED when so."""
        scan_id, band = self.scan.scan_id, BAND_NAMES.get(self.scan.band, "band not known")
        words = [self.page, str(scan_id or self.scan.path.name), band]
        if scan_id is not None:
            words.append(f"{_SITES[scan_id.hemis]}, {scan_id.date}, {period_of(scan_id)}")
        return " · ".join(words) + (" · SIMULATED" if self.simulated else "")

    def sources(self) -> str:
        """Say which darks and twilights are used."""
        parts = [
            _naming("darks", self.darks),
            _naming("twilights", self.twilights),
        ]
        return " ".join(["; ".join(parts) + ".", *self.refused])

    def state(self) -> dict[str, Any]:
        """Return everything that is chosen, as JSON can hold it."""
        return {"page": self.page}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Turn to what `state` returned.

        Raises
        ------
        NotFoundError
            If it names what is not there.
        """
        unknown = set(state) - {"page"}
        if unknown:
            message = f"the state of an artifact explorer has no {', '.join(sorted(unknown))}"
            raise NotFoundError(message)
        if "page" in state:
            self.go(state["page"])


def _naming(what: str, scans: list[Any]) -> str:
    if not scans:
        return f"no {what}"
    names = ", ".join(str(one.scan_id or one.path.name) for one in scans)
    return f"{what}: {names}"


def _some(scans: Iterable[Any], n: int) -> NDArray[np.uint16]:
    """Frames of scans, evenly spread, `n` at most."""
    scans = list(scans)
    total = sum(one.n_frames for one in scans)
    if not total:
        return np.empty((0, 2, 256, 256), np.uint16)
    step = max(1, -(-total // n))
    return np.concatenate([one.frames[::step] for one in scans])


def _listed(scans: Any) -> list[Any]:
    if hasattr(scans, "frames") or isinstance(scans, str) or not hasattr(scans, "__iter__"):
        return [scans]
    return list(scans)
