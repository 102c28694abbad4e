"""Names and addresses at UMass are those of the seeds; the best copy of an image is fetched."""

from __future__ import annotations

import bz2
import gzip

import pytest

import twomass_nb as tm
from twomass_nb.archive import irsa, umass
from twomass_nb.errors import FetchError, NotFoundError, OfflineError, TwomassWarning
from twomass_nb.scan import BANDS, FileName

SCAN = tm.ScanId("2000-10-22", "s", 62)
FOLDER = "001022s/s062"


@pytest.fixture
def images(serve, own_cache, monkeypatch):
    server = serve()
    monkeypatch.setenv("TWOMASS_NB_UMASS_IMAGES", server.url("images/"))
    return server


@pytest.fixture
def put(images, real_data):
    """Put a real image on the server, under any name and packed as that says."""

    def put(name, band=None):
        band = (band or name[0]).upper()
        content = (real_data / "atlas" / f"a{band}_asky_001022s0620186.fits.gz").read_bytes()
        if name.endswith("bz2"):
            content = bz2.compress(gzip.decompress(content), 1)
        images.files[f"images/{FOLDER}/{name}"] = content

    return put


def test_names_are_those_of_the_archive():
    of_the_seed = umass.image_name(tm.ScanId("1997-06-07", "n", 3), "h", 9)
    assert of_the_seed == "970607n/s003/h970607n003M009.fits.bz2"
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


def test_the_best_copy_is_fetched(put, own_cache):
    for name in ("h001022s062M186.fits.gz", "h001022s0620186.fits.bz2", "j001022s062H186.fits.gz"):
        put(name)
    with pytest.warns(TwomassWarning, match="j001022s062H186.fits.gz is H-compressed"):
        paths = umass.fetch_images(SCAN, "jhk", [186])
    assert [path.name for path in paths] == ["j001022s062H186.fits.gz", "h001022s062M186.fits.gz"]
    assert all(own_cache / "archive" / "umass" in path.parents for path in paths)
    with pytest.raises(NotFoundError, match="has no Atlas Images of 001022s062 in k"):
        umass.fetch_images(SCAN, "k", [186])


def test_without_coadds_the_page_of_the_scan_is_read(images, put):
    names = ["k001022s062M186.fits.bz2", "k001022s0620186.fits.gz", "j001022s062M186.fits.bz2"]
    for name in names:
        put(name)
    links = [*names, "k001022s0620186.fits.gz", "../../../etc/passwd", "k001022s063M186.fits.bz2"]
    page = "".join(f'<a href="/some/where/{name}">x</a>' for name in links)
    images.files[f"images/{FOLDER}/"] = f"<html>{page}<A HREF={names[2]}>y</A></html>".encode()
    paths = umass.fetch_images(SCAN, "jk")
    assert sorted(path.name for path in paths) == [names[2], names[0]]
    assert not any("passwd" in asked.path or "s063" in asked.path for asked in images.log)


def test_what_is_no_image_is_refused(images):
    images.files[f"images/{FOLDER}/k001022s062M186.fits.bz2"] = b"no image at all"
    with pytest.raises(FetchError, match="no packed FITS file"):
        umass.fetch_images(SCAN, "k", [186])


def test_another_image_or_half_of_one_is_refused(images, put, own_cache):
    name = "k001022s062M186.fits.bz2"
    put(name, band="j")
    with pytest.raises(FetchError, match="001022s062 j coadd 186"):
        umass.fetch_images(SCAN, "k", [186])
    put(name)
    images.files[f"images/{FOLDER}/{name}"] = images.files[f"images/{FOLDER}/{name}"][:-1000]
    with pytest.raises(FetchError, match="ended before the end"):
        umass.fetch_images(SCAN, "k", [186])
    assert not [p for p in own_cache.rglob("*.bz2") if p.name[0] != "."]


def test_it_is_asked_only_if_switched_on_and_irsa_has_none(put, monkeypatch):
    put("k001022s062M186.fits.bz2")
    outcomes = [NotFoundError("IRSA has none"), FetchError("IRSA is down"), OfflineError("no net")]

    def irsa_has_none(*_):
        raise outcomes[0]

    monkeypatch.setattr(irsa, "fetch_atlas", irsa_has_none)
    for _ in range(2):
        (path,) = tm.fetch(SCAN, "k", "atlas", coadds=[186])
        assert path.name == "k001022s062M186.fits.bz2"
        outcomes.pop(0)
    with pytest.raises(OfflineError, match="no net"):
        tm.fetch(SCAN, "k", "atlas", coadds=[186])
    monkeypatch.delenv("TWOMASS_NB_UMASS_IMAGES")
    outcomes[0] = NotFoundError("IRSA has none")
    with pytest.raises(NotFoundError, match="IRSA has none"):
        tm.fetch(SCAN, "k", "atlas", coadds=[186])
