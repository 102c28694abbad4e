"""How often the word order of one file is found, refused or wrong, by kind of scan.

Orders are drawn at random from all 5,040 and both byte orders, scans from the simulator. Run as
``python benchmarks/word_order.py [orders a kind] [picture.png]``; docs/word-order.md has the
table and the picture of a run. It also prints what `confidence` needs to know.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
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
from twomass_nb.simulate import camera, observe
from twomass_nb.simulate.exposure import Exposure
from twomass_nb.simulate.files import Observation
from twomass_nb.simulate.sky import StarField

ORDERS = 24
A_SCAN = 4  # orders tried on a scan before another is simulated
LONG = 6  # times the light and the dark current between the reads: scan types lsc, lca, lda

SCIENCE = {"kind": "sci", "n": 40, "density": 1, "bands": "jhk", "longer": 1}
#: Name and kind of scan; "density" 1 is the simulator's own 10 to 40 stars a frame.
CASES: list[tuple[str, dict[str, Any]]] = [
    *((f"sci, 40 frames, {b}", SCIENCE | {"bands": b}) for b in "jhk"),
    *((f"sci, 40 frames, {d}x the stars", SCIENCE | {"density": d}) for d in (0.1, 0.3, 10, 30)),
    *((f"sci, {n} frames", SCIENCE | {"n": n}) for n in (8, 12, 20, 128, 256, 274)),
    ("cal, 48 frames", SCIENCE | {"n": 48}),
    ("lsc, 40 frames", SCIENCE | {"longer": LONG}),
    ("lca, 48 frames", SCIENCE | {"n": 48, "longer": LONG}),
    ("flt (twilight), 53 frames", SCIENCE | {"kind": "twilight", "n": 53}),
    ("dar, 48 frames", SCIENCE | {"kind": "dark", "n": 48}),
    ("lda, 48 frames", SCIENCE | {"kind": "dark", "n": 48, "longer": LONG}),
]
OUTCOMES = {"found": "#4c9f70", "refused": "#c9c9c9", "WRONG": "#c0392b"}


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


class Longer:
    """A sky of which more light is gathered."""

    def __init__(self, sky: Any, times: float) -> None:
        self.sky, self.times = sky, times
        self.level = sky.level * times

    def light(self, track: ScanTrack, i: int, geometry: ArrayGeometry) -> NDArray[np.float32]:
        """Return the light of the sky, so many times."""
        return np.float32(self.times) * self.sky.light(track, i, geometry)


def exposure(kind: str, band: str, n: int, seed: int, density: float) -> Exposure:
    """One exposure of the simulator."""
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


def frames_of(scan: dict[str, Any], rng: random.Random) -> NDArray[np.uint16]:
    """Simulate one scan of a kind; the simulator has no long exposures, so its clock is set."""
    what = {name: scan[name] for name in ("kind", "n", "density")}
    made = exposure(**what, band=rng.choice(scan["bands"]), seed=rng.randrange(10**6))
    usual = camera.READ2_TIME, camera._SHARE1  # noqa: SLF001
    try:
        between = (camera.READ2_TIME - camera.READ1_TIME) * scan["longer"]
        camera.READ2_TIME = camera.READ1_TIME + between
        camera._SHARE1 = np.float32(camera.READ1_TIME / between)  # noqa: SLF001
        if made.sky is not None and scan["longer"] > 1:
            made = replace(made, sky=Longer(made.sky, scan["longer"]))
        return made.frames()
    finally:
        camera.READ2_TIME, camera._SHARE1 = usual  # noqa: SLF001


def study(name: str, orders: int, scan: dict[str, Any]) -> dict[str, Any]:
    """Try orders on scans of one kind; return what came of it."""
    rng = random.Random(name)
    outcomes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    margins: list[tuple[float, float, bool]] = []
    longest = 0.0
    frames = np.empty(0, np.uint16)
    for k in range(orders):
        if k % A_SCAN == 0:
            frames = frames_of(scan, rng)
        layout = Layout("".join(rng.sample(AXES, 7)), high_first=rng.random() < 0.5)
        content = Content(np.frombuffer(layout.encode(frames), np.uint8))
        start = time.process_time()
        finding = examine(content)
        longest = max(longest, time.process_time() - start)
        if len(finding.possible) > 1:
            outcomes["refused"] += 1
            reasons[f"{finding.undecided}: {finding.reason}"] += 1
        else:
            right = finding.possible == (layout,)
            outcomes["found" if right else "WRONG"] += 1
            margins.append((finding.margin, finding.confidence, right))
    return {
        "name": name, "outcomes": outcomes, "reasons": reasons, "margins": margins,
        "longest": longest,
    }  # fmt: skip


def study_of(case: tuple[int, str, dict[str, Any]]) -> dict[str, Any]:
    orders, name, scan = case
    long = scan["n"] > 100
    return study(name, max(8, orders // 3) if long else orders, scan)


def picture(studies: list[dict[str, Any]], path: str) -> None:
    """Draw what came of each kind, and how the confidence stands to the findings behind it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 5.2), layout="constrained")
    bars, sure = figure.subplots(1, 2, width_ratios=[1.5, 1])
    names = [one["name"] for one in studies]
    left = np.zeros(len(studies))
    totals = np.array([sum(one["outcomes"].values()) for one in studies])
    for outcome, colour in OUTCOMES.items():
        share = 100 * np.array([one["outcomes"][outcome] for one in studies]) / totals
        label = {"found": "right", "refused": "refused", "WRONG": "wrong"}[outcome]
        bars.barh(names, share, left=left, color=colour, label=label)
        left += share
    bars.invert_yaxis()
    bars.set(xlim=(0, 100), xlabel="share of the files (%)", title="One SIMULATED file, no hint")
    figure.legend(*bars.get_legend_handles_labels(), loc="outside lower left", ncols=3)
    margins = sorted(row for one in studies for row in one["margins"])
    x = np.array([row[0] for row in margins])
    n = np.arange(1, len(x) + 1)
    wrong = np.cumsum([not row[2] for row in margins])
    sure.step(x, 100 * wrong / n, where="post", color=OUTCOMES["WRONG"], label="wrong, measured")
    sure.step(x, 100 * 3 / n, where="post", color="k", label="bound at 95 %, 3/n")
    stated = [100 * (1 - row[1]) for row in margins]
    sure.plot(x, stated, ".", ms=4, color="#2c6fbb", label="stated, 1 - confidence")
    sure.set(
        xlabel="margin of the weakest step",
        ylabel="wrong, of findings with no larger margin (%)",
        ylim=(-0.5, 15), xlim=(0, 1), title=f"{len(x)} findings",
    )  # fmt: skip
    sure.legend()
    figure.savefig(path, dpi=110)


def main() -> None:
    words = sys.argv[1:]
    orders = int(words[0]) if words else ORDERS
    print(f"{'scans':30}  found  refused  wrong  least confidence  longest (s of CPU)  why refused")
    studies = []
    with ProcessPoolExecutor(2) as pool:
        for one in pool.map(study_of, [(orders, name, scan) for name, scan in CASES]):
            studies.append(one)
            came = one["outcomes"]
            least = f"{min(row[1] for row in one['margins']):.3f}" if one["margins"] else ""
            why = "; ".join(f"{n}x {reason}" for reason, n in one["reasons"].most_common(3))
            print(
                f"{one['name']:30}{came['found']:7}{came['refused']:9}{came['WRONG']:7}"
                f"{least:>18}{one['longest']:20.1f}  {why}",
                flush=True,
            )
    margins = sorted(row[0] for one in studies for row in one["margins"])
    counts = sorted({40, 80, 160, 320, len(margins)} & set(range(len(margins) + 1)))
    table = ", ".join(f"({margins[n - 1] + 0.0005:.3f}, {n})" for n in counts)
    print(f"margins and how many were found with no larger one: {table}")
    if len(words) > 1:
        picture(studies, words[1])


if __name__ == "__main__":
    main()
