"""What is not as a good scan's is said, and is no failure."""

from __future__ import annotations

import json

from twomass_nb.reduce import reduce_scan
from twomass_nb.reduce.quality import write_quality
from twomass_nb.reduce.steps import STEPS
from twomass_nb.reduce.tasks import Name, Record
from twomass_nb.scan import ScanId

GOOD = {"background_rms": 1.0, "level": 500.0, "streaks": 1, "unlike": 0, "coverage": 6.0}


def told(tmp_path, changed: dict[str, float], measured: int = 270) -> list[str]:
    """Return what is said of a scan of five images, of which the inner ones are changed."""
    (tmp_path / "s063").mkdir(exist_ok=True)
    inner = GOOD | changed
    ends = GOOD | {"coverage": 2.0}  # as at the ends of every scan
    records = [
        Record(Name("image", 63, "k", coadd), "a", figures=ends if coadd in (9, 57) else inner)
        for coadd in (9, 21, 33, 45, 57)
    ]
    records.append(Record(Name("sky", 63, "k"), "a", figures={"frames": 274}))
    figures = {"frames_measured": measured}
    records.append(Record(Name("positions", 63, "k"), "a", figures=figures))
    table = write_quality(tmp_path, ScanId.parse("000529s063"), records, False)
    said = json.loads((tmp_path / "s063/quality.json").read_text())
    assert said["doubts"] == table.meta["warnings"]
    return said["doubts"]


def test_figures_of_no_good_scan_are_told(tmp_path):
    assert told(tmp_path, {}) == []
    for changed, said in (
        ({"coverage": 1.0}, "covered by 1 frames"),
        (
            {"background_rms": 185.0},
            "background_rms up to 185 DN, above 10% of the sky level, in 3",
        ),
        ({"streaks": 106}, "up to 106 streaks in 3 images"),
        ({"unlike": 4}, "up to 4 frames unlike the others in 3 images"),
    ):
        (line,) = told(tmp_path, changed)
        assert line.startswith("000529s063 k: ")
        assert said in line
    assert "measured of 0 of 274 frames" in told(tmp_path, {}, measured=0)[0]


def test_they_are_in_the_log_and_the_summary_and_no_failure(disk, reduced, monkeypatch):
    make = STEPS["image"]

    def streaked(task):
        places, figures = make(task)
        return places, figures | {"streaks": 106}

    monkeypatch.setitem(STEPS, "image", streaked)
    done = reduce_scan(disk / "000529s/k1186064.rdo.gz", reduced, kernel="bilinear")
    line = "warning: 000529s064 k: up to 106 streaks in 1 images"
    assert line in done.summary
    assert line in (done.folder / "reduce.log").read_text()
    assert done.ok
