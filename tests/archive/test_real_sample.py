"""The archive's own sample comes whole and proved, or says file by file what did not come.

The server here has simulated frames under the sample's names, packed without the mark of the
simulator, as if they were the archive's. Their word order is that of this test.
"""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest
from isal import igzip

import twomass_nb as tm
from twomass_nb.archive import find_files, umass
from twomass_nb.cli import main
from twomass_nb.errors import (
    ExistsError,
    LayoutError,
    NotFoundError,
    OfflineError,
    ScanMissingError,
    TwomassWarning,
)
from twomass_nb.scan import FileName

SCAN = tm.ScanId("2000-05-29", "s", 63)
LAYOUT = tm.Layout("f r Y X b y x")
FRAMES = 4
NAMES = [f"{scan_id.night}/{name}" for scan_id, name in umass.sample_names()]


@pytest.fixture(scope="module")
def archives_own(short_sample):
    """The 48 files of the sample's table, by their address."""
    files = {}
    packed = {}
    for scan_id, name in umass.sample_names():
        band = name[0]
        # the twilights have no twins: dark frames will do
        source = scan_id if scan_id == SCAN else tm.ScanId("2000-06-02", "s", 90)
        if (source, band) not in packed:
            path = short_sample / source.night / f"{source.stem(band)}.rdo.gz"
            content = igzip.decompress(path.read_bytes())[: FRAMES * 262_144]
            frames = tm.Layout.RDO.decode(np.frombuffer(content, np.uint8), FRAMES)
            rds = LAYOUT.encode(frames)
            packed[source, band] = {
                ".rdo.gz": gzip.compress(content, 1),
                ".rds.gz": gzip.compress(rds, 1),
            }
        par = f"FN_PRFX = '{scan_id.stem(band)}'\nTELNAME = 'CTIO'\n".encode()
        suffix = name[name.index(".") :]
        files[f"sample/{name}"] = par if suffix == ".par" else packed[source, band][suffix]
    return files


@pytest.fixture
def server(serve, archives_own, own_cache, monkeypatch):
    monkeypatch.delenv("TWOMASS_NB_ARCHIVE", raising=False)
    made = serve(files=dict(archives_own))
    monkeypatch.setenv("TWOMASS_NB_UMASS_RAW", made.url("sample/"))
    return made


def here(folder):
    return {str(p.relative_to(folder)) for p in folder.glob("0*/*") if p.name[0] != "."}


def test_the_names_are_those_of_the_archives_page():
    assert len(NAMES) == len(set(NAMES)) == 48
    assert NAMES[:3] == [f"000529s/j1186063.{end}" for end in ("par", "rds.gz", "rdo.gz")]
    said = [FileName.parse(name) for name in NAMES]
    assert sum(one.kind == "par" for one in said) == 21
    assert {one.scan_id for one in said} == set(umass.SAMPLE)


def test_it_comes_whole_and_its_pairs_prove_the_word_order(server, own_cache, monkeypatch, capsys):
    folder = tm.sample("scan63", source="archive")
    assert folder == own_cache / "sample" / "scan63-archive"
    assert here(folder) == set(NAMES)
    assert "6 pairs" in (folder / "README.txt").read_text()
    assert "SIMULATED" not in (folder / "README.txt").read_text()
    said = json.loads((folder / "sample.json").read_text())
    assert (said["source"], said["layout"]) == ("archive", str(LAYOUT))
    told = capsys.readouterr().err
    assert "6 pairs of .rds and .rdo agree byte for byte" in told
    assert f"'{LAYOUT}'" in told
    assert list((own_cache / "layouts").iterdir())  # for files that do not show it themselves

    # There it is found by its identity, and never fetched again.
    monkeypatch.setenv("TWOMASS_NB_OFFLINE", "1")
    assert tm.sample("scan63", source="archive") == folder
    assert len(server.log) == 48
    assert capsys.readouterr().err == ""
    (found,) = find_files(SCAN, "k")
    assert found.path == folder / "000529s" / "k1186063.rds.gz"
    scan = tm.open_scan(SCAN, "k")
    assert (scan.layout, scan.simulated) == (LAYOUT, False)
    twin = tm.open_scan(found.path.with_name("k1186063.rdo.gz"))
    assert np.array_equal(scan.frame(2), twin.frame(2))


def test_a_file_damaged_since_is_fetched_again(server, archives_own):
    folder = tm.sample("scan63", source="archive")
    name = "000529s/j1186063.rds.gz"
    good = (folder / name).read_bytes()
    (folder / name).write_bytes(good[:-9] + b"x" + good[-8:])  # of the same size
    server.log.clear()
    with pytest.warns(TwomassWarning, match=r"j1186063\.rds\.gz in the cache was damaged"):
        tm.sample("scan63", source="archive")
    assert [asked.path for asked in server.log] == ["/sample/j1186063.rds.gz"]
    assert (folder / name).read_bytes() == good


