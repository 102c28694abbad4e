"""A reduction is carried on where it stopped, and what is made anew is what must be."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from astropy.table import QTable
from filelock import FileLock

from twomass_nb.errors import ExistsError, NotFoundError, TwomassError
from twomass_nb.reduce import reduce_night, reduce_scan
from twomass_nb.reduce.journal import Journal
from twomass_nb.reduce.tasks import Name, Record

NIGHT = "000529s"


def states(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return time of change and bytes of every product."""
    paths = [*folder.rglob("*.fits"), *folder.rglob("*s.ecsv")]
    return {str(p.relative_to(folder)): (p.stat().st_mtime_ns, p.read_bytes()) for p in paths}


def content(folder: Path) -> dict[str, bytes]:
    """Return the bytes of images and lists; calibrators say when they were written."""
    kept = states(folder).items()
    return {n: data for n, (_, data) in kept if "calibrator" not in n}


def test_what_is_done_is_not_done_again(reduced, shared_disk):
    before = states(reduced)
    again = reduce_night(shared_disk / NIGHT, reduced)
    assert states(reduced) == before
    assert (len(again.made), len(again.kept), again.ok) == (0, 21, True)
    assert len(again.quality) == 5


def test_what_is_missing_is_made_and_nothing_else(reduced, shared_disk):
    before = states(reduced)
    image = reduced / NIGHT / "s064/coadd/ki0640009.fits"
    image.unlink()
    again = reduce_night(shared_disk / NIGHT, reduced)
    assert [str(one.task) for one in again.made] == ["s064 k image 9"]
    assert image.read_bytes() == before[f"{NIGHT}/s064/coadd/ki0640009.fits"][1]


def test_a_changed_product_is_made_anew(reduced, shared_disk):
    path = reduced / NIGHT / "s064/k_sources.ecsv"
    was = path.read_bytes()
    path.write_bytes(was[:100])
    reduce_night(shared_disk / NIGHT, reduced)
    assert path.read_bytes() == was


def test_a_changed_input_is_followed_to_all_that_stands_on_it(reduced, disk):
    out = reduced
    first = reduce_scan(disk / NIGHT / "k1186064.rdo.gz", out)
    assert first.made == []  # a copy of the same files: names, sizes and times count
    os.utime(disk / NIGHT / "k1186064.par")
    again = reduce_scan(disk / NIGHT / "k1186064.rdo.gz", out)
    kinds = sorted(one.task.kind for one in again.made)
    assert kinds == ["frames", "image", "merged", "positions", "sky", "sources"]
    assert [one.task.kind for one in again.kept] == ["calibrator"]


def test_another_kernel_changes_images_and_lists_alone(reduced, disk):
    again = reduce_scan(disk / NIGHT / "k1186064.rdo.gz", reduced, kernel="bilinear")
    assert {one.task.kind for one in again.made} == {"image", "sources", "merged"}
    assert {one.task.kind for one in again.kept} == {"calibrator", "sky", "positions", "frames"}


def test_a_band_reduced_alone_is_merged_with_those_there_are(reduced, shared_disk):
    path = shared_disk / NIGHT / "j1186063.rdo.gz"
    again = reduce_scan(path, reduced, bands="j", kernel="bilinear")
    assert {one.task.band for one in again.made} == {"j", ""}
    assert QTable.read(reduced / NIGHT / "s063/sources.ecsv").meta["bands"] == "jk"
    assert len(again.quality) == 4


def test_images_that_a_scan_has_no_more_are_swept_away(reduced, disk):
    """As when positions change, and with them the numbers of images."""
    journal = Journal(reduced / NIGHT)
    extra = reduced / NIGHT / "s064/coadd/ki0640033.fits"
    extra.write_bytes(b"old")
    status = extra.stat()
    products = {"s064/coadd/ki0640033.fits": (status.st_size, status.st_mtime_ns)}
    journal.add(Record(Name("image", 64, "k", 33), "key", products))
    journal.close()
    again = reduce_scan(disk / NIGHT / "k1186064.rdo.gz", reduced)
    assert not extra.exists()
    assert list(again.quality["coadd"]) == [9]


