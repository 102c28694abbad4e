"""Names and addresses at UMass are those of the seeds; the best copy of an image is fetched."""

from __future__ import annotations

import bz2
import gzip

import pytest

import twomass_nb as tm
from twomass_nb.archive import irsa, umass
from twomass_nb.errors import FetchError, NotFoundError, OfflineError, TwomassWarning
from twomass_nb.scan import BANDS, FileName

SCAN = tm.ScanId("1997-06-07", "n", 3)
FOLDER = "970607n/s003"


@pytest.fixture
def images(serve, own_cache, monkeypatch):
    server = serve()
    monkeypatch.setenv("TWOMASS_NB_UMASS_IMAGES", server.url("images/"))
    return server


def put(server, name):
    pack = bz2.compress if name.endswith("bz2") else gzip.compress
    server.files[f"images/{FOLDER}/{name}"] = pack(name.encode())


def test_names_are_those_of_the_archive():
    assert umass.image_name(SCAN, "h", 9) == "970607n/s003/h970607n003M009.fits.bz2"
    for band in BANDS:
        said = FileName.parse(umass.image_name(SCAN, band, 12, "0", "gz"))
        assert (said.scan_id, said.band, said.coadd, said.packing) == (SCAN, band, 12, "0")


def test_addresses_are_settings(monkeypatch):
    monkeypatch.delenv("TWOMASS_NB_UMASS_RAW", raising=False)
    monkeypatch.delenv("TWOMASS_NB_UMASS_IMAGES", raising=False)
    page = "http://pegasus.phast.umass.edu/data_products/pixel_data_archive"
    assert umass.raw_url("j1186063.par") == f"{page}/j1186063.par"
    assert not umass.images_switched_on()
    monkeypatch.setenv("TWOMASS_NB_UMASS_RAW", "https://here.example/2mass/")
    assert umass.raw_url("j1186063.par") == "https://here.example/2mass/j1186063.par"


def test_the_best_copy_is_fetched(images, own_cache):
    for name in ("h970607n003M009.fits.gz", "h970607n0030009.fits.bz2", "j970607n003H009.fits.gz"):
        put(images, name)
    with pytest.warns(TwomassWarning, match="j970607n003H009.fits.gz is H-compressed"):
        paths = umass.fetch_images(SCAN, "jhk", [9])
    assert [path.name for path in paths] == ["j970607n003H009.fits.gz", "h970607n003M009.fits.gz"]
    assert all(own_cache / "archive" / "umass" in path.parents for path in paths)
    with pytest.raises(NotFoundError, match="has no Atlas Images of 970607n003 in k"):
        umass.fetch_images(SCAN, "k", [9])


def test_without_coadds_the_page_of_the_scan_is_read(images):
    names = ["k970607n003M009.fits.bz2", "k970607n0030009.fits.gz", "j970607n003M010.fits.bz2"]
    for name in names:
        put(images, name)
    links = [*names, "k970607n0030009.fits.gz", "../../../etc/passwd", "k970607n004M009.fits.bz2"]
    page = "".join(f'<a href="/some/where/{name}">x</a>' for name in links)
    images.files[f"images/{FOLDER}/"] = f"<html>{page}<A HREF={names[2]}>y</A></html>".encode()
    paths = umass.fetch_images(SCAN, "jk")
    assert sorted(path.name for path in paths) == [names[2], names[0]]
    assert not any("passwd" in asked.path or "s004" in asked.path for asked in images.log)


def test_what_is_no_image_is_refused(images):
    put(images, "k970607n003M009.fits.bz2")
    images.files[f"images/{FOLDER}/k970607n003M009.fits.bz2"] = b"no image at all"
    with pytest.raises(FetchError, match="no packed FITS file"):
        umass.fetch_images(SCAN, "k", [9])


def test_it_is_asked_only_if_switched_on_and_irsa_has_none(images, monkeypatch):
    put(images, "k970607n003M009.fits.bz2")
    outcomes = [NotFoundError("IRSA has none"), FetchError("IRSA is down"), OfflineError("no net")]

    def irsa_has_none(*_):
        raise outcomes[0]

    monkeypatch.setattr(irsa, "fetch_atlas", irsa_has_none)
    for _ in range(2):
        (path,) = tm.fetch(SCAN, "k", "atlas", coadds=[9])
        assert path.name == "k970607n003M009.fits.bz2"
        outcomes.pop(0)
    with pytest.raises(OfflineError, match="no net"):
        tm.fetch(SCAN, "k", "atlas", coadds=[9])
    monkeypatch.delenv("TWOMASS_NB_UMASS_IMAGES")
    outcomes[0] = NotFoundError("IRSA has none")
    with pytest.raises(NotFoundError, match="IRSA has none"):
        tm.fetch(SCAN, "k", "atlas", coadds=[9])
