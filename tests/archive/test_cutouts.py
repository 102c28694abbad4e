"""From a position to a cutout: images at hand first, then IRSA's; what is short is said."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from irsa_answers import answering, listing

import twomass_nb as tm
from twomass_nb.archive.cutouts import local_images
from twomass_nb.atlas import AtlasImage
from twomass_nb.cli import main
from twomass_nb.errors import (
    AtlasError,
    FetchError,
    NotFoundError,
    OfflineError,
    PositionError,
    ScanNameError,
)
from twomass_nb.scan import FileName

M17 = SkyCoord(275.185, -16.16, unit="deg")
SIDE = 200 * u.arcsec


@pytest.fixture
def alone(own_cache, monkeypatch):
    """No images here, and no network."""
    monkeypatch.delenv("TWOMASS_NB_ARCHIVE", raising=False)
    monkeypatch.setenv("TWOMASS_NB_OFFLINE", "1")


@pytest.fixture
def disk(tmp_path, real_data):
    """A disk with the images of M17 in the layouts that images come in."""
    root = tmp_path / "disk"
    for path in sorted((real_data / "atlas").glob("*_990502s*")):
        name = FileName.parse(path)
        night = root / name.scan_id.night
        target = {
            135: night / name.scan_id.coadd_folder / (name.scan_id.coadd_name("k", name.coadd)),
            142: night / "s142" / f"k990502s142M{name.coadd:03d}.fits",
            143: night / path.name.removesuffix(".gz"),
            144: root / path.name.removesuffix(".gz"),
        }[name.scan_id.scan]
        target = target.with_name(target.name + ".gz")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    return root


@pytest.fixture
def irsa(serve, own_cache, monkeypatch, real_data):
    """A stand-in for IRSA that has the four images of M17 around the middle."""
    paths = {}
    for path in (real_data / "atlas").glob("*_990502s14[23]*"):
        name = FileName.parse(path)
        paths[name.scan_id, name.band, name.coadd] = path
    lists = listing((real_data / "irsa" / "sia_990309s.xml").read_bytes(), sorted(paths))

    def answer(path, query):
        if path.endswith("nph-im_sia"):
            return lists
        name = FileName.parse(f"{query['dh']}/s{query['scan']}/image/{query['name']}")
        return paths[name.scan_id, name.band, name.coadd].read_bytes()

    server = serve(answer=answering(answer))
    monkeypatch.setenv("TWOMASS_NB_IRSA", server.address)
    monkeypatch.delenv("TWOMASS_NB_ARCHIVE", raising=False)
    return server


@pytest.mark.usefixtures("alone")
def test_the_images_given_are_used_and_no_others(real_data):
    folder = real_data / "atlas"
    made = tm.cutout(M17, SIDE, "k", images=folder)
    assert set(made.sources["scan_id"]) == {"990502s142", "990502s143"}
    files = sorted(folder.glob("*_990502s14[23]*"))
    again = tm.cutout("275.185 -16.16", "200 arcsec", "Ks"[0], images=files)
    assert np.array_equal(made.k.data, again.k.data)
    opened = tm.cutout("18:20:44.4 -16:09:36", 200, "k", [AtlasImage.open(p) for p in files])
    assert np.allclose(made.k.data, opened.k.data, rtol=1e-4, equal_nan=True)


def test_images_are_found_in_every_layout(alone, disk, monkeypatch):
    for place in (disk, disk.parent):
        monkeypatch.setenv("TWOMASS_NB_ARCHIVE", str(place))
        found = local_images(M17, 0.5 * u.deg)
        scans = {(FileName.parse(p).scan_id.scan, FileName.parse(p).coadd) for p in found}
        # a loose image is found in a root itself, not in a folder below
        expected = (135, 142, 143, 144) if place == disk else (135, 142, 143)
        assert {scan for scan, _ in scans} == set(expected)
        assert len(found) == 2 * len(expected)
    monkeypatch.setenv("TWOMASS_NB_ARCHIVE", str(disk / "990502s"))
    assert len(local_images(M17, 0.5 * u.deg)) == 6
    assert local_images(M17, 0.5 * u.deg, "jh") == []
    assert local_images(SkyCoord(95.0, 16.0, unit="deg"), 0.5 * u.deg) == []


def test_a_scan_table_says_where_to_look(alone, own_cache, disk, real_data, monkeypatch):
    """With one, images of scans far away are not opened at all."""
    monkeypatch.setenv("TWOMASS_NB_ARCHIVE", str(disk))
    own_cache.mkdir()
    table = tm.scan_table_from_atlas(sorted((real_data / "atlas").glob("*_990502s*")))
    table.write(own_cache / "twomass_scn.csv", format="ascii.csv")
    broken = disk / "000101n" / "s001" / "image" / "ki0010001.fits"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"not opened")
    assert len(local_images(M17, 0.5 * u.deg)) == 8
    (own_cache / "twomass_scn.csv").unlink()
    with pytest.warns(tm.TwomassWarning, match="ki0010001"):
        assert len(local_images(M17, 0.5 * u.deg)) == 8


@pytest.mark.usefixtures("alone")
def test_a_pipe_among_images_is_passed_over(disk, monkeypatch):
    monkeypatch.setenv("TWOMASS_NB_ARCHIVE", str(disk))
    pipe = disk / "990502s" / "ki1440186.fits"
    os.mkfifo(pipe)
    with pytest.warns(tm.TwomassWarning, match="is a pipe or a device"):
        assert len(local_images(M17, 0.5 * u.deg)) == 8
    with pytest.raises(AtlasError, match="is a pipe or a device"):
        AtlasImage.open(pipe)


def test_what_is_here_needs_no_network(alone, disk, monkeypatch):
    monkeypatch.setenv("TWOMASS_NB_ARCHIVE", str(disk))
    made = tm.cutout(M17, SIDE, "k")
    assert made.covered("k") == 1
    assert all(str(disk) in file for file in made.sources["file"])


def test_what_is_not_here_is_fetched_once(irsa, own_cache):
    made = tm.cutout(M17, SIDE, "k")
    assert made.covered("k") == 1
    kept = sorted(p.name for p in (own_cache / "archive/atlas").rglob("*.fits"))
    assert len(kept) == 4
    n_asked = len(irsa.log)
    assert n_asked == 1 + 4
    again = tm.cutout(M17, SIDE, "k")
    assert len(irsa.log) == n_asked
    assert np.array_equal(made.k.data, again.k.data)


def test_only_what_is_short_is_fetched(irsa, disk, own_cache, monkeypatch):
    shutil.rmtree(disk / "990502s" / "s142")
    monkeypatch.setenv("TWOMASS_NB_ARCHIVE", str(disk))
    made = tm.cutout(M17, SIDE, "k")
    assert made.covered("k") == 1
    kept = sorted(p.name for p in (own_cache / "archive/atlas").rglob("*.fits"))
    assert kept == ["ki1420186.fits", "ki1420198.fits"]


def test_without_network_a_part_is_said_to_be_one(alone, disk, monkeypatch):
    shutil.rmtree(disk / "990502s" / "s142")
    monkeypatch.setenv("TWOMASS_NB_ARCHIVE", str(disk))
    with pytest.warns(tm.TwomassWarning) as said:
        made = tm.cutout(M17, SIDE, "k")
    words = [str(one.message) for one in said]
    assert any("only images at hand were used" in one and "OFFLINE" in one for one in words)
    assert any("not covered whole" in one and "%" in one for one in words)
    assert 0 < made.covered("k") < 1


@pytest.mark.usefixtures("alone")
def test_with_nothing_here_and_no_network_it_says_what_it_would_fetch():
    with pytest.raises(OfflineError, match=r"list of Atlas Images at 275\.1850 -16\.1600"):
        tm.cutout(M17, SIDE)


def test_a_service_that_fails_is_said(serve, own_cache, monkeypatch):
    server = serve(answer=answering(lambda path, query: None))
    monkeypatch.setenv("TWOMASS_NB_IRSA", server.address)
    with pytest.raises(FetchError, match="404"):
        tm.cutout(M17, SIDE)


def test_simulated_images_are_not_filled_up_with_real_ones(irsa, short_sample, monkeypatch):
    monkeypatch.setenv("TWOMASS_NB_ARCHIVE", str(short_sample))
    image = AtlasImage.open(next((short_sample / "000529s/s063/image").glob("ji*.fits.gz")))
    edge = image.wcs.pixel_to_world(0, 511.5)
    made = tm.cutout(edge, SIDE, "j")
    assert made.simulated
    assert made.covered("j") < 1
    assert not irsa.log


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    ("position", "size", "kind", "words"),
    [
        ("nowhere", SIDE, PositionError, "not a position"),
        (SkyCoord([1, 2], [3, 4], unit="deg"), SIDE, PositionError, "not one position"),
        ((275.1, -16.1), SIDE, PositionError, "not one position"),
        (SkyCoord(np.nan, 0, unit="deg"), SIDE, PositionError, "not a number"),
        (M17, "big", AtlasError, "no size"),
        (M17, 3 * u.s, AtlasError, "no size"),
        (M17, None, AtlasError, "no size"),
        (M17, "2deg", AtlasError, "too large"),
        (M17, 0, AtlasError, "at least"),
        (M17, [1, 2] * u.arcmin, AtlasError, "no size"),
    ],
)
def test_bad_questions_are_one_clear_line(position, size, kind, words):
    with pytest.raises(kind, match=words) as caught:
        tm.cutout(position, size)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("bands", [None, 5, "", "jx", []])
def test_what_is_no_band_is_said(bands):
    with pytest.raises(ScanNameError, match=r"no band|not a 2MASS band"):
        tm.cutout(M17, SIDE, bands)


@pytest.mark.parametrize("images", [5, [5], [None]])
def test_what_is_no_image_is_said(images):
    with pytest.raises(NotFoundError, match="is no path"):
        tm.cutout(M17, SIDE, images=images)


def test_a_band_may_be_called_ks(real_data):
    made = tm.cutout(M17, 20, "Ks", images=real_data / "atlas")
    assert made.bands == ("k",)


@pytest.mark.usefixtures("irsa")
def test_an_image_damaged_in_the_cache_is_not_shown(monkeypatch):
    victim = Path(tm.cutout(M17, SIDE, "k").sources["file"][0])
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 64
    victim.write_bytes(content)
    monkeypatch.setenv("TWOMASS_NB_OFFLINE", "1")
    with pytest.warns(tm.TwomassWarning) as said:
        made = tm.cutout(M17, SIDE, "k")
    assert any(f"{victim} in the cache was damaged" in str(one.message) for one in said)
    assert str(victim) not in made.sources["file"]


@pytest.mark.usefixtures("alone")
def test_the_command_writes_file_and_picture(real_data, tmp_path, capsys):
    out, png = tmp_path / "m17.fits", tmp_path / "m17.png"
    images = str(real_data / "atlas")
    words = ["cutout", "18:20:44.4", "-16:09:36", "200", "--bands", "k", "--images", images]
    assert main([*words, "--out", str(out), "--png", str(png)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("Cutout 18h20m44.4s -16d09m36.0s, 200 arcsec, Ks, from 3")
    assert said[1:] == [str(out), str(png)]
    with fits.open(out) as hdus:
        assert hdus["KS"].data.shape == (200, 200)
    assert png.read_bytes().startswith(b"\x89PNG")
    assert main([*words, "--out", str(out)]) == 1
    assert "exists already" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    capsys.readouterr()
    assert main(["cutout", "95.1", "16.1", "200", "--images", images, "--png", "x.png"]) == 1
    assert "no Atlas Image" in capsys.readouterr().err
    assert not (tmp_path / "x.png").exists()


@pytest.mark.usefixtures("alone")
def test_the_command_says_simulated(short_sample, tmp_path, capsys):
    image = AtlasImage.open(next((short_sample / "000529s/s063/image").glob("ji*.fits.gz")))
    ra, dec = image.wcs.wcs_pix2world(255, 511, 0)
    words = ["cutout", f"{ra:.5f}", f"{dec:.5f}", "60", "--bands", "j"]
    words += ["--images", str(image.path), "--png", str(tmp_path / "a.png")]
    assert main(words) == 0
    said = capsys.readouterr()
    assert "SIMULATED" in said.err
    assert "SIMULATED" in said.out


def test_nothing_covered_is_not_found(alone, real_data):
    with pytest.raises(NotFoundError, match="no Atlas Image at hand"):
        tm.cutout("10 10", 100, images=real_data / "atlas")