def test_what_did_not_come_is_said_file_by_file_and_the_rest_is_kept(server, archives_own):
    lost = ["h1186063.rdo.gz", "k1188157.par"]
    for name in lost:
        del server.files[f"sample/{name}"]
    cut = "j1190090.rds.gz"
    server.files[f"sample/{cut}"] = archives_own[f"sample/{cut}"][:-1000]
    with pytest.raises(ScanMissingError, match=r"45 of 48 files .*source='simulated'") as caught:
        tm.sample("scan63", source="archive")
    said = {one.place.rsplit("/", 1)[1]: one.outcome for one in caught.value.looked}
    assert sorted(said) == sorted([*lost, cut])
    assert "404" in said[lost[0]]
    assert "damaged" in said[cut]
    assert all(name in str(caught.value) for name in said)
    assert caught.value.labels == {"tape_label": "raws0136", "disk_label": "s04"}
    server.files.update(archives_own)
    before = len(server.log)
    folder = tm.sample("scan63", source="archive")
    assert len(server.log) == before + 3
    assert here(folder) == set(NAMES)


def test_a_wrong_twin_is_named_and_set_aside(server, archives_own, own_cache):
    server.files["sample/j1190090.rdo.gz"] = archives_own["sample/h1190090.rdo.gz"]
    with pytest.raises(LayoutError, match=r"^j1190090: \.rds and \.rdo are not the same scan"):
        tm.sample("scan63", source="archive")
    folder = own_cache / "sample" / "scan63-archive"
    night = folder / "000602s"
    assert not (folder / "sample.json").exists()
    for name in ("j1190090.rds.gz", "j1190090.rdo.gz"):
        assert not (night / name).exists()
        assert (night / f"{name}.wrong").exists()
    server.files.update(archives_own)
    before = len(server.log)
    assert tm.sample("scan63", source="archive") == folder
    assert len(server.log) == before + 2


def test_files_that_fit_no_order_at_all_are_kept(server, archives_own, own_cache):
    """Then our idea of the order is wrong, and the files are all the more precious."""
    rng = np.random.default_rng(3)
    for name in server.files:
        if name.endswith(".rds.gz"):
            noise = rng.integers(0, 256, FRAMES * 262_144, np.uint8)
            server.files[name] = gzip.compress(noise.tobytes(), 1)
    with pytest.raises(LayoutError, match="no pair of the sample shows a word order"):
        tm.sample("scan63", source="archive")
    folder = own_cache / "sample" / "scan63-archive"
    assert here(folder) == set(NAMES)


@pytest.mark.parametrize("fault", ["503", "nothing"])
def test_a_host_in_trouble_is_not_asked_for_every_file(server, haste, fault):
    haste(attempts=2)
    server.fault = fault
    with pytest.raises(ScanMissingError, match="source='simulated'"):
        tm.sample("scan63", source="archive")
    assert len(server.log) == 2


def test_a_page_that_is_gone(server, own_cache):
    server.files.clear()
    with pytest.raises(NotFoundError, match=r"0 of 48 files.*404.*source='simulated'"):
        tm.sample("scan63", source="archive")
    assert not list((own_cache / "sample").rglob("*.gz"))


def test_offline_says_what_would_have_been_fetched(server, monkeypatch, capsys):
    monkeypatch.setenv("TWOMASS_NB_OFFLINE", "1")
    with pytest.raises(
        OfflineError, match=r"^48 files.*would have been fetched.*source='simulated'"
    ):
        tm.sample("scan63", source="archive")
    assert not server.log
    assert main(["sample", "--source", "archive"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_simulated_files_are_called_so_whoever_sends_them(server, short_sample):
    for scan_id, name in umass.sample_names():
        server.files[f"sample/{name}"] = (short_sample / scan_id.night / name).read_bytes()
    with pytest.warns(TwomassWarning, match="answers with simulated files"):
        folder = tm.sample("scan63", source="archive")
    assert (folder / "README.txt").read_text().startswith("SIMULATED")
    assert json.loads((folder / "sample.json").read_text())["simulated"]
    assert tm.open_scan(SCAN, "k").simulated


def test_real_and_simulated_samples_never_share_a_folder(server, short_sample):
    with pytest.raises(ExistsError, match="holds the simulated sample"):
        tm.sample("scan63", source="archive", folder=short_sample)
    assert not server.log