def _started(disk: Path, out: Path, until: str) -> subprocess.Popen[str]:
    """Start a reduction of scan 64 in a process of its own, and wait for a word in its log."""
    words = ["reduce", str(disk / NIGHT), "--scans", "64", "--out", str(out), "--workers", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "twomass_nb", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    log = out / NIGHT / "reduce.log"
    end = time.monotonic() + 60
    while not (log.exists() and until in log.read_text()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)
    return process


@pytest.mark.parametrize(("how", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_a_stopped_one_is_carried_on(shared_disk, undisturbed, tmp_path, how, code):
    out = tmp_path / "out"
    process = _started(shared_disk, out, "k positions: made")
    time.sleep(0.1)  # into an image
    process.send_signal(how)
    _, said = process.communicate(timeout=30)
    assert process.returncode == code
    if how == signal.SIGINT:
        assert said == "twomass-nb: interrupted\n"
        assert "run again to carry on" in (out / NIGHT / "reduce.log").read_text()
        assert not list(out.rglob(".*.part"))
    (out / NIGHT / "s064/.k_sky.fits.left.part").write_bytes(b"half")
    before = states(out)
    again = reduce_night(shared_disk / NIGHT, out, scans=[64])
    assert again.ok
    assert {one.task.kind for one in again.kept} >= {"calibrator", "sky", "positions"}
    after = states(out)
    for one in again.kept:
        for path in one.products:
            assert after[f"{NIGHT}/{path}"] == before[f"{NIGHT}/{path}"]
    assert not list(out.rglob(".*.part"))
    whole = content(undisturbed.folder)
    assert content(out / NIGHT) == {n: data for n, data in whole.items() if n.startswith("s064")}


def test_a_torn_line_of_the_journal_is_dropped(tmp_path):
    journal = Journal(tmp_path)
    journal.add(Record(Name("sky", 63, "k"), "a"))
    journal.close()
    with (tmp_path / "reduce.journal").open("ab") as file:
        file.write(b'{"task": ["positions", 63, "k", 0], "ke')
    journal = Journal(tmp_path)
    assert list(journal.records) == [Name("sky", 63, "k")]
    journal.add(Record(Name("positions", 63, "k"), "b"))
    journal.close()
    journal = Journal(tmp_path)
    journal.close()
    assert len(journal.records) == 2


def test_one_at_a_time(reduced, shared_disk):
    busy = pytest.raises(TwomassError, match="another process reduces into")
    with FileLock(reduced / NIGHT / ".reduce.lock"), busy:
        reduce_night(shared_disk / NIGHT, reduced)


def test_a_folder_of_something_else_is_left_alone(disk, tmp_path):
    (tmp_path / NIGHT).mkdir()
    (tmp_path / NIGHT / "mine.txt").write_text("mine")
    with pytest.raises(ExistsError, match="choose another folder"):
        reduce_night(disk / NIGHT, tmp_path)
    assert [path.name for path in (tmp_path / NIGHT).iterdir()] == ["mine.txt"]
    with pytest.raises(TwomassError, match="only read"):
        reduce_night(disk / NIGHT, disk)
    (tmp_path / NIGHT / "reduce.journal").write_text("dear diary")
    with pytest.raises(TwomassError, match="not the journal of a reduction"):
        reduce_night(disk / NIGHT, tmp_path)


def test_what_is_asked_for_must_be_there(disk, tmp_path):
    with pytest.raises(NotFoundError, match="no scan 65"):
        reduce_night(disk / NIGHT, tmp_path, scans=[65])
    with pytest.raises(NotFoundError, match="is a folder"):
        reduce_scan(disk / NIGHT, tmp_path)
    with pytest.raises(NotFoundError, match="band j"):
        reduce_scan(disk / NIGHT / "k1186064.rdo.gz", tmp_path, bands="jk")
    with pytest.raises(NotFoundError, match="of type sci or cal"):
        reduce_night(disk / "000531s", tmp_path)
    assert not (tmp_path / NIGHT).exists()
