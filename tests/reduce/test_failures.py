"""What fails stops nothing that can do without it, and is said."""

from __future__ import annotations

import json
import shutil

import pytest
from astropy.table import QTable

from twomass_nb.errors import NotFoundError, TwomassError
from twomass_nb.reduce import reduce_night, reduce_scan
from twomass_nb.reduce.steps import STEPS

NIGHT = "000529s"


def test_a_damaged_file_stops_its_band_alone(disk, reduced):
    path = disk / NIGHT / "k1186063.rdo.gz"
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 5000] = bytes(5000)
    path.write_bytes(data)
    done = reduce_night(disk / NIGHT, reduced, scans=[63])
    failed = {str(one.task): one.error for one in done.failed}
    assert "k1186063" in failed["s063 k sky"]
    assert failed["s063 k positions"] == "not made, for want of s063 k sky"
    assert "s063 merged" not in failed
    folder = reduced / NIGHT / "s063"
    # nothing of the file as it was before stands beside the failure
    assert not list(folder.glob("coadd/k*"))
    assert set(done.quality[done.quality["scan_id"] == "000529s063"]["band"]) == {"j"}
    assert not (folder / "k_sky.fits").exists()
    assert not (folder / "k_sources.ecsv").exists()
    assert len(list(folder.glob("coadd/j*.fits"))) == 2
    assert QTable.read(folder / "sources.ecsv").meta["bands"] == "j"
    said = json.loads((folder / "quality.json").read_text())
    assert "s063 k sky" in said["failed"]
    assert "s063 k sky: FAILED" in (reduced / NIGHT / "reduce.log").read_text()
    with pytest.raises(TwomassError, match=r"4 pieces of work failed, the first: s063 k sky"):
        done.require_ok()


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
    done = reduce_scan(path, reduced, kernel="bilinear")
    assert [(str(one.task), one.error) for one in done.failed] == [
        ("s063 k image 9", "RuntimeError: no such luck")
    ]
    rows = done.quality[done.quality["band"] == "k"]
    assert list(rows["error"]) == ["RuntimeError: no such luck", ""]
    assert set(QTable.read(reduced / NIGHT / "s063/k_sources.ecsv")["coadd"]) == {21}
    assert not (reduced / NIGHT / "s063/coadd/ki0630009.fits").exists()
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
