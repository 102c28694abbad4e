"""Sources of the 2MASS catalogues (PSC, XSC) of IRSA: in a circle, a polygon, or one scan."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table

from ..errors import FetchError, NotFoundError
from ..scan import ScanId
from .irsa_scans import corners_of
from .irsa_service import ask, base, needs, tap

__all__ = ["fetch_sources"]

#: Names at IRSA, and a column that no other table has.
_CATALOGS = {"psc": ("fp_psc", "j_msigcom"), "xsc": ("fp_xsc", "j_m_k20fe")}
_NEEDED = ("ra", "dec", "designation")
#: Magnitudes that answers of Gator give without their unit.
_COLOURS = ("j_h", "h_k", "j_k")
# Answers round positions to 1e-6 deg.
_ROUNDING = 0.1 * u.arcsec


def fetch_sources(region: Any, catalog: str = "psc", service: str = "tap") -> Table:
    """Return the catalogue's sources in a region of the sky, or those found in a scan.

    Parameters
    ----------
    region : `~regions.CircleSkyRegion`, `~regions.PolygonSkyRegion`, ScanId or str
        Of a scan, the sources that the catalogue took from it: where it lies is looked up in the
        scan table.
    catalog : {"psc", "xsc"}
        Point sources, or extended ones.
    service : {"tap", "gator"}
        Which of IRSA's services is asked. Gator knows no scans and gives its standard columns,
        TAP all.

    Returns
    -------
    `~astropy.table.Table`
        Columns as at IRSA, with units; ``date`` where Gator says xdate, and ``scan_id`` where
        date, hemis and scan are given.

    Raises
    ------
    FetchError
        If IRSA cannot be reached, cuts the answer off, or answers with something else.
    NotFoundError
        If there is no such catalogue or service, or the scan is in no scan table.
    """
    if catalog not in _CATALOGS:
        msg = f"there is no catalogue {catalog!r}: use 'psc' or 'xsc'"
        raise NotFoundError(msg)
    name, own = _CATALOGS[catalog]
    needed = (*_NEEDED, own) if service == "tap" or catalog == "psc" else _NEEDED
    what = f"sources of the catalogue {name}"
    if service == "tap":
        table = tap(_adql(region, name), what=what, needed=needed)
    elif service == "gator":
        table = ask(_gator(region, name), what=what, needed=needed)
        if f"({name})" not in str(table.meta.get("DATABASE", f"({name})")):
            msg = f"Gator answered from {table.meta['DATABASE']}, not {name}: try again later"
            raise FetchError(msg)
    else:
        msg = f"IRSA has no service {service!r} for us: use 'tap' or 'gator'"
        raise NotFoundError(msg)
    _refuse_elsewhere(table, region)
    return _identified(table)


def _adql(region: Any, name: str) -> str:
    needs("astroquery")
    from astroquery.ipac.irsa import Irsa

    if isinstance(region, str | ScanId):
        scan_id = ScanId.parse(region)  # type: ignore[arg-type]
        # around it: taken 1, 2, 3, 4 the sides would cross
        polygon = corners_of(scan_id)[[0, 1, 3, 2]]
    else:
        scan_id, polygon = None, getattr(region, "vertices", None)
    if polygon is None:
        center, radius = _circle(region)
        adql = Irsa.query_region(
            center, catalog=name, spatial="Cone", radius=radius, get_query_payload=True
        )
    else:
        adql = Irsa.query_region(
            catalog=name, spatial="Polygon", polygon=list(polygon), get_query_payload=True
        )
    if scan_id is not None:
        adql += (
            f" AND date='{scan_id.date.isoformat()}' AND hemis='{scan_id.hemis}'"
            f" AND scan={scan_id.scan}"
        )
    return str(adql)


def _gator(region: Any, name: str) -> str:
    """Return the address of a Gator query whose answer is a VOTable (outfmt 3)."""
    if isinstance(region, str | ScanId):
        msg = "Gator does not know scans: use service='tap'"
        raise NotFoundError(msg)
    words = {"catalog": name, "outfmt": "3"}
    if (polygon := getattr(region, "vertices", None)) is not None:
        corners = ",".join(f"{one.ra.deg:.7f} {one.dec.deg:+.7f}" for one in polygon.icrs)
        words |= {"spatial": "polygon", "polygon": corners}
    else:
        center, radius = _circle(region)
        words |= {
            "spatial": "cone",
            "objstr": f"{center.ra.deg:.7f} {center.dec.deg:+.7f}",
            "radius": f"{radius.to_value(u.arcsec):.3f}",
            "radunits": "arcsec",
        }
    return f"{base()}/cgi-bin/Gator/nph-query?{urlencode(words)}"


def _circle(region: Any) -> tuple[SkyCoord, u.Quantity]:
    try:
        return region.center.icrs, region.radius.to(u.deg)
    except (AttributeError, u.UnitConversionError):
        msg = (
            f"{type(region).__name__} is no region we can ask IRSA for: use CircleSkyRegion or "
            "PolygonSkyRegion of the package regions, or a scan"
        )
        raise NotFoundError(msg) from None


def _refuse_elsewhere(table: Table, region: Any) -> None:
    """Refuse an answer to another question; a circle is easy to check."""
    if len(table) and hasattr(region, "radius"):
        place = SkyCoord(np.asarray(table["ra"]), np.asarray(table["dec"]), unit="deg")
        center, radius = _circle(region)
        farthest = place.separation(center).max()
        if farthest > radius + _ROUNDING:
            msg = (
                f"IRSA sent sources {farthest.to(u.arcsec):.1f} from the circle's centre, beyond "
                "its radius: try again later"
            )
            raise FetchError(msg)


def _identified(table: Table) -> Table:
    if "xdate" in table.colnames:
        table.rename_column("xdate", "date")
    if {"date", "hemis", "scan"} <= set(table.colnames):
        rows = zip(table["date"], table["hemis"], table["scan"], strict=True)
        table["scan_id"] = np.array([str(ScanId(str(d), str(h), s)) for d, h, s in rows], "U10")
    for name in _COLOURS:
        if name in table.colnames and table[name].unit is None:
            table[name].unit = u.mag
    return table
