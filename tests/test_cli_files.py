"""The commands that take a file: info, convert and fits."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

import twomass_nb as tm
from twomass_nb.cli import main


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("TWOMASS_NB_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="session")
def raw_path(short_sample) -> Path:
    return short_sample / "000529s" / "j1186063.rds.gz"


def one_line(text: str) -> str:
    assert text.endswith("\n")
    assert text.count("\n") == 1, text
    return text


def test_info_on_a_raw_file(raw_path, capsys):
    assert main(["info", str(raw_path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["scan_id"] == "000529s063"
    assert found["band"] == "j"
    assert found["frames"] == tm.open_scan(raw_path).n_frames
    assert found["simulated"] is True


def test_info_on_every_kind_of_file(short_sample, capsys):
    night = short_sample / "000529s"
    coadd = sorted((night / "s063" / "image").glob("j*.fits*"))[0]
    kinds = {
        coadd: "Atlas Image",
        night / "j1186063.par": "scan parameters",
        night / "000529s.lgo": "night log",
        short_sample / "scan_table.csv": "scan table",
    }
    for path, kind in kinds.items():
        assert main(["info", str(path)]) == 0
        assert kind in capsys.readouterr().out


def test_info_on_a_real_image(real_data, capsys):
    path = real_data / "atlas" / "aK_asky_990502s1350080.fits.gz"
    assert main(["info", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["scan_id"], found["band"], found["coadd"]) == ("990502s135", "k", 80)
    assert found["first_frame"] < 79 < found["last_frame"]


def test_info_on_what_the_project_writes(short_sample, raw_path, tmp_path, capsys):
    assert main(["fits", str(raw_path), "3", "--out", str(tmp_path)]) == 0
    index = tmp_path / "index"
    assert main(["index", "build", str(index), "--simulated", "50"]) == 0
    capsys.readouterr()
    for path, kind in (
        (tmp_path / "j1186063_r1_3.fits", "raw frame"),
        (index, "scan index"),
        (short_sample / "scan_table.csv", "scan table"),
        (short_sample / "000529s" / "000529s.lgo", "night log"),
    ):
        assert main(["info", str(path), "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert (found["kind"], found["simulated"]) == (kind, True)


def test_a_folder_is_no_file(short_sample, tmp_path, raw_path, capsys):
    assert main(["info", str(short_sample)]) == 1
    assert "is a folder" in one_line(capsys.readouterr().err)
    (tmp_path / "file").write_text("")
    assert main(["fits", str(raw_path), "1", "--out", str(tmp_path / "file")]) == 1
    assert "is a file" in one_line(capsys.readouterr().err)


def test_info_on_nothing_and_on_rubbish(tmp_path, capsys):
    assert main(["info", str(tmp_path / "gone.fits")]) == 1
    assert "gone.fits" in one_line(capsys.readouterr().err)
    rubbish = tmp_path / "rubbish.txt"
    rubbish.write_bytes(b"\x00\x01rubbish")
    assert main(["info", str(rubbish)]) == 1
    one_line(capsys.readouterr().err)


def test_fits_writes_the_three_images_of_raw2fits(raw_path, tmp_path, capsys):
    assert main(["fits", str(raw_path), "20", "--out", str(tmp_path / "new")]) == 0
    names = [f"j1186063_{read}_20.fits" for read in ("r1", "r2", "r2-r1")]
    assert [Path(line).name for line in capsys.readouterr().out.split()] == names
    scan = tm.open_scan(raw_path)
    written = fits.getdata(tmp_path / "new" / names[2])
    np.testing.assert_array_equal(written, scan.difference(20))


def test_fits_of_a_frame_that_is_not_there(raw_path, tmp_path, capsys):
    assert main(["fits", str(raw_path), "999", "--out", str(tmp_path)]) == 1
    assert "999" in one_line(capsys.readouterr().err)
    assert not list(tmp_path.glob("*.fits"))


def test_convert_there_and_back(raw_path, tmp_path, capsys):
    rdo, back = tmp_path / "j1186063.rdo", tmp_path / "j1186063.rds"
    assert main(["convert", str(raw_path), str(rdo)]) == 0
    layout = tm.open_scan(raw_path).layout
    order = re.match(r"[frYyXxb ]+", str(layout))[0]
    words = ["convert", str(rdo), str(back), "--layout", order]
    assert main([*words, *([] if layout.high_first else ["--low-first"])]) == 0
    assert back.read_bytes() == gzip.decompress(raw_path.read_bytes())
    assert main(["convert", str(raw_path), str(rdo)]) == 1
    assert "exist" in one_line(capsys.readouterr().err)


def test_info_on_a_cube(raw_path, tmp_path, capsys):
    words = ["fits", str(raw_path), "3-6", "--cube", "--out", str(tmp_path)]
    for more in ([], ["--compress", "--overwrite"]):
        assert main([*words, *more]) == 0
        path = Path(capsys.readouterr().out.strip())
        assert path.name == "j1186063_cube_3-6.fits"
        assert main(["info", str(path), "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        expected = {
            "kind": "raw cube", "fn_prfx": "j1186063", "filter": "j", "frame1": 3, "frame2": 6,
            "numfrms": 40, "compressed": bool(more), "truncated": False,
            "simulated": True,
        }  # fmt: skip
        assert {key: found[key] for key in expected} == expected
        assert found["date-beg"].startswith("2000-05-29T05:45:04")


def test_fits_of_a_range(raw_path, tmp_path, capsys):
    assert main(["fits", str(raw_path), "20-22", "--out", str(tmp_path)]) == 0
    names = [f"j1186063_{r}_{i}.fits" for i in (20, 21, 22) for r in ("r1", "r2", "r2-r1")]
    assert [Path(line).name for line in capsys.readouterr().out.split()] == names


def test_a_whole_scan_to_fits_and_back(raw_path, tmp_path, capsys):
    words = ["fits", str(raw_path), "all", "--cube", "--compress", "--out", str(tmp_path)]
    assert main(words) == 0
    cube = Path(capsys.readouterr().out.strip())
    assert cube.name == "j1186063_cube.fits"
    assert main(["convert", str(cube), str(tmp_path / "j1186063.rds")]) == 0
    assert (tmp_path / "j1186063.rds").read_bytes() == gzip.decompress(raw_path.read_bytes())


def test_fits_of_frames_that_are_not_there_leaves_nothing(raw_path, tmp_path, capsys):
    for cube in ([], ["--cube"]):
        assert main(["fits", str(raw_path), "38-99", "--out", str(tmp_path / "new"), *cube]) == 1
        assert "99" in one_line(capsys.readouterr().err)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "words", [["first"], ["5-3"], ["-3"], ["3-"], ["3,4"], ["all", "--compress"], []]
)
def test_frames_that_are_no_words(raw_path, words, capsys):
    with pytest.raises(SystemExit) as left:
        main(["fits", str(raw_path), *words])
    assert left.value.code == 2
    capsys.readouterr()


def test_a_spoilt_cube_is_one_line(raw_path, tmp_path, capsys):
    cube = tm.open_scan(raw_path).to_fits_cube(tmp_path / "cube.fits")
    cube.write_bytes(cube.read_bytes()[:-5000])
    assert main(["convert", str(cube), str(tmp_path / "a.rdo")]) == 1
    assert "cube.fits" in one_line(capsys.readouterr().err)
    assert not (tmp_path / "a.rdo").exists()
    assert main(["info", str(cube), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["truncated"] is True
