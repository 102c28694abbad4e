"""The columns of the archive's scan table: names, their order on the DVD, aliases and units."""

from __future__ import annotations

__all__ = ["ALIASES", "CORNERS", "DVD_COLUMNS", "NEEDED", "UNITS"]

#: Corners in the table's order: 1 east, 2 west at the start of the scan; 3 east, 4 west at its end.
CORNERS = tuple(f"{axis}_{corner}" for corner in "1234" for axis in ("ra", "dec"))

#: What the locator cannot do without.
NEEDED = ("date", "hemis", "scan", "sd", *CORNERS)


def _bands(*patterns: str) -> tuple[str, ...]:
    return tuple(pattern.replace("*", band) for pattern in patterns for band in "jhk")


#: Columns of ``twomass_scn`` in the order assumed for the DVD and FTP files, which have no header.
#: Seen were: the first columns, to glon, in IPAC's description of the table (Explanatory Supplement
#: II.6a), and the whole in three schemas (one of an archive, given with its units and meanings, and
#: those of two mirrors), which agree with each other and, so far, with IPAC, but list 64 columns.
#: The 65th, ``j_zperr_ap``, is assumed, since h_zperr_ap and k_zperr_ap are there: files of 64 and
#: of 65 columns are read, and the first row is checked against the names.
DVD_COLUMNS = (
    "scan_key", "hemis", "date", "scan", "tile", "ra", "dec", "glon", "glat", *CORNERS,
    "sd", "qual", "hgl", "cld", "xph", "anom", "ut", "jdate", "airm", "zd", "ha", "rh",
    "air_temp", "tel_temp", "focus", "hry", "c_strat",
    *_bands("*_zp_ap", "*_zperr_ap", "*_n_snr10"), "n_ext",
    *_bands("*_shape_avg", "*_shape_rms", "*_2mrat", "*_psp", "*_pts_noise", "*_msnr10"),
    "rel0", "rel1", "rel2",
)  # fmt: skip

#: Other names of the same columns: the DVD calls dec ``decl``, IRSA calls scan_key ``cntr``,
#: Gator calls date ``xdate``, the raw scan table calls sd ``s_dir``.
ALIASES = {
    "decl": "dec",
    "cntr": "scan_key",
    "xdate": "date",
    "scan_dir": "sd",
    "s_dir": "sd",
    "tile_id": "tile",
    "strip_id": "tile",
}

#: Units of the archive, for columns that come without one.
UNITS = {
    **dict.fromkeys(("ra", "dec", "glon", "glat", "zd", *CORNERS), "deg"),
    **dict.fromkeys(("ut", "ha"), "h"),
    **dict.fromkeys(("air_temp", "tel_temp"), "deg_C"),
    **dict.fromkeys(_bands("*_zp_ap", "*_zperr_ap", "*_msnr10"), "mag"),
    "jdate": "d",
    "rh": "%",
}
