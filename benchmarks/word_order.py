"""How often the word order of one file is found, refused or wrong, by kind of scan.

Orders are drawn at random from all 5,040 and both byte orders, scans from the simulator. Run as
``python benchmarks/word_order.py [orders a kind]``; docs/word-order.md has the table of a run.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twomass_nb.array import ArrayGeometry, ScanTrack
from twomass_nb.raw import Layout
from twomass_nb.raw.inflate import Content
from twomass_nb.raw.layout import AXES
from twomass_nb.raw.wordorder.detect import examine
from twomass_nb.scan import ScanId
from twomass_nb.simulate import observe
from twomass_nb.simulate.exposure import Exposure
from twomass_nb.simulate.files import Observation
from twomass_nb.simulate.sky import StarField

ORDERS = 30
A_SCAN = 6  # orders tried on a scan before another is simulated


class Crowd:
    """Several star fields in one."""

    def __init__(self, track: ScanTrack, seed: int, band: str, fields: int) -> None:
        self.fields = [StarField(track, seed + k, band, specials=k == 0) for k in range(fields)]
        self.level = self.fields[0].level

    def light(self, track: ScanTrack, i: int, geometry: ArrayGeometry) -> NDArray[np.float32]:
        """Return the light of all fields."""
        return np.sum([field.light(track, i, geometry) for field in self.fields], axis=0)


class Sparse(StarField):
    """A star field of a few of its stars."""

    def __init__(self, track: ScanTrack, seed: int, band: str, share: float) -> None:
        super().__init__(track, seed, band, specials=False)
        rng = np.random.default_rng(seed)
        self.flux = np.where(rng.random(self.flux.size) < share, self.flux, 0.0)


def exposure(kind: str, band: str, n: int, seed: int, density: float) -> Exposure:
    """One exposure of the simulator; `density` 1 is its own 10 to 40 stars a frame."""
    scan_id = ScanId("2000-05-29", "ns"[seed % 2], 1 + seed % 99)
    track = observe.default_track(scan_id, "ns"[seed // 2 % 2], n, seed)
    one = Observation(scan_id, "sci", track, geometry=observe.presets(scan_id))
    if kind == "dark":
        return observe.dark(one, [band], seed, n)[0]
    if kind == "twilight":
        return observe.twilight(one, [band], seed, seed % 5, n)[0]
    made = observe.science(one, [band], seed)[0][0]
    if density < 1:
        return replace(made, sky=Sparse(track, seed, band, density))
    return replace(made, sky=Crowd(track, seed, band, round(density))) if density > 1 else made


def study(name: str, orders: int, **scan: Any) -> None:
    rng = random.Random(name)
    outcome: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    longest, least = 0.0, 1.0
    frames = np.empty(0, np.uint16)
    for k in range(orders):
        if k % A_SCAN == 0:
            band = rng.choice("jhk") if scan["band"] == "any" else scan["band"]
            frames = exposure(**(scan | {"band": band}), seed=rng.randrange(10**6)).frames()
        layout = Layout("".join(rng.sample(AXES, 7)), high_first=rng.random() < 0.5)
        content = Content(np.frombuffer(layout.encode(frames), np.uint8))
        start = time.perf_counter()
        finding = examine(content)
        longest = max(longest, time.perf_counter() - start)
        if len(finding.possible) > 1:
            outcome["refused"] += 1
            reasons[finding.reason] += 1
        else:
            outcome["found" if finding.possible == (layout,) else "WRONG"] += 1
            least = min(least, finding.confidence)
    print(
        f"{name:34}{outcome['found']:6}{outcome['refused']:9}{outcome['WRONG']:7}"
        f"{f'{least:.2f}' if outcome['found'] else '':>9}{longest:9.1f}   "
        + "; ".join(reason for reason, _ in reasons.most_common(2)),
        flush=True,
    )


def main() -> None:
    orders = int(sys.argv[1]) if len(sys.argv) > 1 else ORDERS
    print("scans                              found  refused  wrong  least    longest  why refused")
    print("                                                        confidence   s")
    for band in "jhk":
        study(f"science, 40 frames, {band}", orders, kind="sci", band=band, n=40, density=1)
    for share in (0.3, 0.1):
        name = f"science, 40 frames, {share} of the stars"
        study(name, orders, kind="sci", band="any", n=40, density=share)
    for times in (10, 30):
        name = f"science, 40 frames, {times}x the stars"
        study(name, orders, kind="sci", band="any", n=40, density=times)
    for n in (8, 12, 20, 128, 256, 274):
        some = orders if n < 100 else max(6, orders // 3)
        study(f"science, {n} frames", some, kind="sci", band="any", n=n, density=1)
    study("twilight, 53 frames", orders, kind="twilight", band="any", n=53, density=1)
    study("dark, 48 frames", orders, kind="dark", band="any", n=48, density=1)


if __name__ == "__main__":
    main()
