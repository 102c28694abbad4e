"""The sample is there when asked for, whole, simulated and saying so."""

from __future__ import annotations

import numpy as np
import pytest
from isal import igzip

import twomass_nb as tm
from twomass_nb.archive import sample
from twomass_nb.array.geometry import ArrayGeometry
from twomass_nb.atlas import AtlasImage, find_coadds
from twomass_nb.errors import NotFoundError, RawFileError, WriteError
from twomass_nb.scan import FileName, ScanId
from twomass_nb.tables.par import read_par

SCAN = ScanId("2000-05-29", "s", 63)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def short(cache):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TWOMASS_NB_CACHE", str(cache))
        return sample("scan63", short=True)


def test_the_sample_has_the_scans_of_the_archives_own(short, cache):
    assert cache in short.parents
    for night, scans in (
        ("000529s", {63: ("sci", "n", 318737)}),
        ("000531s", dict.fromkeys(range(155, 160), ("flt", "s", 199998))),
        ("000602s", {90: ("dar", "n", 199999)}),
    ):
        assert (short / night / f"{night}.lgo").exists()
        for number, said in scans.items():
            for band in "jhk":
                (raw,) = (short / night).glob(f"{band}????{number:03d}.rds.gz")
                assert FileName.parse(raw).scan_id.scan == number
                par = read_par(raw.with_name(raw.name.replace("rds.gz", "par")))
                assert (par["TYPE"], par["SCANDIR"], par["STRIP_ID"]) == said
                assert par.simulated
                size = len(igzip.decompress(raw.read_bytes()))
                assert size == 262_144 * par["NUMFRMS"]
                assert par["NUMFRMS"] == (40 if number == 63 else 16)
                assert raw.with_name(raw.name.replace("rds", "rdo")).exists() == (
                    number in (63, 90)
                )
    assert "SIMULATED" in (short / "README.txt").read_text()


def test_its_position_is_seen_by_its_frames_and_coadds(short):
    table = tm.read_scan_table(short / "scan_table.csv")
    assert table.meta["SIMULATE"]
    assert len(table) == 1
    assert (table["scan"][0], table["tile"][0], table["sd"][0]) == (63, 318737, "n")
    for band in "jhk":
        paths = find_coadds(short / "000529s", SCAN, band)
        assert len(paths) == 3
        images = [AtlasImage.open(path) for path in paths]
        geometry = ArrayGeometry.preset("South", band, sign="header")
        for image in images:
            assert image.simulated
            assert image.scan_id == SCAN
            assert image.track.n_frames == 40
            centre = image.wcs.pixel_to_world(255.5, 511.5)
            *_, best, _, _ = image.track.frames_seeing(centre.ra.deg, centre.dec.deg, geometry)
            assert abs(best - (image.coadd - 1)) <= 1
    row = table[0]
    assert row["dec_1"] < images[0].header["CRVAL2"] < row["dec_3"]


def test_a_second_call_makes_nothing(short, cache, monkeypatch):
    monkeypatch.setenv("TWOMASS_NB_CACHE", str(cache))
    before = {p: p.stat().st_mtime_ns for p in short.rglob("*")}
    assert sample(short=True) == short
    assert {p: p.stat().st_mtime_ns for p in short.rglob("*")} == before


def test_a_half_made_sample_is_made_again(short):
    raw = short / "000529s" / "h1186063.rds.gz"
    whole = raw.read_bytes()
    (short / "sample.json").unlink()  # the marker comes last
    raw.unlink()
    (short / "000529s" / "000529s.lgo").unlink()
    assert sample(folder=short, short=True) == short
    assert raw.read_bytes() == whole
    assert (short / "sample.json").exists()


def test_it_does_not_write_over_a_real_night(tmp_path):
    (tmp_path / "000529s").mkdir()
    (tmp_path / "000529s" / "j1186063.rds.gz").write_bytes(b"precious")
    with pytest.raises(RawFileError, match="not simulated"):
        sample(folder=tmp_path, short=True)
    assert (tmp_path / "000529s" / "j1186063.rds.gz").read_bytes() == b"precious"


def test_a_place_that_is_none_is_said(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(WriteError, match="give the sample another folder"):
        sample(folder=tmp_path / "file" / "sample", short=True)
    with pytest.raises(NotFoundError, match="is no path"):
        sample(folder=5)


def test_what_is_not_there_is_said_in_a_line():
    for arguments, words in (
        ({"name": "scan64"}, "scan63"),
        ({"source": "archive", "short": True}, "cannot be shortened"),
        ({"source": "moon"}, "not known"),
    ):
        with pytest.raises(NotFoundError, match=words):
            sample(**arguments)


def test_the_scan_shows_what_it_is_for(short):
    """A very bright star with a hole in its core, its persistence, a meteor."""
    pair = short / "000529s" / "j1186063.rdo.gz"
    frames = tm.Layout.RDO.decode(igzip.decompress(pair.read_bytes()), 40)
    difference = frames[:, 1].astype(int) - frames[:, 0]
    core = frames[:, 0] > frames[:, 0].min() + 25_000  # saturated in read 1 already
    assert core.sum() >= 3
    assert np.all(difference[core] == 0)
    flat = (difference > 20_000).sum(axis=(1, 2))
    assert (flat > 3).sum() >= 4
    meteor = (difference > np.median(difference) + 500).mean(axis=(1, 2))
    assert meteor.argmax() == round(0.45 * 39)
