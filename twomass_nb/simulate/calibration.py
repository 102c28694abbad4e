"""Where the survey's calibration fields would be, how often they were visited, and their scans.

What is documented (R. Cutri, IPAC, "Ultra-Deep Measurements from Combined Calibration Field
Observations"; Explanatory Supplement III.2d): fields are 1 degree long and 8.5 arcmin wide; 35
regular ones lie about every two hours of RA near Dec -30, 0 and +30, five special ones in and
around the Magellanic Clouds. One field was observed each hour, in six scans of alternating
direction, each 5 arcsec further in RA. Regular fields were scanned 600 to 3700 times, most often
the equatorial ones, which both observatories see; special ones 150 to 470 times. A scan has 48
frames (the logs quoted in seed 000). Where exactly the fields here lie is made up.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["FRAMES", "OFFSET", "SET", "fields", "visits"]

#: Frames of a calibration scan.
FRAMES = 48
#: Scans of a visit, and arcsec of RA from one to the next.
SET = 6
OFFSET = 5.0
_REGULAR = ((-30.0, 11), (0.0, 12), (30.0, 12))
# Near the Large (RA 80, Dec -69) and Small (RA 13, Dec -73) Magellanic Clouds.
_SPECIAL = ((73.0, -67.5), (80.0, -70.0), (87.0, -68.5), (12.0, -72.5), (18.0, -73.5))
# Scans of a field: equatorial, others, special; in proportion, so that 104,000 in all keep within
# what is documented.
_EQUATORIAL, _OTHERS, _CLOUDS = (3300.0, 3650.0), (1900.0, 3200.0), (240.0, 460.0)


def fields() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return RA and Dec of the 40 fields' centres, degrees: the five special ones last."""
    ra, dec = [], []
    for zone, count in _REGULAR:
        for k in range(count):
            ra.append((k + 0.35) * 360 / count)
            dec.append(zone + 1.5 * np.sin(2.4 * k))
    ra += [place[0] for place in _SPECIAL]
    dec += [place[1] for place in _SPECIAL]
    return np.array(ra), np.array(dec)


def visits(n: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """Share `n` calibration scans among the fields.

    Returns
    -------
    field : array of int, shape (n,)
        Number of the field of each scan; the scans of a visit, mostly six, follow one another.
    hemis : array of str, shape (n,)
        Observatory: "n" for Dec +30, "s" for -30 and the Clouds, both at the equator.
    """
    _, dec = fields()
    kind = np.where(np.arange(len(dec)) >= len(dec) - len(_SPECIAL), 2, (np.abs(dec) > 10) * 1)
    ranges = np.array([_EQUATORIAL, _OTHERS, _CLOUDS])[kind]
    weight = rng.uniform(ranges[:, 0], ranges[:, 1])
    sets = -(-n // SET)
    # The nearest whole numbers in proportion: nobody's share hangs on luck.
    edges = np.rint(np.cumsum(weight) / weight.sum() * sets).astype(int)
    of_set = np.repeat(np.arange(len(dec)), np.diff(edges, prepend=0))
    site = np.where(dec > 10, "n", np.where(dec < -10, "s", ""))[of_set]
    free = site == ""
    site[free] = rng.choice(["n", "s"], np.count_nonzero(free))
    mixed = rng.permutation(sets)
    return np.repeat(of_set[mixed], SET)[:n], np.repeat(site[mixed], SET)[:n]
