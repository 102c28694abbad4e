"""What fails stops nothing that can do without it, and is said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from astropy.table import QTable

from twomass_nb.errors import NotFoundError, TwomassError
from twomass_nb.reduce import reduce_night, reduce_scan
from twomass_nb.reduce.steps import STEPS

NIGHT = "000529s"


def products(out: Path) -> dict[str, tuple[int, bytes]]:
    """Return time of change and bytes of every file but those that tell of the runs."""
    return {
        str(path.relative_to(out)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in out.rglob("*")
        if path.is_file() and path.stem not in ("reduce", "quality", ".reduce")
    }


def test_a_damaged_file_stops_its_band_alone(shared_disk, disk, reduced):
    shutil.copytree(shared_disk / NIGHT / "s063", disk / NIGHT / "s063", dirs_exist_ok=True)
    before = products(reduced)
    path = disk / NIGHT / "k1186063.rdo.gz"
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 5000] = bytes(5000)
    path.write_bytes(data)
    done = reduce_night(disk / NIGHT, reduced, scans=[63])
    failed = {str(one.task): one.error for one in done.failed}
    assert "k1186063" in failed["s063 k sky"]
    assert failed["s063 k positions"] == "not made, for want of s063 k sky"
    assert failed["s063 merged"] == "not made, for want of s063 k sources"
    folder = reduced / NIGHT / "s063"
    # what was made of the file as it was before stays, and is told from the rest
    assert products(reduced) == before
    rows = done.quality[done.quality["scan_id"] == "000529s063"]
    assert list(rows["band"]) == ["j", "j", "k", "k"]
    assert list(rows["stale"]) == [False, False, True, True]
    assert list(rows["error"])[2:] == ["not made, for want of s063 k positions"] * 2
    assert "2 stale, of an earlier reduction" in done.summary
    said = json.loads((folder / "quality.json").read_text())
    assert "s063 k sky" in said["failed"]
    assert "s063 k sky: FAILED" in (reduced / NIGHT / "reduce.log").read_text()
    with pytest.raises(TwomassError, match=r"5 pieces of work failed, the first: s063 k sky"):
        done.require_ok()


def test_a_damaged_file_of_a_first_reduction_leaves_lists_of_the_rest(disk, tmp_path):
    path = disk / NIGHT / "k1186063.rdo.gz"
    path.write_bytes(path.read_bytes()[:5000])
    done = reduce_scan(disk / NIGHT / "j1186063.rdo.gz", tmp_path, bands="jk", frames=False)
    assert {str(one.task) for one in done.failed} >= {"s063 k sky", "s063 k sources"}
    assert QTable.read(tmp_path / NIGHT / "s063/sources.ecsv").meta["bands"] == "j"
    assert done.stale == []


@pytest.mark.parametrize("overwrite", [False, True])
def test_darks_that_are_gone_cost_nothing(disk, reduced, tmp_path, overwrite):
    reduce_night(disk / NIGHT, reduced, scans=[64])  # of this disk, without images of the survey
    before = products(reduced)
    (disk / "000531s").rename(tmp_path / "away")
    done = reduce_night(disk / NIGHT, reduced, scans=[64], overwrite=overwrite)
    with pytest.raises(TwomassError, match=r"the first: k calibrator: .*no dark"):
        done.require_ok()
    assert products(reduced) == before
    assert len(done.stale) == 7
    assert list(done.quality["stale"]) == [True]
    assert done.summary.endswith("6 failed; 7 stay as an earlier reduction made them, stale")
    said = json.loads((reduced / NIGHT / "s064/quality.json").read_text())
    assert "s064 k image 9" in said["stale"]
    assert "s064 k image 9: stale" in (reduced / NIGHT / "reduce.log").read_text()
    (tmp_path / "away").rename(disk / "000531s")
    again = reduce_night(disk / NIGHT, reduced, scans=[64])
    assert (again.made, again.stale, again.ok) == ([], [], True)
    assert products(reduced) == before
    assert not again.quality["stale"].any()
    assert json.loads((reduced / NIGHT / "s064/quality.json").read_text())["failed"] == {}


def test_a_mistyped_folder_costs_nothing(disk, reduced):
    before = sorted((reduced / NIGHT).rglob("*.fits"))
    with pytest.raises(NotFoundError, match="there is no folder"):
        reduce_night(disk / NIGHT, reduced, nights=disk / "00531s")
    with pytest.raises(NotFoundError, match="there is no file or folder"):
        reduce_scan(disk / "00529s", reduced)
    assert sorted((reduced / NIGHT).rglob("*.fits")) == before


@pytest.mark.parametrize("out", [".", NIGHT, f"{NIGHT}/s063"])
def test_the_folder_of_the_raw_files_is_only_read(disk, out):
    before = sorted(disk.rglob("*"))
    with pytest.raises(TwomassError, match="only read: choose another --out"):
        reduce_night(disk / NIGHT, disk / out)
    assert sorted(disk.rglob("*")) == before


def test_one_image_that_fails_leaves_the_others(disk, reduced, monkeypatch):
    make = STEPS["image"]

    def stumble(task):
        if task.name.coadd == 9:
            msg = "no such\nluck"
            raise RuntimeError(msg)
        return make(task)

    monkeypatch.setitem(STEPS, "image", stumble)
    path = disk / NIGHT / "k1186063.rdo.gz"
    was = (reduced / NIGHT / "s063/coadd/ki0630009.fits").read_bytes()
    done = reduce_scan(path, reduced, kernel="bilinear")
    assert [(str(one.task), one.error) for one in done.failed] == [
        ("s063 k image 9", "RuntimeError: no such luck")
    ]
    rows = done.quality[done.quality["band"] == "k"]
    assert list(rows["error"]) == ["RuntimeError: no such luck", ""]
    assert list(rows["stale"]) == [True, False]
    assert set(QTable.read(reduced / NIGHT / "s063/k_sources.ecsv")["coadd"]) == {21}
    assert (reduced / NIGHT / "s063/coadd/ki0630009.fits").read_bytes() == was
    monkeypatch.undo()
    again = reduce_scan(path, reduced, kernel="bilinear")
    names = ["s063 k image 9", "s063 k sources", "s063 merged"]
    assert [str(one.task) for one in again.made] == names
    assert again.ok


def test_without_darks_it_says_so(disk, tmp_path):
    shutil.rmtree(disk / "000531s")
    done = reduce_night(disk / NIGHT, tmp_path / "out", scans=[64])
    assert not done.ok
    assert "no dark" in done.failed[0].error
    assert done.made == []
    assert (
        "name folders of nights nearer in date"
        in (tmp_path / "out" / NIGHT / "reduce.log").read_text()
    )
