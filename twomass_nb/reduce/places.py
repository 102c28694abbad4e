"""What the products of a reduction are called, and where they lie: the archive's names, ours apart.

Coadds have the names that the survey's have, in a folder ``coadd`` where the archive has
``image``: who looks for Atlas Images of the survey does not find ours.
"""

from __future__ import annotations

from .tasks import Name

__all__ = ["JOURNAL", "LOCK", "LOG", "place_of", "quality_of"]

JOURNAL, LOG, LOCK = "reduce.journal", "reduce.log", ".reduce.lock"


def place_of(name: Name, what: str = "") -> str:
    """Return the path, in the night's folder, of a product.

    Parameters
    ----------
    name : Name
        The piece of work that makes it.
    what : str, optional
        Which of them, where it makes several.
    """
    scan, band = f"s{name.scan:03d}", name.band
    if name.kind == "image":
        end = "_sources.ecsv" if what == "sources" else ".fits"
        return f"{scan}/coadd/{band}i{name.scan:03d}{name.coadd:04d}{end}"
    if name.kind == "compare":
        return f"{scan}/compare/{band}i{name.scan:03d}{name.coadd:04d}.html"
    return {
        "calibrator": f"{band}_calibrator.fits",
        "sky": f"{scan}/{band}_{what or 'sky'}.fits",
        "positions": f"{scan}/{band}_positions.ecsv",
        "frames": f"{scan}/{band}_frames.fits",
        "sources": f"{scan}/{band}_sources.ecsv",
        "merged": f"{scan}/sources.ecsv",
    }[name.kind]


def quality_of(scan: int) -> tuple[str, str]:
    """Return the paths, in the night's folder, of a scan's figures: JSON and table."""
    return f"s{scan:03d}/quality.json", f"s{scan:03d}/quality.ecsv"
